import { randomBytes } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildLog } from '../../sandbox/stack/child.js';
import { type Guard, startGuard } from '../../sandbox/stack/guard.js';
import { projectRoot } from '../../sandbox/stack/project-root.js';

let guard: Promise<Guard> | undefined;

// A worker of vitest outlives a killed vitest until its test ends; nobody waits for that test any more.
process.once('disconnect', () => {
  process.exit(1);
});

/** One per test process: what it starts ends with it, also when vitest is killed; the next run tidies what is left. */
export function testGuard(): Promise<Guard> {
  guard ??= startGuard(join(projectRoot(), '.build', 'processes'));
  return guard;
}

/** What is thrown away needs no disk: a database is copied in memory with a fraction of the processor's time. */
const MEMORY = '/dev/shm';
const ROOM = 3 * 2 ** 30;

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM;
  } catch {
    return false;
  }
}

/** A path of its own outside the clone; whoever uses it makes the folder. */
export function temporaryPath(purpose: string): string {
  return join(hasRoom() ? MEMORY : tmpdir(), `makegood-${purpose}-${randomBytes(6).toString('hex')}`);
}

/** Lines of child processes appear with MAKEGOOD_TEST_LOGS=1 only; failures carry their own output. */
export const testLog: ChildLog = (name, line) => {
  if (process.env.MAKEGOOD_TEST_LOGS === '1') process.stderr.write(`${name} | ${line}\n`);
};
