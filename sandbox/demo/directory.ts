import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startGuard } from '../stack/guard.js';
import { AlreadyRunning, lockInstance } from '../stack/instance-lock.js';

const LOCK = 'stack.lock';
/** Enough for anybody who watches several demos at once. */
const PLACES = 9;

/**
 * A fresh directory for one demo: `wanted`, or `wanted-2` and so on while demos are running in those before. What an
 * earlier demo left there is removed, its processes first.
 */
export async function emptyDirectory(wanted: string): Promise<string> {
  for (let place = 1; place <= PLACES; place += 1) {
    const directory = place === 1 ? wanted : `${wanted}-${place}`;
    try {
      await clear(directory);
      return directory;
    } catch (error) {
      if (!(error instanceof AlreadyRunning)) throw error;
    }
  }
  throw new Error(`${PLACES} demos already run in ${wanted} and beside it; stop one of them first`);
}

async function clear(directory: string): Promise<void> {
  const unlock = await lockInstance(directory);
  try {
    // The guard waits until the processes of a demo that was killed have ended.
    const guard = await startGuard(join(directory, 'processes'));
    await guard.close();
    for (const name of readdirSync(directory)) {
      if (name !== LOCK) rmSync(join(directory, name), { recursive: true, force: true });
    }
  } finally {
    unlock();
  }
}
