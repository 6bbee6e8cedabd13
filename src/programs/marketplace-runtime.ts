import type { ChainReader } from '../calls/decisions/ask-chain.js';
import { createResolution } from '../calls/decisions/decide.js';
import { createExternalPayments } from '../calls/marketplace/external-payments.js';
import { createHyperswitchCalls } from '../calls/marketplace/hyperswitch-calls.js';
import { atItsProvider, type PaymentCalls } from '../calls/marketplace/payment-calls.js';
import { createPayoutReading } from '../calls/marketplace/payouts.js';
import { createPinnedReads, type PayingStripe } from '../calls/marketplace/pinned-reads.js';
import { createWebhookProcessor } from '../calls/marketplace/process-webhook.js';
import { createReadSellerSide } from '../calls/marketplace/seller-side.js';
import { createStripePayments } from '../calls/marketplace/stripe-payments.js';
import { createRereader } from '../calls/settlements/reread-session.js';
import type { RetryTimings } from '../calls/steps.js';
import type { Config } from '../config/config.js';
import { systemClock } from '../domain/clock.js';
import type { MarketplaceKind } from '../domain/marketplace/marketplace.js';
import { stripeRateOfSettings } from '../domain/stripe-rate.js';
import type { Ledger } from '../ledger/ledger.js';
import type { MarketplaceItem } from '../ledger/marketplace/marketplace-types.js';
import type { Logger } from '../observability/logger.js';
import { createMarketplaceOrchestration, createNudge } from '../orchestration/marketplace.js';
import type { TemporalClient } from '../orchestration/temporal-client.js';
import type { AuthorizationReader } from '../providers/evm/authorizations.js';
import { createHyperswitch, type Hyperswitch } from '../providers/hyperswitch/client.js';
import { createPace } from '../providers/hyperswitch/pace.js';
import { createBudget } from '../providers/stripe/budget.js';
import { createStripe, type Stripe } from '../providers/stripe/client.js';

/** The providers of the marketplace, as far as they are configured. */
export interface MarketplaceProviders {
  readonly stripe: Stripe | undefined;
  readonly hyperswitch: Hyperswitch | undefined;
}

/** Every request to Stripe takes its token in the ledger, and every read of Hyperswitch its turn, from whichever process. */
export function createMarketplaceProviders(
  config: Config,
  ledger: Pick<Ledger, 'takeToken' | 'returnToken' | 'takeHyperswitchTurn'>,
): MarketplaceProviders {
  const { stripe } = config;
  // Asked for each token: it can be changed while a process runs.
  const overall = () => (stripe ? stripeRateOfSettings(stripe) : 0);
  return {
    stripe: stripe && createStripe({ ...stripe, takeToken: createBudget(ledger, overall) }),
    hyperswitch: config.hyperswitch && createHyperswitch({ ...config.hyperswitch, pace: createPace(ledger) }),
  };
}

export interface MarketplaceOptions {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly providers: MarketplaceProviders;
  /** Where captures of channels can be looked up; undefined: no node is configured. */
  readonly chain: ChainReader | undefined;
  /** Left out: no node is configured where authorizations of x402 could be looked up. */
  readonly authorizations?: AuthorizationReader | undefined;
  readonly temporal: TemporalClient;
  readonly logger: Logger;
  readonly processName: string;
  /** How long a claim on a payment or refund outlives its process; tests shorten it. */
  readonly holdMs?: number | undefined;
}

/** What the server and the worker share of payments, refunds, transfers and reversals. */
export function createMarketplaceRuntime({
  config,
  ledger,
  providers,
  chain,
  authorizations,
  temporal,
  logger,
  processName,
  holdMs,
}: MarketplaceOptions) {
  const { hyperswitch } = providers;
  const pinned = createPinnedReads(ledger, providers);
  const timings = { transfer: timingsOf(config.transferRetry), reversal: timingsOf(config.reversal) };
  const orchestration = createMarketplaceOrchestration(temporal, config.temporal.taskQueue, {
    ...timings,
    disabled: disabledKinds(config),
  });
  const wake = createNudge({
    ledger,
    orchestration,
    onFailure: (item, error) =>
      logger.warn({ item, err: error }, 'a workflow could not be started; the sweep starts it'),
  });
  const calls = createCalls({ ledger, hyperswitch, stripe: pinned.stripe, config, wake, processName, holdMs });
  return {
    timings,
    orchestration,
    wake,
    calls,
    readPayout: pinned.stripe && createPayoutReading({ ledger, stripe: pinned.stripe }),
    readSellerSide: pinned.stripe && createReadSellerSide({ ledger, stripe: pinned.stripe }),
    external: pinned.stripe && createExternalPayments({ ledger, stripe: pinned.stripe, wake }),
    resolution: createResolution({
      ledger,
      ...pinned,
      chain,
      authorizations,
      reread: createRereader({ ledger, logger }),
    }),
    processWebhook: createWebhookProcessor({
      ledger,
      stripe: pinned.stripe,
      searchPayment: calls?.searchPayment,
      wake,
    }),
  };
}

export type MarketplaceRuntime = ReturnType<typeof createMarketplaceRuntime>;

interface CallParts extends Pick<MarketplaceOptions, 'ledger' | 'config' | 'processName' | 'holdMs'> {
  readonly hyperswitch: Hyperswitch | undefined;
  readonly stripe: PayingStripe | undefined;
  readonly wake: (items: readonly MarketplaceItem[]) => void;
}

/** Above the clients' own limits for one call and one look. */
const HOLD_MS = 60_000;

/** @returns undefined: no provider of payments is configured here */
function createCalls({ hyperswitch, stripe, config, holdMs = HOLD_MS, ...rest }: CallParts): PaymentCalls | undefined {
  if (!hyperswitch && !stripe) return undefined;
  const common = { ...rest, clock: systemClock, holdMs, paymentExpiryMs: config.paymentExpiryMs };
  return atItsProvider(rest.ledger, {
    hyperswitch: hyperswitch && createHyperswitchCalls({ ...common, hyperswitch, stripe }),
    stripe: stripe && createStripePayments({ ...common, stripe }),
  });
}

const timingsOf = ({ backoffBaseMs, backoffMaxMs, maxRetries }: RetryTimings): RetryTimings => ({
  backoffBaseMs,
  backoffMaxMs,
  maxRetries,
});

/** What is switched off, or cannot be called from here, starts no workflow: its rows wait in the ledger. */
function disabledKinds({ stripe, hyperswitch, reversal, transferRetry }: Config): MarketplaceKind[] {
  const disabled: MarketplaceKind[] = hyperswitch || stripe ? [] : ['payment', 'refund', 'dispute'];
  if (!stripe || !transferRetry.enabled) disabled.push('transfer');
  if (!stripe || !reversal.enabled) disabled.push('reversal');
  return disabled;
}
