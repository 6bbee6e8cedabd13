import { Context } from '@temporalio/activity';
import type { SweepIntervals, SweepLane } from '../../src/domain/sweep-lanes.js';
import { withTimeout } from '../../src/domain/timeout.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import type { Logger } from '../../src/observability/logger.js';
import { noSuchLane } from '../failures.js';
import type { LaneReport, SweepActivities } from '../sweep-contract.js';

/** The time that one pass has. */
export interface Pass {
  /** Nothing more is begun: its time is up, or the worker is about to stop. */
  readonly over: () => boolean;
  /** Ends early when the worker shuts down. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** @throws when its provider, Temporal or the ledger answers to nothing: the pass does not count as a success then */
export type LaneWork = (pass: Pass) => Promise<LaneReport>;

export interface SweepLaneDependencies {
  readonly ledger: Pick<Ledger, 'sweepStarted' | 'sweepSucceeded'>;
  readonly work: Readonly<Record<SweepLane, LaneWork>>;
  readonly intervals: SweepIntervals;
  readonly logger: Logger;
}

/** Well below the heartbeat timeout, so that a busy process misses none; a dead one is noticed within seconds. */
const BEAT_EVERY_MS = 3_000;
/** A pass goes on for most of the interval; the schedule then starts the next one. */
const SHARE_OF_INTERVAL = 0.8;
const SHORTEST_PASS_MS = 500;
/** Well below the activity's time limit, however long the interval. */
const LONGEST_PASS_MS = 5 * 60_000;
/** For what is under way when the time is up; every call has a shorter limit of its own. */
const CUT_AFTER_MS = 40_000;

export const passMs = (intervalMs: number): number =>
  Math.min(Math.max(intervalMs * SHARE_OF_INTERVAL, SHORTEST_PASS_MS), LONGEST_PASS_MS);

/**
 * Every lane runs in the same frame: heartbeats while its calls are under way, a budget after which it begins nothing more,
 * and an end soon after that even where a call has neither answered nor kept its own limit. Only a pass that ended well is
 * recorded as a success; the alert of each lane watches for that.
 */
export function createLanePasses({ ledger, work, intervals, logger }: SweepLaneDependencies): SweepActivities {
  return {
    async sweepLane(lane) {
      // A schedule of a newer build may ask an older worker.
      if (!Object.hasOwn(work, lane)) throw noSuchLane(lane);
      const context = Context.current();
      const limitMs = passMs(intervals[lane]);
      const endMs = Date.now() + limitMs;
      const cut = { off: false };
      const pass: Pass = {
        over: () => cut.off || Date.now() >= endMs || context.cancellationSignal.aborted,
        sleep: (ms) => context.sleep(ms),
      };
      const beat = setInterval(() => context.heartbeat(), BEAT_EVERY_MS);
      try {
        const report = await withTimeout(limitMs + CUT_AFTER_MS, onePass(lane, pass), `a pass of ${lane}`);
        if (Object.values(report).some((count) => count > 0)) logger.info({ lane, report }, 'a sweep found work');
        return report;
      } finally {
        cut.off = true;
        clearInterval(beat);
      }
    },
  };

  async function onePass(lane: SweepLane, pass: Pass): Promise<LaneReport> {
    await ledger.sweepStarted(lane);
    const report = await work[lane](pass);
    await ledger.sweepSucceeded(lane, report);
    return report;
  }
}
