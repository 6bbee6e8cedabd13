// One at a time across processes, for work on node_modules, dist and .tools. A lock whose holder died is taken over.
import { linkSync, mkdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeProcess, isAlive } from './processes.mjs';

const POLL_MS = 200;
/** Taking over takes milliseconds; whoever is at it for longer has died. */
const TAKEOVER_LIMIT_MS = 10_000;

/** Runs `work` while no other process holds `file`; waits for the other one, and says so once. */
export async function withLock(file, purpose, work) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ ...describeProcess(process.pid), purpose }));
  let told = false;
  try {
    while (!acquire(file, mine)) {
      const holder = read(file);
      if (!told && holder && isAlive(holder)) {
        process.stderr.write(`makegood: waiting for process ${holder.pid}, which is ${holder.purpose}\n`);
        told = true;
      }
      await sleep(POLL_MS);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

function acquire(file, mine) {
  if (link(mine, file)) return true;
  const holder = read(file);
  if (holder === undefined || isAlive(holder)) return false;
  // Of all that see the dead holder only one may remove its file, or the second would remove the first one's new lock.
  const takeover = `${file}.takeover`;
  try {
    mkdirSync(takeover);
  } catch {
    try {
      if (Date.now() - statSync(takeover).mtimeMs > TAKEOVER_LIMIT_MS) rmdirSync(takeover);
    } catch {
      // somebody else was quicker
    }
    return false;
  }
  try {
    const still = read(file);
    if (still !== undefined && !isAlive(still)) rmSync(file, { force: true });
    return link(mine, file);
  } finally {
    rmdirSync(takeover);
  }
}

function link(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
