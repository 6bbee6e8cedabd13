import type { Clock } from '../../domain/clock.js';
import type { DisputeId } from '../../domain/ids.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { MarketplaceItem } from '../../ledger/marketplace/marketplace-types.js';
import type { Hyperswitch } from '../../providers/hyperswitch/client.js';
import { answeringWebhooks } from './answering-webhooks.js';
import { createDisputeFollow, type DisputeFollowDependencies } from './disputes/follow.js';
import { createDisputeSearch, type DisputeSearchDependencies } from './disputes/search.js';
import { createHyperswitchAccount } from './hyperswitch-account.js';
import { type HyperswitchPortDependencies, hyperswitchPort } from './hyperswitch-payments.js';
import { createPaymentFollow, type PaymentFollowDependencies } from './payment-follow.js';
import type { PinnedStripe } from './pinned-reads.js';
import { createRefundFollow, type RefundFollowDependencies } from './refund-follow.js';

export interface HyperswitchCallDependencies {
  readonly ledger: PaymentFollowDependencies['ledger'] &
    HyperswitchPortDependencies['ledger'] &
    RefundFollowDependencies['ledger'] &
    DisputeFollowDependencies['ledger'] &
    DisputeSearchDependencies['ledger'] &
    Pick<Ledger, 'pinHyperswitch' | 'knownPayment' | 'hyperswitchIsOurs' | 'profilesOfOrders' | 'finishWebhook'>;
  readonly hyperswitch: Hyperswitch;
  /** undefined: STRIPE_SECRET_KEY is not set here, and nothing of disputes is read there. */
  readonly stripe?: PinnedStripe | undefined;
  readonly clock: Clock;
  readonly processName: string;
  /** Starts or wakes the workflows of items; what fails is found by the sweep. */
  readonly wake: (items: readonly MarketplaceItem[]) => void;
  /** How long a claim outlives its process. */
  readonly holdMs?: number | undefined;
  /** How long a buyer has to pay (PAYMENT_EXPIRY); default a day. */
  readonly paymentExpiryMs?: number | undefined;
}

/** Above the client's own limit for one call and one look. */
const HOLD_MS = 60_000;
const A_DAY_MS = 86_400_000;

/**
 * One step of a payment or a refund at Hyperswitch: made if it was never sent, otherwise read; a lost answer is resolved by
 * reading, and an id that Hyperswitch does not know is sent again, which is safe because the id is the key; once it was
 * refused, it is looked for until absence is proved (hyperswitch-step.ts). The server
 * takes this step once in the request, the workflow as often as it needs.
 */
export function createHyperswitchCalls(dependencies: HyperswitchCallDependencies) {
  const {
    ledger,
    hyperswitch,
    stripe,
    clock,
    wake,
    processName,
    holdMs = HOLD_MS,
    paymentExpiryMs = A_DAY_MS,
  } = dependencies;
  let sequence = 0;
  const common = {
    ledger,
    hyperswitch,
    wake,
    holdMs,
    account: createHyperswitchAccount({ ledger, hyperswitch }),
    nextRunner() {
      sequence += 1;
      return `${processName}/h${sequence}`;
    },
  };
  const ofDisputes = { ...common, clock, stripe: stripe?.inLane('disputes') };
  const search = createDisputeSearch(ofDisputes);
  const follow = createDisputeFollow({ ...ofDisputes, hyperswitch: { ...hyperswitch, account: common.account } });
  const advancePayment = createPaymentFollow({
    ...common,
    port: hyperswitchPort({ ...common, ...search }),
    expiryMs: paymentExpiryMs,
  });
  const advanceRefund = createRefundFollow(common);

  const answering = answeringWebhooks(ledger);
  return {
    ...search,
    advancePayment: answering('payment', advancePayment),
    advanceDispute: answering('dispute', (id: DisputeId) => follow.advanceDispute(id)),
    advanceRefund: answering('refund', advanceRefund),
    readDispute: follow.readDispute,
  };
}
