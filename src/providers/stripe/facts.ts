import type {
  ChargeFacts,
  GroupTransfer,
  ReversalFacts,
  ReversalState,
  SellerFacts,
  StripeDispute,
  StripePayment,
  StripeRefund,
  TransferFacts,
} from '../../domain/calls/provider-answers.js';
import type { JsonObject, JsonValue } from '../../domain/json.js';
import type { DisputeMovement } from '../../domain/marketplace/disputes.js';
import { markOfTransfer } from '../../domain/marketplace/ours-at-stripe.js';
import { arrayAt, isObject, objectAt, publicText, stringAt, valueAt } from '../../protocols/wire-json.js';

/** Readers of Stripe's objects: everything in our words, or undefined when it is not the object it should be. */

export function transferFacts(object: JsonObject): TransferFacts | undefined {
  if (object['object'] !== 'transfer') return undefined;
  const stripeTransferId = idAt(object, 'id');
  const amount = integerAt(object, 'amount');
  const amountReversed = integerAt(object, 'amount_reversed');
  const currency = currencyAt(object);
  const createdAt = timeAt(object, 'created');
  const livemode = object['livemode'];
  if (stripeTransferId === undefined || currency === undefined || createdAt === undefined) return undefined;
  if (amount === undefined || amount <= 0n || amountReversed === undefined || amountReversed < 0n) return undefined;
  if (typeof livemode !== 'boolean') return undefined;
  return {
    stripeTransferId,
    amount,
    amountReversed,
    currency,
    // Transfers of old to a bank account have none: they can be nobody's share here.
    destination: idAt(object, 'destination') ?? '',
    transferGroup: stringAt(object, 'transfer_group') ?? null,
    metadata: metadataOf(object),
    livemode,
    destinationPayment: idAt(object, 'destination_payment'),
    createdAt,
  };
}

export function groupTransfer(object: JsonObject): GroupTransfer | undefined {
  const facts = transferFacts(object);
  return (
    facts && {
      stripeTransferId: facts.stripeTransferId,
      destination: facts.destination,
      source: idAt(object, 'source_transaction') ?? null,
      left: facts.amount - facts.amountReversed,
      mark: markOfTransfer(facts) ?? null,
    }
  );
}

export function reversalFacts(object: JsonObject): ReversalFacts | undefined {
  if (object['object'] !== 'transfer_reversal') return undefined;
  const stripeReversalId = idAt(object, 'id');
  const stripeTransferId = idAt(object, 'transfer');
  const amount = integerAt(object, 'amount');
  const currency = currencyAt(object);
  const createdAt = timeAt(object, 'created');
  const status = valueAt(object, 'status');
  if (stripeReversalId === undefined || stripeTransferId === undefined || createdAt === undefined) return undefined;
  if (amount === undefined || amount <= 0n || currency === undefined) return undefined;
  return {
    stripeReversalId,
    stripeTransferId,
    amount,
    currency,
    metadata: metadataOf(object),
    state: reversalState(status),
    destinationPaymentRefund: idAt(object, 'destination_payment_refund'),
    createdAt,
  };
}

/** docs.stripe.com/connect/pending-transfer-reversals */
const REVERSAL_STATES: Readonly<Record<string, ReversalState>> = {
  pending: 'pending',
  succeeded: 'done',
  failed: 'failed',
  canceled: 'canceled',
};

function reversalState(status: JsonValue | undefined): ReversalState {
  if (status === undefined || status === null) return 'done';
  return typeof status === 'string' && Object.hasOwn(REVERSAL_STATES, status)
    ? (REVERSAL_STATES[status] ?? 'unknown')
    : 'unknown';
}

/** Undefined also where a single movement cannot be read: it might be the one that took the funds, or gave them back. */
export function disputeFacts(object: JsonObject): StripeDispute | undefined {
  if (object['object'] !== 'dispute') return undefined;
  const stripeDisputeId = idAt(object, 'id');
  const charge = idAt(object, 'charge');
  const amount = integerAt(object, 'amount');
  const currency = currencyAt(object);
  const status = stringAt(object, 'status');
  const createdAt = timeAt(object, 'created');
  const movements = arrayAt(object, 'balance_transactions')?.map((item) =>
    isObject(item) ? movementFacts(item) : undefined,
  );
  if (stripeDisputeId === undefined || charge === undefined || createdAt === undefined) return undefined;
  if (amount === undefined || amount < 0n || currency === undefined || status === undefined) return undefined;
  if (movements === undefined || !movements.every((one) => one !== undefined)) return undefined;
  return {
    stripeDisputeId,
    charge,
    paymentIntent: idAt(object, 'payment_intent') ?? null,
    amount,
    currency,
    status,
    reason: stringAt(object, 'reason') ?? null,
    movements,
    createdAt,
  };
}

