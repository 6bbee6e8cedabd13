import type { RetryPolicy } from '../../domain/calls/next.js';
import { isLive, type TransferFacts, type TransferParams } from '../../domain/calls/provider-answers.js';
import type { TransferId } from '../../domain/ids.js';
import { notedOf } from '../../domain/marketplace/foreign-reversals.js';
import { isTransferOf, madeSince, transfersOf } from '../../domain/marketplace/ours-at-stripe.js';
import type { ClaimedTransfer } from '../../ledger/calls/call-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Stripe } from '../../providers/stripe/client.js';
import type { RetryTimings } from '../steps.js';
import { chargeBehind } from './charge-behind.js';
import type { PaymentCalls } from './payment-calls.js';
import type { Looked, NotNow, StripeCall } from './stripe-call-types.js';
import { judge, readForWaiting, type WaitingDependencies } from './what-transfers-wait-for.js';

export interface TransferCallDependencies {
  readonly ledger: Pick<
    Ledger,
    | 'claimTransfer'
    | 'noteTransferAbsent'
    | 'questionedPayment'
    | 'permitTransfer'
    | 'transferStopped'
    | 'recordTransfer'
    | 'releaseTransfer'
    | 'noteCharge'
    | 'admitTransfer'
  > &
    WaitingDependencies['ledger'];
  readonly stripe: Stripe;
  readonly timings: RetryTimings;
  readonly wake: WaitingDependencies['wake'];
  /** Looks for refunds and disputes of a payment that nobody told of; left out: it is left to the sweep. */
  readonly searchPayment?: PaymentCalls['searchPayment'] | undefined;
}

const READ_AGAIN_MS = 15_000;
/** The next claim knows it. */
const NEXT_CLAIM: NotNow = { kind: 'later', afterMs: 1, why: 'what its charge became was read now' };
/** So long a charge that cannot be read holds up a transfer that could be sent from the balance. */
const READS_FOR_MS = 10 * 60_000;

/** The answer to the payment's question wakes what waits for it; this is for a wake that got lost. */
const ASK_AGAIN_MS = 3_600_000;

/** Sending a seller's share. A definite no may pass (a balance, an account that is being set up), so it is tried again. */
export function transferCall({
  ledger,
  stripe,
  timings,
  wake,
  searchPayment,
}: TransferCallDependencies): StripeCall<TransferId, ClaimedTransfer, TransferParams> {
  /** One read for all sellers of the order. What cannot be read is tried for a while, and then it comes from our balance. */
  async function readCharge(
    { sellerAccount, ageMs }: ClaimedTransfer,
    { id, paymentIntent, isElsewhere }: NonNullable<ClaimedTransfer['paymentToRead']>,
  ): Promise<NotNow | undefined> {
    const reading = await chargeBehind(stripe.inLane(sellerAccount), paymentIntent);
    if (reading.kind !== 'unread') {
      await ledger.noteCharge(id, paymentIntent, reading);
      return isElsewhere || (reading.kind === 'charge' && reading.rate !== null) ? NEXT_CLAIM : undefined;
    }
    if (isElsewhere || (reading.mayPass && ageMs < READS_FOR_MS))
      return { kind: 'later', afterMs: READ_AGAIN_MS, why: reading.why };
    return undefined;
  }

  return {
    policy: retryPolicy(timings, { whenShort: 'wait', whenRefused: 'retry' }),
    claim: ledger.claimTransfer,
    async look(claim) {
      const looked = await lookForTransfer(stripe, claim);
      if (looked.kind !== 'hopeless' || !claim.paymentToRead) return looked;
      // What is there may be what the charge became: that is read before anybody is asked.
      const unread = await readCharge({ ...claim, ageMs: 0 }, claim.paymentToRead);
      const detail = unread?.why ?? `${claim.paymentToRead.paymentIntent} was read now, and is looked at again`;
      return { kind: 'unread', answer: { kind: 'unclear', detail } };
    },
    noteAbsent: ledger.noteTransferAbsent,
    read: (of, sellerAccount) => readForWaiting(of, sellerAccount, { ledger, stripe, wake }),
    judge: (claim, why) => judge(claim, why, { ledger, stripe, wake }),
    async stillDue(claim) {
      // Old payments are looked at every month. What is found stops it, or makes it less, by the permit; what cannot be read holds up nobody.
      if (claim.paymentToSearch !== null) await searchPayment?.(claim.paymentToSearch);
      const payment = await ledger.questionedPayment(claim.orderId);
      if (payment)
        return { kind: 'later', afterMs: ASK_AGAIN_MS, why: `payment ${payment} of its order asks a person` };
      const unread = claim.paymentToRead && (await readCharge(claim, claim.paymentToRead));
      if (unread) return unread;
      if (claim.unsendable !== null) return { ...claim.unsendable, kind: 'unsendable' };
      // A picture of before the claim: whoever comes too early for it is refused by Stripe, and waits then.
      const wait = claim.gated ? await ledger.admitTransfer(claim.id, claim.runner) : undefined;
      return wait && { kind: 'waiting', ...wait };
    },
    permit: ledger.permitTransfer,
    async send(claim, key, params) {
      const stopped = () => ledger.transferStopped(claim.id, claim.runner);
      const sent = await stripe.inLane(claim.sellerAccount).createTransfer(key, params, stopped);
      // Drawn from a charge in another currency, it waits for no balance: whatever is short there, a person is asked at last.
      const answer =
        sent.kind === 'short' && params.currency !== claim.currency.toLowerCase()
          ? { ...sent, kind: 'refused' as const, why: 'other' as const, code: 'balance_insufficient' }
          : sent;
      return answer.kind === 'done'
        ? { ...answer, value: { stripeId: answer.value.stripeTransferId, state: 'done' as const } }
        : answer;
    },
    record: ledger.recordTransfer,
    release: ledger.releaseTransfer,
  };
}

