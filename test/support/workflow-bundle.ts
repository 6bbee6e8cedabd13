import { readFileSync } from 'node:fs';
import type { WorkerOptions } from '@temporalio/worker';

/**
 * The workflows as they are built for a worker of production, run beside the tests: a thread of their own would load Temporal
 * once more for every worker, most of a worker's start. Programs that are started as processes have such threads.
 * @param change what another build has otherwise
 */
export const workflowsInThisThread = (
  change: (code: string) => string = (code) => code,
): Pick<WorkerOptions, 'workflowBundle' | 'debugMode'> => ({
  workflowBundle: { code: change(readFileSync(new URL('../../dist/workflow-bundle.js', import.meta.url), 'utf8')) },
  debugMode: true,
});
