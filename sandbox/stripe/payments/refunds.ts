import { accountOf, fundsOf } from '../accounts/accounts.js';
import { booked } from '../balance/bookings.js';
import { moneyText } from '../http/money-text.js';
import { PAGE_PARAMS, pageOf } from '../http/paging.js';
import { inRange, type Values } from '../http/params.js';
import { answer, type Caller, liesOnPlatform, type Plan, type PlanContext, refusal, seconds } from '../http/plan.js';
import { insufficient, invalid, missing, type Problem } from '../http/problems.js';
import { REFUNDABLE, refundObject } from '../http/refund-objects.js';
import { type ChargeRecord, type Metadata, newId, type RefundRecord, type RefundStatus } from '../state/records.js';
import type { Store } from '../state/store.js';
import type { Put } from '../state/tables.js';
import type { EventDraft } from '../webhooks/events.js';
import { chargeOf, ownCharge, refundedOf } from './charges.js';
import { inBalanceCurrency } from './conversion.js';

export const SHORT_REFUNDS = ['debited', 'pending', 'refused'] as const;
export type ShortRefunds = (typeof SHORT_REFUNDS)[number];

/** A refund that somebody makes in the dashboard, or the PSP that holds the account. */
export interface NewRefund {
  readonly charge: string;
  /** Default: all that is left. */
  readonly amount?: number | undefined;
  readonly status?: RefundStatus | undefined;
  readonly metadata?: Metadata | undefined;
  /** Default: a bank account of the platform's is debited for what its balance does not cover. */
  readonly whenShort?: ShortRefunds | undefined;
}

/** Takes the money from the platform's balance, whatever is in it. */
export function planRefund(context: PlanContext, given: NewRefund): Plan {
  const { store, nowMs } = context;
  const charge = store.charge(given.charge);
  if (charge === undefined) return refusal(missing('charge', given.charge, 'charge'));
  const left = charge.amount - refundedOf(store, charge.id);
  const { amount = left, metadata = {} } = given;
  const problem = unrefundable(store, charge, { amount, left });
  if (problem) return refusal(problem);
  const { platform, livemode } = charge;
  const away = inBalanceCurrency(store, charge, -amount);
  const short = fundsOf(accountOf(store, platform, livemode), away.currency).available < -away.amount;
  if (short && given.whenShort === 'refused') return refusal(insufficient(platform, away.currency));
  const waits = short && given.whenShort === 'pending';
  const status = waits ? 'pending' : (given.status ?? 'succeeded');
  const balanceTransaction = newId('txn');
  const row: RefundRecord = {
    id: newId('re'),
    platform,
    livemode,
    charge: charge.id,
    amount,
    currency: charge.currency,
    created: seconds(nowMs),
    status: status === 'failed' ? 'pending' : status,
    metadata,
    balanceTransaction,
    failureTransaction: null,
    ...(waits ? { short: true } : {}),
  };
  const type = charge.method === 'card' ? 'refund' : 'payment_refund';
  const puts = booked(context, [{ ...away, id: balanceTransaction, account: platform, type, source: row.id }]);
  const before = { amount_refunded: charge.amount - left, refunded: false };
  const events: readonly EventDraft[] = [
    chargeEvent(store, 'charge.refunded', charge, before),
    refundEvent(store, 'refund.created', row),
  ];
  return answer({ refund: refundObject(row, charge) }, [{ table: 'refund', row }, ...puts], events);
}

function unrefundable(
  store: Store,
  { id, amount: charged, captured, status, currency }: ChargeRecord,
  { amount, left }: { readonly amount: number; readonly left: number },
): Problem | undefined {
  if (!captured || status === 'failed') {
    return invalid(`Charge ${id} cannot be refunded: nothing was captured.`, { code: 'charge_not_refundable' });
  }
  if (left === 0 && charged > 0) {
    return invalid(`Charge ${id} has already been refunded.`, { code: 'charge_already_refunded' });
  }
  if (store.disputesOf(id).some((dispute) => !REFUNDABLE.has(dispute.status))) {
    return invalid(`Charge ${id} has been charged back; cannot issue a refund.`, { code: 'charge_disputed' });
  }
  if (amount <= left) return undefined;
  const [asked, there] = [moneyText(amount, currency), moneyText(left, currency)];
  return invalid(`Refund amount (${asked}) is greater than unrefunded amount on charge (${there})`, {
    param: 'amount',
  });
}

export const CREATE_REFUND = {
  amount: { kind: 'amount' },
  charge: { kind: 'text' },
  payment_intent: { kind: 'text' },
  metadata: { kind: 'metadata' },
  reason: { kind: 'text' },
} as const;