/** TRANSFER_RETRY_* and REVERSAL_* as the one decision knows them. */
export const retryPolicy = (
  { backoffBaseMs, backoffMaxMs, maxRetries }: RetryTimings,
  when: Pick<NonNullable<RetryPolicy['counted']>, 'whenShort' | 'whenRefused'>,
): RetryPolicy => ({ backoffBaseMs, backoffMaxMs, answerWindowMs: 0, counted: { maxRetries, ...when } });

/** What names a transfer of ours at Stripe. */
export type SoughtTransfer = Pick<ClaimedTransfer, 'id' | 'sellerAccount' | 'atStripe' | 'createdAt'>;

/** Nothing of ours can have been reversed of a transfer whose id nobody knew. */
async function asOurs(
  stripe: Stripe,
  { stripeTransferId, destination, amountReversed }: TransferFacts,
): Promise<Looked> {
  if (amountReversed === 0n) return { kind: 'ours', stripeId: stripeTransferId };
  const answer = await stripe.inLane(destination).readTransfer(stripeTransferId);
  if (answer.kind === 'found')
    return { kind: 'ours', stripeId: stripeTransferId, others: answer.value.reversals.filter(isLive).map(notedOf) };
  if (answer.kind !== 'missing') return { kind: 'unread', answer };
  return {
    kind: 'unread',
    answer: {
      kind: 'unclear',
      detail: `${stripeTransferId} is in the list of its seller's transfers and cannot be read`,
    },
  };
}

/**
 * Transfers cannot be searched by metadata, and their group is not ours to name where Stripe draws them from a charge: all that
 * went to the seller since the row was made is read, and our mark in the metadata tells which is ours.
 */
export async function lookForTransfer(stripe: Stripe, sought: SoughtTransfer): Promise<Looked> {
  const answer = await stripe
    .inLane(sought.sellerAccount)
    .transfersTo(sought.sellerAccount, madeSince(sought.createdAt));
  if (answer.kind === 'missing') return { kind: 'absent' };
  if (answer.kind !== 'found') return { kind: 'unread', answer };
  const ours = transfersOf(sought.id, answer.value);
  const [one] = ours;
  if (!one) return { kind: 'absent' };
  const { atStripe: money, sellerAccount } = sought;
  if (ours.length === 1 && isTransferOf(one, { money, sellerAccount })) return await asOurs(stripe, one);
  const found = ours.map(
    ({ stripeTransferId, amount, currency, destination }) =>
      `${stripeTransferId} (${amount} ${currency} to ${destination})`,
  );
  return {
    kind: 'hopeless',
    why: 'conflict',
    detail: `Stripe holds ${found.join(', ')} for this transfer of ${money.amount} ${money.currency}; nothing was sent`,
  };
}
