import { type BackfillDependencies, createBackfillActivities } from './backfill-activities.js';
import type { BackfillActivities } from './backfill-contract.js';
import type { SettlementActivities } from './contract.js';
import type { createHyperswitchCalls } from './hyperswitch-calls.js';
import {
  createDecisionActivities,
  createHyperswitchActivities,
  createStripeActivities,
  type StripeActivityDependencies,
} from './marketplace-activities.js';
import type { MarketplaceActivities } from './marketplace-contract.js';
import { createSettlementActivities, type SettlementActivityDependencies } from './settlement-activities.js';
import { createMoneySweep, type MoneySweepDependencies } from './sweep-money.js';

/** Undefined: its provider is not configured, and no workflow that needs it is started. */
export interface ActivityDependencies {
  readonly settlement: SettlementActivityDependencies;
  readonly moneySweep: MoneySweepDependencies;
  readonly resolution: Parameters<typeof createDecisionActivities>[0];
  readonly calls: ReturnType<typeof createHyperswitchCalls> | undefined;
  readonly stripe: StripeActivityDependencies | undefined;
  readonly backfill: BackfillDependencies | undefined;
}

export type Activities = SettlementActivities & Partial<MarketplaceActivities & BackfillActivities>;

/** The worker's registry: every activity of the product by its name. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const { settlement, moneySweep, resolution, calls, stripe, backfill } = dependencies;
  return {
    ...createSettlementActivities(settlement),
    sweepMoney: createMoneySweep(moneySweep),
    ...createDecisionActivities(resolution),
    ...(calls && createHyperswitchActivities(calls)),
    ...(stripe && createStripeActivities(stripe)),
    ...(backfill && createBackfillActivities(backfill)),
  };
}
