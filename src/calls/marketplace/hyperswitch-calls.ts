import { ASK_AGAIN_MS } from '../../domain/calls/next-by-id.js';
import type { PaymentFacts, ReadAnswer, RefundFacts } from '../../domain/calls/provider-answers.js';
import type { Clock } from '../../domain/clock.js';
import { newRefundId, type PaymentId, type RefundId } from '../../domain/ids.js';
import { overdueReadMs, REFUND_EXPECTED_MS } from '../../domain/marketplace/overdue.js';
import type { ClaimedPayment, ClaimedRefund, HyperswitchClaim } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { Logger } from '../../observability/logger.js';
import type { CreatePayment, CreateRefund, Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { FollowStep } from '../steps.js';
import { createHyperswitchAccount } from './hyperswitch-account.js';
import { type HyperswitchCall, makeOrRead } from './hyperswitch-step.js';
import { createPaymentCancel } from './payment-cancel.js';

export interface HyperswitchCallDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'claimPayment'
    | 'paymentLeaves'
    | 'paymentUnread'
    | 'paymentAbsent'
    | 'askAboutPayment'
    | 'paymentRefused'
    | 'claimCancel'
    | 'cancelAnswered'
    | 'pinHyperswitch'
    | 'knownPayment'
    | 'hyperswitchIsOurs'
    | 'applyPayment'
    | 'findPayment'
    | 'claimRefund'
    | 'refundLeaves'
    | 'refundUnread'
    | 'refundAbsent'
    | 'askAboutRefund'
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
  readonly wake: (items: readonly MarketplaceItem[]) => void;
  /** How long a claim outlives its process. */
  readonly holdMs?: number | undefined;
  /** How long a buyer has to pay (PAYMENT_EXPIRY); default a day. */
  readonly paymentExpiryMs?: number | undefined;
}

/** The key is another merchant's: only a person can change that. */
const MISFIT_AGAIN_MS = 10 * 60_000;
/** Above the client's own limit for one call and one look. */
const HOLD_MS = 60_000;
const A_DAY_MS = 86_400_000;

/**
 * One step of a payment or a refund at Hyperswitch: made if it was never sent, otherwise read; a lost answer is resolved by
 * reading, and an id that Hyperswitch does not know is sent again, which is safe because the id is the key; once it was
 * refused, it is looked for until absence is proved (hyperswitch-step.ts). The server
 * takes this step once in the request, the workflow as often as it needs.
 */
