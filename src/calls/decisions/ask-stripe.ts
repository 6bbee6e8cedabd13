import type { MadeIntent } from '../../domain/calls/made-at-stripe.js';
import {
  isLive,
  type ReadAnswer,
  type StripeDispute,
  type StripePayment,
  type StripeRefund,
  type TransferFacts,
  type TransferWithReversals,
} from '../../domain/calls/provider-answers.js';
import type { ReversalId, TransferId } from '../../domain/ids.js';
import { type Accounted, notedOf, takenByOthers } from '../../domain/marketplace/foreign-reversals.js';
import type { Reversal, SellerTransfer } from '../../domain/marketplace/marketplace.js';
import {
  isMoney,
  isTransferOf,
  liveReversalOf,
  madeSince,
  markOfReversal,
  markOfTransfer,
  orderMarkOf,
  reversalAtStripe,
  transferAtStripe,
  transfersOf,
} from '../../domain/marketplace/ours-at-stripe.js';
import { StripeMoney } from '../../domain/marketplace/stripe-money.js';
import type { Verification } from '../../ledger/decisions/decision-types.js';
import type { Ledger } from '../../ledger/ledger.js';
import { type NoWord, whyNoWord } from './no-word.js';
import { NOT_NEEDED, type Statement, textOf, type Verifier } from './verification.js';

/** What verifying a decision reads at Stripe; undefined in StripeVerifierDependencies: no key is configured here. */
export interface StripeReader {
  inLane(lane: string): {
    readTransfer(stripeTransferId: string): Promise<ReadAnswer<TransferWithReversals>>;
    transfersTo(destination: string, since: Date): Promise<ReadAnswer<readonly TransferFacts[]>>;
    readDispute(stripeDisputeId: string): Promise<ReadAnswer<StripeDispute>>;
    /** Left out: balances are not read here. */
    readBalance?(sellerAccount: string): Promise<ReadAnswer<ReadonlyMap<string, bigint>>>;
    /** Left out: payments are not read here. */
    readPayment?(name: string): Promise<ReadAnswer<StripePayment>>;
    refundsOf?(payment: string): Promise<ReadAnswer<readonly StripeRefund[]>>;
    /** Of what is made from here. */
    readIntent?(paymentIntent: string): Promise<ReadAnswer<MadeIntent>>;
    findIntent?(mark: string): Promise<ReadAnswer<MadeIntent>>;
  };
}

export interface StripeVerifierDependencies {
  readonly ledger: Pick<Ledger, 'findReversal' | 'findTransfer' | 'findOrder' | 'reversedTransfer'>;
  readonly stripe: StripeReader | undefined;
}

const NO_KEY: Verification = { kind: 'unanswered', detail: 'Stripe cannot be asked here: set STRIPE_SECRET_KEY' };

export function reversalVerifier({ ledger, stripe }: StripeVerifierDependencies): Verifier {
  return async (statement) => {
    if (!stripe) return NO_KEY;
    const reversal = await ledger.findReversal(statement.itemId as ReversalId);
    if (!reversal) return NOT_NEEDED;
    if (reversal.stripeTransferId === null)
      return statement.action === 'adopt'
        ? { kind: 'refuted', detail: 'its transfer has no id at Stripe, so no reversal can be shown to be of it' }
        : { kind: 'absent' };
    const answer = await stripe.inLane(reversal.sellerAccount).readTransfer(reversal.stripeTransferId);
    // A transfer that does not exist has no reversal either.
    if (answer.kind === 'missing' && statement.action === 'write_off') return { kind: 'absent' };
    if (answer.kind !== 'found') return unanswered(answer);
    if (statement.action === 'adopt' || statement.action === 'write_off')
      return judgeReversal(statement, reversal, answer.value);
    const accounted = await ledger.reversedTransfer(reversal.transferId);
    if (!accounted) return NOT_NEEDED;
    const judged = judgeOthers(reversal, answer.value, accounted);
    return statement.action === 'take_available' ? await withAvailable(stripe, reversal, judged) : judged;
  };
}

