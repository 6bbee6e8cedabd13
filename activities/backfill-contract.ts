/**
 * What the backfill's workflow knows of activities: types only, plain JSON, append-only (histories of older builds are
 * replayed against it). Only ids pass here; what was listed and found lies in the ledger.
 */
export interface BackfillActivities {
  /** Fixes which transfers the run answers for; repeated, it does nothing more. Heartbeats. */
  planBackfill(backfillId: string): Promise<void>;
  /** The unfinished destination that was tried longest ago; null when all are finished. */
  nextBackfillDestination(backfillId: string): Promise<string | null>;
  /**
   * Takes one destination further, from wherever an earlier attempt left it: lists Stripe's transfers to it, then matches
   * ours. Heartbeats its cursor. Throws while Stripe does not answer, so that the retry policy waits and repeats.
   */
  backfillDestination(input: BackfillDestinationInput): Promise<DestinationOutcome>;
  finishBackfill(backfillId: string): Promise<void>;
}

/** What starts a backfill's workflow; everything else about it is in the ledger. */
export interface BackfillInput {
  backfillId: string;
}

export interface BackfillDestinationInput {
  backfillId: string;
  /** The seller's account. */
  destination: string;
}

export type DestinationOutcome =
  | { kind: 'finished' }
  /** Its time is over; another destination may go first. */
  | { kind: 'more' }
  /** Stripe asks to wait, or does not let us in: nothing is tried before. */
  | { kind: 'later'; afterMs: number; why: string };