export function createHyperswitchCalls(dependencies: HyperswitchCallDependencies) {
  const { ledger, hyperswitch, clock, wake, holdMs = HOLD_MS, paymentExpiryMs: expiryMs = A_DAY_MS } = dependencies;
  const account = createHyperswitchAccount({ ledger, hyperswitch });
  const cancelIfDue = createPaymentCancel({
    ledger,
    hyperswitch,
    account,
    holdMs,
    expiryMs,
    apply: async ({ id, ...reading }) => wake((await ledger.applyPayment({ paymentId: id, ...reading })).started),
  });
  let sequence = 0;
  const nextRunner = () => {
    sequence += 1;
    return `${dependencies.processName}/h${sequence}`;
  };

  /** Everything that a webhook told of the item before it was read is answered by the reading. */
  async function answeringWebhooks(item: MarketplaceItem, step: () => Promise<FollowStep>): Promise<FollowStep> {
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
    const { certainty, refusal, key, amount, currency, orderId, hyperswitchPaymentId, ageMs } = claim.claim;
    const readAgainMs = overdueReadMs(ageMs, expiryMs);
    const held = { id, runner };
    const call: HyperswitchCall<PaymentFacts> = {
      certainty,
      refusal,
      leaves: () =>
        ledger.paymentLeaves({
          ...held,
          params: frozen({ amount, currency, metadata: { order_id: orderId, payment_id: id } }),
        }),
      make: (params) => hyperswitch.createPayment(key, thawed(params) as CreatePayment),
      read: () => hyperswitch.readPayment(hyperswitchPaymentId),
      misfit: ({ owner }) => account.misfit(owner),
      control: () => account.control(id),
      absent: (no) => ledger.paymentAbsent({ ...held, refusal: no }),
      refused: (detail) => ledger.paymentRefused({ ...held, detail }),
      unread: (outcome) => ledger.paymentUnread({ ...held, ...outcome }),
      ask: (question) => ledger.askAboutPayment({ ...held, ...question }),
      apply: async (facts) => wake((await ledger.applyPayment({ paymentId: id, runner, facts, readAgainMs })).started),
    };
    const step = await makeOrRead(call, account);
    if (step) return step;
    await cancelIfDue(held, readAgainMs);
    const now = await paymentStep(id, readAgainMs);
    // Events come in any order: one may have told of a refund before we knew that something had been captured.
    return now.kind === 'final' || (await told(id)) ? await reread(claim.claim) : now;
  }

  const told = async (id: PaymentId): Promise<boolean> =>
    (await ledger.openWebhooks({ kind: 'payment', id })).length > 0;

  /**
   * A finished payment is read for what a webhook told, most often a refund made at the provider, while it is asked about, and
   * while it was given up here and can still be paid there.
   */
  async function reread({ id, hyperswitchPaymentId, givenUp }: ClaimedPayment): Promise<FollowStep> {
    const step = await paymentStep(id);
    const isTold = await told(id);
    if (!isTold && !givenUp && step.kind !== 'attention') return step;
    const payment = await hyperswitch.readPayment(hyperswitchPaymentId);
    if (payment.kind !== 'found') return isTold ? { kind: 'later', afterMs: ASK_AGAIN_MS, why: payment.detail } : step;
    const misfit = await account.misfit(payment.value.owner);
    if (misfit !== undefined) return { kind: 'later', afterMs: MISFIT_AGAIN_MS, why: misfit };
    wake((await ledger.applyPayment({ paymentId: id, runner: null, facts: payment.value })).started);
    // Nothing can be refunded of what was not captured.
    const captured = (await ledger.findPayment(id))?.captured;
    if (captured?.known && captured.surely === 0n) return await paymentStep(id);
    const refunds = await hyperswitch.refundsOf(hyperswitchPaymentId);
    if (refunds.kind !== 'found') return { kind: 'later', afterMs: ASK_AGAIN_MS, why: refunds.detail };
    for (const facts of refunds.value) await takeFound(id, facts);
    return await paymentStep(id);
  }

  async function takeFound(id: PaymentId, facts: RefundFacts): Promise<void> {
    const { started, refundId } = await ledger.adoptRefund(id, newRefundId(clock.nowMs()), facts);
    wake([{ kind: 'refund', id: refundId }, ...started]);
  }

  async function paymentStep(id: PaymentId, readAgainMs: number | null = null): Promise<FollowStep> {
    const payment = await ledger.findPayment(id);
    if (!payment) throw new Error(`payment ${id} is not in the ledger`);
    if (payment.attention) {
      const { reason, detail } = payment.attention;
      return { kind: 'attention', reason, detail, unknown: payment.certainty === 'unknown' };
    }
    const open = payment.status === 'pending' || payment.status === 'processing';
    return open ? stillOpen(payment.status, readAgainMs) : { kind: 'final', status: payment.status };
  }

  async function advanceRefund(id: RefundId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim: HyperswitchClaim<ClaimedRefund> = await ledger.claimRefund(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    const { certainty, refusal, key, amount, currency, orderId, hyperswitchRefundId, ageMs, ...refund } = claim.claim;
    const read = (): Promise<ReadAnswer<RefundFacts>> =>
      hyperswitchRefundId === null ? Promise.resolve(NOT_THERE) : hyperswitch.readRefund(hyperswitchRefundId);
    if (claim.kind === 'final') {
      const step = await refundStep(id);
      const isTold = (await ledger.openWebhooks({ kind: 'refund', id })).length > 0;
      if (!isTold && step.kind !== 'attention') return step;
      const answer = await read();
      if (answer.kind !== 'found') return isTold ? { kind: 'later', afterMs: ASK_AGAIN_MS, why: answer.detail } : step;
      const misfit = await account.profileMisfit(answer.value.profileId);
      if (misfit !== undefined) return isTold ? { kind: 'later', afterMs: MISFIT_AGAIN_MS, why: misfit } : step;
      wake((await ledger.applyRefund({ refundId: id, runner: null, facts: answer.value })).started);
      return await refundStep(id);
    }
    const held = { id, runner };
    const call: HyperswitchCall<RefundFacts> = {
      certainty,
      refusal,
      leaves: () =>
        ledger.refundLeaves({
          ...held,
          params: frozen({
            hyperswitchPaymentId: refund.hyperswitchPaymentId,
            amount,
            currency,
            reason: refund.reason,
            metadata: { order_id: orderId, refund_id: id },
          }),
        }),
      make: (params) => hyperswitch.createRefund(key, thawed(params) as CreateRefund),
      read,
      misfit: ({ profileId }) => account.profileMisfit(profileId),
      control: () => account.control(),
      absent: (no) => ledger.refundAbsent({ ...held, refusal: no }),
      refused: (detail) => ledger.refundRefused({ ...held, detail }),
      unread: (outcome) => ledger.refundUnread({ ...held, ...outcome }),
      ask: (question) => ledger.askAboutRefund({ ...held, ...question }),
      apply: async (facts) => wake((await ledger.applyRefund({ refundId: id, runner, facts })).started),
    };
    const step = await makeOrRead(call, account);
    return step ?? (await refundStep(id, overdueReadMs(ageMs, REFUND_EXPECTED_MS)));
  }

  async function refundStep(id: RefundId, readAgainMs: number | null = null): Promise<FollowStep> {
    const refund = await ledger.findRefund(id);
    if (!refund) throw new Error(`refund ${id} is not in the ledger`);
    if (refund.attention) {
      const { reason, detail } = refund.attention;
      return { kind: 'attention', reason, detail, unknown: false };
    }
    const open = refund.status === 'pending' || refund.status === 'review';
    return open ? stillOpen(refund.status, readAgainMs) : { kind: 'final', status: refund.status };
  }

  return {
    advancePayment: (id: PaymentId) => answeringWebhooks({ kind: 'payment', id }, () => advancePayment(id)),
    advanceRefund: (id: RefundId) => answeringWebhooks({ kind: 'refund', id }, () => advanceRefund(id)),
  };
}

/** @param afterMs null: at the workflow's own pace */
const stillOpen = (status: string, afterMs: number | null): FollowStep => ({
  kind: 'open',
  status,
  detail: `Hyperswitch calls it ${status}`,
  ...(afterMs === null ? {} : { afterMs }),
});

const NOT_THERE = { kind: 'unclear', detail: 'Hyperswitch has no refund of it: two persons said so' } as const;

const heldStep = ({ forMs }: { forMs: number }): FollowStep => ({
  kind: 'later',
  afterMs: forMs,
  why: 'another attempt is under way',
});

/** What is sent, as it is kept beside the key: amounts are exact whole numbers. */
const frozen = (request: CreatePayment | CreateRefund): string =>
  JSON.stringify({ ...request, amount: request.amount.toString() });

/** @throws SyntaxError for what no build of ours ever kept there */
function thawed(params: string): { amount: bigint } {
  const request = JSON.parse(params) as { amount: string };
  return { ...request, amount: BigInt(request.amount) };
}
