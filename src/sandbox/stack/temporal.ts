import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildLog, describeExit, type RunningChild, startChild } from './child.js';
import type { Guard } from './guard.js';
import type { ReservedPort } from './ports.js';

export interface TemporalOptions {
  /** The `temporal` command line program. */
  readonly program: string;
  /** SQLite file with everything the server knows; survives kill -9. */
  readonly databaseFile: string;
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
  readonly uiUrl: string | null;
}

const START_LIMIT_MS = 60_000;
const PAUSE_MS = 50;
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
  const given = new AbortController();
  const ended = await Promise.race([answers(options.httpPort.port, given.signal), child.exited]);
  given.abort();
  if (ended) throw new Error(`the Temporal server did not start (${describeExit(ended)}):\n${printed.join('\n')}`);
  return {
    ...child,
    address: `127.0.0.1:${options.port.port}`,
    namespace: 'default',
    uiUrl: options.uiPort ? `http://127.0.0.1:${options.uiPort.port}` : null,
  };
}

function argumentsFor(options: TemporalOptions): string[] {
  const flags = {
    '--ip': '127.0.0.1',
    '--port': options.port.port,
    '--http-port': options.httpPort.port,
    ...(options.uiPort ? { '--ui-port': options.uiPort.port } : {}),
    '--db-filename': options.databaseFile,
    // the write-ahead log makes the server about 1.5 times as fast, at the same durability
    '--sqlite-pragma': 'journal_mode=wal',
    '--log-level': 'error',
  };
  const pairs = Object.entries(flags).flatMap(([flag, value]) => [flag, String(value)]);
  return ['server', 'start-dev', ...pairs, ...(options.uiPort ? [] : ['--headless'])];
}

/**
 * The port opens before the namespace is there; a client that comes too early would get "namespace not found".
 * @param over the server has ended: nobody waits for this any more
 */
async function answers(httpPort: number, over: AbortSignal): Promise<void> {
  const url = `http://127.0.0.1:${httpPort}/api/v1/namespaces/default`;
  const deadline = Date.now() + START_LIMIT_MS;
  while (!over.aborted) {
    try {
      const answer = await fetch(url, { signal: over });
      await answer.body?.cancel();
      if (answer.ok) return;
    } catch {
      // not listening yet
    }
    if (Date.now() > deadline) throw new Error(`the Temporal server did not answer on ${url}`);
    await sleep(PAUSE_MS);
  }
}
