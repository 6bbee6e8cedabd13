import type { ReactNode } from 'react';
import { ATTENTION_REASONS } from '../../../src/domain/decisions/attention.js';
import { DECIDABLE_KINDS } from '../../../src/domain/decisions/decisions.js';
import { PROTOCOLS } from '../../../src/domain/settlements/settlement-status.js';
import { STATUSES_OF, spoken } from '../../../src/domain/words.js';
import type { Kind, ListedItem } from '../api/types.js';
import { type Money, moneyOf } from '../format/money.js';
import { asText, shortId } from '../format/text.js';
import { CertaintyTag } from '../parts/Certainty.js';
import { ReasonTag, StatusTag } from '../parts/Status.js';
import { When } from '../parts/When.js';

export interface Column {
  readonly id: string;
  readonly head: string;
  /** Not shown until somebody chooses it. */
  readonly optional?: true;
  readonly money?: (item: ListedItem) => Money | undefined;
  readonly cell?: (item: ListedItem) => ReactNode;
}

export interface Filter {
  readonly name: string;
  readonly label: string;
  /** Without: any text. */
  readonly values?: readonly string[];
  /** `date`: a day, sent as its first moment. */
  readonly type?: 'date';
}

export interface List {
  readonly path: string;
  readonly title: string;
  readonly one: string;
  readonly kind: Kind | 'webhook' | 'decision';
  readonly about: string;
  readonly columns: readonly Column[];
  readonly filters: readonly Filter[];
  /** Where a row leads; null: it has no page of its own. */
  readonly to: (item: ListedItem) => { readonly kind: string; readonly id: string } | null;
}

const text = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  cell: (item) => <span className="cell-text">{asText(item[id])}</span>,
});
const name = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  cell: (item) => {
    const value = item[id];
    return typeof value === 'string' && value !== '' ? (
      <code title={value}>{shortId(value)}</code>
    ) : (
      <span className="muted">—</span>
    );
  },
});
const time = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  cell: (item) => <When at={item[id] as string | null} />,
});
const minor = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  money: (item) => moneyOf(item[id], item['currency']),
});

const status = (kind: string, id = 'status'): Column => ({
  id,
  head: 'Status',
  cell: (item) => <StatusTag kind={kind} status={asText(item[id])} />,
});
const certainty: Column = {
  id: 'certainty',
  head: 'Money',
  cell: (item) => (item.certainty ? <CertaintyTag certainty={item.certainty} /> : <span className="muted">—</span>),
};
const attention = (kind: string): Column => ({
  id: 'attention',
  head: 'Needs a person',
  cell: (item) =>
    item.attention ? <ReasonTag kind={kind} reason={item.attention.reason} /> : <span className="muted">no</span>,
});
const age = time('created_at', 'Age');
const retry = time('next_retry_at', 'Next try');

const statusFilter = (values: readonly string[]): Filter => ({ name: 'status', label: 'Status', values });
const WAITS: Filter = { name: 'needs_attention', label: 'Needs a person', values: ['true', 'false'] };
const REASON: Filter = { name: 'reason', label: 'Reason', values: ATTENTION_REASONS };
const KEY: Filter = { name: 'key', label: 'Key' };
const SINCE: Filter = { name: 'since', label: 'Since', type: 'date' };
const UNTIL: Filter = { name: 'until', label: 'Before', type: 'date' };
const ORDER: Filter = { name: 'order_id', label: 'Order' };
const CURRENCY: Filter = { name: 'currency', label: 'Currency' };
const SELLER: Filter = { name: 'seller', label: 'Seller' };

const itself =
  (kind: string) =>
  ({ id }: ListedItem) => ({ kind, id });

const spent = (item: ListedItem): Money | undefined => {
  const { amount, asset, decimals } = (item['spent'] ?? {}) as { amount?: string; asset?: string; decimals?: number };
  return moneyOf(amount, asset === undefined ? undefined : shortAsset(asset), decimals);
};

/** An asset may be a contract's address. */
export const shortAsset = (asset: string): string => (asset.length > 12 ? shortId(asset) : asset);

const counted = (field: string, head: string): Column => ({
  id: field,
  head,
  cell: (item) => {
    const items = item[field];
    if (!Array.isArray(items) || items.length === 0) return <span className="muted">none</span>;
    const byStatus = new Map<string, number>();
    for (const { status: one } of items as { status: string }[]) byStatus.set(one, (byStatus.get(one) ?? 0) + 1);
    return (
      <span className="cell-text">{[...byStatus].map(([one, count]) => `${count} ${spoken(one)}`).join(', ')}</span>
    );
  },
});

