import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processStart } from './processes.js';

/** Another process keeps its state in this directory. */
export class AlreadyRunning extends Error {
  readonly pid: number;
  readonly url: string | null;

  constructor(directory: string, pid: number, url: string | null) {
    const where = url === null ? '' : `; it is ready on ${url}`;
    super(
      `makegood already runs in ${directory} as process ${pid}${where}. Stop that one first (Ctrl-C, or kill ${pid}).`,
    );
    this.name = 'AlreadyRunning';
    this.pid = pid;
    this.url = url;
  }
}

/** Taking a dead holder's place takes milliseconds; whoever is at it for longer has died. */
const TAKEOVER_LIMIT_MS = 10_000;
const ATTEMPTS = 100;
const PAUSE_MS = 20;

/**
 * One stack, or one process of stand-ins, per directory. The lock of a process that was killed is taken over.
 * @returns gives the directory back
 * @throws AlreadyRunning
 */
export async function lockInstance(directory: string): Promise<() => void> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const file = join(directory, 'stack.lock');
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, start: processStart(process.pid) }));
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (linked(mine, file) || takenOver(mine, file)) return () => rmSync(file, { force: true });
      const holder = readHolder(file);
      if (holder && isAlive(holder)) throw new AlreadyRunning(directory, holder.pid, urlOf(directory));
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new Error(`the lock ${file} could not be taken; remove it if no makegood runs in ${directory}`);
}

/** Of all that see the dead holder only one may remove its file, or the second would remove the first one's new lock. */
function takenOver(mine: string, file: string): boolean {
  const holder = readHolder(file);
  if (!holder || isAlive(holder)) return false;
  const takeover = `${file}.takeover`;
  try {
    mkdirSync(takeover);
  } catch {
    removeAbandoned(takeover);
    return false;
  }
  try {
    const still = readHolder(file);
    if (still && !isAlive(still)) rmSync(file, { force: true });
    return linked(mine, file);
  } finally {
    rmdirSync(takeover);
  }
}

function removeAbandoned(takeover: string): void {
  try {
    if (Date.now() - statSync(takeover).mtimeMs > TAKEOVER_LIMIT_MS) rmdirSync(takeover);
  } catch {
    // somebody else was quicker
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

interface Holder {
  readonly pid: number;
  readonly start: string;
}

function readHolder(file: string): Holder | undefined {
  const text = readText(file);
  return text === undefined ? undefined : JSON.parse(text);
}

const isAlive = (holder: Holder) => processStart(holder.pid) === holder.start;

function urlOf(directory: string): string | null {
  const text = readText(join(directory, 'endpoints.json'));
  if (text === undefined) return null;
  const endpoints: { server: string } = JSON.parse(text);
  return endpoints.server;
}

/** Both files appear whole or not at all. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
