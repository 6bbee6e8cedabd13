import type { Capture } from '../domain/channels/channel.js';
import type { Clock } from '../domain/clock.js';
import type { ApprovalThreshold } from '../domain/decisions/approval-threshold.js';
import { DEFAULT_DISPUTE_RULES, type DisputeRules } from '../domain/marketplace/disputes.js';
import { DEFAULT_FEE_POLICY, type FeePolicy } from '../domain/marketplace/lines.js';
import type { OffsetRules } from '../domain/marketplace/offsets.js';
import { createHyperswitchAccount } from './calls/hyperswitch-account.js';
import { createHyperswitchPace } from './calls/hyperswitch-pace.js';
import { createPaymentCalls } from './calls/payment-calls.js';
import { createPaymentCharges } from './calls/payment-charges.js';
import { createPlatformQueue } from './calls/platform-queue.js';
import { createRefundCalls } from './calls/refund-calls.js';
import { createReversalCalls } from './calls/reversal-calls.js';
import { createSellerQueue } from './calls/seller-queue.js';
import { createStripeGates } from './calls/stripe-gates.js';
import { createTransferCalls } from './calls/transfer-calls.js';
import { createWaitingRefunds } from './calls/waiting-refunds.js';
import { createCaptures } from './channels/captures.js';
import { createChannelRequests } from './channels/channel-requests.js';
import { createChannels } from './channels/channels.js';
import { createDueCaptures } from './channels/due-captures.js';
import type { Database } from './database.js';
import { createDecisions } from './decisions/decide.js';
import { createHistorical } from './historical/create.js';
import { createDueItems } from './marketplace/due-items.js';
import { createExternalPayments } from './marketplace/external-payments.js';
import { createForeignShares } from './marketplace/foreign-shares.js';
import { createProviderStates } from './marketplace/marketplace-figures.js';
import { createMarketplaceLists } from './marketplace/marketplace-lists.js';
import { createOrders } from './marketplace/orders.js';
import { createPayments } from './marketplace/payments.js';
import { createPayoutContents } from './marketplace/payout-contents.js';
import { createPayoutEvents } from './marketplace/payout-events.js';
import { createPayoutReader } from './marketplace/payout-reader.js';
import { createPayouts } from './marketplace/payouts.js';
import { createRefunds } from './marketplace/refunds.js';
import { createRequestKeys } from './marketplace/request-keys.js';
import { createSellerBalances } from './marketplace/seller-balance.js';
import { createSellerSides } from './marketplace/seller-sides.js';
import { createTransferReader } from './marketplace/transfers.js';
import { createWebhooks } from './marketplace/webhooks.js';
import { compareSchema, knownMigrations, type SchemaState } from './migrate.js';
import { createMoneyThatLeaves } from './money-that-leaves/create.js';
import { createNotifications } from './notifications/create.js';
import { createAnchoredHeads } from './proof/anchored-heads.js';
import { createOperatorReading } from './reading/create.js';
import { createReconciling } from './reconciliation/create.js';
import type { Sealer } from './sealer.js';
import { createAbandonedSessions } from './settlements/abandoned-sessions.js';
import { createClaims } from './settlements/claim.js';
import { createSettlementCreator } from './settlements/create-settlement.js';
import { createDueAnswers } from './settlements/due-answers.js';
import { createSettlementReader } from './settlements/find-settlements.js';
import { createLeases } from './settlements/leases.js';
import { createNamedAnswers } from './settlements/named-answers.js';
import { createAttemptRecorder } from './settlements/record-attempts.js';
import { createRequestIdSecret } from './settlements/request-id-secret.js';
import { createSecrets } from './settlements/secrets.js';
import { createSessionCommits } from './settlements/session-commits.js';
import { createSessions } from './settlements/sessions.js';
import { createSweepLedger } from './settlements/settlement-sweep.js';
import { createUnreadableSessions } from './settlements/unreadable-sessions.js';
import { createVoucherChannels } from './settlements/voucher-channels.js';
import { createSweepMarks } from './sweep-marks.js';

export interface LedgerDependencies {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly approvalThreshold: ApprovalThreshold;
  /** Left out: shares are taken back as soon as funds are out, and the platform bears the fees of disputes. */
  readonly disputeRules?: DisputeRules | undefined;
  /** Of refunds that do not say who bears the fee; default: `return_proportionally`. */
  readonly refundFee?: FeePolicy;
  /** RELEASE_OVERDUE; default: 30 days. */
  readonly releaseOverdueMs?: number | undefined;
  /** OFFSET and OFFSET_LIMIT; default: nothing is kept of transfers. */
  readonly offsets?: OffsetRules | undefined;
  /** REVERSAL_BALANCE_HORIZON, of debts that nothing is paid of; default: 30 days. */
  readonly debtHorizonMs?: number | undefined;
  /** CAPTURE_OVERDUE; default: 6 days. */
  readonly captureOverdueMs?: number | undefined;
}

