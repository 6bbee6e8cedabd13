import { explainNext, explainNextOfSettlement, whenNext } from '../domain/decisions/explain-next.js';
import { type Explanation, explain } from '../domain/explanations/explain.js';
import { explainOrder, type OrderExplanation } from '../domain/explanations/explain-order.js';
import type { MoneyFacts } from '../domain/explanations/where-money-is.js';
import type { SettlementId } from '../domain/ids.js';
import type { MarketplaceKind, Order, SellerTransfer } from '../domain/marketplace/marketplace.js';
import { formatDecimal } from '../domain/money.js';
import type { FoundItem } from '../ledger/find-items.js';
import type { Ledger } from '../ledger/ledger.js';

/** What an explanation asks of the ledger. */
export type ExplainingLedger = Pick<
  Ledger,
  'findOrder' | 'findSettlement' | 'callDetails' | 'settlementCall' | 'waitingDecision' | 'decisionsNotTaken'
>;

/**
 * Where the money of an item is, why, what happens next, and what a person can do: the one way for commands and the API.
 * @throws when it is gone from the ledger, which nothing ever is
 */
export async function explainItem(
  ledger: ExplainingLedger,
  item: FoundItem,
  nowMs: number,
): Promise<Explanation | OrderExplanation> {
  if (item.kind === 'settlement') return await explainSettlement(ledger, item.id as SettlementId, nowMs);
  const order = await ledger.findOrder(item.orderId);
  if (!order) throw new Error(`order ${item.orderId} is gone from the ledger`);
  if (item.kind !== 'order') {
    const part = partsOf(order).find(({ money, id }) => money.kind === item.kind && id === item.id);
    if (!part) throw new Error(`${item.kind} ${item.id} is gone from the ledger`);
    return await explainPart(ledger, part, nowMs);
  }
  const parts: Explanation[] = [];
  for (const part of partsOf(order)) parts.push(await explainPart(ledger, part, nowMs));
  return explainOrder(order, parts);
}

async function explainSettlement(ledger: ExplainingLedger, id: SettlementId, nowMs: number): Promise<Explanation> {
  const found = await ledger.findSettlement(id);
  if (!found) throw new Error(`settlement ${id} is gone from the ledger`);
  const [call, decision] = await Promise.all([ledger.settlementCall(id), ledger.waitingDecision('settlement', id)]);
  return explain({
    ...found,
    money: { ...found, kind: 'settlement' },
    amount: `${formatDecimal(found.spent, found.decimals)} ${found.asset}`,
    decision,
    next: explainNextOfSettlement(found, call, nowMs),
    nextAt: whenNext(found, call, nowMs),
    notTaken: await ledger.decisionsNotTaken(),
  });
}

interface Part extends Pick<SellerTransfer, 'certainty' | 'attention' | 'nextRetryAt' | 'currency' | 'amount'> {
  readonly id: string;
  readonly heldFor?: SellerTransfer['heldFor'];
  readonly money: MoneyFacts & { readonly kind: MarketplaceKind };
}

function partsOf({ payment, refunds, transfers, reversals, disputes }: Order): readonly Part[] {
  return [
    ...(payment ? [{ ...payment, nextRetryAt: null, money: { ...payment, kind: 'payment' as const } }] : []),
    ...refunds.map((refund) => ({ ...refund, nextRetryAt: null, money: { ...refund, kind: 'refund' as const } })),
    ...transfers.map((transfer) => ({ ...transfer, money: { ...transfer, kind: 'transfer' as const } })),
    ...reversals.map((reversal) => ({ ...reversal, money: { ...reversal, kind: 'reversal' as const } })),
    ...disputes.map((dispute) => ({
      ...dispute,
      certainty: 'done' as const,
      nextRetryAt: null,
      money: { ...dispute, kind: 'dispute' as const },
    })),
  ];
}

/** Of everything that an order has explained beside itself. */
export const idsOfParts = (order: Order): readonly string[] => partsOf(order).map(({ id }) => id);

async function explainPart(ledger: ExplainingLedger, part: Part, nowMs: number): Promise<Explanation> {
  const { kind, status } = part.money;
  const [call, decision] = await Promise.all([
    ledger.callDetails(kind, part.id),
    ledger.waitingDecision(kind, part.id),
  ]);
  if (!call) throw new Error(`${kind} ${part.id} is gone from the ledger`);
  const notTaken = await ledger.decisionsNotTaken();
  return explain({
    ...part,
    amount: `${part.amount} ${part.currency} (minor units)`,
    decision,
    next: explainNext({ ...part, ...call, kind, status, notTaken }, nowMs),
    nextAt: whenNext(part, call, nowMs),
    notTaken,
  });
}
