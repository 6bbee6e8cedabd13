import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
/** Any constant: every migrator of this product asks for the same advisory lock. */
const MIGRATION_LOCK = 7_272_740_001n;

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
}

const IS_MIGRATION = /^\d{4}-[a-z0-9-]+\.sql$/;

/** The newest migration this build knows: Postgres lets nobody take an item who does not know the newest there is. */
export const newestKnown = (): number => readdirSync(MIGRATIONS).filter((name) => IS_MIGRATION.test(name)).length;

/** The migrations this build knows, in order. @throws when two carry one number or a number is missing. */
export async function knownMigrations(directory: URL = MIGRATIONS): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => IS_MIGRATION.test(name)).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(name.slice(0, 4));
      if (number !== index + 1)
        throw new Error(`migration ${name}: expected number ${index + 1}; migrations are numbered without gaps`);
      const sql = await readFile(new URL(name, directory), 'utf8');
      return { number, name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * Applies what is missing, in order, each in its own transaction. Two at once are harmless: the second waits for the
 * advisory lock and then finds nothing to do.
 *
 * @param options.to stop after this number; the default is everything known
 * @returns the names applied by this call
 * @throws when a file that already ran was changed: write a further migration instead
 */
export async function migrate(databaseUrl: string, options: { to?: number; directory?: URL } = {}): Promise<string[]> {
  const known = await knownMigrations(options.directory);
  if (options.to !== undefined && !known.some((migration) => migration.number === options.to)) {
    throw new Error(`there is no migration ${options.to}: known are 1 to ${known.length}`);
  }
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'makegood migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await client.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
      number int PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    return await applyMissing(
      client,
      known.filter((migration) => migration.number <= (options.to ?? known.length)),
    );
  } finally {
    // Ending the connection also gives the advisory lock back.
    await client.end();
  }
}

async function applyMissing(client: pg.Client, wanted: readonly Migration[]): Promise<string[]> {
  const done = await client.query<{ number: number; sha256: string }>('SELECT number, sha256 FROM schema_migrations');
  const sums = new Map(done.rows.map((row) => [row.number, row.sha256]));
  const applied: string[] = [];
  for (const migration of wanted) {
    const sum = sums.get(migration.number);
    if (sum === migration.sha256) continue;
    if (sum !== undefined) {
      throw new Error(
        `migration ${migration.name} was changed after it ran here; restore it and write a further migration`,
      );
    }
    await client.query('BEGIN');
    try {
      await client.query(migration.sql);
      await client.query('INSERT INTO schema_migrations (number, name, sha256) VALUES ($1, $2, $3)', [
        migration.number,
        migration.name,
        migration.sha256,
      ]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw new Error(`migration ${migration.name}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    applied.push(migration.name);
  }
  return applied;
}

/** `behind`: run `makegood migrate`. `ahead`: a newer build migrated this database. */
export type SchemaState = 'current' | 'behind' | 'ahead';

/** @param appliedSums number → sha256 as stored in schema_migrations */
export function compareSchema(known: readonly Migration[], applied: ReadonlyMap<number, string>): SchemaState {
  if (known.some((migration) => applied.get(migration.number) !== migration.sha256)) return 'behind';
  return applied.size > known.length ? 'ahead' : 'current';
}
