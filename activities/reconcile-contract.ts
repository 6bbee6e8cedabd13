/**
 * What the reconciler's workflow knows of activities: types only, plain JSON, append-only (histories of older builds are
 * replayed against it). Only ids pass here; what was seen and found lies in the ledger.
 */
export interface ReconcileActivities {
  /** The run that is at work, or a new one. */
  beginReconciliation(requestedBy: string): Promise<string>;
  /** Fixes what the run compares; repeated, it does nothing more. */
  planReconciliation(reconciliationId: string): Promise<void>;
  /** The unfinished part that was tried longest ago, the second look last; null when all are finished. */
  nextReconciliationPart(reconciliationId: string): Promise<NextPart | null>;
  /** Takes one part further, from wherever an earlier attempt left it. Heartbeats. Throws while its provider does not answer. */
  reconcilePart(input: ReconcilePartInput): Promise<PartOutcome>;
  /** It cannot be compared in this run. */
  leaveReconciliationPart(input: ReconcilePartInput & { why: string }): Promise<void>;
  finishReconciliation(reconciliationId: string): Promise<void>;
}

/** What starts the workflow; everything else about a run is in the ledger. */
export interface ReconcileInput {
  /** Null: the one that is at work, or a new one. */
  reconciliationId: string | null;
  requestedBy: string;
}

export interface NextPart {
  part: string;
  /** It asks Stripe, and goes through the task queue whose rate an operator can change. */
  asksStripe: boolean;
  /** Not before: what was seen once is looked at again later. */
  waitMs: number;
}

export interface ReconcilePartInput {
  reconciliationId: string;
  part: string;
}

export type PartOutcome =
  | { kind: 'finished' }
  /** Its time is over; another part may go first. */
  | { kind: 'more' }
  /** The provider asks to wait. */
  | { kind: 'later'; afterMs: number; why: string };
