import { type Booking, booked } from '../balance/bookings.js';
import { pageOf } from '../http/paging.js';
import type { Values } from '../http/params.js';
import { capturedOf } from '../http/payment-objects.js';
import { answer, type Caller, liesOnPlatform, type Plan, type PlanContext, refusal, seconds } from '../http/plan.js';
import { invalid, missing } from '../http/problems.js';
import { disputeObject } from '../http/refund-objects.js';
import { type DisputeRecord, type DisputeStatus, newId } from '../state/records.js';
import type { Put } from '../state/tables.js';
import type { EventDraft } from '../webhooks/events.js';
import { refundedOf } from './charges.js';
import { inBalanceCurrency } from './conversion.js';
import { chargeBehind, isOfCharge, type LIST_OF_CHARGE } from './refunds.js';

export interface NewDispute {
  readonly charge: string;
  /** Default: the whole charge. */
  readonly amount?: number | undefined;
  /** The bank only asks: nothing is withdrawn. */
  readonly inquiry?: boolean | undefined;
  /** Of each withdrawal, in the currency of the balance; default 1500. */
  readonly fee?: number | undefined;
}

export const DISPUTE_MOVES = [
  'escalate',
  'respond',
  'win',
  'lose',
  'close_inquiry',
  'prevent',
  'withdraw',
  'reinstate',
] as const;
export type DisputeMove = (typeof DISPUTE_MOVES)[number];

export interface DisputeChange {
  readonly move: DisputeMove;
  /** Of a withdrawal or reinstatement; default: what is not away, or what is. */
  readonly amount?: number | undefined;
  /** What of the fee comes back with a reinstatement; default nothing, as in most countries. */
  readonly fee_back?: number | undefined;
}

const FEE = 1500;

export function planDispute(context: PlanContext, given: NewDispute): Plan {
  const { store, nowMs } = context;
  const charge = store.charge(given.charge);
  if (charge === undefined) return refusal(missing('charge', given.charge, 'charge'));
  if (charge.balanceTransaction === null) return refusal(invalid(`Nothing was captured of ${charge.id}.`));
  const { amount = capturedOf(charge), inquiry = false, fee = FEE } = given;
  const { platform, livemode } = charge;
  const row: DisputeRecord = {
    id: newId('dp'),
    platform,
    livemode,
    charge: charge.id,
    amount,
    fee,
    currency: charge.currency,
    created: seconds(nowMs),
    status: inquiry ? 'warning_needs_response' : 'needs_response',
    inquiry,
    submissions: 0,
    metadata: {},
    away: 0,
    balanceTransactions: [],
  };
  const done = inquiry ? { row, puts: [] } : withdrawn(context, row, amount);
  const events = ['charge.dispute.created', ...(inquiry ? [] : ['charge.dispute.funds_withdrawn'])];
  return planned(context, done, events);
}

type Move = (
  context: PlanContext,
  row: DisputeRecord,
  change: DisputeChange,
) => { readonly row: DisputeRecord; readonly puts: readonly Put[]; readonly events: readonly string[] };

const ASKING: readonly DisputeStatus[] = ['warning_needs_response', 'warning_under_review'];
const OPEN: readonly DisputeStatus[] = ['needs_response', 'under_review'];
/** From where each move can be made; docs.stripe.com/disputes/how-disputes-work. */
const FROM: Readonly<Record<DisputeMove, readonly DisputeStatus[] | null>> = {
  escalate: [...ASKING, 'warning_closed'],
  respond: ['warning_needs_response', 'needs_response'],
  // A bank may decide again for the buyer, or against.
  win: [...OPEN, 'lost'],
  lose: [...OPEN, 'won'],
  close_inquiry: ASKING,
  prevent: [...ASKING, ...OPEN],
  withdraw: null,
  reinstate: null,
};

