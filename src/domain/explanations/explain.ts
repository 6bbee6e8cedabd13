import { type Certainty, mayHaveMoved } from '../calls/certainty.js';
import type { Attention } from '../decisions/attention.js';
import { actionsFor, actionsForWaiting, type DecidableKind, ruleOf } from '../decisions/decisions.js';
import { isWaiting } from '../marketplace/marketplace-status.js';
import { runbookOf, whyAsked } from './attention-reasons.js';
import { effectOf, evidenceIn, personsInWords } from './what-an-action-does.js';
import { type MoneyFacts, type Place, whereMoneyIs } from './where-money-is.js';
import { whyItStands } from './why-it-stands.js';

/** A decision that somebody has asked for and another person has not confirmed. */
export interface WaitingDecision {
  readonly id: string;
  readonly action: string;
  readonly by: string;
  /** False: a name that anybody may type, so it takes two approvers. */
  readonly authenticated: boolean;
  readonly firstApprover: string | null;
  readonly note: string;
  readonly requestedAt: string;
}

/** All that an explanation is made of; times are ISO 8601. */
export interface Explainable {
  readonly id: string;
  readonly money: MoneyFacts;
  readonly certainty: Certainty;
  /** With its currency or asset, as the lists have it. */
  readonly amount: string;
  readonly attention: Attention | null;
  readonly decision: WaitingDecision | null;
  /** What happens next, in words (explain-next.ts), and when; null: at no time that is known. */
  readonly next: string;
  readonly nextAt: string | null;
  /** Decisions that the settings leave to nobody. */
  readonly notTaken: readonly string[];
}

export interface PossibleDecision {
  readonly action: string;
  readonly does: string;
  readonly persons: string;
  readonly command: string;
}

export interface Explanation {
  readonly kind: DecidableKind;
  readonly id: string;
  readonly status: string;
  readonly certainty: Certainty;
  readonly amount: string;
  readonly money: { readonly with: readonly Place[]; readonly words: string };
  readonly why: string;
  readonly next: string;
  readonly next_at: string | null;
  readonly attention: Attention | null;
  /** What a person can decide about it now; empty: nothing is asked. */
  readonly decisions: readonly PossibleDecision[];
  /** Of its reason, below the root of the repository; null: it waits for nobody. */
  readonly runbook: string | null;
}

/** Where money is, why, what happens next, and what a person can do, for somebody who did not build this. */
export function explain(item: Explainable): Explanation {
  const { id, money, certainty, amount, attention, next, nextAt } = item;
  const { kind, status } = money;
  return {
    kind,
    id,
    status,
    certainty,
    amount,
    money: whereMoneyIs(money),
    why: why(item),
    next,
    next_at: nextAt,
    attention,
    decisions: decisionsOn(item),
    runbook: attention && runbookOf(kind, attention.reason),
  };
}

function why({ money, attention }: Explainable): string {
  const { kind, status } = money;
  const owed = money.kind === 'reversal' && Boolean(money.debt);
  const waits = money.kind === 'refund' && Boolean(money.waiting);
  const stands = owed ? WHY_OWED : waits ? WHY_IT_WAITS : whyItStands(kind, status);
  return attention === null
    ? stands
    : `${stands}. A person is asked since ${attention.since}, because ${whyAsked(kind, attention.reason)} (${attention.reason}): ${attention.detail}`;
}

function decisionsOn(item: Explainable): readonly PossibleDecision[] {
  const { id, money, attention, decision } = item;
  const { kind } = money;
  if (attention?.reason === 'approval_pending') return decision ? [approval(kind, decision)] : [];
  if (attention === null && !waitsOpenly(item)) return [];
  return actionsOn(item).map((action) => ({
    action,
    does: isOver(item)
      ? 'acknowledges what is told: nothing moves by it, and nobody is asked any more'
      : effectOf(kind, action),
    persons: personsFor(item, action),
    command: `makegood resolve ${id} ${action}${isOver(item) ? '' : evidenceIn(kind, action)} --note "…"`,
  }));
}

const WHY_IT_WAITS = 'our available balance at Stripe is too low for it: it goes on by itself once there is money';
const WHY_OWED = 'the seller owes it, because a person said that it is kept of his next transfers';

/** Nobody is asked, and it may be decided about all the same. */
const waitsOpenly = ({ money }: Explainable): boolean =>
  (money.kind === 'transfer' && isWaiting(money.status)) ||
  (money.kind === 'reversal' && money.status === 'waiting_balance' && money.debt?.state !== 'on_its_way');

const approval = (kind: DecidableKind, { id, action, by, authenticated, firstApprover, note }: WaitingDecision) => ({
  action: 'approve',
  does: `confirms what ${by} asked for, ${action} ("${note}"): ${effectOf(kind, action)}`,
  persons:
    authenticated || firstApprover !== null ? 'one more person' : 'two more persons, because nobody we know asked',
  command: `makegood approve ${id} --note "…"`,
});

/** Nothing can be sent or given up any more: what is told can only be acknowledged. */
function isOver({ money, certainty, attention }: Explainable): boolean {
  if (money.kind === 'settlement') return attention?.reason === 'late_success';
  if (money.kind === 'transfer') return certainty === 'done' || money.status === 'cancelled';
  return money.kind === 'reversal' && (certainty === 'done' || money.status === 'written_off');
}

function actionsOn(item: Explainable): readonly string[] {
  const { kind } = item.money;
  if (isOver(item)) return [kind === 'settlement' ? 'settled' : 'adopt'];
  if (item.money.kind === 'reversal' && item.attention === null)
    return actionsForWaiting(Boolean(item.money.debt), item.notTaken);
  // Of a transfer that waits no reason limits what may be said.
  return actionsFor(kind, item.attention?.reason ?? 'retries_exhausted', item.notTaken);
}

function personsFor({ money, certainty }: Explainable, action: string): string {
  const rule = ruleOf(money.kind, action);
  if (!rule) throw new Error(`${money.kind} has no action ${action}`);
  const words = personsInWords(rule);
  if (action !== 'write_off') return words;
  if (money.kind === 'settlement' && mayHaveMoved(certainty))
    return 'two persons, because nobody knows whether the money moved';
  if (money.kind === 'payment' && !(money.captured.known && money.captured.surely === 0n))
    return "two persons where a buyer's money is kept, or may be";
  return words;
}

/** For a terminal: the same in lines. */
export function explanationLines(explanation: Explanation): readonly string[] {
  const { kind, id, status, certainty, amount, money, why: because, next, decisions, runbook } = explanation;
  return [
    `${kind} ${id}: ${amount}, ${status} (money: ${certainty})`,
    `where the money is: ${money.words}`,
    `why: ${because}`,
    `what happens next: ${next}`,
    ...(decisions.length === 0
      ? ['what you can do: nothing has to be decided']
      : [
          'what you can do:',
          ...decisions.flatMap(({ action, does, persons, command }) => [
            `  ${action}: ${does}`,
            `    takes ${persons}: ${command}`,
          ]),
        ]),
    ...(runbook === null ? [] : [`runbook: ${runbook}`]),
  ];
}
