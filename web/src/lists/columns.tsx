import type { ReactNode } from 'react';
import { ATTENTION_REASONS } from '../../../src/domain/decisions/attention.js';
import { spoken } from '../../../src/domain/words.js';
import type { Kind, ListedItem } from '../api/types.js';
import { type Money, moneyOf } from '../format/money.js';
import { asText, shortId } from '../format/text.js';
import { CertaintyTag } from '../parts/Certainty.js';
import { SellerLink } from '../parts/SellerLink.js';
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

export const text = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  cell: (item) => <span className="cell-text">{asText(item[id])}</span>,
});
export const name = (id: string, head: string, optional?: true): Column => ({
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
export const seller: Column = {
  id: 'seller_account',
  head: 'Seller',
  cell: (item) => {
    const account = item['seller_account'];
    return typeof account === 'string' && account !== '' ? (
      <SellerLink account={account}>
        <code>{shortId(account)}</code>
      </SellerLink>
    ) : (
      <span className="muted">—</span>
    );
  },
};
export const time = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  cell: (item) => <When at={item[id] as string | null} />,
});
export const minor = (id: string, head: string, optional?: true): Column => ({
  id,
  head,
  ...(optional && { optional }),
  money: (item) => moneyOf(item[id], item['currency']),
});

export const status = (kind: string, id = 'status'): Column => ({
  id,
  head: 'Status',
  cell: (item) => <StatusTag kind={kind} status={asText(item[id])} />,
});
export const certainty: Column = {
  id: 'certainty',
  head: 'Money',
  cell: (item) => (item.certainty ? <CertaintyTag certainty={item.certainty} /> : <span className="muted">—</span>),
};
export const attention = (kind: string): Column => ({
  id: 'attention',
  head: 'Needs a person',
  cell: (item) =>
    item.attention ? <ReasonTag kind={kind} reason={item.attention.reason} /> : <span className="muted">no</span>,
});
export const age = time('created_at', 'Age');
export const retry = time('next_retry_at', 'Next try');

export const statusFilter = (values: readonly string[]): Filter => ({ name: 'status', label: 'Status', values });
export const WAITS: Filter = { name: 'needs_attention', label: 'Needs a person', values: ['true', 'false'] };
export const REASON: Filter = { name: 'reason', label: 'Reason', values: ATTENTION_REASONS };
export const KEY: Filter = { name: 'key', label: 'Key' };
export const SINCE: Filter = { name: 'since', label: 'Since', type: 'date' };
export const UNTIL: Filter = { name: 'until', label: 'Before', type: 'date' };
export const ORDER: Filter = { name: 'order_id', label: 'Order' };
export const CURRENCY: Filter = { name: 'currency', label: 'Currency' };
export const SELLER: Filter = { name: 'seller', label: 'Seller' };

export const itself =
  (kind: string) =>
  ({ id }: ListedItem) => ({ kind, id });

export const spent = (item: ListedItem): Money | undefined => {
  const { amount, asset, decimals } = (item['spent'] ?? {}) as { amount?: string; asset?: string; decimals?: number };
  return moneyOf(amount, asset === undefined ? undefined : shortAsset(asset), decimals);
};

/** An asset may be a contract's address. */
export const shortAsset = (asset: string): string => (asset.length > 12 ? shortId(asset) : asset);

export const counted = (field: string, head: string): Column => ({
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
