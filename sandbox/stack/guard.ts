import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { projectRoot } from './project-root.js';

export interface GuardedProcess {
  readonly pid: number;
  /** What asks it to end. */
  readonly signal: NodeJS.Signals;
  /** The process leads a process group, all of which is to end. */
  readonly group: boolean;
  /** Removed after the end: data that nobody needs any more. */
  readonly directory?: string;
}

/** Watches over child processes from outside: they end even if this process is killed with SIGKILL. */
export interface Guard {
  add(entry: GuardedProcess): void;
  drop(pid: number): void;
  /** Lets the guard go after it has ended whatever was not dropped. */
  close(): Promise<void>;
}

/**
 * @param records where the guard keeps its list; guards with the same folder end what killed runs left behind,
 *   and that is done when this resolves
 */
export async function startGuard(records: string): Promise<Guard> {
  const child = spawn(process.execPath, [join(projectRoot(), 'scripts', 'guard.mjs'), records], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  // a guard that was killed must not take its owner with it
  child.stdin.on('error', () => {});
  await Promise.race([
    new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      createInterface({ input: child.stdout }).once('line', () => {
        resolve();
      });
    }),
    exited.then(() => Promise.reject(new Error('the guard of child processes ended at its start'))),
  ]);
  child.unref();
  unrefPipe(child.stdin);
  unrefPipe(child.stdout);
  const tell = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  return {
    add: (entry) => void tell({ add: entry }),
    drop: (pid) => void tell({ drop: { pid } }),
    close: async () => {
      child.ref();
      child.stdin.end();
      await exited;
    },
  };
}

/** Pipes of a child are sockets, and would keep this process alive. */
function unrefPipe(pipe: object): void {
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
}
