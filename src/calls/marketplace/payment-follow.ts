import { ASK_AGAIN_MS } from '../../domain/calls/next-by-id.js';
import type { PaymentFacts } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import { overdueReadMs } from '../../domain/marketplace/overdue.js';
import type { ClaimedPayment } from '../../ledger/calls/call-types.js';
import type { CreatePayment } from '../../providers/hyperswitch/client.js';
import type { FollowStep } from '../steps.js';
import { frozen, type HyperswitchFollow, heldStep, MISFIT_AGAIN_MS, stillOpen, thawed } from './hyperswitch-follow.js';
import { type HyperswitchCall, makeOrRead } from './hyperswitch-step.js';
import { type CancelDependencies, createPaymentCancel } from './payment-cancel.js';
import { createPaymentCapture, paymentRequest } from './payment-capture.js';

export interface PaymentFollowDependencies
  extends HyperswitchFollow<
    | 'claimPayment'
    | 'paymentLeaves'
    | 'paymentUnread'
    | 'paymentAbsent'
    | 'askAboutPayment'
    | 'paymentRefused'
    | 'claimCancel'
    | 'cancelAnswered'
    | 'claimCapture'
    | 'captureAnswered'
    | 'applyPayment'
    | 'findPayment'
    | 'openWebhooks'
    | 'noteUnnamedRefunds'
  > {
  /** How long a buyer has to pay. */
  readonly expiryMs: number;
  /** Takes up the disputes that Hyperswitch names. @returns why they could not be read */
  readonly searchNamed: (id: PaymentId) => Promise<string | undefined>;
  /** The same of its refunds, those too that were made there. */
  readonly searchRefunds: (of: Pick<ClaimedPayment, 'id' | 'hyperswitchPaymentId'>) => Promise<string | undefined>;
}

/** One step of a payment: made, cancelled where that is due, or read. */
export function createPaymentFollow(dependencies: PaymentFollowDependencies) {
  const { ledger, hyperswitch, account, wake, holdMs, nextRunner, expiryMs, searchNamed, searchRefunds } = dependencies;
  const apply: CancelDependencies['apply'] = async ({ id, ...reading }) =>
    wake((await ledger.applyPayment({ paymentId: id, ...reading })).started);
  const cancelIfDue = createPaymentCancel({ ledger, hyperswitch, account, holdMs, expiryMs, apply });
  const captureIfDue = createPaymentCapture({ ledger, hyperswitch, account, holdMs, apply });

  async function advancePayment(id: PaymentId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim = await ledger.claimPayment(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    if (claim.kind === 'final') return await reread(claim.claim);
    const { certainty, refusal, key, hyperswitchPaymentId, ageMs, terms } = claim.claim;
    const readAgainMs = overdueReadMs(ageMs, expiryMs);
    const held = { id, runner };
    const call: HyperswitchCall<PaymentFacts> = {
      certainty,
      refusal,
      leaves: () =>
        ledger.paymentLeaves({
          ...held,
          params: frozen(paymentRequest(claim.claim)),
        }),
      make: (params) => hyperswitch.createPayment(key, thawed(params) as CreatePayment),
      read: () => hyperswitch.readPayment(hyperswitchPaymentId),
      misfit: ({ owner }) => account.misfit(owner, terms.profileId),
      control: () => account.control(id),
      absent: (no) => ledger.paymentAbsent({ ...held, refusal: no }),
      refused: (detail) => ledger.paymentRefused({ ...held, detail }),
      unread: (outcome) => ledger.paymentUnread({ ...held, ...outcome }),
      ask: (question) => ledger.askAboutPayment({ ...held, ...question }),
      apply: async (facts) => wake((await ledger.applyPayment({ paymentId: id, runner, facts, readAgainMs })).started),
    };
    const step = await makeOrRead(call, account);
    if (step) return step;
    const isCapturing = await captureIfDue(held, terms.profileId);
    await cancelIfDue(held, readAgainMs, terms.profileId);
    // What became of a part is read at the workflow's own pace.
    const now = await paymentStep(id, isCapturing ? null : readAgainMs);
    // Events come in any order: one may have told of a refund before we knew that something had been captured.
    return now.kind === 'final' || (await told(id)) ? await reread(claim.claim) : now;
  }

  const toldOf = (id: PaymentId) => ledger.openWebhooks({ kind: 'payment', id });
  const told = async (id: PaymentId): Promise<boolean> => (await toldOf(id)).length > 0;

  /**
   * A finished payment is read for what a webhook told, most often a refund made at the provider, while it is asked about, and
   * while it was given up here and can still be paid there.
   */
  async function reread({ id, hyperswitchPaymentId, givenUp, terms }: ClaimedPayment): Promise<FollowStep> {
    const step = await paymentStep(id);
    const events = await toldOf(id);
    const isTold = events.length > 0;
    if (!isTold && !givenUp && step.kind !== 'attention') return step;
    const payment = await hyperswitch.readPayment(hyperswitchPaymentId);
    if (payment.kind !== 'found') return isTold ? { kind: 'later', afterMs: ASK_AGAIN_MS, why: payment.detail } : step;
    const misfit = await account.misfit(payment.value.owner, terms.profileId);
    if (misfit !== undefined) return { kind: 'later', afterMs: MISFIT_AGAIN_MS, why: misfit };
    // What was given back by cancelling it is what its refunds had left, those too that nobody has told of.
    if (payment.value.capturedByWord === 'given_back') {
      const unread = await searchRefunds({ id, hyperswitchPaymentId });
      if (unread !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unread };
    }
    wake((await ledger.applyPayment({ paymentId: id, runner: null, facts: payment.value })).started);
    // Nothing can be refunded of what was not captured.
    const captured = (await ledger.findPayment(id))?.captured;
    if (captured?.known && captured.surely === 0n) return await paymentStep(id);
    const unreadRefunds = await searchRefunds({ id, hyperswitchPaymentId });
    if (unreadRefunds !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unreadRefunds };
    await ledger.noteUnnamedRefunds(id, []);
    if (events.some(({ type }) => type.startsWith('dispute_'))) {
      const unread = await searchNamed(id);
      if (unread !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unread };
    }
    return await paymentStep(id);
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

  return advancePayment;
}
