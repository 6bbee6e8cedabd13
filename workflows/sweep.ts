import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { LaneReport, SweepActivities } from '../activities/sweep-contract.js';
import type { SweepLane } from '../src/domain/sweep-lanes.js';
import { sweepPass } from './policies.js';

/**
 * Finds in Postgres whatever nobody took further, and starts it again. Each lane runs by a schedule of its own, one pass at
 * a time, so none waits for another.
 */
export async function sweep(lane: SweepLane): Promise<LaneReport> {
  const { sweepLane } = proxyActivities<SweepActivities>({ ...sweepPass, summary: `one pass of the lane ${lane}` });
  setCurrentDetails(`looks in the ledger for what nobody takes further: ${lane}`);
  const report = await sweepLane(lane);
  const done = Object.entries(report).map(([what, count]) => `${count} ${what}`);
  setCurrentDetails(`the pass of ${lane} is over${done.length === 0 ? '' : `: ${done.join(', ')}`}`);
  return report;
}

/** How sweeps ran before they had lanes. No schedule starts these any more; one that an older build began is replayed, and ends. */
export async function settlementSweep(): Promise<unknown> {
  const { sweepSettlements } = proxyActivities<{ sweepSettlements(): Promise<unknown> }>(sweepPass);
  return await sweepSettlements();
}

/** The same for payments, refunds, transfers or reversals. */
export async function moneySweep(kind: string): Promise<unknown> {
  const { sweepMoney } = proxyActivities<{ sweepMoney(kind: string): Promise<unknown> }>(sweepPass);
  return await sweepMoney(kind);
}
