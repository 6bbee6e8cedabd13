import type { Certainty } from '../domain/certainty.js';
import type { OrderId } from '../domain/ids.js';
import type { ActionHandler, DecidableRow, Said } from './decidable.js';
import { NO_ATTENTION } from './decision-rows.js';
import type { MoneyTable, Query } from './transition.js';

/** What decisions about transfers and reversals share: both are calls to Stripe, whose records say what became of them. */

export interface CallRow extends DecidableRow {
  readonly order_id: OrderId;
  readonly certainty: Certainty;
  readonly amount: string;
  readonly currency: string;
  /** Of a transfer: it was sent; of a reversal: its transfer's id at Stripe is known. */
  readonly ready: boolean;
}

/** Tried again from the beginning: at once, with every retry the settings allow. */
export const AGAIN = `${NO_ATTENTION}, retry_count = 0, next_retry_at = clock_now(), next_check_at = clock_now()`;

/** Sent or given up. */
export const ENDED = {
  by: 'adopt',
  why: 'nothing can be sent or given up any more: acknowledge what is told with adopt',
} as const;

/** Adopting is believed only with Stripe's own word. */
export const unadoptable: NonNullable<ActionHandler<CallRow>['missing']> = (_row, { verified }) => {
  if (verified.kind === 'found') return undefined;
  return verified.kind === 'refuted' || verified.kind === 'unanswered'
    ? verified.detail
    : 'Stripe holds nothing that could be adopted';
};

/** What bears our mark is ours by Stripe's own word. */
export const isMarked = (_row: CallRow, { verified }: Said): boolean =>
  verified.kind === 'found' && verified.unmarked === undefined;

/** Giving money up needs absence proved now. */
export const notProvedAbsent: NonNullable<ActionHandler<CallRow>['missing']> = (_row, { verified }) => {
  if (verified.kind === 'absent') return undefined;
  if (verified.kind === 'found') return `Stripe holds ${verified.providerId ?? 'it'}: resolve with adopt`;
  return 'detail' in verified ? verified.detail : 'its absence at Stripe was not proved';
};

export const isAbsent = (_row: CallRow, { verified }: Said): boolean => verified.kind === 'absent';

/** @throws where nothing was found: `missing` has said so before */
export function adopted({ verified }: Said): string {
  if (verified.kind !== 'found' || verified.providerId === null) throw new Error('nothing was found to be adopted');
  return verified.providerId;
}

/** The look that was just made is the proof; the ledger refuses the write-off of anything less. */
export async function proveAbsent(query: Query, table: MoneyTable, id: string): Promise<void> {
  await query(
    `UPDATE ${table} SET certainty = CASE certainty WHEN 'not_sent' THEN 'not_sent' ELSE 'absent' END,
       absences = absences + 1, last_absence_at = clock_now() WHERE id = $1`,
    [id],
  );
}
