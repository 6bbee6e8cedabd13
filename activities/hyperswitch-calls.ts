import { assertNever } from '../src/domain/assert-never.js';
import type { Certainty } from '../src/domain/certainty.js';
import type { Clock } from '../src/domain/clock.js';
import { newRefundId, type PaymentId, type RefundId } from '../src/domain/ids.js';
import type { KeyedAnswer, PaymentFacts, ReadAnswer, RefundFacts } from '../src/domain/provider-answers.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { MoneyItem } from '../src/ledger/marketplace-types.js';
import type { ClaimedPayment, ClaimedRefund, HyperswitchClaim } from '../src/ledger/money-call-types.js';
import type { Logger } from '../src/observability/logger.js';
import type { Hyperswitch } from '../src/providers/hyperswitch/client.js';
import type { FollowStep } from './marketplace-contract.js';

export interface HyperswitchCallDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'claimPayment'
    | 'paymentLeaves'
    | 'paymentUnread'
    | 'paymentRefused'
    | 'applyPayment'
    | 'findPayment'
    | 'claimRefund'
    | 'refundLeaves'
    | 'refundUnread'
    | 'refundRefused'
    | 'applyRefund'
    | 'adoptRefund'
    | 'findRefund'
    | 'openWebhooks'
    | 'finishWebhook'
  >;
  readonly hyperswitch: Hyperswitch;
  readonly clock: Clock;
  readonly processName: string;
  readonly logger: Logger;
  /** Starts or wakes the workflows of items; what fails is found by the sweep. */
  readonly wake: (items: readonly MoneyItem[]) => void;
  /** How long a claim outlives its process. */
  readonly holdMs?: number | undefined;
}

/** Above the client's own limit for one call and one look. */
const HOLD_MS = 60_000;
const ASK_AGAIN_MS = 5_000;

/**
 * One step of a payment or a refund at Hyperswitch: made if it was never sent, otherwise read; a lost answer is resolved by
 * reading, and an id that Hyperswitch does not know is sent again, which is safe because the id is the key. The server
 * takes this step once in the request, the workflow as often as it needs.
 */
