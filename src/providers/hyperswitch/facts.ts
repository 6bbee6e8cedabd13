import type { NamedDispute, PaymentFacts, RefundFacts } from '../../domain/calls/provider-answers.js';
import type { JsonObject, JsonValue } from '../../domain/json.js';
import { hyperswitchUnit } from '../../domain/marketplace/currencies.js';
import { isObject, publicText } from '../../protocols/wire-json.js';
import { disputeMeaning, paymentMeaning, refundMeaning } from './statuses.js';

/** A payment or refund as Hyperswitch sends it, in our words; a text: what about it cannot be read. */
export type Read<Facts> = { readonly facts: Facts } | { readonly unreadable: string };

export function readPaymentFacts(object: JsonObject): Read<PaymentFacts> {
  const id = publicText(textOf(object['payment_id']));
  const money = moneyOf(object);
  const word = wordOf(object['status']);
  const merchantId = publicText(textOf(object['merchant_id']));
  if (id === undefined || money === undefined || word === undefined) return noFacts('payment');
  if (merchantId === undefined) return { unreadable: 'the payment does not say whose it is (merchant_id)' };
  const received = wholeOf(object['amount_received']);
  return {
    facts: {
      hyperswitchPaymentId: id,
      owner: { merchantId, profileId: publicText(textOf(object['profile_id'])) ?? null },
      ...paymentMeaning(word),
      providerStatus: word,
      amountReceived: received === undefined ? null : received * hyperswitchUnit(money.currency),
      connector: publicText(textOf(object['connector']), LONGEST_WORD) ?? null,
      connectorTransactionId: publicText(textOf(object['connector_transaction_id'])) ?? null,
      clientSecret: textOf(object['client_secret']) ?? null,
      ...money,
    },
  };
}

export function readRefundFacts(object: JsonObject): Read<RefundFacts> {
  const id = publicText(textOf(object['refund_id']));
  const paymentId = publicText(textOf(object['payment_id']));
  const money = moneyOf(object);
  const word = wordOf(object['status']);
  if (id === undefined || paymentId === undefined || money === undefined || word === undefined)
    return noFacts('refund');
  return {
    facts: {
      hyperswitchRefundId: id,
      hyperswitchPaymentId: paymentId,
      profileId: publicText(textOf(object['profile_id'])) ?? null,
      ...refundMeaning(word),
      providerStatus: word,
      reason: textOf(object['reason']) ?? null,
      updatedAt: isoOf(textOf(object['updated_at'])),
      connectorRefundId: publicText(textOf(object['connector_refund_id'])) ?? null,
      ...money,
    },
  };
}

export function readDispute(object: JsonObject): Read<NamedDispute> {
  const id = publicText(textOf(object['dispute_id']));
  const paymentId = publicText(textOf(object['payment_id']));
  const connector = publicText(textOf(object['connector']), LONGEST_WORD);
  const providerDisputeId = publicText(textOf(object['connector_dispute_id']));
  const stage = wordOf(object['dispute_stage']);
  const status = wordOf(object['dispute_status']);
  const currency = currencyOf(object);
  // Unlike those of payments and refunds, this amount is a text.
  const amount = /^[0-9]{1,18}$/.test(textOf(object['amount']) ?? '')
    ? BigInt(textOf(object['amount']) ?? '')
    : undefined;
  if (id === undefined || paymentId === undefined || connector === undefined || providerDisputeId === undefined)
    return { unreadable: 'the dispute names no payment, no processor, or no id of its own or there' };
  if (stage === undefined || status === undefined || currency === undefined || amount === undefined)
    return { unreadable: 'the dispute has no whole amount, no currency or no readable stage and status' };
  return {
    facts: {
      hyperswitchDisputeId: id,
      hyperswitchPaymentId: paymentId,
      profileId: publicText(textOf(object['profile_id'])) ?? null,
      connector,
      providerDisputeId,
      status: disputeMeaning(stage, status),
      providerStatus: `${stage}, ${status}`,
      amount: amount * hyperswitchUnit(currency),
      currency,
      reason: publicText(textOf(object['connector_reason'])) ?? null,
    },
  };
}

