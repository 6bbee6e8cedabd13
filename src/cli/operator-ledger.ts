import type { Clock } from '../domain/clock.js';
import type { ApprovalThreshold } from '../domain/decisions/approval-threshold.js';
import type { PaymentId } from '../domain/ids.js';
import type { DisputeRules } from '../domain/marketplace/disputes.js';
import type { FeePolicy } from '../domain/marketplace/lines.js';
import type { OffsetRules } from '../domain/marketplace/offsets.js';
import { createHyperswitchAccount } from '../ledger/calls/hyperswitch-account.js';
import { createHyperswitchPace } from '../ledger/calls/hyperswitch-pace.js';
import { createStripeGates } from '../ledger/calls/stripe-gates.js';
import { createStripeRate } from '../ledger/calls/stripe-rate.js';
import { createDatabase, type Database } from '../ledger/database.js';
import { createDecisions } from '../ledger/decisions/decide.js';
import { createDoctorFacts } from '../ledger/doctor-facts.js';
import { createExplanationFacts } from '../ledger/explanation-facts.js';
import { createItemFinder } from '../ledger/find-items.js';
import { createBackfillReader } from '../ledger/historical/backfill-report.js';
import { createBackfills } from '../ledger/historical/backfills.js';
import { createHistoricalTransfers } from '../ledger/historical/historical-transfers.js';
import { createForeignShares } from '../ledger/marketplace/foreign-shares.js';
import { createMarketplaceLists } from '../ledger/marketplace/marketplace-lists.js';
import { createMarketplaceStory } from '../ledger/marketplace/marketplace-story.js';
import { createOrders } from '../ledger/marketplace/orders.js';
import { createPayoutReader } from '../ledger/marketplace/payout-reader.js';
import { createPayouts } from '../ledger/marketplace/payouts.js';
import { createSellerBalances } from '../ledger/marketplace/seller-balance.js';
import { createTransferReader } from '../ledger/marketplace/transfers.js';
import { createDisputeReader } from '../ledger/money-that-leaves/disputes.js';
import { createPaymentSearches } from '../ledger/money-that-leaves/payment-searches.js';
import { lacksSchema } from '../ledger/no-schema.js';
import { createDeliveries } from '../ledger/notifications/deliveries.js';
import { createEventChains } from '../ledger/proof/event-chains.js';
import { createProviderPauses } from '../ledger/provider-pauses.js';
import { createDriftReader, createDrifts } from '../ledger/reconciliation/drifts.js';
import { createHeldRows } from '../ledger/reconciliation/held-rows.js';
import { createReconciliationReader } from '../ledger/reconciliation/reconciliation-reader.js';
import { createReconciliations } from '../ledger/reconciliation/reconciliations.js';
import { createSettlementReader } from '../ledger/settlements/find-settlements.js';
import { createStoryReader } from '../ledger/settlements/settlement-story.js';
import { type CliContext, CommandRefused } from './context.js';

interface DecisionRules {
  readonly approvalThreshold: ApprovalThreshold;
  readonly disputes: DisputeRules;
  readonly refundFee: FeePolicy;
  readonly offsets: OffsetRules;
}

function operationsOn(database: Database, rules: DecisionRules, clock: Clock) {
  const { approvalThreshold, disputes: disputeRules, refundFee, offsets } = rules;
  return {
    ...createOrders(database),
    ...createTransferReader(database),
    ...createPayouts(database),
    ...createPayoutReader(database),
    ...createSellerBalances(database),
    ...createForeignShares(database),
    ...createMarketplaceLists(database),
    ...createDoctorFacts(database),
    ...createProviderPauses(database),
    ...createDeliveries(database),
    ...createExplanationFacts(database),
    ...createItemFinder(database),
    ...createMarketplaceStory(database),
    ...createStripeGates(database),
    ...createStripeRate(database),
    ...createHyperswitchAccount(database),
    ...createHyperswitchPace(database),
    ...createDecisions(database, { approvalThreshold, clock, disputeRules, refundFee, offsets }),
    ...createDisputeReader(database),
    ...createSettlementReader(database),
    ...createStoryReader(database),
    ...createHistoricalTransfers(database),
    ...createBackfills(database),
    ...createDrifts(database, approvalThreshold),
    ...createDriftReader(database),
    ...createHeldRows(database),
    ...createReconciliations(database),
    ...createReconciliationReader(database),
    paymentAtStripe: (id: PaymentId) => createPaymentSearches(database).paymentAtStripe(id),
    ...createBackfillReader(database),
  };
}

export type OperatorLedger = ReturnType<typeof operationsOn>;

/** Opens the ledger for one command: no encryption key is needed, because no command reads a credential. */
export async function withOperatorLedger<T>(
  context: CliContext,
  work: (ledger: OperatorLedger) => Promise<T>,
): Promise<T> {
  const config = context.readOperatorConfig();
  const database = createDatabase({ url: config.databaseUrl, maxConnections: 2 });
  return await closing(database, () => work(operationsOn(database, config, context.clock)));
}

export type AuditLedger = ReturnType<typeof createEventChains> & Pick<OperatorLedger, 'findItems' | 'findPayout'>;

/** For commands that read all that ever happened: no statement is too slow, and nothing but reading is possible. */
export async function withAuditLedger<T>(context: CliContext, work: (ledger: AuditLedger) => Promise<T>): Promise<T> {
  const { databaseUrl } = context.readOperatorConfig();
  const database = createDatabase({ url: databaseUrl, maxConnections: 2, statementTimeoutMs: 0, clock: context.clock });
  return await closing(database, () =>
    work({ ...createEventChains(database), ...createItemFinder(database), ...createPayoutReader(database) }),
  );
}

async function closing<T>(database: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (lacksSchema(error))
      throw new CommandRefused('this database has no current schema: run makegood migrate first', { cause: error });
    throw error;
  } finally {
    await database.close();
  }
}
