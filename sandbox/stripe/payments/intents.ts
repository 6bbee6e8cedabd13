import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { type IntentObject, openIntentObject, paymentIntentObject } from '../http/payment-objects.js';
import { answer, type Caller, liesOnPlatform, type Plan, type PlanContext, refusal, seconds } from '../http/plan.js';
import { invalid, missing, type Problem, platformOnly } from '../http/problems.js';
import { type ChargeRecord, type IntentRecord, newId } from '../state/records.js';
import type { Store } from '../state/store.js';
import type { EventDraft } from '../webhooks/events.js';
import { type NewCapture, planCapture, planHeld, released } from './charges.js';

export const CREATE_PAYMENT_INTENT = {
  amount: { kind: 'amount', required: true },
  capture_method: { kind: 'text' },
  customer: { kind: 'text' },
  currency: { kind: 'currency', required: true },
  confirm: { kind: 'flag' },
  payment_method: { kind: 'text' },
  payment_method_types: { kind: 'texts' },
  metadata: { kind: 'metadata' },
  transfer_group: { kind: 'text' },
} as const;

/** Stripe's own card for tests (docs.stripe.com/testing). */
const TEST_CARD = 'pm_card_visa';

/** What a checkout does with its secret key: made, or made and confirmed in one request with the card that always pays. */
export function createPaymentIntent(caller: Caller, params: Values<typeof CREATE_PAYMENT_INTENT>): Plan {
  const { amount, currency, confirm, payment_method: method, payment_method_types: types = ['card'] } = params;
  const { transfer_group, metadata, customer, capture_method: capture = 'automatic' } = params;
  if (caller.account !== caller.world.platform) return refusal(platformOnly);
  if (capture !== 'automatic' && capture !== 'manual')
    return refusal(invalid('The sandbox captures by itself, or by hand.', { param: 'capture_method' }));
  if (customer !== undefined && !customer.startsWith('cus_')) return refusal(missing('customer', customer, 'customer'));
  if (types.length !== 1 || types[0] !== 'card')
    return refusal(invalid('The sandbox takes cards.', { param: 'payment_method_types' }));
  if (method !== undefined && method !== TEST_CARD)
    return refusal(invalid(`No such PaymentMethod: '${method}'`, { param: 'payment_method' }));
  if (confirm !== true) {
    const row: IntentRecord = {
      ...caller.world,
      id: newId('pi'),
      amount,
      currency,
      created: seconds(caller.nowMs),
      metadata: metadata ?? {},
      transferGroup: transfer_group ?? null,
      status: method === undefined ? 'requires_payment_method' : 'requires_confirmation',
      canceledAt: null,
      customer,
      ...(capture === 'manual' && { captureMethod: capture }),
    };
    return changed(row, 'payment_intent.created');
  }
  if (method === undefined) return refusal(invalid(`No such PaymentMethod: ''`, { param: 'payment_method' }));
  const status = capture === 'manual' ? ('uncaptured' as const) : undefined;
  const plan = planCapture(caller, { amount, currency, transfer_group, metadata, status }, caller.settlementDays);
  return 'payment_intent' in plan.body ? { ...plan, body: plan.body.payment_intent as object } : plan;
}

const changed = (row: IntentRecord, type: string, charge: string | null = null): Plan => {
  const object = openIntentObject(row, charge);
  const event: EventDraft = { type, account: null, livemode: row.livemode, object: () => object };
  return answer(object, [{ table: 'intent', row }], [event]);
};

/** A buyer pays, by whatever method, or is refused; one that was refused may try again. */
export function planPay(
  context: PlanContext,
  id: string,
  given: Omit<Partial<NewCapture>, 'payment_intent' | 'amount' | 'currency'>,
  settlementDays: number,
): Plan {
  const row = context.store.intent(id);
  if (row === undefined) return refusal(missing('payment_intent', id, 'intent'));
  const word = statusOf(context.store, row);
  if (!OPEN.has(word)) return refusal(unexpected('confirm', word));
  const { amount, currency, metadata, transferGroup } = row;
  // A buyer's money is held where it is to be captured by hand.
  const isHeld = row.captureMethod === 'manual' && (given.status ?? 'succeeded') === 'succeeded';
  const held = isHeld ? ({ status: 'uncaptured' } as const) : {};
  const capture = { amount, currency, metadata, transfer_group: transferGroup ?? undefined, ...given, ...held };
  return planCapture(context, { ...capture, payment_intent: id }, settlementDays);
}