function judgeReversal(
  { action, evidence }: Statement,
  reversal: Reversal,
  { reversals }: TransferWithReversals,
): Verification {
  const ours = liveReversalOf(reversal.id, reversals);
  if (action === 'write_off') return ours ? { kind: 'found', providerId: ours.stripeReversalId } : { kind: 'absent' };
  const named = textOf(evidence, 'stripe_reversal_id') ?? ours?.stripeReversalId;
  const found = reversals.find(({ stripeReversalId }) => stripeReversalId === named);
  if (!found)
    return {
      kind: 'refuted',
      detail: refuted(named, reversal.stripeTransferId ?? 'its transfer', 'stripe_reversal_id'),
    };
  const other = markOfReversal(found);
  const due = reversalAtStripe(reversal);
  // A build that knew nothing of what is counted asked for the whole share.
  const tookWhole =
    other !== undefined && reversal.counted > 0n && isMoney(found, StripeMoney.read(reversal.amount, due.currency));
  if ((!isMoney(found, due) && !tookWhole) || (other && other !== reversal.id))
    return {
      kind: 'refuted',
      detail: `${found.stripeReversalId} is ${found.amount} ${found.currency}${other ? ` of operation ${other}` : ''}, not ${due.amount} ${due.currency} of this one`,
    };
  if (found.state !== 'done')
    return { kind: 'refuted', detail: `${found.stripeReversalId} has taken nothing: it is ${found.state} at Stripe` };
  if (!other && ours) return adoptOurs(ours.stripeReversalId);
  return { ...shown(found.stripeReversalId, other), ...(tookWhole ? { tookWhole } : {}) };
}

const shown = (providerId: string, mark: string | undefined) => ({
  kind: 'found' as const,
  providerId,
  ...(mark ? {} : { unmarked: true as const }),
});

function judgeOthers(
  reversal: Reversal,
  read: TransferWithReversals,
  accounted: Pick<Accounted, 'operationIds' | 'stripeIds'>,
): Verification {
  const ours = liveReversalOf(reversal.id, read.reversals);
  if (ours) return { kind: 'refuted', detail: `Stripe holds ${ours.stripeReversalId} for it: resolve with adopt` };
  const sentIn = sentInOf(reversal);
  const isOther = (name: string, currency: string): Verification => ({
    kind: 'refuted',
    detail: `${name} is in ${currency} at Stripe, and ${sentIn === reversal.currency ? 'this share of its transfer is' : 'its transfer was sent'} in ${sentIn}: one is not counted as the other`,
  });
  if (read.transfer.currency !== sentIn) return isOther(read.transfer.stripeTransferId, read.transfer.currency);
  const others = takenByOthers(read, accounted);
  const mixed = others.reversals.find(({ currency }) => currency !== sentIn);
  if (mixed) return isOther(mixed.stripeReversalId, mixed.currency);
  const reversals = others.reversals.map(({ stripeReversalId, amount, state }) => ({
    id: stripeReversalId,
    amount: `${amount}`,
    settled: state === 'done',
  }));
  return {
    kind: 'taken_by_others',
    reversals,
    left: `${others.left}`,
    ...(sentIn === reversal.currency ? {} : { converted: sentIn }),
  };
}

/** In which currency its transfer is at Stripe. */
const sentInOf = ({ conversion, currency }: Reversal): string => conversion?.currency ?? currency;

/** What the seller has now, of the currency that is taken alone; a moment later it may be another amount. */
async function withAvailable(stripe: StripeReader, reversal: Reversal, judged: Verification): Promise<Verification> {
  if (judged.kind !== 'taken_by_others') return judged;
  const { sellerAccount } = reversal;
  const answer = await stripe.inLane(sellerAccount).readBalance?.(sellerAccount);
  if (!answer) return judged;
  if (answer.kind !== 'found') return unanswered(answer);
  const available = answer.value.get(sentInOf(reversal));
  // His balance may be in a third currency, and Stripe converts what it takes: how much that leaves was read nowhere.
  if (available === undefined && judged.converted !== undefined) return judged;
  return { ...judged, available: `${available ?? 0n}` };
}

export function transferVerifier({ ledger, stripe }: StripeVerifierDependencies): Verifier {
  return async (statement) => {
    if (!stripe) return NO_KEY;
    const transfer = await ledger.findTransfer(statement.itemId as TransferId);
    const order = transfer && (await ledger.findOrder(transfer.orderId));
    if (!transfer || !order) return NOT_NEEDED;
    const { sellerAccount, createdAt } = transfer;
    const answer = await stripe.inLane(sellerAccount).transfersTo(sellerAccount, madeSince(createdAt));
    if (answer.kind !== 'found' && answer.kind !== 'missing') return unanswered(answer);
    const sent = answer.kind === 'found' ? answer.value : [];
    const named = await namedBeside(stripe, { statement, sellerAccount, sent });
    if (named.kind !== 'found' && named.kind !== 'missing') return unanswered(named);
    const known = named.kind === 'found' ? [...sent, named.value] : sent;
    const judged = judgeTransfer(statement, transfer, { orderMark: order.reference ?? order.id, sent: known });
    const found = judged.kind === 'found' && known.find((one) => one.stripeTransferId === judged.providerId);
    return found && found.amountReversed > 0n ? await asItIsNow(stripe, found, judged) : judged;
  };
}