function movementFacts(object: JsonObject): DisputeMovement | undefined {
  const id = idAt(object, 'id');
  const amount = integerAt(object, 'amount');
  const currency = currencyAt(object);
  const at = timeAt(object, 'created');
  return object['object'] !== 'balance_transaction' ||
    id === undefined ||
    amount === undefined ||
    currency === undefined ||
    at === undefined
    ? undefined
    : { id, amount, currency, at };
}

export function stripeRefundFacts(object: JsonObject): StripeRefund | undefined {
  if (object['object'] !== 'refund') return undefined;
  const stripeRefundId = idAt(object, 'id');
  const amount = integerAt(object, 'amount');
  const currency = currencyAt(object);
  const createdAt = timeAt(object, 'created');
  if (stripeRefundId === undefined || createdAt === undefined || currency === undefined) return undefined;
  if (amount === undefined || amount < 0n) return undefined;
  return {
    stripeRefundId,
    charge: idAt(object, 'charge') ?? null,
    paymentIntent: idAt(object, 'payment_intent') ?? null,
    amount,
    currency,
    // Stripe's documents let it be null where a refund needs none: it has gone out.
    status: stringAt(object, 'status') ?? 'succeeded',
    isShort: stringAt(object, 'status') === 'pending' && stringAt(object, 'pending_reason') === 'insufficient_funds',
    madeFrom: madeFrom(metadataOf(object)),
    mark: metadataOf(object)['refund_id'] ?? null,
    ...ofHeld(object),
    createdAt,
  };
}

/** `expired_uncaptured_charge` is in Stripe's document; what a partial capture leaves is a refund as well, and has no balance transaction. */
function ofHeld(object: JsonObject): Pick<StripeRefund, 'ofHeld'> {
  const reason = stringAt(object, 'reason');
  if (reason === 'expired_uncaptured_charge' || reason === 'partial_capture') return { ofHeld: 'surely' };
  const isUnbooked = object['balance_transaction'] === null && stringAt(object, 'status') === 'succeeded';
  return isUnbooked && metadataOf(object)['refund_id'] === undefined ? { ofHeld: 'perhaps' } : {};
}

/** Hyperswitch's connector writes its own id on what it makes, and beside that of a refund that it is one. */
function madeFrom(metadata: Readonly<Record<string, string>>): StripeRefund['madeFrom'] {
  const { order_id: id, is_refund_id_as_reference: ofRefund } = metadata;
  return id === undefined || id === '' ? null : { kind: ofRefund === 'true' ? 'refund' : 'attempt', id };
}

export function chargeFacts(object: JsonObject): ChargeFacts | undefined {
  const chargeId = object['object'] === 'charge' ? idAt(object, 'id') : undefined;
  const { captured, paid, livemode } = object;
  const status = stringAt(object, 'status');
  if (chargeId === undefined || status === undefined || typeof livemode !== 'boolean') return undefined;
  const amountCaptured = integerAt(object, 'amount_captured');
  const currency = currencyAt(object);
  if (typeof captured !== 'boolean' || typeof paid !== 'boolean') return undefined;
  if (amountCaptured === undefined || amountCaptured < 0n || currency === undefined) return undefined;
  return {
    chargeId,
    captured: captured && paid && status === 'succeeded',
    method: stringAt(objectAt(object, 'payment_method_details'), 'type') ?? null,
    isSplit: ['transfer', 'transfer_data', 'application_fee'].some((name) => (object[name] ?? null) !== null),
    livemode,
    amountCaptured,
    currency,
    balanceTransactionId: idAt(object, 'balance_transaction') ?? null,
  };
}

/** A charge, as far as it is a payment. */
export interface PaidCharge extends Omit<StripePayment, 'name' | 'chargeId'> {
  readonly chargeId: string;
  readonly paymentIntent: string | null;
}

