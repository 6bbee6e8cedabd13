import type { RefundFacts, ReversalParams } from '../../domain/calls/provider-answers.js';
import type { DisputeId, ReversalId } from '../../domain/ids.js';
import type { ClaimedReversal } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { Hyperswitch } from '../../providers/hyperswitch/client.js';
import type { Stripe } from '../../providers/stripe/client.js';
import type { RetryTimings } from '../steps.js';
import type { DisputeFollow } from './disputes/follow.js';
import { createHyperswitchAccount, type HyperswitchAccount } from './hyperswitch-account.js';
import { lookForReversal } from './reversal-look.js';
import type { NotNow, StripeCall } from './stripe-call-types.js';
import { retryPolicy } from './transfer-call.js';

export interface ReversalCallDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'claimReversal'
    | 'noteReversalAbsent'
    | 'permitReversal'
    | 'reversalStopped'
    | 'recordReversal'
    | 'releaseReversal'
    | 'applyRefund'
    | 'applyPayment'
    | 'findPayment'
    | 'pinHyperswitch'
    | 'knownPayment'
    | 'hyperswitchIsOurs'
    | 'profilesOfOrders'
    | 'findDispute'
    | 'noteStripeRefunds'
  >;
  readonly stripe: Stripe;
  /** undefined: refunds are known from the ledger alone. */
  readonly hyperswitch: Pick<Hyperswitch, 'readRefund' | 'readPayment'> | undefined;
  /** Reads a dispute now; undefined: disputes are known from the ledger alone. */
  readonly readDispute?: DisputeFollow['readDispute'] | undefined;
  readonly timings: RetryTimings;
  /** How long a seller's balance is waited for before a person is asked. */
  readonly balanceHorizonMs: number;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

const ASK_AGAIN_MS = 15_000;
const ASKED_AGAIN_MS = 60 * 60_000;

/** Taking a seller's share back. A definite no is a question for a person; a balance that is too low is waited for. */
export function reversalCall(
  dependencies: ReversalCallDependencies,
): StripeCall<ReversalId, ClaimedReversal, ReversalParams> {
  const { ledger, stripe, hyperswitch, timings, balanceHorizonMs } = dependencies;
  const refunds = hyperswitch && { hyperswitch, account: createHyperswitchAccount({ ledger, hyperswitch }) };
  return {
    policy: retryPolicy(timings, { whenShort: { waitAtMostMs: balanceHorizonMs }, whenRefused: 'ask' }),
    claim: ledger.claimReversal,
    look: (claim) => lookForReversal(stripe, claim),
    noteAbsent: ledger.noteReversalAbsent,
    stillDue: async (claim) => {
      if (claim.disputeId !== null) return await stillOut(claim.disputeId, dependencies);
      if (claim.refund.provider === 'stripe') return await stillRefunded(claim, dependencies);
      return refunds ? await stillDue(claim, refunds, dependencies) : undefined;
    },
    permit: ledger.permitReversal,
    async send(claim, key, params) {
      const stopped = () => ledger.reversalStopped(claim.id, claim.runner);
      const answer = await stripe
        .inLane(claim.sellerAccount)
        .reverseTransfer(key, claim.stripeTransferId, params, stopped);
      return answer.kind === 'done'
        ? { ...answer, value: { stripeId: answer.value.stripeReversalId, state: answer.value.state } }
        : answer;
    },
    record: ledger.recordReversal,
    release: ledger.releaseReversal,
  };
}

/**
 * A share is taken only for a refund that holds: read now, succeeded, and of the amount we know. One that has failed ends the
 * reversal by itself; anything else goes to a person, and `retry` goes on once it holds again. Where the provider cannot be
 * asked, the seller keeps the money a little longer: waiting loses nothing, and the buyer has been refunded already.
 */
async function stillDue(
  claim: ClaimedReversal,
  refunds: Refunds,
  dependencies: ReversalCallDependencies,
): Promise<NotNow | undefined> {
  const { refundId } = claim;
  if (refundId === null) return undefined;
  if (claim.hyperswitchRefundId === null) {
    return claim.refund.connectorRefundId === null || claim.refund.connectorTransactionId === null
      ? await stillGivenBack(claim, refunds, dependencies)
      : await stillRefunded(claim, dependencies);
  }
  const { hyperswitch, account } = refunds;
  const { ledger, wake } = dependencies;
  const answer = await hyperswitch.readRefund(claim.hyperswitchRefundId, 'first');
  if (answer.kind === 'missing') {
    // A key of another merchant knows none of our refunds: nothing may be concluded from that.
    const control = await account.control();
    if (control.kind === 'mismatch' || control.kind === 'unread') return unconfirmed(control.detail);
    return doubtful(`Hyperswitch does not know the refund ${claim.hyperswitchRefundId}`);
  }
  if (answer.kind !== 'found') return unconfirmed(answer.detail);
  const misfit = await account.profileMisfit(answer.value.profileId);
  if (misfit !== undefined) return unconfirmed(misfit);
  const facts = answer.value;
  const { status, started } = await ledger.applyRefund({ refundId, runner: null, facts });
  wake(started);
  const differs = differenceOf(claim, facts);
  if (differs !== undefined) return doubtful(differs);
  // Failed in the ledger too, it is not sent: the permit says so, and looks where an attempt may have gone out.
  if (facts.status === 'succeeded' || (facts.status === 'failed' && status === 'failed')) return undefined;
  return doubtful(`the refund is ${facts.providerStatus} at Hyperswitch`);
}

