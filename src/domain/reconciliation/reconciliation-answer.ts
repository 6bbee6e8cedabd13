import type { ReconciledPart } from './parts.js';

/** A run as the ledger has it. */
export interface ReconciliationFacts {
  readonly id: string;
  readonly requestedBy: string;
  readonly since: string | null;
  readonly state: 'running' | 'finished';
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly parts: readonly {
    readonly part: ReconciledPart;
    readonly since: string;
    readonly pages: number;
    readonly lookedAt: number;
    readonly suspected: number;
    readonly finished: boolean;
    readonly leftBecause: string | null;
    /** What of it could not be read, by name, while the rest was compared. */
    readonly uncompared: readonly string[];
  }[];
}

/** A run as outsiders see it. */
export const reconciliationAnswer = (run: ReconciliationFacts) => ({
  id: run.id,
  requested_by: run.requestedBy,
  since: run.since,
  state: run.state,
  started_at: run.startedAt,
  finished_at: run.finishedAt,
  parts: run.parts.map(({ part, since, pages, lookedAt, suspected, finished, leftBecause, uncompared }) => ({
    part,
    since,
    pages,
    looked_at: lookedAt,
    suspected,
    finished,
    left_because: leftBecause,
    uncompared,
  })),
});
export type ReconciliationAnswer = ReturnType<typeof reconciliationAnswer>;
