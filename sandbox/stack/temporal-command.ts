import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { temporalTool } from './tools.js';

const run = promisify(execFile);

export interface TemporalCommandOptions {
  /** host:port */
  readonly address: string;
  readonly namespace?: string | undefined;
  /** Of the caller: where the program is. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Temporal's own command line, as an operator types it. @throws with what it wrote when it ends with another status than 0 */
export async function temporalCommand(
  { address, namespace, environment }: TemporalCommandOptions,
  ...args: readonly string[]
): Promise<string> {
  const where = ['--address', address, ...(namespace === undefined ? [] : ['--namespace', namespace])];
  return (await run(temporalTool('temporal', environment), [...args, ...where])).stdout;
}
