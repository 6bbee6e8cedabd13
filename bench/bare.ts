import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { NewSettlement } from '../src/ledger/settlements/settlement-types.js';

/** The least that can be promised: one prepared INSERT of one row, one commit, nothing else. */
export async function openBareTable(databaseUrl: string) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 20 });
  await pool.query('CREATE TABLE bare (id uuid PRIMARY KEY, key text NOT NULL, body text NOT NULL)');
  return {
    insert: ({ identity, body }: NewSettlement) =>
      pool.query({
        name: 'bare',
        text: 'INSERT INTO bare (id, key, body) VALUES ($1, $2, $3)',
        values: [randomUUID(), identity, body],
      }),
    close: () => pool.end(),
  };
}
