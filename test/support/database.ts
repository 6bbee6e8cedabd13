import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Also throws everybody off who is still connected. */
  readonly drop: () => Promise<void>;
}

/**
 * A database of its own for a test or a test file, in about 50 ms. Its files are copied as they are: what Postgres knows of its tables
 * at a first connection comes with them.
 * @param template `migrated`: a clone with every migration applied; `empty`: for tests of the migrations themselves
 */
export async function createTestDatabase(template: 'migrated' | 'empty' = 'migrated'): Promise<TestDatabase> {
  const maintenance = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await run(
    maintenance,
    `CREATE DATABASE ${name} TEMPLATE ${template === 'empty' ? 'template0' : 'makegood_template'} STRATEGY file_copy`,
  );
  const url = new URL(maintenance);
  url.pathname = `/${name}`;
  return { url: url.href, name, drop: () => run(maintenance, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
