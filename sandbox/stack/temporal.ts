import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ChildLog, describeExit, type RunningChild, startChild } from './child.js';
import type { Guard } from './guard.js';
import type { ReservedPort } from './ports.js';
import { untilAnswers } from './ready.js';

export interface TemporalOptions {
  /** The `temporal` command line program. */
  readonly program: string;
  /** SQLite file with everything the server knows; survives kill -9. */
  readonly databaseFile: string;
  /** `false` for tests: nothing is waited for on disk, and a crash of the machine loses it. */
  readonly durable: boolean;
  readonly port: ReservedPort;
  readonly httpPort: ReservedPort;
  /** Absent: no Web UI. */
  readonly uiPort?: ReservedPort;
  readonly environment: NodeJS.ProcessEnv;
  readonly guard: Guard;
  readonly log: ChildLog;
  /** Removed after the end. */
  readonly throwAway?: string;
}

export interface RunningTemporal extends RunningChild {
  /** `host:port` of the gRPC frontend. */
  readonly address: string;
  readonly namespace: 'default';
  /** The frontend's API as JSON over HTTP. */
  readonly httpUrl: string;
  readonly uiUrl: string | null;
}

const START_LIMIT_MS = 60_000;
const STOP_GRACE_MS = 5000;

/** A Temporal development server on 127.0.0.1. Resolves when its namespace `default` answers. */
export async function startTemporal(options: TemporalOptions): Promise<RunningTemporal> {
  mkdirSync(dirname(options.databaseFile), { recursive: true });
  const ports = [options.port, options.httpPort, ...(options.uiPort ? [options.uiPort] : [])];
  for (const port of ports) await port.release();
  const printed: string[] = [];
  const child = await startChild(
    {
      name: 'temporal',
      command: options.program,
      args: argumentsFor(options),
      env: {
        PATH: options.environment['PATH'],
        HOME: options.environment['HOME'],
        TMPDIR: options.environment['TMPDIR'],
      },
      signal: 'SIGTERM',
      graceMs: STOP_GRACE_MS,
      throwAway: options.throwAway,
    },
    options.guard,
    (name, line) => {
      if (printed.length < 50) printed.push(line);
      options.log(name, line);
    },
  );
  const httpUrl = `http://127.0.0.1:${options.httpPort.port}`;
  // the port opens before the namespace is there; a client that comes too early would get "namespace not found"
  const namespace = `${httpUrl}/api/v1/namespaces/default`;
  const over = new AbortController();
  const ended = await Promise.race([
    untilAnswers(namespace, (answer) => answer.ok, { over: over.signal, limitMs: START_LIMIT_MS }),
    child.exited,
  ]);
  over.abort();
  if (ended) throw new Error(`the Temporal server did not start (${describeExit(ended)}):\n${printed.join('\n')}`);
  return {
    ...child,
    address: `127.0.0.1:${options.port.port}`,
    namespace: 'default',
    httpUrl,
    uiUrl: options.uiPort ? `http://127.0.0.1:${options.uiPort.port}` : null,
  };
}

function argumentsFor(options: TemporalOptions): string[] {
  const flags: readonly (readonly [string, string | number])[] = [
    ['--ip', '127.0.0.1'],
    ['--port', options.port.port],
    ['--http-port', options.httpPort.port],
    ...(options.uiPort ? [['--ui-port', options.uiPort.port] as const] : []),
    ['--db-filename', options.databaseFile],
    // the write-ahead log makes the server about 1.5 times as fast, at the same durability
    ['--sqlite-pragma', 'journal_mode=wal'],
    ...(options.durable ? [] : [['--sqlite-pragma', 'synchronous=off'] as const]),
    ['--log-level', 'error'],
  ];
  const pairs = flags.flatMap(([flag, value]) => [flag, String(value)]);
  return ['server', 'start-dev', ...pairs, ...(options.uiPort ? [] : ['--headless'])];
}
