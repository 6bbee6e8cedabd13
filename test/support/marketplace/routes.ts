import type {
  MarketplaceRouteDependencies,
  MarketplaceRouteLedger,
} from '../../../src/http/marketplace/marketplace-dependencies.js';

const nothing = () => Promise.resolve(undefined);
const none = () => Promise.resolve([]);
const unexpected = (what: string) => () => Promise.reject(new Error(`no test expected ${what}`));

/** A ledger without a single order; requests are begun and nothing comes of them. */
const EMPTY_LEDGER: MarketplaceRouteLedger = {
  beginRequest: () => Promise.resolve({ kind: 'begun', itemId: null }),
  finishRequest: () => Promise.resolve(),
  releaseRequest: () => Promise.resolve(),
  createOrder: unexpected('an order'),
  findOrder: nothing,
  listOrders: none,
  createPayment: () => Promise.resolve({ kind: 'order_not_found' }),
  findPayment: nothing,
  askCapture: unexpected('a capture'),
  askCancel: unexpected('a cancel'),
  listPayments: () => Promise.resolve([]),
  clientSecret: () => Promise.resolve(null),
  createRefund: () => Promise.resolve({ kind: 'order_not_found' }),
  findRefund: nothing,
  listRefunds: () => Promise.resolve([]),
  reversalsOfRefunds: () => Promise.resolve([]),
  reversalsOfRefund: none,
  findSeller: nothing,
  sellerBalances: () => Promise.resolve([]),
  sellerStory: () => Promise.resolve([]),
  findTransfer: nothing,
  listTransfers: none,
  releaseHeld: unexpected('a release'),
  reversalsOfTransfer: none,
  reversalsOfTransfers: none,
  findReversal: nothing,
  findDispute: nothing,
  listDisputes: () => Promise.resolve([]),
  reversalsOfDisputes: () => Promise.resolve([]),
  listReversals: none,
  decisionItem: nothing,
  listPayouts: () => Promise.resolve([]),
  findPayout: nothing,
  dismissPayout: unexpected('a word about a payout'),
  storeWebhook: () => Promise.resolve('stored'),
};

/** What the routes are given where nothing is configured and nothing is known; tests replace what they are about. */
export const marketplaceRoutes = (
  given: Partial<Omit<MarketplaceRouteDependencies, 'ledger'>> & { readonly ledger?: Partial<MarketplaceRouteLedger> },
): MarketplaceRouteDependencies => ({
  hyperswitch: undefined,
  external: undefined,
  sendPayment: unexpected('a payment'),
  sendRefund: unexpected('a refund'),
  nudge: () => undefined,
  processWebhook: () => undefined,
  webhooks: {},
  ...given,
  ledger: { ...EMPTY_LEDGER, ...given.ledger },
});
