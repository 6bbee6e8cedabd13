import type { Order } from '../marketplace/marketplace.js';
import type { OrderStatus } from '../marketplace/marketplace-status.js';
import type { Explanation } from './explain.js';
import type { Place } from './where-money-is.js';
import { whyItStands } from './why-it-stands.js';

/** What one party of an order has now, and what is still to come or to go. Minor units of the order's currency. */
export interface PartyShare {
  readonly party: Extract<Place, 'buyer' | 'seller' | 'platform'>;
  /** Of a seller. */
  readonly account: string | null;
  readonly has: bigint;
  /** Of a buyer or seller: due and not sent yet. */
  readonly to_come: bigint;
  /** Of a seller: demanded, and not taken back yet. */
  readonly to_give_back: bigint;
}

export interface OrderExplanation {
  readonly kind: 'order';
  readonly id: string;
  readonly status: OrderStatus;
  readonly amount: bigint;
  readonly currency: string;
  readonly why: string;
  readonly shares: readonly PartyShare[];
  readonly parts: readonly Explanation[];
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** Never sent, or surely not: what is asked about counts as due until a person gives it up. */
const SENT = ['completed', 'reversal_pending', 'partially_reversed', 'reversed'];
const DUE = ['pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed'];

/** Each party's share of an order, and how every part of it stands. */
export function explainOrder(order: Order, parts: readonly Explanation[]): OrderExplanation {
  const { id, status, amount, currency } = order;
  return {
    kind: 'order',
    id,
    status,
    amount,
    currency,
    why: whyItStands('order', status),
    shares: [buyerOf(order), ...sellersOf(order), platformOf(order)],
    parts,
  };
}

/** What a bank took out for him is his as well. */
const buyerOf = ({ refunds, disputes }: Order): PartyShare => ({
  party: 'buyer',
  account: null,
  has: sum([
    ...refunds.filter(({ status }) => status === 'succeeded').map(({ amount }) => amount),
    ...disputes.map(({ out }) => out),
  ]),
  to_come: sum(refunds.filter(({ status }) => status === 'pending' || status === 'review').map(({ amount }) => amount)),
  to_give_back: 0n,
});

function sellersOf({ transfers, reversals }: Order): readonly PartyShare[] {
  const accounts = [...new Set(transfers.map(({ sellerAccount }) => sellerAccount))].sort();
  return accounts.map((account) => {
    const own = transfers.filter(({ sellerAccount }) => sellerAccount === account);
    const sent = own.filter(({ status, certainty }) => SENT.includes(status) || certainty === 'done');
    const open = reversals.filter(
      ({ sellerAccount, status }) => sellerAccount === account && status !== 'reversed' && status !== 'written_off',
    );
    return {
      party: 'seller',
      account,
      // What was kept of a transfer he has had before; what was kept of others is among what was reversed.
      has: sum(sent.map((transfer) => transfer.amount + transfer.offset - transfer.amountReversed)),
      to_come: sum(
        own.filter((one) => DUE.includes(one.status) && one.certainty !== 'done').map((transfer) => transfer.amount),
      ),
      to_give_back: sum(open.map((reversal) => reversal.amount - reversal.counted)),
    };
  });
}

const platformOf = ({ platform }: Order): PartyShare => ({
  party: 'platform',
  account: null,
  has: platform.kept,
  to_come: 0n,
  to_give_back: 0n,
});

/** For a terminal: the same in lines, a part in each. */
export function orderExplanationLines({
  id,
  status,
  amount,
  currency,
  why,
  shares,
  parts,
}: OrderExplanation): readonly string[] {
  return [
    `order ${id}: ${amount} ${currency}, ${status}`,
    `why: ${why}`,
    'where the money is (minor units):',
    ...shares.map((share) => `  ${partyInWords(share)}`),
    'its parts:',
    ...parts.flatMap((part) => [
      `  ${part.kind} ${part.id}: ${part.amount}, ${part.status}${part.attention ? ` (${part.attention.reason})` : ''}; ${part.money.words}`,
      `    next: ${part.next}`,
    ]),
    ...asked(parts),
  ];
}

function partyInWords({ party, account, has, to_come, to_give_back }: PartyShare): string {
  if (party === 'platform') return `platform: keeps ${has} of it`;
  if (party === 'buyer') return `buyer: has ${has} back${to_come === 0n ? '' : `, ${to_come} on the way`}`;
  return `seller ${account}: has ${has}${to_come === 0n ? '' : `, ${to_come} to come`}${to_give_back === 0n ? '' : `, ${to_give_back} to be taken back`}`;
}

/** An order is not decided about: its parts are. */
const asked = (parts: readonly Explanation[]): readonly string[] => {
  const waiting = parts.filter(({ decisions }) => decisions.length > 0);
  return waiting.length === 0
    ? ['what you can do: nothing has to be decided']
    : [
        'what you can do:',
        ...waiting.map(({ id, runbook }) => `  makegood explain ${id}${runbook ? ` (${runbook})` : ''}`),
      ];
};
