import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type RunningChild, startChild } from '../sandbox/stack/child.js';
import { type Guard, startGuard } from '../sandbox/stack/guard.js';
import { reservePort } from '../sandbox/stack/ports.js';
import { startPostgres } from '../sandbox/stack/postgres.js';
import { projectRoot } from '../sandbox/stack/project-root.js';
import { untilAnswers } from '../sandbox/stack/ready.js';
import { startTemporal } from '../sandbox/stack/temporal.js';
import { temporalTool } from '../sandbox/stack/tools.js';

/** Where everything is measured: a Postgres that syncs every commit, a Temporal server, an auth server. */
export interface Place {
  /** `host:port` of a Temporal server as `npm start` runs it. */
  readonly temporal: string;
  readonly authServerUrl: string;
  /** An empty database of its own. @returns its URL */
  newDatabase(): Promise<string>;
  /** So that no arm of a comparison pays for what the one before it wrote. */
  settleDisk(): Promise<void>;
  setDown(down: boolean): Promise<void>;
  /** Whatever the auth server is asked, it answers after so long; 0: at once again. */
  setSlow(ms: number): Promise<void>;
  /** A Temporal server as it comes, with a file and no other flag. */
  startDefaultTemporal(): Promise<{ address: string; stop(): Promise<unknown> }>;
  /** Starts a Node program that prints `ready` in a line when it is. */
  startProgram(program: Program): Promise<RunningChild>;
  dispose(): Promise<void>;
}

export interface Program {
  readonly file: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready: string;
  readonly onLine?: (line: string) => void;
}

const START_LIMIT_MS = 60_000;

export async function openPlace(): Promise<Place> {
  const directory = join(tmpdir(), `makegood-bench-${randomBytes(6).toString('hex')}`);
  const guard = await startGuard(join(projectRoot(), '.build', 'processes'));
  const environment = process.env;
  const log = quietUnlessAsked;
  const postgres = await startPostgres({
    directory: join(directory, 'postgres'),
    port: await reservePort(),
    password: randomBytes(16).toString('hex'),
    durable: true,
    environment,
    guard,
    log,
  });
  const temporal = await startTemporal({
    durable: true,
    program: temporalTool('temporal', environment),
    databaseFile: join(directory, 'temporal.db'),
    port: await reservePort(),
    httpPort: await reservePort(),
    environment,
    guard,
    log,
    // Also when the measurement is killed: the guard removes it once everything in it has ended.
    throwAway: directory,
  });
  const admin = new pg.Pool({ connectionString: postgres.url, max: 1 });
  let authServerUrl = '';
  const sandbox = await startNode(guard, {
    file: new URL('processes/sandbox.js', import.meta.url).pathname,
    ready: 'http://',
    onLine: (line) => (authServerUrl = line),
  });
  let databases = 0;
  return {
    temporal: temporal.address,
    authServerUrl,
    async newDatabase() {
      databases += 1;
      const url = new URL(postgres.url);
      url.pathname = `/bench_${databases}`;
      await admin.query(`CREATE DATABASE bench_${databases} TEMPLATE template0`);
      return url.href;
    },
    settleDisk: async () => void (await admin.query('CHECKPOINT')),
    async setDown(down) {
      const body = JSON.stringify({ down });
      const headers = { 'content-type': 'application/json' };
      await fetch(`${authServerUrl}/_sandbox/down`, { method: 'PUT', headers, body });
    },
    async setSlow(ms) {
      const rule = { kinds: ['slow'], ms, on: ['settle', 'verify', 'payment-request', 'supported'] };
      const body = JSON.stringify({ rules: ms === 0 ? [] : [rule] });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${authServerUrl}/_sandbox/faults`, { method: 'PUT', headers, body });
      if (!answer.ok) throw new Error(`the auth server is not slow: ${await answer.text()}`);
    },
    startDefaultTemporal: () => startDefaultTemporal(guard, directory),
    startProgram: (program) => startNode(guard, program),
    async dispose() {
      await admin.end();
      for (const child of [sandbox, temporal, postgres]) await child.stop();
      await guard.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

let defaultServers = 0;

async function startDefaultTemporal(guard: Guard, directory: string) {
  const [port, http] = [await reservePort(), await reservePort()];
  const flags = {
    '--port': port.port,
    '--http-port': http.port,
    '--db-filename': join(directory, `default-${++defaultServers}.db`),
    '--log-level': 'error',
  };
  await Promise.all([port.release(), http.release()]);
  const child = await startChild(
    {
      name: 'temporal by default',
      command: temporalTool('temporal', process.env),
      args: [
        'server',
        'start-dev',
        '--headless',
        ...Object.entries(flags).flatMap(([key, value]) => [key, `${value}`]),
      ],
      env: process.env,
      signal: 'SIGTERM',
      graceMs: 5_000,
    },
    guard,
    quietUnlessAsked,
  );
  const over = new AbortController().signal;
  const namespace = `http://127.0.0.1:${http.port}/api/v1/namespaces/default`;
  await untilAnswers(namespace, (answer) => answer.ok, { over, limitMs: START_LIMIT_MS });
  return { address: `127.0.0.1:${port.port}`, stop: () => child.stop() };
}

async function startNode(guard: Guard, { file, args = [], env = {}, ready, onLine }: Program): Promise<RunningChild> {
  let isReady = () => {};
  const readiness = new Promise<void>((resolve) => (isReady = resolve));
  const child = await startChild(
    {
      name: file.replace(/.*\//, ''),
      command: process.execPath,
      args: [file, ...args],
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      signal: 'SIGTERM',
      graceMs: 10_000,
    },
    guard,
    (name, line) => {
      onLine?.(line);
      if (line.includes(ready)) isReady();
      quietUnlessAsked(name, line);
    },
  );
  const ended = await Promise.race([readiness, child.exited]);
  if (ended) throw new Error(`${child.name} ended before it was ready; BENCH_LOGS=1 shows what it printed`);
  return child;
}

function quietUnlessAsked(name: string, line: string): void {
  if (process.env.BENCH_LOGS === '1') process.stderr.write(`${name} | ${line}\n`);
}