/** The ledger cannot be used as it is; the text says what to do. */
export class LedgerNotReady extends Error {}

/** Every operation on the ledger. Nothing else in the product speaks SQL. */
export function createLedger(dependencies: LedgerDependencies) {
  const {
    database,
    sealer,
    clock,
    approvalThreshold,
    disputeRules = DEFAULT_DISPUTE_RULES,
    refundFee = DEFAULT_FEE_POLICY,
  } = dependencies;
  const secrets = createSecrets(database, sealer);
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
    ...createSessionCommits(database, sealer),
    ...createDueAnswers(database),
    ...createNamedAnswers(database, sealer),
    ...createSettlementReader(database),
    ...createDecisions(database, { approvalThreshold, clock, disputeRules, refundFee, offsets: dependencies.offsets }),
    ...createSweepMarks(database),
    ...createOperatorReading(database),
    ...createAnchoredHeads(database),
    ...createNotifications(database),
    ...createSweepLedger(database),
    ...createAbandonedSessions(database, sealer),
    ...secrets,
    ...createUnreadableSessions(database, sealer),
    ...createVoucherChannels(database, sealer),
    ...createRequestIdSecret(database),
    ...createRequestKeys(database),
    ...createMarketplace({ ...dependencies, disputeRules, refundFee }),
    ...createChannels(database),
    ...createChannelRequests(database),
    ...createDueCaptures(database, openCapture),
    ...createReconciling(database, approvalThreshold),
    createSettlement: createSettlementCreator(database, sealer),
    openCapture: (capture: Capture) => openCapture(database.query, capture),
    ...createClaims(database, sealer),
    recordAttempts: createAttemptRecorder(database),
    schemaState,

    /** Checked before a server or worker starts. @throws LedgerNotReady on another schema than this build's, or a missing encryption key */
    async assertReady(): Promise<void> {
      const state = await schemaState();
      if (state === 'ahead') {
        throw new LedgerNotReady(
          'the database schema is newer than this build, which may send nothing any more: start the build that ran makegood migrate',
        );
      }
      if (state === 'behind')
        throw new LedgerNotReady(
          'the database schema is older than this build: run makegood migrate, then start again',
        );
      const missing = await secrets.missingKeyIds();
      if (missing.length > 0) {
        throw new LedgerNotReady(
          `unsettled charges or open payments are encrypted with key ${missing.join(', ')}, which CREDENTIAL_ENCRYPTION_KEY lacks: add it, or they can never be collected`,
        );
      }
    },
  };
}

/** Orders, payments, refunds, sellers' shares, and what surrounds them. */
function createMarketplace({
  database,
  sealer,
  clock,
  disputeRules,
  refundFee,
  releaseOverdueMs,
  offsets,
  debtHorizonMs,
  captureOverdueMs,
}: LedgerDependencies & Required<Pick<LedgerDependencies, 'refundFee'>> & { readonly disputeRules: DisputeRules }) {
  return {
    ...createOrders(database),
    ...createPayments(database, sealer),
    ...createRefunds(database, refundFee),
    ...createTransferReader(database),
    ...createMarketplaceLists(database),
    ...createProviderStates(database),
    ...createWebhooks(database),
    ...createExternalPayments(database, { clock, refundFee, disputeRules }),
    ...createMoneyThatLeaves(database, { disputeRules, clock, refundFee }),
    ...createPayouts(database),
    ...createPayoutContents(database),
    ...createPayoutEvents(database),
    ...createPayoutReader(database),
    ...createSellerBalances(database),
    ...createSellerSides(database),
    ...createHistorical(database),
    ...createHyperswitchAccount(database),
    ...createHyperswitchPace(database),
    ...createPaymentCalls(database, { sealer, clock, refundFee, captureOverdueMs }),
    ...createRefundCalls(database, refundFee),
    ...createWaitingRefunds(database),
    ...createTransferCalls(database, releaseOverdueMs, offsets),
    ...createPaymentCharges(database),
    ...createPlatformQueue(database, offsets),
    ...createSellerQueue(database),
    ...createForeignShares(database),
    ...createReversalCalls(database, debtHorizonMs),
    ...createStripeGates(database),
    ...createDueItems(database),
  };
}

export type Ledger = ReturnType<typeof createLedger>;
