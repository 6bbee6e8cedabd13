import type { CallAnswer } from '../../../src/domain/calls/answers.js';
import { certaintyAtSend } from '../../../src/domain/calls/certainty.js';
import { type Decision, next, type RetryPolicy } from '../../../src/domain/calls/next.js';
import type { RefundFacts } from '../../../src/domain/calls/provider-answers.js';
import {
  newDecisionId,
  newOrderId,
  newPaymentId,
  newRefundId,
  type OrderId,
  type RefundId,
  type ReversalId,
  type TransferId,
} from '../../../src/domain/ids.js';
import type { Order, Refund, Reversal, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import type { RefundStatus } from '../../../src/domain/marketplace/marketplace-status.js';
import type {
  CallOutcome,
  Claimed,
  ClaimedReversal,
  ClaimedTransfer,
  Recorded,
  StripeClaim,
} from '../../../src/ledger/calls/call-types.js';
import type { DecideOutcome, DecisionRequest } from '../../../src/ledger/decisions/decision-types.js';
import type { MarketplaceItem, NewOrder, NewRefund } from '../../../src/ledger/marketplace/marketplace-types.js';
import { HOUR_MS, MINUTE_MS } from '../durations.js';
import { ledgerForFile, ledgerForTest, type TestLedger } from '../ledger-fixtures.js';
import { beginRequest, unique } from './fixtures.js';
import { paymentAt, refundAt } from './hyperswitch-facts.js';

export const HOLD_MS = 60_000;

const REVERSALS: RetryPolicy = {
  backoffBaseMs: 1_000,
  backoffMaxMs: 10_000,
  answerWindowMs: 0,
  counted: { maxRetries: 5, whenShort: { waitAtMostMs: 30 * 24 * HOUR_MS }, whenRefused: 'ask' },
};
const TRANSFERS: RetryPolicy = {
  ...REVERSALS,
  counted: { maxRetries: 5, whenShort: 'wait', whenRefused: 'retry' },
};

export const DONE: CallAnswer = { kind: 'done', alreadySettled: false };
export const UNKNOWN: CallAnswer = { kind: 'unclear', why: 'no_answer' };
export const REFUSED: CallAnswer = { kind: 'refused', why: 'refused' };
export const SHORT: CallAnswer = { kind: 'short' };
export const THROTTLED: CallAnswer = { kind: 'busy', executed: 'no', retryAfterMs: null };
export const LOCKED_OUT: CallAnswer = { kind: 'misdirected' };

type CallId = TransferId | ReversalId;
type Kind = 'transfer' | 'reversal';
/** What differs from an attempt that Stripe answered. */
type Answered = Partial<Pick<CallOutcome<CallId>, 'stripeId' | 'source' | 'parks' | 'detail'>> & {
  /** Stripe's records were read after the answer and hold nothing of ours. */
  readonly provedAbsent?: boolean;
};

/** Every step of the money in the ledger, as activities take them one after the other, without any provider. */
export type MarketplaceSteps = ReturnType<typeof marketplaceSteps>;

export function marketplaceSteps(test: Pick<TestLedger, 'ledger' | 'clock' | 'database'>) {
  const { ledger, clock, database } = test;
  let runners = 0;
  const aRunner = () => `runner/${(runners += 1)}`;

  /** An order that was made, paid and captured as our own clients do it: its transfers are promised, nothing was sent. */
  async function paid(of: Readonly<Record<string, number>> | NewOrder['items'], currency = 'USD'): Promise<Paid> {
    const id = newOrderId(clock.nowMs());
    const items: NewOrder['items'] = Array.isArray(of)
      ? of
      : Object.entries(of).map(([sellerAccount, amount]) => ({
          sellerAccount,
          amount: BigInt(amount),
          description: 'goods',
        }));
    await ledger.createOrder({ id, currency, items }, await beginRequest(test, 'orders'));
    const hyperswitchPaymentId = unique('pay');
    const made = await ledger.createPayment(
      { id: newPaymentId(clock.nowMs()), orderId: id, hyperswitchPaymentId },
      await beginRequest(test, 'payments'),
    );
    if (made.kind !== 'created') throw new Error(made.kind);
    const runner = aRunner();
    await ledger.claimPayment(made.payment.id, runner, HOLD_MS);
    await ledger.paymentLeaves({ id: made.payment.id, runner, params: '{}' });
    const facts = paymentAt({ hyperswitchPaymentId, amount: made.payment.amount, currency });
    const { started } = await ledger.applyPayment({ paymentId: made.payment.id, runner, facts });
    const order = await find(id);
    const transfers = Object.fromEntries(order.transfers.map((one) => [one.sellerAccount, one.id]));
    return { id, paymentId: made.payment.id, hyperswitchPaymentId, transfers, started };
  }

  /** One seller's share of an order, sent and arrived. */
  async function sentShare(amount = 1_000) {
    const seller = unique('acct');
    const order = await paid({ [seller]: amount });
    const transferId = order.transfers[seller]!;
    await send(transferId);
    return { ...order, seller, transferId };
  }

  /** Stripe has surely forgotten the key, and the hourly look has found nothing: what closes an unknown. */
  async function longAbsent(item: { kind: 'transfer' | 'reversal'; id: string }): Promise<void> {
    clock.advance(26 * HOUR_MS);
    await ledger.nextProbe(item, false, HOUR_MS);
    clock.advance(2 * MINUTE_MS);
  }

  async function find(id: OrderId): Promise<Order> {
    const order = await ledger.findOrder(id);
    if (!order) throw new Error(`there is no order ${id}`);
    return order;
  }
  async function transfer(id: TransferId): Promise<SellerTransfer> {
    const found = await ledger.findTransfer(id);
    if (!found) throw new Error(`there is no transfer ${id}`);
    return found;
  }
  async function reversal(id: ReversalId): Promise<Reversal> {
    const found = await ledger.findReversal(id);
    if (!found) throw new Error(`there is no reversal ${id}`);
    return found;
  }
  async function refund(id: RefundId): Promise<Refund> {
    const found = await ledger.findRefund(id);
    if (!found) throw new Error(`there is no refund ${id}`);
    return found;
  }

  /** As POST /refunds leaves it: one row, nothing sent. @param amount undefined: the remainder */
  async function askRefund(
    order: OrderId,
    amount?: number,
    of: Pick<NewRefund, 'lines' | 'fee'> = {},
  ): Promise<RefundId> {
    const id = newRefundId(clock.nowMs());
    const outcome = await ledger.createRefund(
      {
        id,
        orderId: order,
        amount: amount === undefined ? null : BigInt(amount),
        ...of,
        reason: 'requested_by_customer',
        hyperswitchRefundId: unique('ref'),
      },
      await beginRequest(test, 'refunds'),
    );
    if (outcome.kind !== 'created') throw new Error(outcome.kind);
    return id;
  }

  /** What Hyperswitch says of it now, read without a claim as after a webhook. */
  async function refundSays(id: RefundId, status: RefundStatus): Promise<readonly MarketplaceItem[]> {
    const facts = await factsOf(id, status);
    return (await ledger.applyRefund({ refundId: id, runner: null, facts })).started;
  }

  async function factsOf(id: RefundId, status: RefundStatus): Promise<RefundFacts> {
    const { orderId, hyperswitchRefundId, amount, currency } = await refund(id);
    const [payment] = await database.query<{ hyperswitch_payment_id: string }>(
      'SELECT hyperswitch_payment_id FROM payments WHERE order_id = $1',
      [orderId],
    );
    return refundAt({
      hyperswitchRefundId: hyperswitchRefundId ?? '',
      hyperswitchPaymentId: payment?.hyperswitch_payment_id ?? '',
      status,
      amount,
      currency,
    });
  }

  async function refunded(order: OrderId, amount?: number): Promise<RefundId> {
    const id = await askRefund(order, amount);
    await refundSays(id, 'succeeded');
    return id;
  }

  const claimTransfer = (id: TransferId, runner = aRunner()) => ledger.claimTransfer(id, runner, HOLD_MS);
  const claimReversal = (id: ReversalId, runner = aRunner()) => ledger.claimReversal(id, runner, HOLD_MS);
  const holdTransfer = async (id: TransferId, runner = aRunner()): Promise<ClaimedTransfer> =>
    held(await claimTransfer(id, runner));
  const holdReversal = async (id: ReversalId, runner = aRunner()): Promise<ClaimedReversal> =>
    held(await claimReversal(id, runner));

  const kindOf = (claim: Claimed): Kind => ('stripeTransferId' in claim ? 'reversal' : 'transfer');
  const permit = (claim: ClaimedTransfer | ClaimedReversal) =>
    'stripeTransferId' in claim
      ? ledger.permitReversal(claim.id, claim.runner, HOLD_MS)
      : ledger.permitTransfer(claim.id, claim.runner, HOLD_MS);
  const noteAbsent = ({ id, runner, ...claim }: ClaimedTransfer | ClaimedReversal) =>
    'stripeTransferId' in claim
      ? ledger.noteReversalAbsent({ id: id as ReversalId, runner })
      : ledger.noteTransferAbsent({ id: id as TransferId, runner });

  async function leave(claim: ClaimedTransfer | ClaimedReversal) {
    const permitted = await permit(claim);
    if (permitted.kind !== 'send') throw new Error(`${permitted.kind}: ${JSON.stringify(permitted)}`);
    return permitted;
  }

  const record = (kind: Kind, outcome: CallOutcome<CallId>): Promise<Recorded> =>
    kind === 'reversal'
      ? ledger.recordReversal(outcome as CallOutcome<ReversalId>)
      : ledger.recordTransfer(outcome as CallOutcome<TransferId>);

  function decisionOn(claim: Claimed, answer: CallAnswer, given: Answered): Decision {
    return next(
      {
        certainty: certaintyAtSend(claim.certainty),
        answer,
        keyLeftMs: null,
        attempts: claim.attempts + 1,
        retries: claim.retryCount,
        sinceSentMs: 0,
        shortForMs: claim.shortForMs ?? 0,
        ...(given.provedAbsent ? { provedAbsent: true } : {}),
      },
      kindOf(claim) === 'reversal' ? REVERSALS : TRANSFERS,
    );
  }

  /** How Stripe answered what has left. */
  async function answered(claim: ClaimedTransfer | ClaimedReversal, answer: CallAnswer, given: Answered = {}) {
    const decision = decisionOn(claim, answer, given);
    const done = decision.do === 'finish';
    const { provedAbsent, ...changes } = given;
    if (provedAbsent) await noteAbsent(claim);
    const recorded = await record(kindOf(claim), {
      id: claim.id,
      runner: claim.runner,
      decision,
      detail: answer.kind,
      requestId: null,
      stripeId: done ? unique(kindOf(claim) === 'reversal' ? 'trr' : 'tr') : null,
      source: 'answer',
      parks: decision.do === 'park' ? 'stripe' : null,
      ...changes,
    });
    return { ...recorded, decision };
  }

  /** One whole attempt: claimed, looked where it must be (nothing is found), permitted, sent, recorded. */
  async function attempt(claim: ClaimedTransfer | ClaimedReversal, answer: CallAnswer, given: Answered = {}) {
    if (claim.looksFirst) await noteAbsent(claim);
    await leave(claim);
    return await answered(claim, answer, given);
  }
  const send = async (id: TransferId, answer: CallAnswer = DONE, given: Answered = {}) =>
    await attempt(await holdTransfer(id), answer, given);
  const reverse = async (id: ReversalId, answer: CallAnswer = DONE, given: Answered = {}) =>
    await attempt(await holdReversal(id), answer, given);

  const decide = (
    request: Pick<DecisionRequest, 'kind' | 'itemId' | 'action'> & Partial<DecisionRequest>,
  ): Promise<DecideOutcome> =>
    ledger.decide({
      id: newDecisionId(clock.nowMs()),
      by: 'olga',
      authenticated: true,
      note: 'as discussed',
      evidence: null,
      verified: { kind: 'not_needed' },
      ...request,
    });

  /** One column of a row, or several, as Postgres holds them. */
  async function row<Columns extends Record<string, unknown>>(table: string, id: string): Promise<Columns> {
    const [found] = await database.query<Columns>(`SELECT * FROM ${table} WHERE id = $1`, [id]);
    if (!found) throw new Error(`${table} has no ${id}`);
    return found;
  }

  const events = async (id: string): Promise<readonly string[]> =>
    (
      await database.query<{ kind: string }>('SELECT kind FROM operation_events WHERE item_id = $1 ORDER BY seq', [id])
    ).map(({ kind }) => kind);

  return {
    longAbsent,
    sentShare,
    reversalsOf: async (order: OrderId) => (await find(order)).reversals,
    ledger,
    paid,
    find,
    transfer,
    reversal,
    refund,
    askRefund,
    refundSays,
    factsOf,
    refunded,
    claimTransfer,
    claimReversal,
    holdTransfer,
    holdReversal,
    permit,
    leave,
    noteAbsent,
    answered,
    attempt,
    send,
    reverse,
    decide,
    row,
    events,
    pass: (ms: number) => clock.advance(ms),
  };
}

/** One ledger for all tests of the file that calls this while it is read, and the steps of its money. */
export async function marketplaceLedgerForFile(options?: Parameters<typeof ledgerForFile>[0]) {
  const test = await ledgerForFile(options);
  return { test, steps: marketplaceSteps(test) };
}

/** The same, of one test. */
export async function marketplaceLedgerForTest() {
  const test = await ledgerForTest();
  return { test, steps: marketplaceSteps(test) };
}

export interface Paid {
  readonly id: OrderId;
  readonly paymentId: ReturnType<typeof newPaymentId>;
  readonly hyperswitchPaymentId: string;
  /** By seller account. */
  readonly transfers: Readonly<Record<string, TransferId>>;
  readonly started: readonly MarketplaceItem[];
}

function held<C>(claim: StripeClaim<C>): C {
  if (claim.kind !== 'claimed') throw new Error(`not claimed: ${JSON.stringify(claim)}`);
  return claim.claim;
}
