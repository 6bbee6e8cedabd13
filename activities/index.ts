import type { PaymentCalls } from '../src/calls/marketplace/payment-calls.js';
import type { SettleRowsDependencies } from '../src/calls/settlements/settle-rows.js';
import { type BackfillDependencies, createBackfillActivities } from './backfill-activities.js';
import type { BackfillActivities } from './backfill-contract.js';
import type { SettlementActivities } from './contract.js';
import { createDecisionActivities } from './decision-activities.js';
import {
  createPaymentActivities,
  createStripeActivities,
  type StripeActivityDependencies,
} from './marketplace-activities.js';
import type { MarketplaceActivities } from './marketplace-contract.js';
import { createReconcileActivities, type ReconcileDependencies } from './reconcile-activities.js';
import type { ReconcileActivities } from './reconcile-contract.js';
import { createSettlementActivities } from './settlement-activities.js';
import type { SweepActivities } from './sweep-contract.js';
import { createSweeps, type SweepDependencies } from './sweeps/sweep-lanes.js';

/** Undefined: its provider is not configured, and no workflow that needs it is started. */
export interface ActivityDependencies {
  readonly settlement: SettleRowsDependencies;
  readonly sweeps: SweepDependencies;
  readonly resolution: Parameters<typeof createDecisionActivities>[0];
  readonly calls: PaymentCalls | undefined;
  readonly stripe: StripeActivityDependencies | undefined;
  readonly backfill: BackfillDependencies | undefined;
  readonly reconcile: ReconcileDependencies;
}

export type Activities = SettlementActivities &
  SweepActivities &
  ReconcileActivities &
  Partial<MarketplaceActivities & BackfillActivities>;

/** The worker's registry: every activity of the product by its name. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const { settlement, sweeps, resolution, calls, stripe, backfill, reconcile } = dependencies;
  return {
    ...createSettlementActivities(settlement),
    ...createSweeps(sweeps),
    ...createDecisionActivities(resolution),
    ...createReconcileActivities(reconcile),
    ...(calls && createPaymentActivities(calls)),
    ...(stripe && createStripeActivities(stripe)),
    ...(backfill && createBackfillActivities(backfill)),
  };
}
