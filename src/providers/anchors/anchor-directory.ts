import { createReadStream } from 'node:fs';
import { link, open, readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AnchorExists, type AnchorStore, anchorOf } from '../../domain/proof/anchors.js';

/** Anchors as files of a directory that is there already: one that is made by itself would hide a mount that is missing. */
export function createAnchorDirectory(directory: string): AnchorStore {
  const path = (name: string) => join(directory, name);
  return {
    async names() {
      const names = (await readdir(directory)).flatMap((name) => {
        const anchor = anchorOf(name);
        return anchor ? [{ name, number: anchor.number }] : [];
      });
      return names.sort((one, other) => one.number - other.number).map(({ name }) => name);
    },

    read: (name) => createReadStream(path(name)),

    async readEnd(name, bytes) {
      const file = await open(path(name));
      try {
        const { size } = await file.stat();
        const length = Math.min(size, bytes);
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },

    async write(name, lines) {
      // A name that `names` never shows, so that what a crash leaves is no anchor.
      const draft = path(`.${name}.${process.pid}.${Date.now().toString(36)}`);
      const file = await open(draft, 'wx');
      try {
        try {
          await writeFile(file, lines);
          await file.sync();
        } finally {
          await file.close();
        }
        // Unlike a rename, a link never replaces what is there.
        await link(draft, path(name));
      } catch (error) {
        throw isThere(error) ? new AnchorExists(`${name} is there already`, { cause: error }) : error;
      } finally {
        await unlink(draft);
      }
      const entries = await open(directory);
      try {
        await entries.sync();
      } finally {
        await entries.close();
      }
    },
  };
}

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';
