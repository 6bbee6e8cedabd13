import { CERTAINTIES, type Certainty } from './calls/certainty.js';
import { ATTENTION_REASONS, type AttentionReason } from './decisions/attention.js';
import { actionsOf, DECIDABLE_KINDS, type DecidableKind } from './decisions/decisions.js';
import { runbookOf, whyAsked } from './explanations/attention-reasons.js';
import { effectOf } from './explanations/what-an-action-does.js';
import type { Place } from './explanations/where-money-is.js';
import { type ExplainedKind, whyItStands } from './explanations/why-it-stands.js';
import { DISPUTE_STATUSES } from './marketplace/disputes.js';
import {
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  REVERSAL_STATUSES,
  TRANSFER_STATUSES,
} from './marketplace/marketplace-status.js';
import { SETTLEMENT_STATUSES } from './settlements/settlement-status.js';

/**
 * The one table of words for statuses, certainties, reasons and actions. The API and the command line write the code itself,
 * the console writes it spoken, and docs/terminology.md says what each means: all from here, and a test compares them.
 */

/** `waiting_platform_balance` is said `waiting platform balance`: the same word everywhere, so that one finds the other. */
export const spoken = (code: string): string => code.replaceAll('_', ' ');

export const STATUSES_OF: { readonly [Kind in ExplainedKind]: readonly string[] } = {
  settlement: SETTLEMENT_STATUSES,
  order: ORDER_STATUSES,
  payment: PAYMENT_STATUSES,
  refund: REFUND_STATUSES,
  transfer: TRANSFER_STATUSES,
  reversal: REVERSAL_STATUSES,
  dispute: DISPUTE_STATUSES,
};

/** What we know of a money call, for whoever reads it for the first time. */
const CERTAINTY_MEANS: Readonly<Record<Certainty, string>> = {
  not_sent: 'surely nothing has moved: it was never sent',
  in_flight: 'a call is at work now: nobody knows yet',
  done: 'it has moved, and the provider says so',
  absent: "surely nothing has moved: the provider's records show that it is not there",
  unknown: 'nobody knows whether it moved: only the provider can tell. Unknown is not failed',
};

/** With whom money is, as a part of a sentence. */
export const PLACE_WORDS: Readonly<Record<Place, string>> = {
  buyer: 'buyer',
  platform: 'our Stripe balance',
  seller: 'seller',
  auth_server: 'auth server',
  chain: 'chain',
  nobody: 'nobody yet',
};

export interface Word {
  readonly code: string;
  readonly means: string;
}

export const certaintyWords = (): readonly Word[] =>
  CERTAINTIES.map((code) => ({ code, means: CERTAINTY_MEANS[code] }));

export const statusWords = (kind: ExplainedKind): readonly Word[] =>
  STATUSES_OF[kind].map((code) => ({ code, means: whyItStands(kind, code) }));

export const actionWords = (kind: DecidableKind): readonly Word[] =>
  actionsOf(kind).map((code) => ({ code, means: effectOf(kind, code) }));

/** What a reason says of each kind that may wait for it; `other` of those that have no meaning of their own. */
export const reasonWords = (): readonly Word[] =>
  ATTENTION_REASONS.map((code) => ({ code, means: reasonMeans(code).join('; ') }));

function reasonMeans(reason: AttentionReason): readonly string[] {
  return [...new Set(DECIDABLE_KINDS.map((kind) => whyAsked(kind, reason)))];
}

const isReason = (text: string): text is AttentionReason => (ATTENTION_REASONS as readonly string[]).includes(text);
const isKind = (text: string): text is DecidableKind => (DECIDABLE_KINDS as readonly string[]).includes(text);

/** For a screen: undefined where a newer server says a word that this table does not have. */
export const reasonIn = (kind: string, reason: string): string | undefined =>
  isKind(kind) && isReason(reason) ? whyAsked(kind, reason) : undefined;
export const runbookIn = (kind: string, reason: string): string | undefined =>
  isKind(kind) && isReason(reason) ? runbookOf(kind, reason) : undefined;
export const statusIn = (kind: string, status: string): string | undefined =>
  Object.hasOwn(STATUSES_OF, kind) && STATUSES_OF[kind as ExplainedKind].includes(status)
    ? whyItStands(kind as ExplainedKind, status)
    : undefined;
export const certaintyIn = (certainty: string): string | undefined =>
  Object.hasOwn(CERTAINTY_MEANS, certainty) ? CERTAINTY_MEANS[certainty as Certainty] : undefined;
export const effectIn = (kind: string, action: string): string | undefined =>
  isKind(kind) && (actionsOf(kind) as readonly string[]).includes(action) ? effectOf(kind, action) : undefined;
