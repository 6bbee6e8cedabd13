import { isLive, type ReversalFacts, type StripeDispute, type TransferFacts } from '../calls/provider-answers.js';
import { withdrawalsOf } from '../marketplace/disputes.js';
import { isTransferOf } from '../marketplace/ours-at-stripe.js';
import { StripeMoney } from '../marketplace/stripe-money.js';
import type { DriftItem, DriftKind, Suspicion } from './drift.js';
import type { HeldDispute, HeldReversal, HeldTransfer } from './ledger-rows.js';

/** What was made or moved since is still on its way into the ledger: the next run sees it again. */
export interface Recency {
  readonly tooYoungSince: Date;
}

export const isYoung = (at: string, { tooYoungSince }: Recency): boolean => Date.parse(at) >= tooYoungSince.getTime();

/** @param known the row that has its id; @param marked the row whose mark it bears */
export function judgeTransfer(
  held: TransferFacts,
  { known, marked }: { readonly known: HeldTransfer | undefined; readonly marked: HeldTransfer | undefined },
  recency: Recency,
): Suspicion | undefined {
  const at = ofTransfer(held);
  if (known)
    return isTransferOf(held, {
      money: StripeMoney.read(known.amount, known.currency),
      sellerAccount: known.sellerAccount,
    })
      ? undefined
      : { ...at('transfer_differs', known), ledgerSays: told(known) };
  if (isYoung(held.createdAt, recency) || marked?.underWay) return undefined;
  return {
    ...at('transfer_unknown', marked),
    ledgerSays: marked
      ? `transfer ${marked.id}, whose mark it bears, is ${marked.status} ${marked.stripeTransferId ? `as ${marked.stripeTransferId}` : 'without an id at Stripe'}`
      : 'nothing',
  };
}

const told = ({ amount, currency, sellerAccount }: HeldTransfer): string => `${amount} ${currency} to ${sellerAccount}`;

const ofTransfer =
  (held: TransferFacts) =>
  (kind: DriftKind, row: HeldTransfer | undefined): Omit<Suspicion, 'ledgerSays'> => ({
    kind,
    provider: 'stripe',
    providerId: held.stripeTransferId,
    parentId: null,
    item: itemOf('transfer', row),
    amount: held.amount,
    currency: held.currency,
    providerSays: `${held.amount} ${held.currency} to ${held.destination || 'nobody'}, made ${held.createdAt}`,
  });

const itemOf = (kind: DriftItem['kind'], row: { readonly id: string } | undefined): DriftItem | null =>
  row ? { kind, id: row.id } : null;

/** Of a row that has an id at Stripe, where Stripe shows nothing under it. */
export const missingTransfer = (row: HeldTransfer & { readonly stripeTransferId: string }): Suspicion => ({
  kind: 'transfer_missing',
  provider: 'stripe',
  providerId: row.stripeTransferId,
  parentId: null,
  item: { kind: 'transfer', id: row.id },
  amount: row.amount,
  currency: row.currency,
  ledgerSays: `${row.status}: ${told(row)}`,
  providerSays: 'no such transfer',
});

export interface KnownOfReversal {
  /** The row that has its id. */
  readonly known: HeldReversal | undefined;
  /** The row whose mark it bears. */
  readonly marked: HeldReversal | undefined;
  /** Noted as somebody else's. */
  readonly foreign: boolean;
  /** Our transfer it is of. */
  readonly transferId: string | null;
}

export function judgeReversal(held: ReversalFacts, of: KnownOfReversal, recency: Recency): Suspicion | undefined {
  const { known, marked, foreign, transferId } = of;
  const common = {
    provider: 'stripe' as const,
    providerId: held.stripeReversalId,
    parentId: held.stripeTransferId,
    amount: held.amount,
    currency: held.currency,
    providerSays: `${held.amount} ${held.currency} of ${held.stripeTransferId}, ${held.state}, made ${held.createdAt}`,
  };
  if (known) {
    const says = `${known.status}: ${known.amount} ${known.currency} of ${known.stripeTransferId ?? 'a transfer without an id at Stripe'}`;
    const about = { ...common, item: { kind: 'reversal' as const, id: known.id }, ledgerSays: says };
    if (!isLive(held)) return known.status === 'reversed' ? { ...about, kind: 'reversal_missing' } : undefined;
    const same =
      held.amount === known.amount &&
      held.currency === known.currency &&
      held.stripeTransferId === known.stripeTransferId;
    return same ? undefined : { ...about, kind: 'reversal_differs' };
  }
  if (!isLive(held) || foreign || marked?.underWay || isYoung(held.createdAt, recency)) return undefined;
  const item: DriftItem | null = marked
    ? { kind: 'reversal', id: marked.id }
    : transferId === null
      ? null
      : { kind: 'transfer', id: transferId };
  return {
    ...common,
    kind: 'reversal_unknown',
    item,
    ledgerSays: marked ? `reversal ${marked.id}, whose mark it bears, is ${marked.status}` : 'nothing',
  };
}

export const missingReversal = (row: HeldReversal & { readonly stripeReversalId: string }): Suspicion => ({
  kind: 'reversal_missing',
  provider: 'stripe',
  providerId: row.stripeReversalId,
  parentId: row.stripeTransferId,
  item: { kind: 'reversal', id: row.id },
  amount: row.amount,
  currency: row.currency,
  ledgerSays: `${row.status}: ${row.amount} ${row.currency} of ${row.stripeTransferId ?? 'a transfer without an id at Stripe'}`,
  providerSays: 'no such reversal',
});

/** @param paymentId our payment that it disputes; null: none of ours, so it is none of our business */
export function judgeDispute(
  held: StripeDispute,
  { known, paymentId }: { readonly known: HeldDispute | undefined; readonly paymentId: string | null },
  recency: Recency,
): Suspicion | undefined {
  const out = withdrawalsOf(held.movements)
    .filter(({ backAt }) => backAt === null)
    .reduce((sum, { amount }) => sum + amount, 0n);
  const common = {
    provider: 'stripe' as const,
    providerId: held.stripeDisputeId,
    parentId: null,
    amount: out > 0n ? out : held.amount,
    currency: held.currency,
    providerSays: `${held.status}, ${out} ${held.currency} of it out of our balance`,
  };
  const changedAt = [held.createdAt, ...held.movements.map(({ at }) => at)];
  if (changedAt.some((at) => isYoung(at, recency))) return undefined;
  if (!known) {
    return paymentId === null
      ? undefined
      : { ...common, kind: 'dispute_unknown', item: { kind: 'payment', id: paymentId }, ledgerSays: 'nothing' };
  }
  if (known.asked || known.out === out || held.movements.some(({ currency }) => currency !== known.currency))
    return undefined;
  return {
    ...common,
    kind: 'dispute_differs',
    item: { kind: 'dispute', id: known.id },
    ledgerSays: `funds ${known.funds}: ${known.out} ${known.currency} out`,
  };
}

export const missingDispute = (row: HeldDispute): Suspicion => ({
  kind: 'dispute_missing',
  provider: 'stripe',
  providerId: row.providerDisputeId,
  parentId: null,
  item: { kind: 'dispute', id: row.id },
  amount: row.out,
  currency: row.currency,
  ledgerSays: `funds ${row.funds}: ${row.out} ${row.currency} out`,
  providerSays: 'no such dispute',
});
