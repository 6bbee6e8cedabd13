import { accountOf, inOwnBalance } from '../accounts/accounts.js';
import { booked } from '../balance/bookings.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { capturedOf, chargeObject, paymentIntentObject } from '../http/payment-objects.js';
import { answer, type Caller, liesOnPlatform, type Plan, type PlanContext, refusal, seconds } from '../http/plan.js';
import { invalid, missing } from '../http/problems.js';
import { type ChargeRecord, type ChargeStatus, type Metadata, newId, type RefundRecord } from '../state/records.js';
import type { Store } from '../state/store.js';
import type { Put } from '../state/tables.js';
import type { EventDraft } from '../webhooks/events.js';

/** A payment that somebody made at the platform. */
export interface NewCapture {
  readonly amount: number;
  readonly currency: string;
  /** Default `card`. */
  readonly method?: string | undefined;
  /** Default: a new one. */
  readonly payment_intent?: string | undefined;
  readonly transfer_group?: string | undefined;
  readonly metadata?: Metadata | undefined;
  /** The currency of the balance it goes to; default: its own. */
  readonly settles_in?: string | undefined;
  /** What one unit of its currency becomes of that; default 1. */
  readonly exchange_rate?: number | undefined;
  /** What Stripe keeps of it, in the currency of the balance; default nothing. */
  readonly fee?: number | undefined;
  /** Default `succeeded`; `pending`: of a method that may still fail; `uncaptured`: only authorised. */
  readonly status?: ChargeStatus | 'uncaptured' | undefined;
}

const DAY_SECONDS = 86_400;
const FAILED = { status: 'failed' };

export function planCapture(context: PlanContext, given: NewCapture, settlementDays: number): Plan {
  const { store, world, nowMs } = context;
  const { method = 'card', payment_intent: paymentIntent = newId('pi'), transfer_group = null } = given;
  const { status = 'succeeded', metadata = {} } = given;
  if ((store.chargeOf(paymentIntent) ?? FAILED).status !== 'failed')
    return refusal(invalid(`${paymentIntent} has been charged already.`));
  const row: ChargeRecord = {
    ...world,
    // Only cards make charges of that name (docs.stripe.com/api/charges)
    id: newId(method === 'card' ? 'ch' : 'py'),
    paymentIntent,
    amount: given.amount,
    currency: given.currency,
    captured: status !== 'uncaptured',
    created: seconds(nowMs),
    status: status === 'uncaptured' ? 'succeeded' : status,
    method,
    metadata,
    balanceTransaction: null,
    failureTransaction: null,
    transferGroup: transfer_group,
    intentGroup: transfer_group,
  };
  if (status === 'failed' || status === 'uncaptured') return made(context, row, [], eventsOf(context, row));
  return captured(context, row, given, settlementDays);
}

/** What becomes of one that was not yet captured or is of a method that can still fail. */
export function planChargeChange(
  context: PlanContext,
  id: string,
  { to, part }: { readonly to: 'captured' | 'succeeded' | 'failed'; readonly part?: number | undefined },
  settlementDays: number,
): Plan {
  const before = context.store.charge(id);
  if (before === undefined) return refusal(missing('charge', id, 'id'));
  if (to === 'captured' && before.status === 'succeeded' && !before.captured) {
    return planHeld(context, before, part, settlementDays);
  }
  if (to === 'captured' || before.status !== 'pending') {
    return refusal(invalid(`The charge ${id} cannot become ${to} any more.`));
  }
  if (to === 'succeeded') {
    const row: ChargeRecord = { ...before, status: to };
    return made(context, row, [], eventsOf(context, row));
  }
  const money = before.balanceTransaction === null ? undefined : context.store.transaction(before.balanceTransaction);
  if (money === undefined) return refusal(missing('balance transaction', String(before.balanceTransaction), 'id'));
  const failureTransaction = newId('txn');
  const row: ChargeRecord = { ...before, status: to, failureTransaction };
  const { account, amount, currency, availableOn } = money;
  const back = { id: failureTransaction, account, amount: -amount, currency, source: id };
  const puts = booked(context, [{ ...back, type: 'payment_failure_refund', availableOn }]);
  return made(context, row, puts, eventsOf(context, row));
}

/** What was held of a buyer is captured, once, as a whole or in part; the rest goes back to him as a refund that no balance shows. */
export function planHeld(
  context: PlanContext,
  held: ChargeRecord,
  amount: number = held.amount,
  settlementDays: number,
): Plan {
  const row: ChargeRecord = { ...held, captured: true, part: amount };
  const plan = captured(context, row, {}, settlementDays);
  const rest = held.amount - amount;
  return rest === 0 ? plan : { ...plan, puts: [...plan.puts, released(context, held, rest)] };
}

