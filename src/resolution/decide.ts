import type { DecisionId, ReversalId, TransferId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { SellerTransfer } from '../domain/marketplace.js';
import type { ReadAnswer, TransferFacts, TransferWithReversals } from '../domain/provider-answers.js';
import type { Ledger } from '../ledger/ledger.js';
import type {
  MoneyAction,
  MoneyDecideOutcome,
  MoneyDecisionRequest,
  Verification,
} from '../ledger/money-decision-types.js';

/** What verifying a decision reads at Stripe; undefined in DecideDependencies: no key is configured here. */
export interface StripeReader {
  inLane(lane: string): {
    readTransfer(stripeTransferId: string): Promise<ReadAnswer<TransferWithReversals>>;
    transfersOfGroup(group: string): Promise<ReadAnswer<readonly TransferFacts[]>>;
  };
}

export interface DecideDependencies {
  readonly ledger: Pick<
    Ledger,
    'decideMoney' | 'approveMoney' | 'decisionItem' | 'findReversal' | 'findTransfer' | 'findOrder'
  >;
  readonly stripe: StripeReader | undefined;
}

/** Stripe did not say what is true now, so nothing was decided; ask again later. */
export interface Unanswered {
  readonly kind: 'unanswered';
  readonly detail: string;
}

export type MoneyDecision = Omit<MoneyDecisionRequest, 'verified'>;

/**
 * The way of every decision about a transfer, reversal or refund, whether it came by signal, update, command or API: first
 * Stripe is asked what is true now, then the ledger decides with that answer in hand (I10).
 */
export function createMoneyResolution({ ledger, stripe }: DecideDependencies) {
  async function verify(item: Pick<MoneyDecision, 'kind' | 'itemId' | 'action' | 'evidence'>): Promise<Verification> {
    if (item.action !== 'adopt' && item.action !== 'write_off') return { kind: 'not_needed' };
    if (item.kind === 'refund') return { kind: 'not_needed' };
    if (!stripe) return { kind: 'unanswered', detail: 'Stripe cannot be asked here: set STRIPE_SECRET_KEY' };
    return item.kind === 'reversal' ? await verifyReversal(item, stripe) : await verifyTransfer(item, stripe);
  }

  async function verifyReversal(item: Sought, reader: StripeReader): Promise<Verification> {
    const reversal = await ledger.findReversal(item.itemId as ReversalId);
    if (!reversal) return { kind: 'not_needed' };
    if (reversal.stripeTransferId === null)
      return item.action === 'adopt'
        ? { kind: 'refuted', detail: 'its transfer has no id at Stripe, so no reversal can be shown to be of it' }
        : { kind: 'absent' };
    const answer = await reader.inLane(reversal.sellerAccount).readTransfer(reversal.stripeTransferId);
    // A transfer that does not exist has no reversal either.
    if (answer.kind === 'missing' && item.action === 'write_off') return { kind: 'absent' };
    if (answer.kind !== 'found') return { kind: 'unanswered', detail: `Stripe did not answer: ${answer.detail}` };
    const { reversals } = answer.value;
    const ours = reversals.find(({ metadata }) => metadata.operation_id === reversal.id);
    if (item.action === 'write_off')
      return ours ? { kind: 'found', stripeId: ours.stripeReversalId } : { kind: 'absent' };
    const named = textOf(item.evidence, 'stripe_reversal_id') ?? ours?.stripeReversalId;
    const found = reversals.find(({ stripeReversalId }) => stripeReversalId === named);
    if (!found) return { kind: 'refuted', detail: refuted(named, reversal.stripeTransferId, 'stripe_reversal_id') };
    const other = found.metadata.operation_id;
    if (found.amount !== reversal.amount || found.currency !== reversal.currency || (other && other !== reversal.id))
      return {
        kind: 'refuted',
        detail: `${found.stripeReversalId} is ${found.amount} ${found.currency}${other ? ` of operation ${other}` : ''}, not ${reversal.amount} ${reversal.currency} of this one`,
      };
    return { kind: 'found', stripeId: found.stripeReversalId };
  }

  async function verifyTransfer(item: Sought, reader: StripeReader): Promise<Verification> {
    const transfer = await ledger.findTransfer(item.itemId as TransferId);
    const order = transfer && (await ledger.findOrder(transfer.orderId));
    if (!transfer || !order) return { kind: 'not_needed' };
    const answer = await reader.inLane(transfer.sellerAccount).transfersOfGroup(order.reference ?? order.id);
    if (answer.kind !== 'found' && answer.kind !== 'missing')
      return { kind: 'unanswered', detail: `Stripe did not answer: ${answer.detail}` };
    const group = answer.kind === 'found' ? answer.value : [];
    const ours = group.find(({ metadata }) => metadata.seller_transfer_id === transfer.id);
    if (item.action === 'write_off')
      return ours ? { kind: 'found', stripeId: ours.stripeTransferId } : { kind: 'absent' };
    const named = textOf(item.evidence, 'stripe_transfer_id') ?? ours?.stripeTransferId;
    const found = group.find(({ stripeTransferId }) => stripeTransferId === named);
    if (!found)
      return {
        kind: 'refuted',
        detail: refuted(named, `the group of order ${order.reference ?? order.id}`, 'stripe_transfer_id'),
      };
    return isOfThis(found, transfer)
      ? { kind: 'found', stripeId: found.stripeTransferId }
      : {
          kind: 'refuted',
          detail: `${found.stripeTransferId} is ${found.amount} ${found.currency} to ${found.destination}, not ${transfer.amount} ${transfer.currency} to ${transfer.sellerAccount}`,
        };
  }

  return {
    async decide(request: MoneyDecision): Promise<MoneyDecideOutcome | Unanswered> {
      const verified = await verify(request);
      return orUnanswered(await ledger.decideMoney({ ...request, verified }), verified);
    },

    /** Absence is proved, or evidence verified, again at the moment of the approval. */
    async approve(request: { decisionId: DecisionId; by: string; note: string }) {
      const item = await ledger.decisionItem(request.decisionId);
      if (!item || item.kind === 'settlement') return { kind: 'not_found' as const };
      const { kind, itemId, evidence } = item;
      const verified = await verify({ kind, itemId, action: item.action as MoneyAction, evidence });
      return orUnanswered(await ledger.approveMoney({ ...request, verified }), verified);
    },
  };
}

export type MoneyResolution = ReturnType<typeof createMoneyResolution>;

/** Only what the ledger refused for want of an answer: an item that waits for no decision says so first. */
const orUnanswered = <Outcome extends { readonly kind: string }>(
  outcome: Outcome,
  verified: Verification,
): Outcome | Unanswered =>
  outcome.kind === 'refused' && verified.kind === 'unanswered'
    ? { kind: 'unanswered', detail: verified.detail }
    : outcome;

type Sought = Pick<MoneyDecision, 'itemId' | 'action' | 'evidence'>;

function isOfThis(found: TransferFacts, transfer: SellerTransfer): boolean {
  const owner = found.metadata.seller_transfer_id;
  return (
    found.amount === transfer.amount &&
    found.currency === transfer.currency &&
    found.destination === transfer.sellerAccount &&
    (owner === undefined || owner === transfer.id)
  );
}

function textOf(evidence: JsonObject | null, name: string): string | undefined {
  const value = evidence?.[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const refuted = (named: string | undefined, place: string, field: string): string =>
  named === undefined
    ? `Stripe holds nothing of ours on ${place}; to adopt another's, name it: evidence {"${field}": "…"}`
    : `${named} is not at Stripe on ${place}`;