/** Its buyer has to confirm it with his bank. */
export function planAction(context: PlanContext, id: string): Plan {
  const row = context.store.intent(id);
  if (row === undefined) return refusal(missing('payment_intent', id, 'intent'));
  return changed({ ...row, status: 'requires_action' }, 'payment_intent.requires_action');
}

export const CONFIRM_PAYMENT_INTENT = { payment_method: { kind: 'text' } } as const;

export function confirmPaymentIntent(
  caller: Caller,
  id: string,
  { payment_method: method }: Values<typeof CONFIRM_PAYMENT_INTENT>,
): Plan {
  const row = caller.store.intent(id);
  if (row === undefined || !liesOnPlatform(row, caller)) return refusal(missing('payment_intent', id, 'intent'));
  if (method !== TEST_CARD && row.status !== 'requires_confirmation')
    return refusal(invalid(`No such PaymentMethod: '${method ?? ''}'`, { param: 'payment_method' }));
  const plan = planPay(caller, id, {}, caller.settlementDays);
  return 'payment_intent' in plan.body ? { ...plan, body: plan.body.payment_intent as object } : plan;
}

export const CANCEL_PAYMENT_INTENT = { cancellation_reason: { kind: 'text' } } as const;

/** docs.stripe.com/api/payment_intents/cancel */
export function cancelPaymentIntent(caller: Caller, id: string): Plan {
  const row = caller.store.intent(id);
  const charge = caller.store.chargeOf(id);
  const owner = row ?? charge;
  if (owner === undefined || !liesOnPlatform(owner, caller)) return refusal(missing('payment_intent', id, 'intent'));
  return planCalledOff(caller, id);
}

/** Somebody calls it off, or what was held of its buyer has lapsed (`automatic`): held money goes back to him. */
export function planCalledOff(context: PlanContext, id: string, reason?: 'automatic'): Plan {
  const charge = context.store.chargeOf(id);
  const row = context.store.intent(id) ?? (charge && intentOf(charge));
  if (row === undefined) return refusal(missing('payment_intent', id, 'intent'));
  const word = statusOf(context.store, row);
  const isHeld = word === HELD;
  if (reason === undefined ? !OPEN.has(word) && !isHeld : !isHeld) return refusal(unexpected('cancel', word));
  const off: IntentRecord = {
    ...row,
    status: 'canceled',
    canceledAt: seconds(context.nowMs),
    cancellationReason: reason,
  };
  if (charge === undefined || !isHeld) return changed(off, 'payment_intent.canceled');
  const plan = changed(off, 'payment_intent.canceled', charge.id);
  const why = reason === undefined ? undefined : 'expired_uncaptured_charge';
  return { ...plan, puts: [...plan.puts, released(context, charge, charge.amount, why)] };
}

const HELD = 'requires_capture';

/** Of a charge that a switch has made. */
const intentOf = ({
  platform,
  livemode,
  paymentIntent,
  amount,
  currency,
  created,
  metadata,
  intentGroup,
}: ChargeRecord) =>
  ({
    platform,
    livemode,
    id: paymentIntent,
    amount,
    currency,
    created,
    metadata,
    transferGroup: intentGroup,
    status: 'requires_payment_method',
    canceledAt: null,
    captureMethod: 'manual',
  }) satisfies IntentRecord;

export const CAPTURE_PAYMENT_INTENT = {
  amount_to_capture: { kind: 'amount' },
  final_capture: { kind: 'flag' },
} as const;

/** docs.stripe.com/api/payment_intents/capture: once, in whole or in part. */
export function capturePaymentIntent(
  caller: Caller,
  id: string,
  { amount_to_capture: amount, final_capture: isFinal = true }: Values<typeof CAPTURE_PAYMENT_INTENT>,
): Plan {
  const object = intentObject(caller.store, id);
  const charge = caller.store.chargeOf(id);
  const owner = caller.store.intent(id) ?? charge;
  if (owner === undefined || object === undefined || !liesOnPlatform(owner, caller))
    return refusal(missing('payment_intent', id, 'intent'));
  if (charge === undefined || object.status !== HELD) return refusal(notCapturable(object.status));
  // It has to be asked for when it is made, of cards and accounts that may (docs.stripe.com/payments/multicapture).
  if (!isFinal)
    return refusal(invalid('Multicapture is not available for this PaymentIntent.', { param: 'final_capture' }));
  if (amount !== undefined && amount > charge.amount)
    return refusal(
      invalid('The amount to capture is larger than the amount that can be captured.', {
        code: 'amount_too_large',
        param: 'amount_to_capture',
      }),
    );
  const plan = planHeld(caller, charge, amount, caller.settlementDays);
  return 'payment_intent' in plan.body
    ? { ...plan, body: { ...(plan.body.payment_intent as object), ...ownOf(owner) } }
    : plan;
}

