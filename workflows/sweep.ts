import { proxyActivities } from '@temporalio/workflow';
import type { SettlementActivities, SweepReport } from '../activities/contract.js';
import type { MarketplaceActivities, MoneySweepReport, SweptKind } from '../activities/marketplace-contract.js';
import { sweepPass } from './policies.js';

/** Finds in Postgres whatever nobody took further, and starts it again. Runs by a schedule, one at a time. */
export async function settlementSweep(): Promise<SweepReport> {
  const { sweepSettlements } = proxyActivities<Pick<SettlementActivities, 'sweepSettlements'>>(sweepPass);
  return await sweepSettlements();
}

/** The same for payments, refunds, transfers or reversals; each kind has its own schedule, so none waits for another. */
export async function moneySweep(kind: SweptKind): Promise<MoneySweepReport> {
  const { sweepMoney } = proxyActivities<Pick<MarketplaceActivities, 'sweepMoney'>>(sweepPass);
  return await sweepMoney(kind);
}