const unanswered = (answer: NoWord): Verification => ({ kind: 'unanswered', detail: whyNoWord('Stripe', answer) });

/** What a person names may be older than the row: somebody paid the seller before the order was known to be paid. */
async function namedBeside(
  stripe: StripeReader,
  {
    statement: { action, evidence },
    sellerAccount,
    sent,
  }: { readonly statement: Statement; readonly sellerAccount: string; readonly sent: readonly TransferFacts[] },
): Promise<ReadAnswer<TransferFacts>> {
  const named = action === 'adopt' ? textOf(evidence, 'stripe_transfer_id') : undefined;
  if (named === undefined || sent.some(({ stripeTransferId }) => stripeTransferId === named))
    return { kind: 'missing', detail: 'nothing else was named' };
  const answer = await stripe.inLane(sellerAccount).readTransfer(named);
  return answer.kind === 'found' ? { kind: 'found', value: answer.value.transfer } : answer;
}

/** What somebody has reversed of it meanwhile comes with it: whoever adopts it is told, and tells others. */
async function asItIsNow(
  stripe: StripeReader,
  { stripeTransferId, destination }: TransferFacts,
  judged: Extract<Verification, { kind: 'found' }>,
): Promise<Verification> {
  const answer = await stripe.inLane(destination).readTransfer(stripeTransferId);
  if (answer.kind !== 'found') return unanswered(answer);
  return { ...judged, takenBack: answer.value.reversals.filter(isLive).map(notedOf) };
}

function judgeTransfer(
  { action, evidence }: Statement,
  transfer: SellerTransfer,
  { orderMark, sent }: { readonly orderMark: string; readonly sent: readonly TransferFacts[] },
): Verification {
  const [ours] = transfersOf(transfer.id, sent);
  if (action === 'write_off') return ours ? { kind: 'found', providerId: ours.stripeTransferId } : { kind: 'absent' };
  const named = textOf(evidence, 'stripe_transfer_id') ?? ours?.stripeTransferId;
  const found = sent.find(({ stripeTransferId }) => stripeTransferId === named);
  if (!found)
    return { kind: 'refuted', detail: refuted(named, `the way to ${transfer.sellerAccount}`, 'stripe_transfer_id') };
  const mark = markOfTransfer(found);
  const money = transferAtStripe(transfer);
  const { sellerAccount } = transfer;
  if (!isTransferOf(found, { money, sellerAccount }) || (mark !== undefined && mark !== transfer.id))
    return {
      kind: 'refuted',
      detail: `${found.stripeTransferId} is ${found.amount} ${found.currency} to ${found.destination}, not ${money.amount} ${money.currency} to ${sellerAccount}`,
    };
  if (mark === undefined && !mayBeOf(orderMark, found))
    return { kind: 'refuted', detail: `${found.stripeTransferId} names another order at Stripe than ${orderMark}` };
  return !mark && ours ? adoptOurs(ours.stripeTransferId) : shown(found.stripeTransferId, mark);
}

/** What names no order may be of any; a group that Stripe gave says nothing. */
function mayBeOf(orderMark: string, found: TransferFacts): boolean {
  const group = found.transferGroup?.startsWith('group_') ? null : found.transferGroup;
  const named = [orderMarkOf(found), group ?? undefined].filter((one) => one !== undefined);
  return named.length === 0 || named.includes(orderMark);
}

/** Somebody else's is not adopted beside it. */
const adoptOurs = (stripeId: string): Verification => ({
  kind: 'refuted',
  detail: `Stripe holds ${stripeId} for it, which bears our mark: adopt that`,
});

const refuted = (named: string | undefined, place: string, field: string): string =>
  named === undefined
    ? `Stripe holds nothing of ours on ${place}; to adopt another's, name it: evidence {"${field}": "…"}`
    : `${named} is not at Stripe on ${place}`;
