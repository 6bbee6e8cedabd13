import type { Database } from '../database.js';
import { createBackfillDestinations } from './backfill-destinations.js';
import { createBackfillMatching } from './backfill-matching.js';
import { createBackfillPlan } from './backfill-plan.js';
import { createBackfills } from './backfills.js';
import { createHistoricalTransfers } from './historical-transfers.js';

/** Transfers of before this ledger, and the search for their ids at Stripe. */
export const createHistorical = (database: Database) => ({
  ...createHistoricalTransfers(database),
  ...createBackfills(database),
  ...createBackfillPlan(database),
  ...createBackfillDestinations(database),
  ...createBackfillMatching(database),
});
