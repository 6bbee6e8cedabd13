import type { ReadAnswer } from '../../domain/calls/provider-answers.js';
import type { Drift, Suspicion } from '../../domain/reconciliation/drift.js';
import { missingPayment, missingRefund } from '../../domain/reconciliation/in-words.js';
import { judgeAuthorization } from '../../domain/reconciliation/judge-chain.js';
import { missingPayout } from '../../domain/reconciliation/judge-payouts.js';
import { missingDispute, missingReversal, missingTransfer } from '../../domain/reconciliation/judge-stripe.js';
import { type ComparisonDependencies, isFound, type Look, unread, youngSince } from './comparison.js';
import {
  suspectDisputes,
  suspectPayments,
  suspectRefunds,
  suspectReversals,
  suspectStripePayments,
  suspectStripeRefunds,
  suspectTransfers,
} from './judge-rows.js';
import { suspectPayouts } from './payouts-page.js';

/** Reads both sides of one suspicion by itself, now: a list may lag, and a row may have been on its way. */
export function lookAgain(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const [what] = drift.kind.split('_');
  switch (what as 'transfer' | 'reversal' | 'dispute' | 'payment' | 'refund' | 'payout' | 'settlement' | 'workflow') {
    case 'transfer':
      return transfer(drift, sides);
    case 'reversal':
      return reversal(drift, sides);
    case 'dispute':
      return dispute(drift, sides);
    case 'payment':
      return drift.provider === 'stripe' ? stripePayment(drift, sides) : payment(drift, sides);
    case 'refund':
      return drift.provider === 'stripe' ? stripeRefund(drift, sides) : refund(drift, sides);
    case 'payout':
      return payout(drift, sides);
    case 'settlement':
      return authorization(drift, sides);
    case 'workflow':
      // A workflow that was gone is told where it was started again.
      return Promise.resolve({ kind: 'agrees' });
  }
}

/** What both sides show of the same thing now; of another kind than before, it is another one, which the next run finds. */
const outcome = (drift: Drift, seen: readonly Suspicion[]): Look => {
  const same = seen.find(({ kind, item }) => kind === drift.kind && item?.id === drift.item?.id);
  return same ? { kind: 'stands', seen: same } : { kind: 'agrees' };
};

/** @throws where Stripe is not set: nothing of it is suspected then but by an earlier process */
async function ofOurStripe<Found>(
  { stripe }: ComparisonDependencies,
  read: (calls: NonNullable<ComparisonDependencies['stripe']>['calls']) => Promise<ReadAnswer<Found>>,
): Promise<ReadAnswer<Found>> {
  if (!stripe) return { kind: 'misdirected', scope: 'provider', detail: 'STRIPE_SECRET_KEY is not set here' };
  return (await stripe.account.verify()) ?? (await read(stripe.calls));
}

async function transfer(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const answer = await ofOurStripe(sides, (calls) => calls.readTransfer(drift.providerId));
  if (answer.kind === 'found') return outcome(drift, await suspectTransfers([answer.value.transfer], sides));
  if (answer.kind !== 'missing') return unread(answer, 'the transfer is not read');
  const [row] = await sides.ledger.heldTransfers([drift.providerId], []);
  return outcome(drift, row ? [missingTransfer({ ...row, stripeTransferId: drift.providerId })] : []);
}

async function reversal(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const missing = async (): Promise<Look> => {
    const [row] = await sides.ledger.heldReversals([drift.providerId], []);
    return outcome(
      drift,
      row?.status === 'reversed' ? [missingReversal({ ...row, stripeReversalId: drift.providerId })] : [],
    );
  };
  const { parentId } = drift;
  if (parentId === null) return missing();
  const answer = await ofOurStripe(sides, (calls) => calls.readTransfer(parentId));
  // Its whole transfer is not there, or is: the reversal is not in either case.
  if (answer.kind === 'missing') return missing();
  if (answer.kind !== 'found') return unread(answer, 'the transfer is not read');
  const held = answer.value.reversals.find(({ stripeReversalId }) => stripeReversalId === drift.providerId);
  return held ? outcome(drift, await suspectReversals([held], sides)) : missing();
}

async function dispute(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const answer = await ofOurStripe(sides, (calls) => calls.readDispute(drift.providerId));
  if (answer.kind === 'found') return outcome(drift, await suspectDisputes([answer.value], sides));
  if (answer.kind !== 'missing') return unread(answer, 'the dispute is not read');
  return outcome(drift, (await sides.ledger.heldDisputes([drift.providerId])).map(missingDispute));
}

