import type { ChildExit, ChildLog, RunningChild } from './child.js';
import { describeExit } from './child.js';

export type StackChildName = 'postgres' | 'temporal' | 'sandbox' | 'server' | 'worker';

/** One process of a stack, which the demo and the tests may kill and start again. */
export interface StackChild {
  readonly name: StackChildName;
  /** Undefined while it is down. */
  readonly pid: () => number | undefined;
  /** Starts it again where it was, with all it had on disk; resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** Asks it to end, and waits until it has. */
  readonly stop: () => Promise<void>;
  /** SIGKILL, and waits until it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP and SIGCONT: it hangs, it goes on. */
  readonly freeze: () => void;
  readonly thaw: () => void;
}

/** A process ended although nobody asked it to. */
export interface StackFailure {
  readonly name: StackChildName;
  readonly exit: ChildExit;
  readonly message: string;
}

const KEPT_LINES = 15;

export interface StackChildOptions {
  readonly name: StackChildName;
  readonly log: ChildLog;
  /** Starts the process and waits until it is ready. */
  readonly launch: (log: ChildLog) => Promise<RunningChild>;
  readonly onFailure: (failure: StackFailure) => void;
}

export function createStackChild({ name, log, launch, onFailure }: StackChildOptions): StackChild {
  let running: RunningChild | undefined;
  let expected = false;
  const last: string[] = [];
  const remember: ChildLog = (from, line) => {
    last.push(line);
    if (last.length > KEPT_LINES) last.shift();
    log(from, line);
  };

  function watch(child: RunningChild): void {
    running = child;
    void child.exited.then((exit) => {
      if (running === child) running = undefined;
      if (expected) return undefined;
      const message = `${name} ended by itself (${describeExit(exit)}); its last words:\n${last.join('\n')}`;
      return onFailure({ name, exit, message });
    });
  }

  async function end(how: (child: RunningChild) => unknown): Promise<void> {
    const child = running;
    if (!child) return;
    expected = true;
    await how(child);
    await child.exited;
  }

  return {
    name,
    pid: () => running?.pid,
    start: async () => {
      if (running) throw new Error(`${name} already runs as process ${running.pid}`);
      expected = false;
      last.length = 0;
      watch(await launch(remember));
    },
    stop: () => end((child) => child.stop()),
    kill: () => end((child) => child.kill('SIGKILL')),
    freeze: () => running?.kill('SIGSTOP'),
    thaw: () => running?.kill('SIGCONT'),
  };
}
