import { assertNever } from '../../domain/assert-never.js';
import type { KeyedAnswer, PaymentFacts, ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { PaymentId } from '../../domain/ids.js';
import { isCapturable } from '../../domain/marketplace/payment-capture.js';
import type { ClaimedCapture, ClaimedPayment } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { CreatePayment, Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { HyperswitchAccount } from './hyperswitch-account.js';
import type { CancelDependencies } from './payment-cancel.js';

/** How a payment is made at Hyperswitch. Our own names in its metadata are ours, whatever was asked to be passed on. */
export function paymentRequest({ id, orderId, amount, currency, terms }: ClaimedPayment): CreatePayment {
  const { captureMethod, profileId, passedOn } = terms;
  return {
    amount,
    currency,
    ...(captureMethod === 'automatic' ? {} : { captureMethod }),
    ...(profileId === null ? {} : { profileId }),
    ...(passedOn.customer === undefined ? {} : { customer: passedOn.customer }),
    ...(passedOn.returnUrl === undefined ? {} : { returnUrl: passedOn.returnUrl }),
    metadata: { ...passedOn.metadata, order_id: orderId, payment_id: id },
  };
}

export interface CaptureDependencies extends Pick<CancelDependencies, 'apply'> {
  readonly ledger: Pick<Ledger, 'claimCapture' | 'captureAnswered' | 'paymentUnread' | 'askAboutPayment'>;
  readonly hyperswitch: Pick<Hyperswitch, 'capturePayment' | 'readPayment'>;
  readonly account: HyperswitchAccount;
  readonly holdMs: number;
}

const READ_AGAIN_MS = 5_000;

/**
 * Captures the part of a payment that is asked for, once. Hyperswitch honours no key for it, so whatever the call says, what is read of the
 * payment afterwards decides; a part whose answer is lost is sent again only when three readings, ten minutes apart, do not show it.
 */
export function createPaymentCapture({ ledger, hyperswitch, account, holdMs, apply }: CaptureDependencies) {
  /** @returns whether a part was sent */
  return async function captureIfDue(
    { id, runner }: { readonly id: PaymentId; readonly runner: string },
    profileId: string | null,
  ): Promise<boolean> {
    const claim = await ledger.claimCapture({ id, runner, holdMs });
    if (!claim) return false;
    const { key, hyperswitchPaymentId, amount, currency } = claim;
    const answer = await hyperswitch.capturePayment(key, { hyperswitchPaymentId, amount, currency });
    const read = answer.kind === 'done' ? undefined : await hyperswitch.readPayment(hyperswitchPaymentId);
    const facts = answer.kind === 'done' ? answer.value : read?.kind === 'found' ? read.value : undefined;
    const misfit = facts && (await account.misfit(facts.owner, profileId));
    if (misfit !== undefined)
      await ledger.askAboutPayment({ id, runner, certainty: 'done', reason: 'provider_mismatch', detail: misfit });
    else if (facts) await apply({ id, runner, facts, readAgainMs: null });
    else
      await ledger.paymentUnread({
        id,
        runner,
        certainty: 'done',
        detail: detailOf(answer),
        nextCheckMs: READ_AGAIN_MS,
      });
    const said = misfit === undefined && !differs(facts, claim) ? saidBy(answer, facts) : 'unknown';
    await ledger.captureAnswered({ id, capture: claim.id, said, detail: misfit ?? detailOf(answer) });
    return true;
  };
}

/** What is said of other money says nothing of this part. */
const differs = (facts: PaymentFacts | undefined, { paymentAmount, currency }: ClaimedCapture): boolean =>
  facts !== undefined && (facts.amount !== paymentAmount || facts.currency !== currency);

const detailOf = (answer: KeyedAnswer<PaymentFacts> | ReadAnswer<PaymentFacts>): string =>
  'detail' in answer ? answer.detail : 'carried out';

/** A no is one only where the payment, read after it, can still be captured: else nobody knows what the no was about. */
function saidBy(answer: KeyedAnswer<PaymentFacts>, facts: PaymentFacts | undefined): 'unknown' | 'nothing' | 'refused' {
  switch (answer.kind) {
    case 'done':
    case 'unclear':
      return 'unknown';
    case 'refused':
    case 'short':
      return facts && isCapturable(facts.providerStatus) ? 'refused' : 'unknown';
    case 'busy':
      return answer.executed === 'no' ? 'nothing' : 'unknown';
    case 'misdirected':
      return 'nothing';
    default:
      return assertNever(answer);
  }
}
