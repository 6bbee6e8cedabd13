import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** For people who look into the Temporal Web UI; written after Postgres, best effort, never read by the product. */
export const MoneyKind = defineSearchAttributeKey('MoneyKind', SearchAttributeType.KEYWORD);
export const MoneyState = defineSearchAttributeKey('MoneyState', SearchAttributeType.KEYWORD);
export const NeedsAttention = defineSearchAttributeKey('NeedsAttention', SearchAttributeType.BOOL);
export const AttentionReason = defineSearchAttributeKey('AttentionReason', SearchAttributeType.KEYWORD);
export const Protocol = defineSearchAttributeKey('Protocol', SearchAttributeType.KEYWORD);
export const OrderId = defineSearchAttributeKey('OrderId', SearchAttributeType.KEYWORD);
export const SellerId = defineSearchAttributeKey('SellerId', SearchAttributeType.KEYWORD);
/** Keyword: an 18-decimal amount does not fit 64 bits. */
export const AmountMinor = defineSearchAttributeKey('AmountMinor', SearchAttributeType.KEYWORD);
export const Currency = defineSearchAttributeKey('Currency', SearchAttributeType.KEYWORD);

export const SEARCH_ATTRIBUTES = [
  MoneyKind,
  MoneyState,
  NeedsAttention,
  AttentionReason,
  Protocol,
  OrderId,
  SellerId,
  AmountMinor,
  Currency,
];
