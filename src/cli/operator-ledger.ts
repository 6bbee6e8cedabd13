import type { ApprovalThreshold } from '../domain/approval-threshold.js';
import type { Clock } from '../domain/clock.js';
import { createBackfillReader } from '../ledger/backfill-report.js';
import { createBackfills } from '../ledger/backfills.js';
import { createDatabase, type Database } from '../ledger/database.js';
import { createDecisions } from '../ledger/decide.js';
import { createSettlementReader } from '../ledger/find-settlements.js';
import { createForeignShares } from '../ledger/foreign-shares.js';
import { createHistoricalTransfers } from '../ledger/historical-transfers.js';
import { createHyperswitchAccount } from '../ledger/hyperswitch-account.js';
import { createHyperswitchPace } from '../ledger/hyperswitch-pace.js';
import { createMoneyLists } from '../ledger/money-lists.js';
import { createMoneyStory } from '../ledger/money-story.js';
import { createOrders } from '../ledger/orders.js';
import { createStoryReader } from '../ledger/settlement-story.js';
import { createStripeGates } from '../ledger/stripe-gates.js';
import { createTransferReader } from '../ledger/transfers.js';
import { type CliContext, CommandRefused } from './context.js';

const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';

function operationsOn(database: Database, approvalThreshold: ApprovalThreshold, clock: Clock) {
  return {
    ...createOrders(database),
    ...createTransferReader(database),
    ...createForeignShares(database),
    ...createMoneyLists(database),
    ...createMoneyStory(database),
    ...createStripeGates(database),
    ...createHyperswitchAccount(database),
    ...createHyperswitchPace(database),
    ...createDecisions(database, { approvalThreshold, clock }),
    ...createSettlementReader(database),
    ...createStoryReader(database),
    ...createHistoricalTransfers(database),
    ...createBackfills(database),
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
  try {
    return await work(operationsOn(database, config.approvalThreshold, context.clock));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === UNDEFINED_TABLE || code === UNDEFINED_COLUMN) {
      throw new CommandRefused('this database has no current schema: run makegood migrate first', { cause: error });
    }
    throw error;
  } finally {
    await database.close();
  }
}
