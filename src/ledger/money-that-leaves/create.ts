import type { DisputeRules } from '../../domain/marketplace/disputes.js';
import type { Database } from '../database.js';
import { createDisputeReadings } from './dispute-readings.js';
import { createDisputeReader } from './disputes.js';
import { createPaymentSearches } from './payment-searches.js';
import { createStripeRefunds, type StripeRefundParts } from './stripe-refunds.js';
import { createUnnamedRefunds } from './unnamed-refunds.js';

/** Disputes, and refunds that nobody here asked for. */
export const createMoneyThatLeaves = (
  database: Database,
  { disputeRules, ...parts }: StripeRefundParts & { readonly disputeRules: DisputeRules },
) => ({
  ...createDisputeReader(database),
  ...createDisputeReadings(database, disputeRules),
  ...createPaymentSearches(database),
  ...createStripeRefunds(database, parts),
  ...createUnnamedRefunds(database),
});
