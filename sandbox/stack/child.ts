import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Guard } from './guard.js';

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What asks it to end; after `graceMs` it is killed. */
  readonly signal: NodeJS.Signals;
  readonly graceMs: number;
  /** Removed when the process has ended. */
  readonly throwAway?: string;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningChild {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** For crash tests; {@link stop} is the orderly way. */
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<ChildExit>;
}

/** Where a child's output goes, line by line. */
export type ChildLog = (name: string, line: string) => void;

/** Starts a program in its own process group, watched by the guard. Resolves when it runs, not when it is ready. */
export async function startChild(spec: ChildSpec, guard: Guard, log: ChildLog): Promise<RunningChild> {
  const child = spawn(spec.command, spec.args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log(spec.name, line);
    });
  }
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new Error(`${spec.name} could not be started: ${spec.command}: ${cause.message}`, { cause }));
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${spec.name} has no process id`);
  guard.add({ pid, signal: spec.signal, group: true, directory: spec.throwAway });
  child.once('exit', () => {
    if (spec.throwAway === undefined) guard.drop(pid);
  });
  const kill = (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // it ended a moment ago, and `exited` will say so
    }
  };
  return {
    name: spec.name,
    pid,
    exited,
    kill,
    stop: async () => {
      kill(spec.signal);
      const late = setTimeout(() => {
        kill('SIGKILL');
      }, spec.graceMs);
      const exit = await exited;
      clearTimeout(late);
      return exit;
    },
  };
}

/** `exit code 1`, `SIGKILL`: for messages. */
export function describeExit(exit: ChildExit): string {
  return exit.signal ?? `exit code ${exit.code}`;
}
