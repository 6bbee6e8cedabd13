import type { HeldPayout } from '../../domain/reconciliation/ledger-rows.js';
import type { Database } from '../database.js';
import type { Unnamed } from './held-rows.js';

/** The ledger's side of payouts: whose are listed at Stripe, and the rows beside them. */
export function createHeldPayouts(database: Database) {
  const read = async (sql: string, values: readonly unknown[]): Promise<readonly HeldPayout[]> =>
    (await database.query<Row>(`${PAYOUTS} ${sql}`, values)).map((row) => ({ ...row, amount: BigInt(row.amount) }));

  return {
    /** The next seller, by name, whose money may have been paid out since then: one who was sent some not long before, or had a payout. */
    async sellerPaidOut(since: string, after: string | null): Promise<string | undefined> {
      const [row] = await database.query<{ account: string | null }>(
        `SELECT least(
           (SELECT t.seller_account FROM seller_transfers t WHERE t.seller_account > $2 AND t.completed_at >= $1::timestamptz - ${LONG_ENOUGH}
            ORDER BY t.seller_account LIMIT 1),
           (SELECT p.seller_account FROM payouts p WHERE p.seller_account > $2 AND coalesce(p.made_at, p.created_at) >= $1::timestamptz - ${LONG_ENOUGH}
            ORDER BY p.seller_account LIMIT 1)) AS account`,
        [since, after ?? ''],
      );
      return row?.account ?? undefined;
    },

    heldPayouts: (ids: readonly string[]): Promise<readonly HeldPayout[]> =>
      read('WHERE x.external_payout_id = ANY ($1)', [ids]),

    /** All that a seller had since then, whom Stripe does not let us in to. */
    payoutNamesOf: async (account: string, since: string): Promise<readonly string[]> =>
      (await read('WHERE x.seller_account = $1 AND x.made_at >= $2', [account, since])).map(
        ({ externalPayoutId }) => externalPayoutId,
      ),

    unnamedPayouts: ({ runId, since, until, after, limit }: Unnamed): Promise<readonly HeldPayout[]> =>
      read(
        `WHERE x.made_at >= $2 AND x.made_at < $3 AND ($4::uuid IS NULL OR x.id > $4) AND NOT EXISTS (SELECT 1 FROM reconciled_objects o
           WHERE o.run_id = $1 AND o.part = 'stripe-payouts' AND o.provider_id = x.external_payout_id) ORDER BY x.id LIMIT $5`,
        [runId, since, until, after, limit],
      ),
  };
}

/** What lies at Stripe longer than this, with no payout meanwhile, is no balance that is paid out by itself. */
const LONG_ENOUGH = `interval '90 days'`;

const PAYOUTS = `SELECT x.id, x.external_payout_id AS "externalPayoutId", x.seller_account AS "sellerAccount", x.amount, x.currency, x.status,
  x.next_check_at IS NOT NULL AS "underWay" FROM payouts x`;

type Row = { readonly [Key in keyof HeldPayout]: Key extends 'amount' ? string : HeldPayout[Key] } & {
  readonly [column: string]: unknown;
  readonly amount: string;
};