/** One page of GET /disputes/list, a bare list. A single dispute that cannot be read spoils it. */
export function readDisputePage(list: readonly JsonValue[]): Read<readonly NamedDispute[]> {
  const disputes: NamedDispute[] = [];
  for (const item of list) {
    const read = isObject(item) ? readDispute(item) : { unreadable: 'the list holds something that is no dispute' };
    if ('unreadable' in read) return read;
    disputes.push(read.facts);
  }
  return { facts: disputes };
}

/** The objects of one page, in its order. */
export interface Listed<Facts> {
  readonly items: readonly Facts[];
  /** Ids of those that cannot be read; all others are. */
  readonly unreadable: readonly string[];
  /** Of the last, readable or not; null: the page is empty. */
  readonly lastId: string | null;
}

/** One page of POST /refunds/list; `total` is over all pages. */
export function readRefundPage({
  data,
  total_count: total,
}: JsonObject): Read<Listed<RefundFacts> & { readonly total: number }> {
  if (!Array.isArray(data) || typeof total !== 'number' || !Number.isSafeInteger(total) || total < 0) {
    return { unreadable: 'the list of refunds has no data or no total_count' };
  }
  const read = readEach(data, 'refund', readRefundFacts);
  return 'unreadable' in read ? read : { facts: { ...read.facts, total } };
}

/** One page of GET /payments/list. */
export const readPaymentPage = ({ data }: JsonObject): Read<Listed<PaymentFacts>> =>
  Array.isArray(data)
    ? readEach(data, 'payment', readPaymentFacts)
    : { unreadable: 'the list of payments has no data' };

/** A single object that cannot be read is named beside the others; one without an id spoils the page: it might be the one that nobody knows. */
function readEach<Facts>(
  data: readonly JsonValue[],
  what: 'payment' | 'refund',
  read: (object: JsonObject) => Read<Facts>,
): Read<Listed<Facts>> {
  const items: Facts[] = [];
  const unreadable: string[] = [];
  let lastId: string | null = null;
  for (const item of data) {
    const id = isObject(item) ? publicText(textOf(item[`${what}_id`])) : undefined;
    if (!isObject(item) || id === undefined) return noFacts(what);
    const one = read(item);
    if ('unreadable' in one) unreadable.push(id);
    else items.push(one.facts);
    lastId = id;
  }
  return { facts: { items, unreadable, lastId } };
}

const LONGEST_WORD = 64;

/** What cannot be shown is no word of ours either: it is asked about, not passed over. */
const wordOf = (value: JsonValue | undefined): string | undefined => {
  const text = textOf(value);
  return text === undefined ? undefined : (publicText(text, LONGEST_WORD) ?? 'unreadable');
};

const noFacts = (what: string) => ({
  unreadable: `the ${what} has no id, no whole amount, no currency or no readable status`,
});

function moneyOf(object: JsonObject): { readonly amount: bigint; readonly currency: string } | undefined {
  const amount = wholeOf(object['amount']);
  const currency = currencyOf(object);
  return amount === undefined || currency === undefined
    ? undefined
    : { amount: amount * hyperswitchUnit(currency), currency };
}

function currencyOf(object: JsonObject): string | undefined {
  const currency = textOf(object['currency'])?.toUpperCase();
  return currency !== undefined && /^[A-Z]{3}$/.test(currency) ? currency : undefined;
}

/** Past 2^53 a JSON number is no longer the number that was sent. */
const wholeOf = (value: JsonValue | undefined): bigint | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;

const textOf = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

function isoOf(text: string | undefined): string | null {
  const ms = text === undefined || !/^\d{4}-\d\d-\d\dT/.test(text) ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
