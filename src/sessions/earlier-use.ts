import { randomUUID } from 'node:crypto';
import { surelyUnmoved } from '../domain/calls/certainty.js';
import type { SettlementId } from '../domain/ids.js';
import type { CommitQueue } from './gate/commit-queue.js';
import type { EarlierUse, SessionLedger, TakenAnswer } from './session-ledger.js';

/** What a credential that came before is worth now. */
export type Repeat =
  /** It has paid, and nothing is due for it. */
  | { readonly kind: 'used'; readonly id: SettlementId }
  /** Nothing was served for it, and whether the money is in is not known yet, or the answer is being given right now. */
  | { readonly kind: 'undecided'; readonly id: SettlementId }
  /** The money is in and its answer was held back: whoever takes it may be served. */
  | { readonly kind: 'due'; readonly id: SettlementId }
  /** It was given up, and surely no money moved: only another payment will do. */
  | { readonly kind: 'worthless' };

/** @param contents what is asked for now: an answer that is due is had for exactly what was asked for then */
export function repeatOf(
  { id, status, certainty, answer, topsUp, ...earlier }: EarlierUse,
  contents: readonly string[],
): Repeat {
  if (status === 'written_off') return surelyUnmoved(certainty) ? { kind: 'worthless' } : { kind: 'used', id };
  if (topsUp && status !== 'settled') return { kind: 'undecided', id };
  if (answer === null || answer === 'given') return { kind: 'used', id };
  // An authorization is public on chain once it is settled; what was asked for with it need not be.
  if (!contents.includes(earlier.contentSha256))
    return status === 'settled' ? { kind: 'used', id } : { kind: 'undecided', id };
  return status === 'settled' ? { kind: 'due', id } : { kind: 'undecided', id };
}

export interface AnswerInHand extends TakenAnswer {
  readonly token: string;
  /** Takes the place of the ledger's commits while the answer is served: its money is settled, only its use is still open. */
  readonly commits: Pick<CommitQueue, 'submit'>;
}

/** @returns undefined when somebody else is being served with it; how long it is not given any more after too much work for nothing */
export async function takeAnswer(
  id: SettlementId,
  { holdMs, releasedLimit }: { readonly holdMs: number; readonly releasedLimit: number },
  ledger: Pick<SessionLedger, 'takeAnswer' | 'answerGiven' | 'answerNotGiven'>,
): Promise<AnswerInHand | { readonly limitedForMs: number } | undefined> {
  const token = randomUUID();
  const taken = await ledger.takeAnswer(id, token, holdMs, releasedLimit);
  if (taken === undefined || 'limitedForMs' in taken) return taken;
  return {
    ...taken,
    token,
    commits: {
      async submit(change) {
        if (change.kind !== 'checkpoint' && change.body === null) {
          await ledger.answerNotGiven(id, token, change.releasedBy === undefined ? 0 : releasedLimit);
          return 'committed';
        }
        return (await ledger.answerGiven(id, token)) ? 'committed' : 'lost';
      },
    },
  };
}
