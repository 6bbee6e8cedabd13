import { createBackfillProgress } from '../../src/ledger/backfill-progress.js';
import { createBackfills } from '../../src/ledger/backfills.js';
import { createDueItems } from '../../src/ledger/due-items.js';
import { createForeignShares } from '../../src/ledger/foreign-shares.js';
import { createHistoricalTransfers } from '../../src/ledger/historical-transfers.js';
import { createHyperswitchAccount } from '../../src/ledger/hyperswitch-account.js';
import { createHyperswitchPace } from '../../src/ledger/hyperswitch-pace.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { createProviderStates } from '../../src/ledger/marketplace-figures.js';
import { createMoneyLists } from '../../src/ledger/money-lists.js';
import { createOrders } from '../../src/ledger/orders.js';
import { createPaymentCalls } from '../../src/ledger/payment-calls.js';
import { createPaymentCancels } from '../../src/ledger/payment-cancels.js';
import { createPayments } from '../../src/ledger/payments.js';
import { createPayouts } from '../../src/ledger/payouts.js';
import { createRefundCalls } from '../../src/ledger/refund-calls.js';
import { createRefunds } from '../../src/ledger/refunds.js';
import { createRequestKeys } from '../../src/ledger/request-keys.js';
import { createReversalCalls } from '../../src/ledger/reversal-calls.js';
import { createStripeGates } from '../../src/ledger/stripe-gates.js';
import { createTransferCalls } from '../../src/ledger/transfer-calls.js';
import { createTransferReader } from '../../src/ledger/transfers.js';
import { createWebhooks } from '../../src/ledger/webhooks.js';

/** None of these does anything before one of its operations is called. */
const NOTHING = undefined as never;

/** `ledger.<name>` of every operation on orders, payments, refunds, transfers, reversals and what surrounds them. */
export const marketplaceOperations = (): readonly string[] =>
  named({
    ...createRequestKeys(NOTHING),
    ...createOrders(NOTHING),
    ...createPayments(NOTHING, NOTHING),
    ...createRefunds(NOTHING),
    ...createTransferReader(NOTHING),
    ...createMoneyLists(NOTHING),
    ...createProviderStates(NOTHING),
    ...createWebhooks(NOTHING),
    ...createPayouts(NOTHING),
    ...createHistoricalTransfers(NOTHING),
    ...createBackfills(NOTHING),
    ...createBackfillProgress(NOTHING),
    ...createPaymentCalls(NOTHING, NOTHING, NOTHING),
    ...createPaymentCancels(NOTHING),
    ...createHyperswitchAccount(NOTHING),
    ...createHyperswitchPace(NOTHING),
    ...createRefundCalls(NOTHING),
    ...createTransferCalls(NOTHING),
    ...createForeignShares(NOTHING),
    ...createReversalCalls(NOTHING, NOTHING),
    ...createStripeGates(NOTHING),
    ...createDueItems(NOTHING),
  });

/** Every other one: a new operation is one of these until somebody says that it belongs to the marketplace. */
export const settlementOperations = (): readonly string[] => {
  const marketplace = new Set(marketplaceOperations());
  const all = named(createLedger({ database: undefined, sealer: undefined } as never));
  return all.filter((name) => !marketplace.has(name));
};

const named = (operations: object): string[] => Object.keys(operations).map((name) => `ledger.${name}`);