export const LISTS: readonly List[] = [
  {
    path: 'settlements',
    title: 'Settlements',
    one: 'settlement',
    kind: 'settlement',
    about: 'Charges of paid responses, collected after they were served.',
    columns: [
      status('settlement'),
      certainty,
      { id: 'spent', head: 'Spent', money: spent },
      text('protocol', 'Protocol'),
      attention('settlement'),
      retry,
      age,
      name('key', 'Key', true),
      text('attempts', 'Attempts', true),
      text('delivery', 'Delivery', true),
      name('tx_hash', 'Transaction', true),
      time('settled_at', 'Settled', true),
    ],
    filters: [
      statusFilter(STATUSES_OF.settlement),
      WAITS,
      REASON,
      { name: 'protocol', label: 'Protocol', values: PROTOCOLS },
      KEY,
      SINCE,
      UNTIL,
    ],
    to: itself('settlement'),
  },
  {
    path: 'orders',
    title: 'Orders',
    one: 'order',
    kind: 'order',
    about: 'What buyers pay at once, and what became of every part of it.',
    columns: [
      status('order'),
      minor('amount', 'Amount'),
      {
        id: 'payment',
        head: 'Payment',
        cell: (item) => {
          const payment = item['payment'] as { status: string } | null;
          return payment ? <StatusTag kind="payment" status={payment.status} /> : <span className="muted">none</span>;
        },
      },
      counted('transfers', 'Transfers'),
      counted('refunds', 'Refunds'),
      counted('reversals', 'Reversals'),
      age,
      text('reference', 'Reference', true),
    ],
    filters: [statusFilter(STATUSES_OF.order), WAITS, REASON, SELLER, CURRENCY, KEY, SINCE, UNTIL],
    to: itself('order'),
  },
  {
    path: 'payments',
    title: 'Payments',
    one: 'payment',
    kind: 'payment',
    about: 'Of buyers, at Hyperswitch.',
    columns: [
      status('payment'),
      certainty,
      minor('amount', 'Amount'),
      minor('captured', 'Captured'),
      text('provider_status', 'At Hyperswitch'),
      attention('payment'),
      age,
      name('order_id', 'Order', true),
      name('hyperswitch_payment_id', 'Hyperswitch id', true),
    ],
    filters: [statusFilter(STATUSES_OF.payment), WAITS, REASON, CURRENCY, ORDER, KEY, SINCE, UNTIL],
    to: itself('payment'),
  },
  {
    path: 'refunds',
    title: 'Refunds',
    one: 'refund',
    kind: 'refund',
    about: 'What buyers get back; the sellers’ shares follow as reversals.',
    columns: [
      status('refund'),
      certainty,
      minor('amount', 'Amount'),
      counted('reversals', 'Reversals'),
      text('origin', 'Made by'),
      attention('refund'),
      age,
      text('reason', 'Reason', true),
      name('order_id', 'Order', true),
      name('hyperswitch_refund_id', 'Hyperswitch id', true),
    ],
    filters: [statusFilter(STATUSES_OF.refund), WAITS, REASON, CURRENCY, ORDER, KEY, SINCE, UNTIL],
    to: itself('refund'),
  },
  {
    path: 'transfers',
    title: 'Transfers',
    one: 'transfer',
    kind: 'transfer',
    about: 'What is sent to the sellers’ Stripe accounts.',
    columns: [
      status('transfer'),
      certainty,
      minor('amount', 'Amount'),
      minor('amount_reversed', 'Reversed'),
      name('seller_account', 'Seller'),
      attention('transfer'),
      retry,
      age,
      name('order_id', 'Order', true),
      name('stripe_transfer_id', 'Stripe id', true),
      text('retry_count', 'Retries', true),
    ],
    filters: [statusFilter(STATUSES_OF.transfer), WAITS, REASON, SELLER, CURRENCY, ORDER, KEY, SINCE, UNTIL],
    to: itself('transfer'),
  },
  {
    path: 'reversals',
    title: 'Reversals',
    one: 'reversal',
    kind: 'reversal',
    about: 'What is taken back of sellers because a buyer got it back.',
    columns: [
      status('reversal'),
      certainty,
      minor('amount', 'Amount'),
      name('seller_account', 'Seller'),
      attention('reversal'),
      text('retry_count', 'Retries'),
      retry,
      age,
      name('order_id', 'Order', true),
      name('transfer_id', 'Transfer', true),
      name('refund_id', 'Refund', true),
      name('stripe_reversal_id', 'Stripe id', true),
    ],
    filters: [statusFilter(STATUSES_OF.reversal), WAITS, REASON, SELLER, CURRENCY, ORDER, KEY, SINCE, UNTIL],
    to: itself('reversal'),
  },
  {
    path: 'disputes',
    title: 'Disputes',
    one: 'dispute',
    kind: 'dispute',
    about: 'A buyer’s bank asks, or has taken money.',
    columns: [
      status('dispute'),
      text('funds', 'Funds'),
      minor('amount', 'Amount'),
      minor('out', 'Out now'),
      name('provider_dispute_id', 'At the processor'),
      attention('dispute'),
      age,
      name('order_id', 'Order', true),
      text('provider_status', 'Called there', true),
      text('reason', 'Reason', true),
    ],
    filters: [statusFilter(STATUSES_OF.dispute), WAITS, REASON, CURRENCY, ORDER, KEY, SINCE, UNTIL],
    to: itself('dispute'),
  },
  {
    path: 'channels',
    title: 'Channels',
    one: 'channel',
    kind: 'channel',
    about: 'Deposits on Tempo, from which many requests are paid. Amounts are atomic units of the token.',
    columns: [
      status('channel'),
      ...(['deposit', 'accepted', 'earned', 'settled'] as const).map(
        (field): Column => ({
          id: field,
          head: field.charAt(0).toUpperCase() + field.slice(1),
          money: (item) => moneyOf(item[field], shortAsset(asText(item['token'])), 0),
        }),
      ),
      name('payer', 'Payer'),
      time('next_check_at', 'Looked at'),
      age,
      time('close_requested_at', 'Close asked', true),
      text('chain_id', 'Network', true),
    ],
    filters: [
      { name: 'status', label: 'Status', values: ['open', 'closing', 'closed'] },
      { name: 'payer', label: 'Payer' },
      KEY,
      SINCE,
      UNTIL,
    ],
    to: itself('channel'),
  },
  {
    path: 'webhooks',
    title: 'Webhooks',
    one: 'event',
    kind: 'webhook',
    about: 'What providers have told us, each event once, as a hint of what to read.',
    columns: [
      status('webhook'),
      text('provider', 'Provider'),
      text('type', 'Type'),
      name('object_id', 'About'),
      text('outcome', 'Came of it'),
      text('deliveries', 'Sent'),
      time('received_at', 'Received'),
      time('processed_at', 'Processed', true),
      name('event_id', 'Event', true),
      name('account', 'Account', true),
    ],
    filters: [
      { name: 'status', label: 'Status', values: ['waiting', 'processed'] },
      { name: 'provider', label: 'Provider', values: ['stripe', 'hyperswitch'] },
      { name: 'type', label: 'Type' },
      { name: 'object_id', label: 'About' },
      KEY,
      SINCE,
      UNTIL,
    ],
    to: () => null,
  },
  {
    path: 'decisions',
    title: 'Decisions',
    one: 'decision',
    kind: 'decision',
    about: 'What persons have decided, who confirmed it, and why.',
    columns: [
      status('decision', 'state'),
      { id: 'action', head: 'Action', cell: (item) => <strong>{spoken(asText(item['action']))}</strong> },
      {
        id: 'kind',
        head: 'About',
        cell: (item) => (
          <span className="cell-text">
            {asText(item['kind'])} <code>{shortId(asText(item['item_id']))}</code>
          </span>
        ),
      },
      { id: 'amount', head: 'Amount', money: (item) => moneyOf(item['amount'], item['currency']) },
      text('by', 'By'),
      {
        id: 'second',
        head: 'Second person',
        cell: (item) => <span className="cell-text">{asText(item['approved_by'] ?? item['first_approver'])}</span>,
      },
      text('note', 'Note'),
      time('requested_at', 'When'),
      text('reason', 'Reason', true),
    ],
    filters: [
      { name: 'state', label: 'State', values: ['pending_approval', 'applied', 'ignored'] },
      { name: 'kind', label: 'Kind', values: DECIDABLE_KINDS },
      REASON,
      { name: 'action', label: 'Action' },
      { name: 'by', label: 'By' },
      SINCE,
      UNTIL,
    ],
    to: (item) => ({ kind: asText(item['kind']), id: asText(item['item_id']) }),
  },
];

export const listOf = (path: string): List | undefined => LISTS.find((list) => list.path === path);
