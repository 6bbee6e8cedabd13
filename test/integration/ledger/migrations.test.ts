import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knownMigrations, migrate } from '../../../src/ledger/migrate.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { dumpSchema } from '../../support/schema-dump.js';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase('empty');
});
afterEach(() => database.drop());

async function copied(): Promise<{ directory: URL; path: string }> {
  const source = new URL('../../../src/ledger/migrations/', import.meta.url);
  const path = await mkdtemp(join(tmpdir(), 'migrations-'));
  for (const name of await readdir(source)) await copyFile(new URL(name, source), join(path, name));
  return { directory: pathToFileURL(`${path}/`), path };
}

describe('migrations', () => {
  it('make the schema that is checked in', async () => {
    await migrate(database.url);
    await expect(await dumpSchema(database.url)).toMatchFileSnapshot('../../snapshots/schema.sql');
  });

  it('are applied once when six migrators start at once', async () => {
    const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(database.url)));
    const known = (await knownMigrations()).map((migration) => migration.name);
    expect(applied.flat().sort()).toEqual(known);
    expect(await migrate(database.url)).toEqual([]);
  });

  it('stop at the number asked for, go on from there, and name an unknown number', async () => {
    expect(await migrate(database.url, { to: 1 })).toEqual(['0001-clock-and-events.sql']);
    expect((await migrate(database.url)).at(0)).toBe('0002-settlements.sql');
    await expect(migrate(database.url, { to: 99 })).rejects.toThrow('there is no migration 99');
  });

  it('refuse a file that was changed after it ran', async () => {
    const { directory, path } = await copied();
    await migrate(database.url, { directory });
    await writeFile(join(path, '0001-clock-and-events.sql'), 'SELECT 1;');
    await expect(migrate(database.url, { directory })).rejects.toThrow('was changed after it ran');
    await rm(path, { recursive: true });
  });

  it('leave nothing of a migration that fails half way, and say which it was', async () => {
    const { directory, path } = await copied();
    const next = (await knownMigrations()).length + 1;
    const name = `${String(next).padStart(4, '0')}-broken.sql`;
    await writeFile(join(path, name), 'CREATE TABLE half_way (id int); SELECT no_such_function();');
    await expect(migrate(database.url, { directory })).rejects.toThrow(`migration ${name}`);
    expect(await dumpSchema(database.url)).not.toContain('half_way');
    await rm(path, { recursive: true });
  });

  it('refuse a gap in the numbers', async () => {
    const { directory, path } = await copied();
    await rm(join(path, '0002-settlements.sql'));
    await expect(migrate(database.url, { directory })).rejects.toThrow('without gaps');
    await rm(path, { recursive: true });
  });
});
