import type { SettlementActivities } from './contract.js';
import { createSettlementActivities, type SettlementActivityDependencies } from './settlement-activities.js';

/** The worker's registry: every activity of the product by its name. */
export function createActivities(dependencies: SettlementActivityDependencies): SettlementActivities {
  return createSettlementActivities(dependencies);
}