/** What somebody who holds a key of the platform does: its checkout, or its PSP. */
export function createRefund(caller: Caller, params: Values<typeof CREATE_REFUND>): Plan {
  const { amount, charge, payment_intent: intent, metadata } = params;
  if ((charge === undefined) === (intent === undefined))
    return refusal(
      invalid('One of the following params should be provided for this request: payment_intent or charge.'),
    );
  const row = intent === undefined ? ownCharge(caller, charge ?? '') : caller.store.chargeOf(intent);
  if (row === undefined || !liesOnPlatform(row, caller))
    return refusal(
      missing(intent === undefined ? 'charge' : 'payment_intent', charge ?? intent ?? '', 'payment_intent'),
    );
  const plan = planRefund(caller, {
    charge: row.id,
    amount,
    metadata,
    status: caller.refunds,
    whenShort: caller.shortRefunds,
  });
  return 'refund' in plan.body ? { ...plan, body: plan.body.refund as object } : plan;
}

/** A refund that succeeded may still fail: the money is back at the platform. */
export function planRefundStatus(context: PlanContext, id: string, status: RefundStatus): Plan {
  const { store } = context;
  const before = store.refund(id);
  const charge = before && store.charge(before.charge);
  if (before === undefined || charge === undefined) return refusal(missing('refund', id, 'refund'));
  if (before.status === 'failed' || status === 'pending' || before.status === status) {
    return refusal(invalid(`The refund ${id} is ${before.status} and cannot become ${status}.`));
  }
  const previous = { status: before.status };
  if (status === 'succeeded') {
    const row: RefundRecord = { ...before, status, short: false };
    return answer({ refund: refundObject(row, charge) }, [{ table: 'refund', row }], updates(store, row, previous));
  }
  const failureTransaction = newId('txn');
  const row: RefundRecord = { ...before, status, failureTransaction };
  const back = inBalanceCurrency(store, charge, row.amount);
  const puts: readonly Put[] = [
    { table: 'refund', row },
    ...booked(context, [
      { ...back, id: failureTransaction, account: row.platform, type: 'refund_failure', source: row.id },
    ]),
  ];
  const events = [refundEvent(store, 'refund.failed', row, previous), ...updates(store, row, previous)];
  return answer({ refund: refundObject(row, charge) }, puts, events);
}

/** The older name and the newer one. */
const updates = (store: Store, row: RefundRecord, previous: object): readonly EventDraft[] => [
  refundEvent(store, 'refund.updated', row, previous),
  refundEvent(store, 'charge.refund.updated', row, previous),
];

function refundEvent(store: Store, type: string, row: RefundRecord, previous?: object): EventDraft {
  const object = () => refundOf(store, row);
  const draft = { type, account: null, livemode: row.livemode, object };
  return previous === undefined ? draft : { ...draft, previous };
}

const chargeEvent = (store: Store, type: string, charge: ChargeRecord, previous: object): EventDraft => ({
  type,
  account: null,
  livemode: charge.livemode,
  object: () => chargeOf(store, charge),
  previous,
});

export const refundOf = (store: Store, row: RefundRecord) => refundObject(row, chargeBehind(store, row.charge));

/** Nothing forgets a charge. @throws Error */
export function chargeBehind(store: Store, id: string): ChargeRecord {
  const charge = store.charge(id);
  if (charge === undefined) throw new Error(`there is no charge ${id}`);
  return charge;
}

export const LIST_OF_CHARGE = {
  ...PAGE_PARAMS,
  charge: { kind: 'text' },
  created: { kind: 'range' },
  payment_intent: { kind: 'text' },
} as const;

export function readRefund(caller: Caller, id: string): Plan {
  const row = caller.store.refund(id);
  return row !== undefined && liesOnPlatform(row, caller)
    ? answer(refundOf(caller.store, row))
    : refusal(missing('refund', id, 'refund'));
}

export function listRefunds(caller: Caller, params: Values<typeof LIST_OF_CHARGE>): Plan {
  const { store } = caller;
  const page = pageOf(
    {
      what: 'refund',
      url: '/v1/refunds',
      oldestFirst: store.refunds().filter((row) => liesOnPlatform(row, caller)),
      matches: (row) => isOfCharge(store, row, params),
    },
    params,
    (row) => refundOf(store, row),
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}

export const isOfCharge = (
  store: Store,
  row: { readonly charge: string; readonly created: number },
  { charge, created, payment_intent }: Values<typeof LIST_OF_CHARGE>,
): boolean =>
  (charge === undefined || row.charge === charge) &&
  (payment_intent === undefined || store.charge(row.charge)?.paymentIntent === payment_intent) &&
  (created === undefined || inRange(row.created, created));
