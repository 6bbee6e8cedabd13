import type { OrderId, TransferId, WithdrawalId } from '../../domain/ids.js';
import { overtaken } from '../../domain/marketplace/shares.js';
import { larger, smaller } from '../../domain/money.js';
import { type Query, recordEvent } from '../transition.js';
import { type Owed, owedToSellers, payAgain, proposeCompensation } from './compensation.js';
import type { MarketplaceItem } from './marketplace-types.js';
import { lockShares, paidAgainForFailures, type SellerShare, takenShare } from './seller-shares.js';

/**
 * What was surely taken of sellers and is not due any more is theirs again: what a dispute took whose funds are back is paid again by
 * itself, and what a refund took that has failed since is a question for two persons. Runs in a transaction that holds the order.
 * @returns the transfers to start
 */
export async function makeGood(query: Query, order: OrderId): Promise<MarketplaceItem[]> {
  const started = await restoreTaken(query, order);
  await proposeCompensation(query, order);
  return started;
}

/**
 * Of each seller what would be owed too if the refunds that have failed still held: so that is for their failure alone. What was paid for
 * some of them may have been taken again, so never less than if those still held for which nobody was paid.
 */
async function restoreTaken(query: Query, order: OrderId): Promise<MarketplaceItem[]> {
  const withdrawal = await lastBack(query, order);
  if (withdrawal === undefined) return [];
  const owedNow = await owedToSellers(query, order, 'standing');
  if (owedNow.length === 0) return [];
  const { sellers } = await lockShares(query, order, 'or_failed_since');
  const { sellers: unpaid } = await lockShares(query, order, 'or_not_made_good');
  const started: MarketplaceItem[] = [];
  for (const owed of owedNow) {
    const isHis = ({ transfers }: SellerShare) => transfers[0]?.id === owed.transfers[0]?.id;
    const seller = sellers.find(isHis);
    if (!seller)
      throw new Error(`${owed.sellerAccount} is owed ${owed.amount} again and has no share of order ${order}`);
    const due = larger(seller.due - paidAgainForFailures(seller), unpaid.find(isHis)?.due ?? 0n);
    const amount = smaller(owed.amount, overtaken(takenShare(seller), due));
    if (amount > 0n) started.push(...(await restore(query, { order, withdrawal, owed, amount })));
  }
  return started;
}

async function lastBack(query: Query, order: OrderId): Promise<WithdrawalId | undefined> {
  const [row] = await query<{ id: WithdrawalId }>(
    'SELECT id FROM dispute_withdrawals WHERE order_id = $1 AND back_at IS NOT NULL ORDER BY back_at DESC, id DESC LIMIT 1',
    [order],
  );
  return row?.id;
}

interface Restoration {
  readonly order: OrderId;
  readonly withdrawal: WithdrawalId;
  readonly owed: Owed;
  readonly amount: bigint;
}

async function restore(query: Query, { order, withdrawal, owed, amount }: Restoration): Promise<MarketplaceItem[]> {
  const made = await payAgain(query, {
    order,
    owed: { ...owed, amount },
    because: { withdrawal },
    newId: () => newId(query),
  });
  for (const one of made)
    await recordEvent(query, {
      kind: 'transfer',
      id: one.id,
      what: 'restores',
      detail: { withdrawal, amount: one.amount.toString(), seller: owed.sellerAccount },
    });
  return made.map(({ id }) => ({ kind: 'transfer', id }));
}

async function newId(query: Query): Promise<TransferId> {
  const [made] = await query<{ id: TransferId }>('SELECT new_uuid_v7() AS id');
  if (!made) throw new Error('new_uuid_v7 gave no answer');
  return made.id;
}