const notCapturable = (word: string): Problem =>
  invalid(
    `This PaymentIntent could not be captured because it has a status of ${word}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
    { code: 'payment_intent_unexpected_state' },
  );

const unexpected = (what: string, word: string) =>
  invalid(`You cannot ${what} this PaymentIntent because it has a status of ${word}.`, {
    code: 'payment_intent_unexpected_state',
  });

const OPEN: ReadonlySet<string> = new Set(['requires_payment_method', 'requires_confirmation', 'requires_action']);

/** What its newest charge says goes first, unless that was refused. */
const statusOf = (store: Store, row: IntentRecord): string => {
  const charge = store.chargeOf(row.id);
  const isOver = row.status === 'canceled' || charge === undefined || charge.status === 'failed';
  return isOver ? row.status : paymentIntentObject(charge).status;
};

export function intentObject(store: Store, id: string): IntentObject | undefined {
  const row = store.intent(id);
  const charge = store.chargeOf(id);
  if (row === undefined) return charge && paymentIntentObject(charge);
  if (row.status === 'canceled' || charge === undefined || charge.status === 'failed')
    return openIntentObject(row, charge?.id ?? null);
  return { ...paymentIntentObject(charge), ...ownOf(row) };
}

/** What a PaymentIntent keeps beside its charge. */
const ownOf = (row: IntentRecord | ChargeRecord) =>
  'captureMethod' in row || 'customer' in row
    ? {
        created: row.created,
        customer: row.customer ?? null,
        capture_method: row.captureMethod ?? 'automatic',
      }
    : { created: row.created };

export function readPaymentIntent(caller: Caller, id: string): Plan {
  const row = caller.store.intent(id) ?? caller.store.chargeOf(id);
  const object = intentObject(caller.store, id);
  return row !== undefined && object !== undefined && liesOnPlatform(row, caller)
    ? answer(object)
    : refusal(missing('payment_intent', id, 'intent'));
}

export const LIST_PAYMENT_INTENTS = { ...PAGE_PARAMS, created: { kind: 'range' } } as const;

export function listPaymentIntents(caller: Caller, params: Values<typeof LIST_PAYMENT_INTENTS>): Plan {
  const { created } = params;
  const { store } = caller;
  const made = store.intents().map((row) => ({ row, id: row.id, created: row.created }));
  // A switch makes a charge, and with it a PaymentIntent that has no row of its own.
  const ofCharges = store
    .charges()
    .filter((row) => store.intent(row.paymentIntent) === undefined)
    .map((row) => ({ row, id: row.paymentIntent, created: row.created }));
  const page = pageOf(
    {
      what: 'payment_intent',
      url: '/v1/payment_intents',
      oldestFirst: [...made, ...ofCharges]
        .filter(({ row }) => liesOnPlatform(row, caller))
        .toSorted((one, other) => one.created - other.created),
      matches: (one) => created === undefined || inRange(one.created, created),
    },
    params,
    ({ id }) => intentObject(store, id) ?? {},
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}

export const SEARCH_PAYMENT_INTENTS = {
  limit: PAGE_PARAMS.limit,
  page: { kind: 'text' },
  query: { kind: 'text', required: true },
} as const;

const BY_METADATA = /^metadata\["([^"]+)"\]:"([^"]+)"$/;

/** By one entry of the metadata; what is younger than the index is not found (docs.stripe.com/search#data-freshness). */
export function searchPaymentIntents(caller: Caller, { query }: Values<typeof SEARCH_PAYMENT_INTENTS>): Plan {
  const [, key = '', value] = BY_METADATA.exec(query) ?? [];
  if (value === undefined)
    return refusal(invalid('The sandbox searches one entry of the metadata.', { param: 'query' }));
  const { store, nowMs, indexedAfterMs } = caller;
  const found = store
    .intents()
    .filter((row) => liesOnPlatform(row, caller) && row.metadata[key] === value)
    .filter(({ created }) => created * 1000 <= nowMs - indexedAfterMs)
    .map(({ id }) => intentObject(store, id));
  return answer({
    object: 'search_result',
    url: '/v1/payment_intents/search',
    has_more: false,
    data: found,
    total_count: found.length,
  });
}
