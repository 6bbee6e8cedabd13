import { assertNever } from '../assert-never.js';
import { type Certainty, mayHaveMoved, surelyUnmoved } from '../calls/certainty.js';
import { BY_TRANSACTION } from '../explanations/what-an-action-does.js';
import type { MarketplaceKind } from '../marketplace/marketplace.js';
import { isWaiting, type WaitingStatus } from '../marketplace/marketplace-status.js';
import type { Debt } from '../marketplace/offsets.js';
import { type HeldFor, heldInWords } from '../marketplace/releases.js';
import type { Settlement } from '../settlements/settlement.js';
import type { Attention } from './attention.js';
import { actionsFor, inWords, isDecidable } from './decisions.js';

/** All that decides what happens to a payment, refund, transfer, reversal or dispute next; times are ISO 8601. */
export interface Situation {
  readonly kind: MarketplaceKind;
  readonly status: string;
  readonly certainty: Certainty;
  readonly attention: Attention | null;
  readonly nextRetryAt: string | null;
  /** When it is looked at again if nothing happens before. */
  readonly nextCheckAt: string | null;
  /** Until then one process alone may send it. */
  readonly heldUntil: string | null;
  /** `stripe` or `stripe:<account>` while it does not let us in. */
  readonly parkedBy: string | null;
  /** Who has paused its provider by hand, in words; left out or null: nobody has. */
  readonly paused?: string | null;
  /** Of a reversal: the earlier one of the same transfer that goes first. Of a transfer: the payment of its order that asks. */
  readonly behind: string | null;
  /** Of a transfer that is held: what it waits for; left out or null: nothing any more. */
  readonly heldFor?: HeldFor | null;
  /** Of a reversal: the seller owes it; left out or null: it is asked of Stripe. */
  readonly debt?: Debt | null;
  /** Decisions that the settings leave to nobody; left out: there are none. */
  readonly notTaken?: readonly string[];
}

/** What happens next, in plain words, for the person who asks where this money is. Changes nothing and promises no date. */
export function explainNext(situation: Situation, nowMs: number): string {
  const { attention, heldUntil, parkedBy, behind, kind } = situation;
  if (attention) return waitsForPerson(situation, attention);
  if (isHeld(heldUntil, nowMs)) return isAtWork(heldUntil);
  if (!OPEN[kind].includes(situation.status) && !isTriedAgain(situation)) return finished(situation);
  if (situation.status === 'held' && situation.heldFor) return isKept(situation.heldFor);
  if (situation.debt) return isOwed(situation.debt);
  if (situation.paused) return waitsForResume(situation.paused);
  if (parkedBy !== null) {
    const seller = parkedBy === 'stripe' ? '' : ` for ${parkedBy.slice('stripe:'.length)}`;
    return `waits until Stripe lets us in again${seller}; that is asked every minute at most, and no retries are used up`;
  }
  if (behind !== null && kind === 'transfer')
    return `waits for payment ${behind} of its order, about which a person is asked: nothing more of it is sent before that is answered`;
  if (behind !== null) return `waits for reversal ${behind} of the same transfer, which goes first`;
  return goesOn(situation);
}

const OPEN: Readonly<Record<MarketplaceKind, readonly string[]>> = {
  payment: ['pending', 'processing'],
  refund: ['pending', 'review'],
  transfer: ['pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed'],
  reversal: ['pending', 'waiting_balance'],
  dispute: ['inquiry', 'open'],
};

const isHeld = (heldUntil: string | null, nowMs: number): heldUntil is string =>
  heldUntil !== null && Date.parse(heldUntil) > nowMs;

const isOwed = ({ state, transferId }: Debt): string =>
  state === 'open'
    ? 'is kept of the next transfers to its seller in this currency; retry asks it of Stripe again, write_off gives it up'
    : `ends with transfer ${transferId}, which is sent for so much less; should that not be sent, it is owed again`;

const isKept = (held: HeldFor): string =>
  held.kind === 'dispute'
    ? `is held ${heldInWords(held)}: what the bank says of its funds decides whether it is sent`
    : `is held ${heldInWords(held)}; what is given back of it meanwhile is not sent`;

const isAtWork = (heldUntil: string): string =>
  `a call is at work; if its process has died, another one takes over after ${heldUntil}`;

const waitsForResume = (paused: string): string =>
  `waits until a person resumes its provider: ${paused}; nothing is sent meanwhile, and no retries are used up`;

/** A transfer that could not be sent, and that a person has tried again: its status stays until it is sent. */
const isTriedAgain = ({ kind, status, certainty, nextCheckAt }: Situation): boolean =>
  kind === 'transfer' && status === 'permanently_failed' && certainty !== 'done' && nextCheckAt !== null;

/** Of a settlement, all that decides when it is sent; times are ISO 8601. */
export interface SettlementCall {
  readonly heldUntil: string | null;
  readonly nextCheckAt: string | null;
  /** Its provider, while that is not called. */
  readonly parkedBy: string | null;
  readonly paused?: string | null;
  /** The settlement of the same payer that it waits behind. */
  readonly behind: string | null;
}