export function createHyperswitchCalls(dependencies: HyperswitchCallDependencies) {
  const { ledger, hyperswitch, clock, wake, holdMs = HOLD_MS } = dependencies;
  let sequence = 0;
  const nextRunner = () => {
    sequence += 1;
    return `${dependencies.processName}/h${sequence}`;
  };

  /** Everything that a webhook told of the item before it was read is answered by the reading. */
  async function answeringWebhooks(item: MoneyItem, step: () => Promise<FollowStep>): Promise<FollowStep> {
    const events = await ledger.openWebhooks(item);
    const outcome = await step();
    if (outcome.kind !== 'later') for (const event of events) await ledger.finishWebhook(event, 'read');
    return outcome;
  }

  async function advancePayment(id: PaymentId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim = await ledger.claimPayment(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    if (claim.kind === 'final') return await reread(claim.claim);
    const { certainty, key, amount, currency, orderId, hyperswitchPaymentId } = claim.claim;
    const call: Call<PaymentFacts> = {
      certainty,
      leaves: () => ledger.paymentLeaves(id, runner),
      make: () => hyperswitch.createPayment(key, { amount, currency, metadata: { order_id: orderId, payment_id: id } }),
      read: () => hyperswitch.readPayment(hyperswitchPaymentId),
      refused: (detail) => ledger.paymentRefused({ id, runner, detail }),
      unread: (known, detail) =>
        ledger.paymentUnread({ id, runner, certainty: known, detail, nextCheckMs: ASK_AGAIN_MS }),
      apply: async (facts) => wake((await ledger.applyPayment({ paymentId: id, runner, facts })).started),
    };
    const step = await makeOrRead(call);
    if (step) return step;
    const now = await paymentStep(id);
    // Events come in any order: one may have told of a refund before we knew that the payment had succeeded.
    return now.kind === 'final' ? await reread(claim.claim) : now;
  }

  /** A finished payment is read for what a webhook told: most often a refund made at the provider. */
  async function reread({ id, hyperswitchPaymentId }: ClaimedPayment): Promise<FollowStep> {
    if ((await ledger.openWebhooks({ kind: 'payment', id })).length === 0) return await paymentStep(id);
    const payment = await hyperswitch.readPayment(hyperswitchPaymentId);
    if (payment.kind !== 'found') return { kind: 'later', afterMs: ASK_AGAIN_MS, why: payment.detail };
    wake((await ledger.applyPayment({ paymentId: id, runner: null, facts: payment.value })).started);
    const refunds = await hyperswitch.refundsOf(hyperswitchPaymentId);
    if (refunds.kind !== 'found') return { kind: 'later', afterMs: ASK_AGAIN_MS, why: refunds.detail };
    for (const facts of refunds.value) await takeFound(id, facts);
    return await paymentStep(id);
  }

  async function takeFound(id: PaymentId, facts: RefundFacts): Promise<void> {
    const { started, refundId } = await ledger.adoptRefund(id, newRefundId(clock.nowMs()), facts);
    wake([{ kind: 'refund', id: refundId }, ...started]);
  }

  async function paymentStep(id: PaymentId): Promise<FollowStep> {
    const payment = await ledger.findPayment(id);
    if (!payment) throw new Error(`payment ${id} is not in the ledger`);
    const open = payment.status === 'pending' || payment.status === 'processing';
    return open
      ? { kind: 'open', status: payment.status, detail: `Hyperswitch calls it ${payment.status}` }
      : { kind: 'final', status: payment.status };
  }

  async function advanceRefund(id: RefundId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim: HyperswitchClaim<ClaimedRefund> = await ledger.claimRefund(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    const { certainty, key, amount, currency, orderId, hyperswitchRefundId, ...refund } = claim.claim;
    const read = () => hyperswitch.readRefund(hyperswitchRefundId);
    if (claim.kind === 'final') {
      const step = await refundStep(id);
      const told = (await ledger.openWebhooks({ kind: 'refund', id })).length > 0;
      if (!told && step.kind !== 'attention') return step;
      const answer = await read();
      if (answer.kind !== 'found') return told ? { kind: 'later', afterMs: ASK_AGAIN_MS, why: answer.detail } : step;
      wake((await ledger.applyRefund({ refundId: id, runner: null, facts: answer.value })).started);
      return await refundStep(id);
    }
    const call: Call<RefundFacts> = {
      certainty,
      leaves: () => ledger.refundLeaves(id, runner),
      make: () =>
        hyperswitch.createRefund(key, {
          hyperswitchPaymentId: refund.hyperswitchPaymentId,
          amount,
          currency,
          reason: refund.reason,
          metadata: { order_id: orderId, refund_id: id },
        }),
      read,
      refused: (detail) => ledger.refundRefused({ id, runner, detail }),
      unread: (known, detail) =>
        ledger.refundUnread({ id, runner, certainty: known, detail, nextCheckMs: ASK_AGAIN_MS }),
      apply: async (facts) => wake((await ledger.applyRefund({ refundId: id, runner, facts })).started),
    };
    const step = await makeOrRead(call);
    return step ?? (await refundStep(id));
  }

  async function refundStep(id: RefundId): Promise<FollowStep> {
    const refund = await ledger.findRefund(id);
    if (!refund) throw new Error(`refund ${id} is not in the ledger`);
    if (refund.attention) {
      const { reason, detail } = refund.attention;
      return { kind: 'attention', reason, detail, unknown: false };
    }
    const open = refund.status === 'pending' || refund.status === 'review';
    return open
      ? { kind: 'open', status: refund.status, detail: `Hyperswitch calls it ${refund.status}` }
      : { kind: 'final', status: refund.status };
  }

  return {
    advancePayment: (id: PaymentId) => answeringWebhooks({ kind: 'payment', id }, () => advancePayment(id)),
    advanceRefund: (id: RefundId) => answeringWebhooks({ kind: 'refund', id }, () => advanceRefund(id)),
  };
}

const heldStep = ({ forMs }: { forMs: number }): FollowStep => ({
  kind: 'later',
  afterMs: forMs,
  why: 'another attempt is under way',
});

interface Call<Facts> {
  readonly certainty: Certainty;
  leaves(): Promise<boolean>;
  make(): Promise<KeyedAnswer<Facts>>;
  read(): Promise<ReadAnswer<Facts>>;
  refused(detail: string): Promise<void>;
  unread(certainty: Certainty, detail: string): Promise<void>;
  apply(facts: Facts): Promise<void>;
}

/** @returns undefined: the ledger holds what was read; otherwise why there is nothing new */
async function makeOrRead<Facts>(call: Call<Facts>): Promise<FollowStep | undefined> {
  if (call.certainty !== 'not_sent') {
    const answer = await call.read();
    if (answer.kind === 'found') {
      await call.apply(answer.value);
      return undefined;
    }
    // Known to have existed, or not answered: nothing is sent on a guess.
    if (answer.kind !== 'missing' || call.certainty === 'done') return await nothingNew(call, answer.detail);
  }
  if (!(await call.leaves())) return { kind: 'later', afterMs: 1_000, why: 'the claim lapsed before the call' };
  const answer = await call.make();
  switch (answer.kind) {
    case 'done':
      await call.apply(answer.value);
      return undefined;
    case 'refused':
      return await afterRefusal(call, answer.detail);
    case 'short':
      return await afterRefusal(call, answer.detail);
    case 'busy':
      await call.unread(answer.executed === 'no' ? call.certainty : 'unknown', answer.detail);
      return { kind: 'later', afterMs: answer.retryAfterMs ?? ASK_AGAIN_MS, why: answer.detail };
    case 'unclear':
      await call.unread('unknown', answer.detail);
      return { kind: 'later', afterMs: 1_000, why: answer.detail };
    case 'misdirected':
      await call.unread(call.certainty, answer.detail);
      return { kind: 'later', afterMs: 30_000, why: answer.detail };
    default:
      return assertNever(answer);
  }
}

async function nothingNew<Facts>(call: Call<Facts>, detail: string): Promise<FollowStep> {
  await call.unread(call.certainty, detail);
  return { kind: 'later', afterMs: ASK_AGAIN_MS, why: detail };
}

/** A no is believed when the provider's records hold nothing of ours either. */
async function afterRefusal<Facts>(call: Call<Facts>, detail: string): Promise<FollowStep | undefined> {
  const answer = await call.read();
  if (answer.kind === 'found') {
    await call.apply(answer.value);
    return undefined;
  }
  if (answer.kind !== 'missing') {
    await call.unread('unknown', `${detail}; then: ${answer.detail}`);
    return { kind: 'later', afterMs: ASK_AGAIN_MS, why: detail };
  }
  await call.refused(detail);
  return undefined;
}
