import { createHyperswitchAccount } from '../../src/ledger/calls/hyperswitch-account.js';
import { createHyperswitchPace } from '../../src/ledger/calls/hyperswitch-pace.js';
import { createPaymentCalls } from '../../src/ledger/calls/payment-calls.js';
import { createPaymentCancels } from '../../src/ledger/calls/payment-cancels.js';
import { createPaymentCharges } from '../../src/ledger/calls/payment-charges.js';
import { createPlatformQueue } from '../../src/ledger/calls/platform-queue.js';
import { createRefundCalls } from '../../src/ledger/calls/refund-calls.js';
import { createReversalCalls } from '../../src/ledger/calls/reversal-calls.js';
import { createSellerQueue } from '../../src/ledger/calls/seller-queue.js';
import { createStripeGates } from '../../src/ledger/calls/stripe-gates.js';
import { createTransferCalls } from '../../src/ledger/calls/transfer-calls.js';
import { createWaitingRefunds } from '../../src/ledger/calls/waiting-refunds.js';
import { createHistorical } from '../../src/ledger/historical/create.js';
import { createLedger } from '../../src/ledger/ledger.js';
import { createDueItems } from '../../src/ledger/marketplace/due-items.js';
import { createExternalPayments } from '../../src/ledger/marketplace/external-payments.js';
import { createForeignShares } from '../../src/ledger/marketplace/foreign-shares.js';
import { createProviderStates } from '../../src/ledger/marketplace/marketplace-figures.js';
import { createMarketplaceLists } from '../../src/ledger/marketplace/marketplace-lists.js';
import { createOrders } from '../../src/ledger/marketplace/orders.js';
import { createPayments } from '../../src/ledger/marketplace/payments.js';
import { createPayoutContents } from '../../src/ledger/marketplace/payout-contents.js';
import { createPayoutEvents } from '../../src/ledger/marketplace/payout-events.js';
import { createPayoutReader } from '../../src/ledger/marketplace/payout-reader.js';
import { createPayouts } from '../../src/ledger/marketplace/payouts.js';
import { createRefunds } from '../../src/ledger/marketplace/refunds.js';
import { createRequestKeys } from '../../src/ledger/marketplace/request-keys.js';
import { createSellerBalances } from '../../src/ledger/marketplace/seller-balance.js';
import { createSellerSides } from '../../src/ledger/marketplace/seller-sides.js';
import { createTransferReader } from '../../src/ledger/marketplace/transfers.js';
import { createWebhooks } from '../../src/ledger/marketplace/webhooks.js';
import { createMoneyThatLeaves } from '../../src/ledger/money-that-leaves/create.js';
import { createReconciling } from '../../src/ledger/reconciliation/create.js';

/** None of these does anything before one of its operations is called. */
const NOTHING = undefined as never;

/** `ledger.<name>` of every operation on orders, payments, refunds, transfers, reversals and what surrounds them. */
export const marketplaceOperations = (): readonly string[] =>
  named({
    ...createRequestKeys(NOTHING),
    ...createOrders(NOTHING),
    ...createPayments(NOTHING, NOTHING),
    ...createRefunds(NOTHING, NOTHING),
    ...createTransferReader(NOTHING),
    ...createSellerSides(NOTHING),
    ...createMarketplaceLists(NOTHING),
    ...createProviderStates(NOTHING),
    ...createWebhooks(NOTHING),
    ...createMoneyThatLeaves(NOTHING, {} as never),
    ...createExternalPayments(NOTHING, NOTHING),
    ...createPayouts(NOTHING),
    ...createPayoutContents(NOTHING),
    ...createPayoutEvents(NOTHING),
    ...createPayoutReader(NOTHING),
    ...createSellerBalances(NOTHING),
    ...createHistorical(NOTHING),
    ...createReconciling(NOTHING, NOTHING),
    ...createPaymentCalls(NOTHING, NOTHING),
    ...createPaymentCancels(NOTHING),
    ...createHyperswitchAccount(NOTHING),
    ...createHyperswitchPace(NOTHING),
    ...createRefundCalls(NOTHING, NOTHING),
    ...createWaitingRefunds(NOTHING),
    ...createTransferCalls(NOTHING, NOTHING),
    ...createPaymentCharges(NOTHING),
    ...createPlatformQueue(NOTHING),
    ...createSellerQueue(NOTHING),
    ...createForeignShares(NOTHING),
    ...createReversalCalls(NOTHING),
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