/** The same of a settlement. @param call undefined: how its call stands is not known here */
export function explainNextOfSettlement(
  settlement: Pick<Settlement, 'status' | 'attention' | 'nextRetryAt'>,
  call: SettlementCall | undefined,
  nowMs: number,
): string {
  const { status, attention, nextRetryAt } = settlement;
  if (attention) return asks('settlement', attention);
  switch (status) {
    case 'open':
      return 'its response is being served; if its server has died, it is closed at what was charged durably';
    case 'pending':
      if (call && isHeld(call.heldUntil, nowMs)) return isAtWork(call.heldUntil);
      if (call?.behind) return `waits behind settlement ${call.behind} of the same payer, which cannot be collected`;
      if (call?.paused) return waitsForResume(call.paused);
      if (call?.parkedBy)
        return `waits until ${call.parkedBy} answers as we know it again; one probe asks, and no retries are used up`;
      return `it is sent ${nextRetryAt === null ? 'now, or found by the next sweep' : `at ${nextRetryAt}`}, until it is settled or its credential has expired`;
    case 'settled':
    case 'released':
    case 'written_off':
    case 'needs_attention':
      return NOTHING_IS_NEXT;
    default:
      return assertNever(status);
  }
}

/** When that is; null: at no time that is known, or when something else has happened. */
export function whenNext(
  { attention, nextRetryAt }: Pick<Situation, 'attention' | 'nextRetryAt'>,
  { heldUntil, nextCheckAt, parkedBy, behind }: SettlementCall,
  nowMs: number,
): string | null {
  if (attention) return nextCheckAt;
  if (isHeld(heldUntil, nowMs)) return heldUntil;
  return parkedBy !== null || behind !== null ? nextCheckAt : (nextRetryAt ?? nextCheckAt);
}

function asks(kind: MarketplaceKind | 'settlement', { reason }: Attention, notTaken: readonly string[] = []): string {
  if (reason === 'approval_pending')
    return 'an approver confirms the decision named above (makegood approve <decision>), or nothing happens';
  if (!isDecidable(kind)) return 'a person looks at it: nothing of it is decided here';
  const actions = inWords(actionsFor(kind, reason, notTaken));
  // A late success is only acknowledged: the provider has shown where the money is.
  const seen =
    kind === 'settlement' && reason !== 'late_success' ? `; settled names where it was seen (${BY_TRANSACTION})` : '';
  return `a person decides: makegood resolve <id> ${actions}${seen}`;
}

function waitsForPerson({ kind, certainty, nextCheckAt, notTaken }: Situation, attention: Attention): string {
  const asked = asks(kind, attention, notTaken);
  if (attention.reason === 'approval_pending') return asked;
  if (!mayHaveMoved(certainty) || nextCheckAt === null || kind === 'payment' || kind === 'refund' || kind === 'dispute')
    return asked;
  return `${asked}. Meanwhile Stripe's records are read, next at ${nextCheckAt}; our own ${kind} is adopted if it is found`;
}

function finished({ kind, status, nextCheckAt }: Situation): string {
  if (kind === 'dispute')
    return nextCheckAt === null
      ? NOTHING_IS_NEXT
      : `nothing by itself: it has ended, and is read again at ${nextCheckAt}, because a bank may begin again. Its reversals and restorations go on`;
  switch (status) {
    case 'reversal_pending':
      return 'its reversals go on; this status follows from theirs';
    case 'permanently_failed':
      return kind === 'transfer'
        ? 'nothing by itself: see its reversals, or the decision that gave it up'
        : NOTHING_IS_NEXT;
    case 'succeeded':
      return kind === 'refund'
        ? 'nothing: the buyer has the money. Its reversals go on; should it fail later, its provider tells'
        : NOTHING_IS_NEXT;
    case 'failed':
    case 'cancelled':
      if (kind !== 'payment') return NOTHING_IS_NEXT;
      return nextCheckAt === null
        ? 'nothing: should its provider call it succeeded after all, the order is paid'
        : `its provider is read again at ${nextCheckAt}: should it call it succeeded after all, the order is paid`;
    default:
      return NOTHING_IS_NEXT;
  }
}

export const NOTHING_IS_NEXT = 'nothing: it is finished';

/** Whether an item has ended, whatever could still be told of it; what it caused has a next step of its own. */
export const isNothing = (next: string): boolean => /^nothing\b/.test(next);

function goesOn({ kind, status, certainty, nextRetryAt, nextCheckAt }: Situation): string {
  const at = nextRetryAt ?? nextCheckAt ?? 'the next sweep';
  if (kind === 'dispute')
    return `its record at the processor is read again at ${at} at the latest; sellers' shares follow its funds, whatever it is called`;
  if (kind === 'payment' || kind === 'refund') {
    return surelyUnmoved(certainty)
      ? `it is sent to its provider at ${at}`
      : `its provider is read again at ${at} at the latest, and then from time to time until it is final`;
  }
  if (status === 'waiting_balance' && nextRetryAt === null) {
    return "waits for the seller's balance behind an older reversal of the same seller, which asks for both";
  }
  if (status === 'waiting_balance') {
    return `waits for the seller's balance: the oldest one asks again at ${at}, or as soon as Stripe tells that it rose`;
  }
  if (isWaiting(status)) return waits(status, nextRetryAt);
  return mayHaveMoved(certainty)
    ? `Stripe's records are read at ${at}; only what is not there is sent again`
    : `it is sent to Stripe at ${at}`;
}

/** Of a transfer; only the oldest in its queue has a date. */
function waits(status: WaitingStatus, nextRetryAt: string | null): string {
  const [what, event] =
    status === 'waiting_seller'
      ? ['for its seller, who cannot receive yet', 'the account changes']
      : ["for the platform's balance", 'money is available'];
  return nextRetryAt === null
    ? `waits ${what}, behind an older transfer: it goes on as soon as Stripe tells that ${event}, or shows it; no retries are used up`
    : `waits ${what}: Stripe is asked at ${nextRetryAt}, or as soon as it tells that ${event}; no retries are used up`;
}
