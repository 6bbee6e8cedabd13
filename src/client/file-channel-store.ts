import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChannelStore, createTextChannelStore } from './channel-store.js';

/**
 * A channel store of one file per channel in `folder`, for processes on this machine. A record is on the disk, whole,
 * before the voucher that it is about leaves: it is written beside the old one, flushed, and put in its place.
 */
export function createFileChannelStore(folder: string): ChannelStore {
  const place = (key: string) => join(folder, `${key.replaceAll(/[^0-9a-zA-Z]+/g, '-')}.json`);
  return createTextChannelStore({
    get: (key) => readIfThere(place(key)),
    async set(key, value) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const beside = `${place(key)}.${randomUUID()}`;
      await writeFlushed(beside, value);
      await rename(beside, place(key));
      await flush(folder);
    },
    async delete(key) {
      await rm(place(key), { force: true });
    },
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeFlushed(path: string, value: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(value);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A rename lasts through a power cut only when the folder itself was flushed. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
