import type { SweepLane } from '../src/domain/sweep-lanes.js';

/** What workflows know of sweeps: types only, plain JSON, append-only. */
export interface SweepActivities {
  /** One pass of one lane; heartbeats, and ends within its budget of time whatever hangs. */
  sweepLane(lane: SweepLane): Promise<LaneReport>;
}

/** What a pass did, by name; kept with the lane's last success. */
export type LaneReport = Readonly<Record<string, number>>;