const MOVES: Readonly<Record<DisputeMove, Move>> = {
  escalate(context, before) {
    const row: DisputeRecord = { ...before, status: 'needs_response', inquiry: false };
    // Nothing more is withdrawn from who gave everything back (docs.stripe.com/api/disputes/object#dispute_object-is_charge_refundable)
    const { store } = context;
    const paidBack = refundedOf(store, row.charge) >= chargeBehind(store, row.charge).amount;
    return paidBack
      ? { row, puts: [], events: ['charge.dispute.updated'] }
      : {
          ...withdrawn(context, row, row.amount),
          events: ['charge.dispute.updated', 'charge.dispute.funds_withdrawn'],
        };
  },
  respond: (_context, before) => ({
    row: {
      ...before,
      status: before.status === 'needs_response' ? 'under_review' : 'warning_under_review',
      submissions: before.submissions + 1,
    },
    puts: [],
    events: ['charge.dispute.updated'],
  }),
  win(context, before, { fee_back }) {
    const row: DisputeRecord = { ...before, status: 'won' };
    return row.away === 0
      ? { row, puts: [], events: ['charge.dispute.closed'] }
      : {
          ...reinstated(context, row, { amount: row.away, feeBack: fee_back }),
          events: ['charge.dispute.closed', 'charge.dispute.funds_reinstated'],
        };
  },
  lose(context, before) {
    const row: DisputeRecord = { ...before, status: 'lost' };
    const closed = ['charge.dispute.closed'];
    const missingHere = before.status === 'won' ? row.amount - row.away : 0;
    return missingHere <= 0
      ? { row, puts: [], events: closed }
      : { ...withdrawn(context, row, missingHere), events: [...closed, 'charge.dispute.funds_withdrawn'] };
  },
  close_inquiry: (_context, before) => ({
    row: { ...before, status: 'warning_closed' },
    puts: [],
    events: ['charge.dispute.closed'],
  }),
  prevent: (_context, before) => ({
    row: { ...before, status: 'prevented' },
    puts: [],
    events: ['charge.dispute.closed'],
  }),
  withdraw: (context, row, { amount }) => ({
    ...withdrawn(context, row, amount ?? row.amount - row.away),
    events: ['charge.dispute.funds_withdrawn'],
  }),
  reinstate: (context, row, { amount, fee_back }) => ({
    ...reinstated(context, row, { amount: amount ?? row.away, feeBack: fee_back }),
    events: ['charge.dispute.funds_reinstated'],
  }),
};

export function planDisputeMove(context: PlanContext, id: string, change: DisputeChange): Plan {
  const { store } = context;
  const before = store.dispute(id);
  if (before === undefined) return refusal(missing('dispute', id, 'dispute'));
  const { move, amount } = change;
  const from = FROM[move];
  if (from !== null && !from.includes(before.status)) {
    return refusal(invalid(`The dispute ${id} is ${before.status}: no ${move}.`));
  }
  const { away } = before;
  const there = move === 'withdraw' ? before.amount - away : away;
  if ((move === 'withdraw' || move === 'reinstate') && (there <= 0 || (amount ?? there) > there)) {
    return refusal(invalid(`Of the dispute ${id} ${away} of ${before.amount} is away: nothing to ${move}.`));
  }
  const done = MOVES[move](context, before, change);
  return planned(context, done, done.events);
}

function planned(
  context: PlanContext,
  { row, puts }: { readonly row: DisputeRecord; readonly puts: readonly Put[] },
  types: readonly string[],
): Plan {
  const object = () => disputeOf(context, row, puts);
  const events = types.map((type): EventDraft => ({ type, account: null, livemode: row.livemode, object }));
  return answer({ dispute: object() }, [{ table: 'dispute', row }, ...puts], events);
}

const withdrawn = (context: PlanContext, row: DisputeRecord, amount: number) =>
  moved(context, row, { amount: -amount, fee: row.fee, category: 'dispute' });

const reinstated = (
  context: PlanContext,
  row: DisputeRecord,
  { amount, feeBack = 0 }: { readonly amount: number; readonly feeBack?: number | undefined },
) => moved(context, row, { amount, fee: 0 - feeBack, category: 'dispute_reversal' });

function moved(
  context: PlanContext,
  row: DisputeRecord,
  { amount, fee, category }: { readonly amount: number } & Required<Pick<Booking, 'fee' | 'category'>>,
): { readonly row: DisputeRecord; readonly puts: readonly Put[] } {
  const id = newId('txn');
  const money = inBalanceCurrency(context.store, chargeBehind(context.store, row.charge), amount);
  return {
    row: { ...row, away: row.away - amount, balanceTransactions: [...row.balanceTransactions, id] },
    puts: booked(context, [{ ...money, id, account: row.platform, type: 'adjustment', fee, category, source: row.id }]),
  };
}

/** With what is about to be committed beside it. */
export const disputeOf = (
  { store, nowMs }: Pick<PlanContext, 'store' | 'nowMs'>,
  row: DisputeRecord,
  puts: readonly Put[] = [],
) => {
  const fresh = puts.flatMap((put) => (put.table === 'transaction' ? [put.row] : []));
  return disputeObject(row, {
    charge: chargeBehind(store, row.charge),
    transactions: row.balanceTransactions.flatMap(
      (id) => store.transaction(id) ?? fresh.find((each) => each.id === id) ?? [],
    ),
    refunded: refundedOf(store, row.charge),
    nowMs,
  });
};

export function readDispute(caller: Caller, id: string): Plan {
  const row = caller.store.dispute(id);
  return row !== undefined && liesOnPlatform(row, caller)
    ? answer(disputeOf(caller, row))
    : refusal(missing('dispute', id, 'dispute'));
}

export function listDisputes(caller: Caller, params: Values<typeof LIST_OF_CHARGE>): Plan {
  const { store } = caller;
  const page = pageOf(
    {
      what: 'dispute',
      url: '/v1/disputes',
      oldestFirst: store.disputes().filter((row) => liesOnPlatform(row, caller)),
      matches: (row) => isOfCharge(store, row, params),
    },
    params,
    (row) => disputeOf(caller, row),
  );
  return 'problem' in page ? refusal(page.problem) : answer(page);
}
