import type { ApprovalThreshold } from '../domain/approval-threshold.js';
import type { Capture } from '../domain/channel.js';
import type { Clock } from '../domain/clock.js';
import { createBackfillProgress } from './backfill-progress.js';
import { createBackfills } from './backfills.js';
import { createCaptures } from './captures.js';
import { createChannelRequests } from './channel-requests.js';
import { createChannels } from './channels.js';
import { createClaims } from './claim.js';
import { createSettlementCreator } from './create-settlement.js';
import type { Database } from './database.js';
import { createDecisions } from './decide.js';
import { createDueCaptures } from './due-captures.js';
import { createDueItems } from './due-items.js';
import { createFigures } from './figures.js';
import { createSettlementReader } from './find-settlements.js';
import { createForeignShares } from './foreign-shares.js';
import { createHistoricalTransfers } from './historical-transfers.js';
import { createHyperswitchAccount } from './hyperswitch-account.js';
import { createHyperswitchPace } from './hyperswitch-pace.js';
import { createLeases } from './leases.js';
import { createProviderStates } from './marketplace-figures.js';
import { compareSchema, knownMigrations, type SchemaState } from './migrate.js';
import { createMoneyLists } from './money-lists.js';
import { createOrders } from './orders.js';
import { createPaymentCalls } from './payment-calls.js';
import { createPaymentCancels } from './payment-cancels.js';
import { createPayments } from './payments.js';
import { createPayouts } from './payouts.js';
import { createAttemptRecorder } from './record-attempts.js';
import { createRefundCalls } from './refund-calls.js';
import { createRefunds } from './refunds.js';
import { createRequestIdSecret } from './request-id-secret.js';
import { createRequestKeys } from './request-keys.js';
import { createReversalCalls } from './reversal-calls.js';
import type { Sealer } from './sealer.js';
import { createSessions } from './sessions.js';
import { createStripeGates } from './stripe-gates.js';
import { createSweepLedger } from './sweep.js';
import { createTransferCalls } from './transfer-calls.js';
import { createTransferReader } from './transfers.js';
import { createUnreadableSessions } from './unreadable-sessions.js';
import { createVoucherChannels } from './voucher-channels.js';
import { createWebhooks } from './webhooks.js';

export interface LedgerDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly approvalThreshold: ApprovalThreshold;
  /** How long a seller's balance is waited for before a person is asked; default 30 days. */
  readonly balanceHorizonMs?: number;
}

const THIRTY_DAYS_MS = 30 * 86_400_000;

/** The ledger cannot be used as it is; the text says what to do. */
export class LedgerNotReady extends Error {}

/** Every operation on the ledger. Nothing else in the product speaks SQL. */
export function createLedger(dependencies: LedgerDependencies) {
  const { database, sealer, clock, approvalThreshold, balanceHorizonMs = THIRTY_DAYS_MS } = dependencies;
  const sweepLedger = createSweepLedger(database, sealer);
  const openCapture = createCaptures(sealer, clock);

  async function schemaState(): Promise<SchemaState> {
    const [exists] = await database.query<{ found: boolean }>(
      `SELECT to_regclass('schema_migrations') IS NOT NULL AS found`,
    );
    if (!exists?.found) return 'behind';
    const rows = await database.query<{ number: number; sha256: string }>(
      'SELECT number, sha256 FROM schema_migrations',
    );
    return compareSchema(await knownMigrations(), new Map(rows.map((row) => [row.number, row.sha256])));
  }

  return {
    ...createLeases(database, clock),
    ...createSessions(database, sealer),
    ...createSettlementReader(database),
    ...createDecisions(database, { approvalThreshold, clock }),
    ...sweepLedger,
    ...createUnreadableSessions(database, sealer),
    ...createVoucherChannels(database, sealer),
    ...createRequestIdSecret(database),
    ...createRequestKeys(database),
    ...createOrders(database),
    ...createPayments(database, sealer),
    ...createRefunds(database),
    ...createTransferReader(database),
    ...createMoneyLists(database),
    ...createProviderStates(database),
    ...createWebhooks(database),
    ...createPayouts(database),
    ...createHistoricalTransfers(database),
    ...createBackfills(database),
    ...createBackfillProgress(database),
    ...createHyperswitchAccount(database),
    ...createHyperswitchPace(database),
    ...createPaymentCalls(database, sealer, clock),
    ...createPaymentCancels(database),
    ...createRefundCalls(database),
    ...createTransferCalls(database),
    ...createForeignShares(database),
    ...createReversalCalls(database, { balanceHorizonMs }),
    ...createStripeGates(database),
    ...createDueItems(database),
    ...createChannels(database),
    ...createChannelRequests(database),
    ...createDueCaptures(database, openCapture),
    createSettlement: createSettlementCreator(database, sealer),
    openCapture: (capture: Capture) => openCapture(database.query, capture),
    claimSettlements: createClaims(database, sealer),
    recordAttempts: createAttemptRecorder(database),
    figures: createFigures(database),
    schemaState,

    /** Checked before a server or worker starts. @throws LedgerNotReady on another schema than this build's, or a missing encryption key */
    async assertReady(): Promise<void> {
      const state = await schemaState();
      if (state === 'ahead') {
        throw new LedgerNotReady(
          'the database schema is newer than this build, which may send nothing any more: start the build that ran makegood migrate',
        );
      }
      if (state === 'behind') {
        throw new LedgerNotReady(
          'the database schema is older than this build: run makegood migrate, then start again',
        );
      }
      const missing = await sweepLedger.missingKeyIds();
      if (missing.length > 0) {
        throw new LedgerNotReady(
          `unsettled charges or open payments are encrypted with key ${missing.join(', ')}, which CREDENTIAL_ENCRYPTION_KEY lacks: add it, or they can never be collected`,
        );
      }
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;
