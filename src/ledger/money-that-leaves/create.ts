import type { DisputeRules } from '../../domain/marketplace/disputes.js';
import type { Database } from '../database.js';
import { createDisputeReadings } from './dispute-readings.js';
import { createDisputeReader } from './disputes.js';
import { createPaymentSearches } from './payment-searches.js';
import { createUnnamedRefunds } from './unnamed-refunds.js';

/** Disputes, and refunds that nobody here asked for. */
export const createMoneyThatLeaves = (database: Database, rules: DisputeRules) => ({
  ...createDisputeReader(database),
  ...createDisputeReadings(database, rules),
  ...createPaymentSearches(database),
  ...createUnnamedRefunds(database),
});
