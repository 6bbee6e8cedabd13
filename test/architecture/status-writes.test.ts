import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from '../support/source-files.js';
import { type SqlWrite, sqlWrites, stringsOf } from '../support/sql-writes.js';

const MONEY_TABLES = ['orders', 'payments', 'refunds', 'seller_transfers', 'reversals'];

/** A table that is put in could be any. */
const writesStatus = ({ table, columns }: SqlWrite): boolean =>
  (MONEY_TABLES.includes(table.replace(/^public\./, '')) || table === '${}') && columns.includes('status');

const offences = (sql: string): string[] =>
  sqlWrites(sql)
    .filter(writesStatus)
    .map(({ table, within }) => (within === null ? table : `${table} in ${within}`));

const LEDGER = sourceFiles('src', 'workflows', 'activities').map(({ path, text }) => ({
  path,
  text,
  offences: stringsOf(path, text).flatMap(offences),
}));

describe('a status of the marketplace', () => {
  it('is written by the one guarded transition, and by nothing else in code', () => {
    const offending = LEDGER.filter((file) => file.offences.length > 0);
    expect(offending.map(({ path, offences: found }) => ({ path, found }))).toEqual([
      { path: 'src/ledger/transition.ts', found: ['${}'] },
    ]);
  });

  it('is derived by one function in SQL, and written by nothing else there', () => {
    const directory = new URL('../../src/ledger/migrations/', import.meta.url);
    const found = readdirSync(directory).flatMap((name) => offences(readFileSync(new URL(name, directory), 'utf8')));
    expect(new Set(found)).toEqual(new Set(['seller_transfers in refresh_transfer']));
  });

  it('is read by the transition that writes it, in the same statement', () => {
    const source = LEDGER.find(({ path }) => path === 'src/ledger/transition.ts');
    const [statement] = stringsOf('transition.ts', source?.text ?? '').filter((text) => text.includes('UPDATE'));
    expect(statement).toMatch(/^UPDATE \$\{\} SET status = \$2.* WHERE id = \$1 AND status = \$3 RETURNING id$/);
  });
});

describe('the search for writes', () => {
  it.each([
    `UPDATE orders SET status = 'paid' WHERE id = $1`,
    'update refunds set amount = 1, STATUS = $2',
    `UPDATE reversals r SET place = coalesce(1, 2), status = 'reversed' FROM x WHERE r.id = x.id`,
    `UPDATE public.payments AS p SET detail = 'status, no', status=$1`,
    'UPDATE ${} SET status = $2${} WHERE id = $1',
    `UPDATE seller_transfers SET (certainty, status) = ('done', 'completed')`,
    `WITH x AS (UPDATE orders SET status = 'paid' RETURNING 1) SELECT 1`,
    'INSERT INTO refunds (id, status) VALUES ($1, $2)',
    'INSERT INTO ${} AS x (status) VALUES ($1)',
    `INSERT INTO payments AS p (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET status = 'failed'`,
    `CREATE FUNCTION f() RETURNS void AS $$ BEGIN UPDATE orders SET status = 'paid'; END $$`,
  ])('finds %s', (sql) => {
    expect(offences(sql)).toHaveLength(1);
  });

  it.each([
    `UPDATE settlements SET status = 'settled'`,
    `UPDATE orders SET paid_at = CASE WHEN status = 'paid' THEN now() END WHERE status = 'pending'`,
    `UPDATE payments SET next_check_at = CASE WHEN status IN ('pending', 'processing') THEN now() END, provider_status = $2`,
    `UPDATE refunds SET detail = 'UPDATE', certainty = 'done' WHERE id = $1 AND status = 'pending'`,
    `INSERT INTO payouts (id, status) VALUES (1, 'paid') ON CONFLICT (id) DO UPDATE SET status = excluded.status`,
    'INSERT INTO reversals (id, amount) SELECT id, amount FROM x WHERE status = 1',
    `-- UPDATE orders SET status = 'paid'`,
    `SELECT * FROM orders WHERE status = 'paid' FOR UPDATE`,
  ])('lets pass %s', (sql) => {
    expect(offences(sql)).toEqual([]);
  });
});
