import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { temporalTool } from '../../sandbox/stack/tools.js';

const run = promisify(execFile);

/** Temporal's own command line, as an operator types it. @throws with what it wrote when it ends with another status than 0 */
export async function temporalCommand(
  at: { readonly address: string; readonly namespace?: string },
  ...args: readonly string[]
): Promise<string> {
  const where = ['--address', at.address, ...(at.namespace === undefined ? [] : ['--namespace', at.namespace])];
  return (await run(temporalTool('temporal', process.env), [...args, ...where])).stdout;
}

/** What `--name resolve` and its payload are on that command line. */
export const resolveMessage = (decision: object): readonly string[] => [
  '--name',
  'resolve',
  '--input',
  JSON.stringify(decision),
];
