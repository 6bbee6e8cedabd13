import { type Certainty, mayHaveMoved } from '../../domain/calls/certainty.js';
import { keyUse, PROOFS_APART_MS } from '../../domain/calls/key-age.js';
import type { OrderId } from '../../domain/ids.js';
import type { MarketplaceTable, Query } from '../transition.js';
import type { ActionHandler, DecidableRow, Said } from './decidable.js';
import { NO_ATTENTION } from './decision-rows.js';

/** What decisions about transfers and reversals share: both are calls to Stripe, whose records say what became of them. */

export interface DecidableCall extends DecidableRow {
  readonly order_id: OrderId;
  readonly certainty: Certainty;
  readonly amount: string;
  readonly currency: string;
  /** Of a transfer: it was sent; of a reversal: its transfer's id at Stripe is known. */
  readonly ready: boolean;
  readonly key_age_ms: number | null;
  /** Looks that found nothing since it was last sent, this one included. */
  readonly proofs: number;
}

/** Of a transfer or reversal `x`, for {@link DecidableCall}. */
export const PROOF = `(extract(epoch FROM clock_now() - x.key_first_sent_at) * 1000)::float8 AS key_age_ms,
  x.absences + (x.last_absence_at IS NULL OR x.last_absence_at <= clock_now() - ${PROOFS_APART_MS} * interval '1 millisecond')::int AS proofs`;

/** Tried again from the beginning: at once, with every retry the settings allow. */
export const AGAIN = `${NO_ATTENTION}, retry_count = 0, next_retry_at = clock_now(), next_check_at = clock_now()`;

/** Sent or given up. */
export const ENDED = {
  by: 'adopt',
  why: 'nothing can be sent or given up any more: acknowledge what is told with adopt',
} as const;

/**
 * Adopting is believed only with Stripe's own word. What bears no mark of ours is somebody else's call: while ours may yet be
 * carried out beside it, it ends nothing.
 */
export const unadoptable: NonNullable<ActionHandler<DecidableCall>['missing']> = (row, { verified }) => {
  if (verified.kind === 'found') return verified.unmarked && !isProved(row) ? TOO_EARLY : undefined;
  return verified.kind === 'refuted' || verified.kind === 'unanswered'
    ? verified.detail
    : 'Stripe holds nothing that could be adopted';
};

/** What bears our mark, and is whole, is ours by Stripe's own word: adopting what was taken back says that it was paid. */
export const isMarked = (_row: DecidableCall, { verified }: Said): boolean =>
  verified.kind === 'found' && verified.unmarked === undefined && verified.takenBack === undefined;

/**
 * Giving money up needs absence proved now. After an outcome that nobody knows one look proves nothing: it takes what another
 * key would take, because what Stripe carries out late has no owner any more.
 */
export const notProvedAbsent: NonNullable<ActionHandler<DecidableCall>['missing']> = (row, { verified }) => {
  if (verified.kind === 'absent') return isProved(row) ? undefined : TOO_EARLY;
  if (verified.kind === 'found') return `Stripe holds ${verified.providerId ?? 'it'}: resolve with adopt`;
  return 'detail' in verified ? verified.detail : 'its absence at Stripe was not proved';
};

/** Nothing was moved under its present key, and nothing will be. */
export const isProved = ({ certainty, key_age_ms: keyAgeMs, proofs }: DecidableCall): boolean =>
  !mayHaveMoved(certainty) || keyUse({ certainty, keyAgeMs, absences: proofs }) === 'new_generation';

const TOO_EARLY =
  'nobody knows yet whether Stripe carries it out: it is looked for every hour, and can be given up, or somebody else’s call adopted for it, 25 hours after it was first sent; retry repeats it under the same key, and moves it once';

export const isAbsent = (_row: DecidableCall, { verified }: Said): boolean => verified.kind === 'absent';

/** @throws where nothing was found: `missing` has said so before */
export function adopted({ verified }: Said): string {
  if (verified.kind !== 'found' || verified.providerId === null) throw new Error('nothing was found to be adopted');
  return verified.providerId;
}

/** The look that was just made is the proof; the ledger refuses the write-off of anything less. */
export async function proveAbsent(query: Query, table: MarketplaceTable, id: string): Promise<void> {
  await query(
    `UPDATE ${table} SET certainty = CASE certainty WHEN 'not_sent' THEN 'not_sent' ELSE 'absent' END,
       absences = absences + 1, last_absence_at = clock_now() WHERE id = $1`,
    [id],
  );
}
