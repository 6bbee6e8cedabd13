import { booked } from '../balance/bookings.js';
import { payoutObject } from '../http/objects.js';
import { answer, type Plan, type PlanContext, refusal, seconds } from '../http/plan.js';
import { insufficient, invalid, missing } from '../http/problems.js';
import { newId, type PayoutRecord, type PayoutStatus } from '../state/records.js';
import type { Put } from '../state/tables.js';
import { balanceAvailable, type EventDraft } from '../webhooks/events.js';
import { accountOf, fundsOf } from './accounts.js';

export interface NewPayout {
  readonly account: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: PayoutStatus;
  /** Unix seconds. */
  readonly arrivalDate?: number | undefined;
  readonly failureCode?: string | undefined;
  /** Left out: Stripe made it by itself, of everything that was available and in no payout yet. */
  readonly automatic?: boolean | undefined;
}

const ARRIVES_AFTER_SECONDS = 2 * 86_400;
/** The money has left the balance for as long as the payout is none of these. */
const CAME_BACK: readonly PayoutStatus[] = ['failed', 'canceled'];

/** What a bank or a person does to payouts; the API of the stand-in only reads them. */
export function planPayout(context: PlanContext, given: NewPayout): Plan {
  const { store, world, nowMs } = context;
  const { account: id, amount, currency, status } = given;
  const account = accountOf(store, id, world.livemode);
  if (fundsOf(account, currency).available < amount) return refusal(insufficient(id, currency));
  const created = seconds(nowMs);
  const row: PayoutRecord = {
    id: newId('po'),
    account: id,
    livemode: world.livemode,
    amount,
    currency,
    status,
    failureCode: failureOf(status, given.failureCode),
    automatic: given.automatic ?? true,
    arrivalDate: given.arrivalDate ?? created + ARRIVES_AFTER_SECONDS,
    created,
    balanceTransaction: newId('txn'),
  };
  const { balanceTransaction, id: source } = row;
  const left = CAME_BACK.includes(status)
    ? []
    : booked(context, [{ id: balanceTransaction, account: id, type: 'payout', amount: -amount, currency, source }]);
  const events = [payoutEvent('payout.created', row), ...(status === 'pending' ? [] : [statusEvent(row)])];
  return answer(payoutObject(row), [{ table: 'payout', row }, ...left, ...taken(context, row)], events);
}

/** What an automatic payout contains, whatever its amount was set to: a line of the balance is in one payout, also where that fails. */
function taken(
  { store, world }: PlanContext,
  { id, account, currency, automatic, status }: PayoutRecord,
): readonly Put[] {
  if (!automatic || status === 'canceled') return [];
  return store
    .transactions()
    .filter((row) => row.account === account && row.livemode === world.livemode && row.platform === world.platform)
    .filter((row) => row.currency === currency && row.settled && row.payout === undefined && row.type !== 'payout')
    .map((row) => ({ table: 'transaction', row: { ...row, payout: id } }));
}

export function planPayoutStatus(
  context: PlanContext,
  id: string,
  change: { readonly status: PayoutStatus; readonly failureCode?: string | undefined },
): Plan {
  const { store, world } = context;
  const before = store.payout(id);
  if (before === undefined || before.livemode !== world.livemode) return refusal(missing('payout', id, 'payout'));
  if (CAME_BACK.includes(before.status)) return refusal(invalid(`The payout ${id} is ${before.status} for good.`));
  const row = { ...before, status: change.status, failureCode: failureOf(change.status, change.failureCode) };
  const { account: accountId, amount, currency } = row;
  const puts: Put[] = [{ table: 'payout', row }];
  const events: EventDraft[] = [statusEvent(row)];
  if (CAME_BACK.includes(change.status)) {
    const back = { id: `${row.balanceTransaction}r`, account: accountId, amount, currency, source: id };
    puts.push(...booked(context, [{ ...back, type: 'payout_failure' }]));
    events.push(balanceAvailable(store, world, accountId));
  }
  return answer(payoutObject(row), puts, events);
}

const failureOf = (status: PayoutStatus, code: string | undefined): string | null =>
  status === 'failed' ? (code ?? 'could_not_process') : null;

/** A step without an event of its own is an update (docs.stripe.com/api/events/types). */
const STATUS_EVENTS: Readonly<Record<PayoutStatus, string>> = {
  pending: 'payout.updated',
  in_transit: 'payout.updated',
  paid: 'payout.paid',
  failed: 'payout.failed',
  canceled: 'payout.canceled',
};

const statusEvent = (row: PayoutRecord): EventDraft => payoutEvent(STATUS_EVENTS[row.status], row);

const payoutEvent = (type: string, row: PayoutRecord): EventDraft => ({
  type,
  account: row.account,
  livemode: row.livemode,
  object: () => payoutObject(row),
});
