import { temporalCommand as command } from '../../sandbox/stack/temporal-command.js';

/** Temporal's own command line, as an operator types it. @throws with what it wrote when it ends with another status than 0 */
export const temporalCommand = (
  { address, namespace }: { readonly address: string; readonly namespace?: string },
  ...args: readonly string[]
): Promise<string> => command({ address, namespace, environment: process.env }, ...args);

/** What `--name resolve` and its payload are on that command line. */
export const resolveMessage = (decision: object): readonly string[] => [
  '--name',
  'resolve',
  '--input',
  JSON.stringify(decision),
];
