import type { DecidableKind } from '../decisions/decisions.js';
import type { JsonObject } from '../json.js';

/**
 * What a provider shows of an item at this moment. `shown`: it has it. `absent`: it has answered, and does not have it. `away`: it
 * did not answer, or does not let us in, so nothing is known. `not_asked`: nobody can be asked, or nothing is set to ask with.
 */
export const LIVE_ANSWERS = ['shown', 'absent', 'away', 'not_asked'] as const;

export const LIVE_PROVIDERS = ['stripe', 'hyperswitch', 'chain', 'tempo', 'auth-server'] as const;

/**
 * What a decision would meet at the provider now. `borne_out`: its records agree with it. `refused`: they do not, or it did not
 * answer. `not_in_the_way`: it is not asked about this one, or says nothing against it.
 */
export const LIVE_VERDICTS = ['borne_out', 'refused', 'not_in_the_way'] as const;

export interface LiveSight {
  readonly provider: (typeof LIVE_PROVIDERS)[number];
  readonly answer: (typeof LIVE_ANSWERS)[number];
  /** In a sentence. */
  readonly words: string;
  /** What it shows, under the names that the ledger has for it; null where nothing was shown. */
  readonly facts: JsonObject | null;
  /** The same of the ledger's row. */
  readonly ours: JsonObject;
}

export interface LiveDecision {
  readonly action: string;
  readonly verdict: (typeof LIVE_VERDICTS)[number];
  readonly words: string;
}

export interface LiveReading {
  readonly sight: LiveSight;
  readonly decisions: readonly LiveDecision[];
}

/** An item, and what might be said of it. */
export interface LookedItem {
  readonly kind: DecidableKind;
  readonly id: string;
  /** Null: of a settlement. */
  readonly orderId: string | null;
  readonly statements: readonly { readonly action: string; readonly evidence: JsonObject | null }[];
}

/** Asks the provider now; changes nothing. */
export type Look = (item: LookedItem) => Promise<LiveReading>;

/** A reading with the moment at which it was made; ISO 8601. */
export interface TimedReading extends LiveReading {
  readonly readAt: string;
}

/** For a terminal. */
export function liveLines({
  sight: { provider, words, facts, ours },
  decisions,
  readAt,
}: TimedReading): readonly string[] {
  return [
    `${provider} now (read ${readAt}): ${words}`,
    ...(facts === null ? [] : [`  it shows: ${inPairs(facts)}`]),
    `  we have:  ${inPairs(ours)}`,
    ...decisions.map(({ action, verdict, words: why }) => `  ${action} now: ${VERDICT_IN_WORDS[verdict]}: ${why}`),
  ];
}

const VERDICT_IN_WORDS: Readonly<Record<LiveDecision['verdict'], string>> = {
  borne_out: 'borne out',
  refused: 'would be refused',
  not_in_the_way: 'nothing against it',
};

const inPairs = (facts: JsonObject): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
