import type { Certainty } from '../../domain/calls/certainty.js';
import type { MarketplaceTable, Query } from '../transition.js';

/** What every row that calls are made for says of the attempt that has it. */
export interface Holdable {
  readonly runner: string | null;
  /** Until the claim lapses, by the ledger's clock. */
  readonly held_ms: number | null;
}

/** For how long somebody else's claim still holds; 0: the row may be taken. */
export const heldElsewhereMs = ({ runner: holder, held_ms }: Holdable, runner: string): number =>
  holder === null || holder === runner ? 0 : Math.max(held_ms ?? 0, 0);

/** Takes the row for one attempt; a sweep looks soon after it should have ended. The caller has the row's lock. */
export async function holdRow(
  query: Query,
  table: Exclude<MarketplaceTable, 'orders'>,
  {
    id,
    runner,
    holdMs,
    certainty,
  }: { readonly id: string; readonly runner: string; readonly holdMs: number; readonly certainty: Certainty },
): Promise<void> {
  await query(
    `UPDATE ${table} SET runner = $2, runner_until = clock_now() + $3 * interval '1 millisecond', certainty = $4,
       next_check_at = clock_now() + $3 * interval '1 millisecond' + interval '15 seconds' WHERE id = $1`,
    [id, runner, holdMs, certainty],
  );
}
