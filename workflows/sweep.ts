import { proxyActivities } from '@temporalio/workflow';
import type { SettlementActivities, SweepReport } from '../activities/contract.js';
import { sweepPass } from './policies.js';

/** Finds in Postgres whatever nobody took further, and starts it again. Runs by a schedule, one at a time. */
export async function settlementSweep(): Promise<SweepReport> {
  const { sweepSettlements } = proxyActivities<Pick<SettlementActivities, 'sweepSettlements'>>(sweepPass);
  return await sweepSettlements();
}
