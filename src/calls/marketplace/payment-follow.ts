import { ASK_AGAIN_MS } from '../../domain/calls/next-by-id.js';
import type { PaymentReadFacts } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import { PROVIDER_NAMES } from '../../domain/marketplace/marketplace.js';
import { overdueReadMs } from '../../domain/marketplace/overdue.js';
import type { PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import type { ClaimedPayment } from '../../ledger/calls/call-types.js';
import type { FollowStep } from '../steps.js';
import { type HyperswitchFollow, heldStep, MISFIT_AGAIN_MS, stillOpen } from './hyperswitch-follow.js';
import { type HyperswitchCall, makeOrRead } from './hyperswitch-step.js';
import { type CancelDependencies, createPaymentCancel } from './payment-cancel.js';
import { createPaymentCapture } from './payment-capture.js';
import type { PaymentPort } from './payment-port.js';

export interface PaymentFollowDependencies<Facts extends PaymentReadFacts = PaymentReadFacts>
  extends Omit<
    HyperswitchFollow<
      | 'claimPayment'
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
    >,
    'hyperswitch' | 'account'
  > {
  readonly port: PaymentPort<Facts>;
  /** How long a buyer has to pay. */
  readonly expiryMs: number;
}

const HELD_READ_MS = 6 * 3_600_000;

/** One step of a payment: made, cancelled where that is due, or read. */
export function createPaymentFollow<Facts extends PaymentReadFacts>(dependencies: PaymentFollowDependencies<Facts>) {
  const { ledger, port, wake, holdMs, nextRunner, expiryMs } = dependencies;
  const apply: CancelDependencies<Facts>['apply'] = async ({ id, ...reading }) =>
    wake((await ledger.applyPayment({ paymentId: id, ...reading })).started);
  const cancelIfDue = createPaymentCancel({ ledger, port, holdMs, expiryMs, apply });
  const captureIfDue = createPaymentCapture({ ledger, port, holdMs, apply });

  /** What may be captured by hand is looked at often enough that a person hears in time of money that a bank lets go of. */
  function readAgainOf(ageMs: number, { captureMethod }: PaymentTerms): number | null {
    const waitMs = overdueReadMs(ageMs, expiryMs);
    return waitMs === null || captureMethod === 'automatic' ? waitMs : Math.min(waitMs, HELD_READ_MS);
  }

  async function advancePayment(id: PaymentId): Promise<FollowStep> {
    const runner = nextRunner();
    const claim = await ledger.claimPayment(id, runner, holdMs);
    if (claim.kind === 'held') return heldStep(claim);
    if (claim.kind === 'final') return await reread(claim.claim);
    const { certainty, refusal, ageMs, terms } = claim.claim;
    const readAgainMs = readAgainOf(ageMs, terms);
    const held = { id, runner };
    const call: HyperswitchCall<Facts> = {
      provider: port.provider,
      ...port.callOf(claim.claim, runner),
      certainty,
      refusal,
      misfit: (facts) => port.misfit(facts, terms),
      absent: (no) => ledger.paymentAbsent({ ...held, refusal: no }),
      refused: (detail) => ledger.paymentRefused({ ...held, detail }),
      unread: (outcome) => ledger.paymentUnread({ ...held, ...outcome }),
      ask: (question) => ledger.askAboutPayment({ ...held, ...question }),
      apply: (facts) => apply({ ...held, facts, readAgainMs }),
    };
    const step = await makeOrRead(call, port.account);
    if (step) return step;
    const isCapturing = await captureIfDue(held, terms);
    await cancelIfDue(held, readAgainMs, terms);
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
  async function reread(claim: ClaimedPayment): Promise<FollowStep> {
    const { id, givenUp } = claim;
    const step = await paymentStep(id);
    const events = await toldOf(id);
    const isTold = events.length > 0;
    if (!isTold && !givenUp && step.kind !== 'attention') return step;
    const payment = await port.read(claim);
    if (payment.kind !== 'found') return isTold ? { kind: 'later', afterMs: ASK_AGAIN_MS, why: payment.detail } : step;
    const misfit = await port.misfit(payment.value, claim.terms);
    if (misfit !== undefined) return { kind: 'later', afterMs: MISFIT_AGAIN_MS, why: misfit };
    // What was given back by cancelling it is what its refunds had left, those too that nobody has told of.
    if (payment.value.capturedByWord === 'given_back') {
      const unread = await port.searchRefunds(claim);
      if (unread !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unread };
    }
    wake((await ledger.applyPayment({ paymentId: id, runner: null, facts: payment.value })).started);
    // Nothing can be refunded of what was not captured.
    const captured = (await ledger.findPayment(id))?.captured;
    if (captured?.known && captured.surely === 0n) return await paymentStep(id);
    const unreadRefunds = await port.searchRefunds(claim);
    if (unreadRefunds !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unreadRefunds };
    const unread = await port.searchMore(id, events);
    if (unread !== undefined) return { kind: 'later', afterMs: ASK_AGAIN_MS, why: unread };
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
    return open
      ? stillOpen(payment.status, readAgainMs, PROVIDER_NAMES[port.provider])
      : { kind: 'final', status: payment.status };
  }

  return advancePayment;
}