async function payout(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const { parentId: account } = drift;
  if (account === null) return { kind: 'agrees' };
  const answer = await ofOurStripe(sides, (calls) => calls.readPayout(drift.providerId, account));
  if (answer.kind === 'found') return outcome(drift, await suspectPayouts([answer.value], sides));
  if (answer.kind !== 'missing') return unread(answer, 'the payout is not read');
  return outcome(drift, (await sides.ledger.heldPayouts([drift.providerId])).map(missingPayout));
}

async function stripePayment(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const answer = await ofOurStripe(sides, (calls) => calls.readPayment(drift.providerId));
  if (answer.kind === 'found') return outcome(drift, await suspectStripePayments([answer.value], sides));
  if (answer.kind !== 'missing') return unread(answer, 'the payment is not read');
  return outcome(drift, (await sides.ledger.heldPayments('stripe', [drift.providerId])).map(missingPayment));
}

/** Among all of its payment's: they are read as one. */
async function stripeRefund(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const { parentId } = drift;
  if (parentId === null) return { kind: 'agrees' };
  const answer = await ofOurStripe(sides, (calls) => calls.refundsOf(parentId));
  if (answer.kind !== 'found' && answer.kind !== 'missing') return unread(answer, 'the refunds are not read');
  const held =
    answer.kind === 'found' ? answer.value.filter(({ stripeRefundId }) => stripeRefundId === drift.providerId) : [];
  return outcome(
    drift,
    held.length > 0
      ? await suspectStripeRefunds(held, sides)
      : (await sides.ledger.heldRefunds('stripe', [drift.providerId])).map(missingRefund),
  );
}

/** Of an absence, only beside a control read of something that Hyperswitch is known to have. */
async function absentAtHyperswitch(
  { hyperswitch }: ComparisonDependencies,
  paymentId: string | undefined,
): Promise<Look | undefined> {
  const control = await hyperswitch?.account.control(paymentId as never);
  return control?.kind === 'mismatch' || control?.kind === 'unread' ? { kind: 'left', why: control.detail } : undefined;
}

async function payment(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const { hyperswitch, ledger } = sides;
  if (!hyperswitch) return NOT_SET;
  const answer = await hyperswitch.calls.readPayment(drift.providerId);
  if (answer.kind === 'found') {
    const misfit = await hyperswitch.account.misfit(answer.value.owner);
    return misfit === undefined
      ? outcome(drift, await suspectPayments([answer.value], sides))
      : { kind: 'left', why: misfit };
  }
  if (answer.kind !== 'missing') return unread(answer, 'the payment is not read');
  return (
    (await absentAtHyperswitch(sides, drift.item?.id)) ??
    outcome(drift, (await ledger.heldPayments('hyperswitch', [drift.providerId])).map(missingPayment))
  );
}

async function refund(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const { hyperswitch, ledger } = sides;
  if (!hyperswitch) return NOT_SET;
  const answer = await hyperswitch.calls.readRefund(drift.providerId);
  if (answer.kind === 'found') {
    const misfit = await hyperswitch.account.profileMisfit(answer.value.profileId);
    return misfit === undefined
      ? outcome(drift, await suspectRefunds([answer.value], sides))
      : { kind: 'left', why: misfit };
  }
  if (answer.kind !== 'missing') return unread(answer, 'the refund is not read');
  return (
    (await absentAtHyperswitch(sides, undefined)) ??
    outcome(drift, (await ledger.heldRefunds('hyperswitch', [drift.providerId])).map(missingRefund))
  );
}

const NOT_SET: Look = { kind: 'left', why: 'HYPERSWITCH_API_KEY is not set here' };

async function authorization(drift: Drift, sides: ComparisonDependencies): Promise<Look> {
  const { chain, ledger } = sides;
  const row = drift.item && (await ledger.heldAuthorization(drift.item.id));
  if (!chain || !row) return { kind: 'left', why: 'X402_RPC_URLS is not set here' };
  const answer = await chain.readUsed(row);
  if (answer.kind !== 'found') return unread(answer, 'the authorization is not read');
  return outcome(drift, [judgeAuthorization(row, answer.value, youngSince(sides))].filter(isFound));
}
