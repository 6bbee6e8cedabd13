import type { TransferId } from '../../domain/ids.js';
import type { OthersReversal } from '../../domain/marketplace/foreign-reversals.js';
import { type Query, recordEvent } from '../transition.js';

/**
 * Keeps what Stripe holds of others on a transfer; a person is told by SQL (`ask_about_others`): now, or when the share that is
 * under way, or what the transfer asks already, has ended. The caller holds the transfer.
 */
export async function noteForeignReversals(
  query: Query,
  id: TransferId,
  others: readonly OthersReversal[],
): Promise<void> {
  if (others.length === 0) return;
  const rows = await query<{ id: string; amount: string; fresh: boolean }>(
    `INSERT INTO foreign_reversals AS f (stripe_reversal_id, transfer_id, amount, currency)
       SELECT o.id, $1, o.amount, o.currency FROM unnest($2::text[], $3::numeric[], $4::text[]) AS o (id, amount, currency)
     ON CONFLICT (stripe_reversal_id) DO UPDATE SET amount = EXCLUDED.amount, currency = coalesce(EXCLUDED.currency, f.currency)
     RETURNING f.stripe_reversal_id AS id, f.amount, (xmax = 0) AS fresh`,
    [
      id,
      others.map((one) => one.id),
      others.map(({ amount }) => amount),
      others.map(({ currency }) => currency ?? null),
    ],
  );
  const fresh = rows.filter((row) => row.fresh).map(({ id: reversal, amount }) => ({ id: reversal, amount }));
  if (fresh.length > 0)
    await recordEvent(query, { kind: 'transfer', id, what: 'reversed_by_others', detail: { reversals: fresh } });
  await query('SELECT ask_about_others($1)', [id]);
}