/** Stripe lets go of what was only held. */
export function released(
  { nowMs }: Pick<PlanContext, 'nowMs'>,
  { platform, livemode, id: charge, currency }: ChargeRecord,
  amount: number,
  reason?: RefundRecord['reason'],
): Put {
  const row: RefundRecord = {
    id: newId('re'),
    platform,
    livemode,
    charge,
    amount,
    currency,
    created: seconds(nowMs),
    status: 'succeeded',
    metadata: {},
    balanceTransaction: null,
    failureTransaction: null,
    reason,
  };
  return { table: 'refund', row };
}

/** The money comes, pending for so many days. */
function captured(
  context: PlanContext,
  charge: ChargeRecord,
  { settles_in, exchange_rate, fee = 0 }: Pick<NewCapture, 'settles_in' | 'exchange_rate' | 'fee'>,
  settlementDays: number,
): Plan {
  const row: ChargeRecord = { ...charge, balanceTransaction: newId('txn') };
  const platform = accountOf(context.store, row.platform, row.livemode);
  const settlesIn = settles_in === undefined ? platform.settlesIn : { currency: settles_in, rate: exchange_rate ?? 1 };
  const money = inOwnBalance({ ...platform, settlesIn }, { ...row, amount: capturedOf(row) });
  const puts = booked(context, [
    {
      id: row.balanceTransaction ?? '',
      account: row.platform,
      type: row.method === 'card' ? 'charge' : 'payment',
      fee,
      ...money,
      source: row.id,
      availableOn: seconds(context.nowMs) + settlementDays * DAY_SECONDS,
    },
  ]);
  return made(context, row, puts, eventsOf(context, row));
}

function made({ store }: PlanContext, row: ChargeRecord, puts: Plan['puts'], events: readonly EventDraft[]): Plan {
  const body = { payment_intent: paymentIntentObject(row), charge: chargeOf(store, row) };
  return answer(body, [{ table: 'charge', row }, ...puts], events);
}

/** The charge with what happened to it since. */
export const chargeOf = (store: Store, row: ChargeRecord) =>
  chargeObject(row, { refunded: refundedOf(store, row.id), disputed: store.disputesOf(row.id).length > 0 });

/** What failed came back. */
export const refundedOf = (store: Store, charge: string): number =>
  store.refundsOf(charge).reduce((sum, { amount, status }) => (status === 'failed' ? sum : sum + amount), 0);

/** docs.stripe.com/api/events/types */
function eventsOf({ store }: PlanContext, row: ChargeRecord): readonly EventDraft[] {
  const charge = () => chargeOf(store, row);
  const intent = () => paymentIntentObject(row);
  const of = (type: string, object: () => object): EventDraft => ({
    type,
    account: null,
    livemode: row.livemode,
    object,
  });
  if (row.status === 'failed') return [of('charge.failed', charge), of('payment_intent.payment_failed', intent)];
  if (row.status === 'pending') return [of('charge.pending', charge), of('payment_intent.processing', intent)];
  if (!row.captured) {
    return [of('charge.succeeded', charge), of('payment_intent.amount_capturable_updated', intent)];
  }
  const known = store.charge(row.id);
  const late = known !== undefined && !known.captured;
  return [of(late ? 'charge.captured' : 'charge.succeeded', charge), of('payment_intent.succeeded', intent)];
}

export const LIST_CHARGES = {
  ...PAGE_PARAMS,
  created: { kind: 'range' },
  payment_intent: { kind: 'text' },
  transfer_group: { kind: 'text' },
} as const;

export function readCharge(caller: Caller, id: string): Plan {
  const row = ownCharge(caller, id);
  return row === undefined ? refusal(missing('charge', id, 'id')) : answer(chargeOf(caller.store, row));
}

export function listCharges(caller: Caller, params: Values<typeof LIST_CHARGES>): Plan {
  const { created, payment_intent, transfer_group } = params;
  const page = pageOf(
    {
      what: 'charge',
      url: '/v1/charges',
      oldestFirst: caller.store.charges().filter((row) => liesOnPlatform(row, caller)),
      matches: (row) =>
        (payment_intent === undefined || row.paymentIntent === payment_intent) &&
        (transfer_group === undefined || row.transferGroup === transfer_group) &&
        (created === undefined || inRange(row.created, created)),
    },
    params,
    (row) => chargeOf(caller.store, row),
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}

/** Payments lie on the platform, as transfers do. */
export function ownCharge(caller: Caller, id: string): ChargeRecord | undefined {
  const row = caller.store.charge(id);
  return row !== undefined && liesOnPlatform(row, caller) ? row : undefined;
}
