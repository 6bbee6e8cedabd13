import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectRoot } from '../../sandbox/stack/project-root.js';

/** A stand-in in a process of its own, which keeps its state in this directory and can be ended by SIGKILL. */
export async function startKillableSandbox(program: 'sandbox' | 'stripe-sandbox', stateDir: string) {
  const child = fork(join(projectRoot(), '.build', 'test', 'test', 'support', 'processes', `${program}.js`), [
    stateDir,
  ]);
  const exited = once(child, 'exit');
  const [url] = (await once(child, 'message')) as [string];
  return {
    url,
    async kill(): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