/**
 * A share is taken only while the processor's own record says that the funds are out: it is read now, and the permit asks the ledger,
 * which follows it. What cannot be read waits, and what asks a person waits for him.
 */
async function stillOut(
  disputeId: DisputeId,
  { ledger, readDispute }: ReversalCallDependencies,
): Promise<NotNow | undefined> {
  if (!readDispute) return undefined;
  const read = await readDispute(disputeId);
  if (read.kind === 'unread')
    return {
      kind: 'later',
      afterMs: ASK_AGAIN_MS,
      why: `the dispute could not be confirmed before the reversal: ${read.detail}`,
    };
  return (await ledger.findDispute(disputeId))?.attention
    ? { kind: 'later', afterMs: ASKED_AGAIN_MS, why: `waits for dispute ${disputeId}, about which a person is asked` }
    : undefined;
}

/** A refund that Stripe alone names, because the payment is its own or because two persons have counted it: it holds there. */
async function stillRefunded(
  { refund }: ClaimedReversal,
  { ledger, stripe, wake }: ReversalCallDependencies,
): Promise<NotNow | undefined> {
  const { provider, paymentId, connectorRefundId, connectorTransactionId } = refund;
  if (connectorRefundId === null || connectorTransactionId === null) return undefined;
  const answer = await stripe.inLane('disputes').refundsOf(connectorTransactionId);
  if (answer.kind !== 'found') return unconfirmed(answer.detail);
  const held = answer.value.find(({ stripeRefundId }) => stripeRefundId === connectorRefundId);
  const fits = held?.amount === refund.amount && held.currency === refund.currency;
  if (fits && held.status === 'succeeded') return undefined;
  if (provider === 'stripe') wake(await ledger.noteStripeRefunds(paymentId, answer.value));
  // Failed in the ledger too, it is not sent: the permit says so, and looks where an attempt may have gone out.
  if (provider === 'stripe' && fits && (held.status === 'failed' || held.status === 'canceled')) return undefined;
  return doubtful(`Stripe calls the refund ${connectorRefundId} ${held?.status ?? 'nothing'}`);
}

/** Two persons have said that the buyer has the money: their word stands while Hyperswitch says nothing that asks a person again. */
async function stillGivenBack(
  { refund }: ClaimedReversal,
  { hyperswitch, account }: Refunds,
  { ledger, wake }: ReversalCallDependencies,
): Promise<NotNow | undefined> {
  const { paymentId, hyperswitchPaymentId } = refund;
  if (hyperswitchPaymentId === null) return undefined;
  const answer = await hyperswitch.readPayment(hyperswitchPaymentId);
  // Not there: the key may be another merchant's, which sees nothing of ours.
  if (answer.kind !== 'found') return unconfirmed(answer.detail);
  const misfit = await account.misfit(answer.value.owner);
  if (misfit !== undefined) return unconfirmed(misfit);
  wake((await ledger.applyPayment({ paymentId, runner: null, facts: answer.value })).started);
  return (await ledger.findPayment(paymentId))?.attention
    ? {
        kind: 'later',
        afterMs: ASKED_AGAIN_MS,
        why: `waits for payment ${paymentId}, about which a person is asked again`,
      }
    : undefined;
}

interface Refunds {
  readonly hyperswitch: Pick<Hyperswitch, 'readRefund' | 'readPayment'>;
  readonly account: HyperswitchAccount;
}

const unconfirmed = (why: string): NotNow => ({
  kind: 'later',
  afterMs: ASK_AGAIN_MS,
  why: `the refund could not be confirmed before the reversal: ${why}`,
});

const doubtful = (what: string): NotNow => ({
  kind: 'undue',
  why: `${what}, and it had succeeded: nothing was sent; find out there, then resolve with retry once it holds, or with write_off`,
});

function differenceOf({ refund }: ClaimedReversal, facts: RefundFacts): string | undefined {
  const { amount, currency, hyperswitchPaymentId: payment } = facts;
  if (amount !== refund.amount || currency !== refund.currency)
    return `Hyperswitch holds a refund of ${amount} ${currency} where ${refund.amount} ${refund.currency} were refunded`;
  const known = refund.hyperswitchPaymentId;
  return known === null || payment === known ? undefined : `the refund is of payment ${payment} at Hyperswitch`;
}