export function paidCharge(object: JsonObject): PaidCharge | undefined {
  const facts = chargeFacts(object);
  const amount = integerAt(object, 'amount');
  const captured = integerAt(object, 'amount_captured');
  const currency = currencyAt(object);
  const status = stringAt(object, 'status');
  if (facts === undefined || currency === undefined || status === undefined) return undefined;
  if (amount === undefined || captured === undefined || amount < 0n || captured < 0n) return undefined;
  return {
    chargeId: facts.chargeId,
    paymentIntent: idAt(object, 'payment_intent') ?? null,
    amount,
    captured: facts.captured ? captured : 0n,
    currency,
    status,
    isSplit: facts.isSplit || isSentOn(object),
    transferGroup: stringAt(object, 'transfer_group') ?? null,
    livemode: facts.livemode,
  };
}

export interface IntentFacts {
  readonly amount: bigint;
  readonly received: bigint;
  readonly currency: string;
  readonly status: string;
  readonly isSplit: boolean;
  readonly chargeId: string | null;
  readonly livemode: boolean;
}

export function intentFacts(object: JsonObject): IntentFacts | undefined {
  const amount = integerAt(object, 'amount');
  const received = integerAt(object, 'amount_received');
  const currency = currencyAt(object);
  const status = stringAt(object, 'status');
  const livemode = object['livemode'];
  if (object['object'] !== 'payment_intent' || currency === undefined || status === undefined) return undefined;
  if (amount === undefined || received === undefined || received < 0n || typeof livemode !== 'boolean')
    return undefined;
  const chargeId = idAt(object, 'latest_charge') ?? null;
  return { amount, received, currency, status, isSplit: isSentOn(object), chargeId, livemode };
}

/** Stripe itself sends its money on, or takes a fee from whoever it is made for. */
const isSentOn = (object: JsonObject): boolean =>
  ['transfer_data', 'application_fee', 'application_fee_amount', 'source_transfer'].some(
    (name) => (object[name] ?? null) !== null,
  );

/** Any of these is enough to receive a transfer, by Stripe's own words where none is there. */
const RECEIVING = ['transfers', 'crypto_transfers', 'legacy_payments'] as const;

export function sellerFacts(object: JsonObject): SellerFacts | undefined {
  const sellerAccount = object['object'] === 'account' ? idAt(object, 'id') : undefined;
  if (sellerAccount === undefined) return undefined;
  const capabilities = objectAt(object, 'capabilities');
  const known = RECEIVING.map((name) => [name, publicText(stringAt(capabilities, name), 32)] as const);
  return {
    sellerAccount,
    capabilities: Object.fromEntries(
      known.filter((one): one is [(typeof RECEIVING)[number], string] => Boolean(one[1])),
    ),
    disabledReason: publicText(stringAt(objectAt(object, 'requirements'), 'disabled_reason'), 64) ?? null,
  };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

/** Undefined as soon as one item cannot be read: a list with a hole proves nothing. */
export function pageOf<Item>(
  object: JsonObject | undefined,
  read: (item: JsonObject) => Item | undefined,
): Page<Item> | undefined {
  const data = object?.['object'] === 'list' ? arrayAt(object, 'data') : undefined;
  const hasMore = object?.['has_more'];
  if (data === undefined || typeof hasMore !== 'boolean') return undefined;
  const items = data.map((item) => (isObject(item) ? read(item) : undefined)).filter((item) => item !== undefined);
  return items.length === data.length ? { items, hasMore } : undefined;
}

/** The id of an object, also where Stripe was asked to put the object itself in its place. */
export function idAt(object: JsonObject, key: string): string | undefined {
  const id = stringAt(object, key) ?? stringAt(objectAt(object, key), 'id');
  return id !== undefined && /^[\x21-\x7e]{1,255}$/.test(id) ? id : undefined;
}

/** Beyond 2^53 JSON has already lost digits. */
export function integerAt(object: JsonObject, key: string): bigint | undefined {
  const value: JsonValue | undefined = object[key];
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** Lower case on the wire, upper case here. */
export function currencyAt(object: JsonObject): string | undefined {
  const currency = stringAt(object, 'currency');
  return currency !== undefined && /^[a-z]{3}$/i.test(currency) ? currency.toUpperCase() : undefined;
}

/** Unix seconds on the wire; the year 9999 is the last that ISO 8601 writes in four digits. */
export function timeAt(object: JsonObject, key: string): string | undefined {
  const seconds = object[key];
  return typeof seconds === 'number' && Number.isSafeInteger(seconds) && seconds >= 0 && seconds < 253_402_300_800
    ? new Date(seconds * 1000).toISOString()
    : undefined;
}

export function metadataOf(object: JsonObject): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(object, 'metadata') ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
