import { join } from 'node:path';
import { onEndRequest } from '../../sandbox/stack/end-requests.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';
import { startStack } from '../../sandbox/stack/stack.js';

/** `npm start`: the sandbox stack until Ctrl-C. */
const directory = process.env.MAKEGOOD_DIRECTORY ?? join(projectRoot(), '.makegood');
const say = (line: string) => process.stderr.write(`${line}\n`);

// Before everything is up the guard of the processes ends what was started, as soon as this process is gone.
let stop = async (): Promise<void> => {};
let stopping = false;

async function end(status: number): Promise<void> {
  if (stopping) process.exit(status);
  stopping = true;
  say('makegood: stopping (again Ctrl-C: at once)');
  await stop();
  process.exit(status);
}

onEndRequest(() => void end(0), process.env);

try {
  const log = (name: string, line: string) => say(`${name.padEnd(8)} | ${line}`);
  const stack = await startStack({ directory, environment: process.env, log });
  stop = stack.stop;
  const { endpoints } = stack;
  say(`makegood: Temporal Web UI ${endpoints.temporalUi}, everything else in ${join(directory, 'endpoints.json')}`);
  process.stdout.write(`makegood ready ${endpoints.server}\n`);
  const failure = await stack.failure;
  say(`makegood: ${failure.message}`);
  await end(1);
} catch (error) {
  say(`makegood: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
