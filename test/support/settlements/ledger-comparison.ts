import { Client } from 'pg';
import { expect } from 'vitest';
import type { AuthServerControl } from '../../../sandbox/auth-server/control/control.js';

/** A settlement as the tables hold it, read without any code of the product. */
export interface OurRow {
  readonly id: string;
  readonly protocol: 'atxp' | 'x402' | 'mpp';
  readonly payer: string | null;
  readonly status: string;
  readonly certainty: string;
  readonly spent: string;
  readonly attempts: number;
  readonly delivery: string | null;
  readonly attention_reason: string | null;
  readonly already_settled: boolean;
}

/** One statement on a connection of its own: it works whatever the processes under test have done to theirs. */
export async function sql<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

export const ourRows = (url: string): Promise<OurRow[]> =>
  sql<OurRow>(
    url,
    `SELECT id, protocol, payer, status, certainty, spent::text, attempts, delivery, attention_reason, already_settled
     FROM settlements ORDER BY id`,
  );

export const unfinished = async (url: string): Promise<OurRow[]> =>
  (await ourRows(url)).filter(({ status }) => status === 'open' || status === 'pending');

/**
 * Row by row: each settlement that we call settled moved its amount once at the auth server, nothing else moved there,
 * and every call of one payment carried the same bytes and the same key and never met another of its own.
 */
export function expectLedgersEqual(
  rows: readonly OurRow[],
  sandbox: Pick<AuthServerControl, 'ledger' | 'calls'>,
): void {
  const settled = rows.filter(({ status }) => status === 'settled');
  const ours = settled.map(({ protocol, payer, spent }) => `${protocol} ${payer} ${spent}`).sort();
  const theirs = sandbox
    .ledger()
    .debits.map(({ protocol, payer, amount }) => `${protocol} ${payer} ${amount}`)
    .sort();
  expect(ours).toEqual(theirs);
  const { totals } = sandbox.calls();
  expect(totals).toMatchObject({ keysWithDifferingBodies: 0, keysWithDifferingHeaders: 0, overlaps: 0 });
}
