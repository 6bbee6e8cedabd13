import type { ReversalId } from '../src/domain/ids.js';
import type { ReversalParams, TransferWithReversals } from '../src/domain/provider-answers.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { MoneyItem } from '../src/ledger/marketplace-types.js';
import type { ClaimedReversal } from '../src/ledger/money-call-types.js';
import type { Hyperswitch } from '../src/providers/hyperswitch/client.js';
import type { Stripe } from '../src/providers/stripe/client.js';
import type { RetryTimings } from './marketplace-contract.js';
import type { Looked, NotNow, StripeCall } from './stripe-call-types.js';
import { retryPolicy } from './transfer-call.js';

export interface ReversalCallDependencies {
  readonly ledger: Pick<
    Ledger,
    'claimReversal' | 'noteReversalAbsent' | 'permitReversal' | 'recordReversal' | 'releaseReversal' | 'applyRefund'
  >;
  readonly stripe: Stripe;
  /** undefined: refunds are known from the ledger alone. */
  readonly hyperswitch: Pick<Hyperswitch, 'readRefund'> | undefined;
  readonly timings: RetryTimings;
  readonly wake: (items: readonly MoneyItem[]) => void;
}

const ASK_AGAIN_MS = 15_000;

/** Taking a seller's share back. A definite no is a question for a person; a balance that is too low is waited for. */
export function reversalCall(
  dependencies: ReversalCallDependencies,
): StripeCall<ReversalId, ClaimedReversal, ReversalParams> {
  const { ledger, stripe, timings } = dependencies;
  return {
    policy: retryPolicy(timings, { whenShort: 'wait', whenRefused: 'ask' }),
    claim: ledger.claimReversal,
    look: (claim) => lookForReversal(stripe, claim),
    noteAbsent: ledger.noteReversalAbsent,
    stillDue: (claim) => stillDue(claim, dependencies),
    permit: ledger.permitReversal,
    async send(claim, key, params) {
      const answer = await stripe.inLane(claim.sellerAccount).reverseTransfer(key, claim.stripeTransferId, params);
      return answer.kind === 'done'
        ? { ...answer, value: { stripeId: answer.value.stripeReversalId, settled: answer.value.settled } }
        : answer;
    },
    record: ledger.recordReversal,
    release: ledger.releaseReversal,
  };
}

/**
 * A refund can fail after it had succeeded, and then nothing is due. Where the provider cannot be asked, the seller keeps
 * the money a little longer: waiting loses nothing, and the buyer has been refunded already.
 */
async function stillDue(
  claim: ClaimedReversal,
  { ledger, hyperswitch, wake }: ReversalCallDependencies,
): Promise<NotNow | undefined> {
  if (!hyperswitch || claim.hyperswitchRefundId === null) return undefined;
  const answer = await hyperswitch.readRefund(claim.hyperswitchRefundId, 'first');
  if (answer.kind === 'missing') {
    const why = `Hyperswitch does not know the refund ${claim.hyperswitchRefundId}, which had succeeded: nothing was sent; check HYPERSWITCH_API_KEY, then resolve with retry`;
    return { ask: 'unknown_refund', why };
  }
  if (answer.kind !== 'found')
    return { afterMs: ASK_AGAIN_MS, why: `the refund could not be confirmed before the reversal: ${answer.detail}` };
  const { started } = await ledger.applyRefund({ refundId: claim.refundId, runner: null, facts: answer.value });
  wake(started);
  return undefined;
}

/** What names a reversal of ours at Stripe. */
export type SoughtReversal = Pick<ClaimedReversal, 'id' | 'stripeTransferId' | 'sellerAccount' | 'amount' | 'currency'>;

/** Ours is recognised by the id we wrote into its metadata, never by its amount: two equal partial refunds are two. */
export async function lookForReversal(stripe: Stripe, sought: SoughtReversal): Promise<Looked> {
  const answer = await stripe.inLane(sought.sellerAccount).readTransfer(sought.stripeTransferId);
  if (answer.kind === 'missing') {
    return {
      kind: 'hopeless',
      why: 'missing',
      detail: `${sought.stripeTransferId} does not exist in this Stripe account and mode; check STRIPE_SECRET_KEY, then resolve with retry`,
    };
  }
  return answer.kind === 'found' ? judge(answer.value, sought) : { kind: 'unread', answer };
}

function judge({ transfer, reversals }: TransferWithReversals, sought: SoughtReversal): Looked {
  const ours = reversals.filter(({ metadata }) => metadata.operation_id === sought.id);
  const [one] = ours;
  if (one && ours.length === 1 && one.amount === sought.amount && one.currency === sought.currency) {
    return one.settled
      ? { kind: 'ours', stripeId: one.stripeReversalId }
      : { kind: 'unfinished', detail: `Stripe has not finished ${one.stripeReversalId}` };
  }
  if (one) {
    const found = ours.map(({ stripeReversalId, amount, currency }) => `${stripeReversalId} (${amount} ${currency})`);
    return {
      kind: 'hopeless',
      why: 'conflict',
      detail: `Stripe holds ${found.join(', ')} for this reversal of ${sought.amount} ${sought.currency}; nothing was sent`,
    };
  }
  const left = transfer.amount - transfer.amountReversed;
  if (left === 0n) {
    const others = reversals.map(({ stripeReversalId, amount }) => `${stripeReversalId} (${amount})`).join(', ');
    return {
      kind: 'hopeless',
      why: 'foreign',
      detail: `${transfer.stripeTransferId} is already fully reversed, not by us: ${others}; adopt one of them or write it off`,
    };
  }
  if (sought.amount > left || transfer.currency !== sought.currency) {
    return {
      kind: 'hopeless',
      why: 'exceeds',
      detail: `${left} ${transfer.currency} of ${transfer.stripeTransferId} are left, less than the ${sought.amount} ${sought.currency} to take back`,
    };
  }
  return { kind: 'absent' };
}
