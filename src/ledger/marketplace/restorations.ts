import type { OrderId, TransferId, WithdrawalId } from '../../domain/ids.js';
import { smaller } from '../../domain/money.js';
import { type Query, recordEvent } from '../transition.js';
import { insertTransfer, noteMadeGood, type Owed, owedToSellers } from './compensation.js';
import type { MarketplaceItem } from './marketplace-types.js';

/**
 * The funds of a dispute are back: what it surely took of each seller is paid again by a new transfer, by itself. Exactly what was
 * taken in its name, never more than the seller is owed by arithmetic, and never twice. What refunds that failed had taken is a
 * question for two persons, as always. Runs in a transaction that holds the order.
 * @returns the transfers to start
 */
export async function restoreTaken(query: Query, order: OrderId): Promise<MarketplaceItem[]> {
  const back = await query<{ id: WithdrawalId }>(
    'SELECT id FROM dispute_withdrawals WHERE order_id = $1 AND back_at IS NOT NULL ORDER BY back_at, id',
    [order],
  );
  const started: MarketplaceItem[] = [];
  for (const { id: withdrawal } of back) {
    for (const owed of await owedToSellers(query, order)) {
      const amount = smaller(owed.amount, await notRestored(query, withdrawal, owed));
      if (amount > 0n) started.push(await restore(query, { order, withdrawal, owed, amount }));
    }
  }
  return started;
}

/** Taken of this seller in the name of the withdrawal, or kept of what has ended or was sent without it, less what was paid again. */
async function notRestored(query: Query, withdrawal: WithdrawalId, { transfers }: Owed): Promise<bigint> {
  const [row] = await query<{ left: string }>(
    `SELECT coalesce((SELECT sum(amount) FROM reversals WHERE withdrawal_id = $1 AND status = 'reversed' AND transfer_id = ANY ($2)), 0)
       + coalesce((SELECT sum(w.amount) FROM withheld_by_withdrawals w JOIN seller_transfers t ON t.id = w.transfer_id
           WHERE w.withdrawal_id = $1 AND w.transfer_id = ANY ($2) AND (t.status = 'cancelled' OR t.completed_at IS NOT NULL)), 0)
       - coalesce((SELECT sum(promised) FROM seller_transfers WHERE compensates_withdrawal = $1 AND id = ANY ($2)), 0) AS left`,
    [withdrawal, transfers.map(({ id }) => id)],
  );
  return BigInt(row?.left ?? 0);
}

interface Restoration {
  readonly order: OrderId;
  readonly withdrawal: WithdrawalId;
  readonly owed: Owed;
  readonly amount: bigint;
}

async function restore(query: Query, { order, withdrawal, owed, amount }: Restoration): Promise<MarketplaceItem> {
  const { transfers, sellerAccount, currency } = owed;
  const newest = transfers.at(-1);
  const [made] = await query<{ id: TransferId }>('SELECT new_uuid_v7() AS id');
  if (!made || !newest)
    throw new Error(`${sellerAccount} is owed ${amount} again and was promised nothing of order ${order}`);
  await noteMadeGood(query, transfers, amount);
  const compensates = { withdrawal, transferId: newest.id };
  await insertTransfer(query, { id: made.id, order, sellerAccount, currency, amount, compensates });
  await recordEvent(query, {
    kind: 'transfer',
    id: made.id,
    what: 'restores',
    detail: { withdrawal, amount: amount.toString(), seller: sellerAccount },
  });
  return { kind: 'transfer', id: made.id };
}
