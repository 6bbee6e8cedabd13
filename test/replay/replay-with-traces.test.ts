import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { temporal } from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, expect, it } from 'vitest';
import { quietRuntime } from '../support/quiet-runtime.js';
import { historyFile, SHAPES } from './shapes.js';

/** Traces are turned on and off while workflows run: what was begun without them goes on with them. */
let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  quietRuntime();
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
    workflowInterceptorModules: [
      createRequire(import.meta.url).resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors'),
    ],
    logger: new DefaultLogger('ERROR'),
  });
}, 60_000);

it.each(Object.keys(SHAPES))('%s, recorded without traces, is continued with them', async (shape) => {
  const history = temporal.api.history.v1.History.decode(readFileSync(historyFile(shape)));
  const sinks = { exporter: { export: { fn: () => undefined } } };
  const replay = Worker.runReplayHistory({ workflowBundle, sinks }, history, `replay/${shape}`);
  await expect(replay).resolves.toBeUndefined();
});
