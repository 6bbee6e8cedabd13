import type { ReconcileDependencies } from '../../activities/reconcile-activities.js';
import { createHyperswitchAccount } from '../calls/marketplace/hyperswitch-account.js';
import { createStripeAccountCheck } from '../calls/marketplace/stripe-account.js';
import { systemClock } from '../domain/clock.js';
import { YOUNG_MS } from '../domain/reconciliation/parts.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Logger } from '../observability/logger.js';
import type { MarketplaceOrchestration } from '../orchestration/marketplace.js';
import { createWorkflowReader } from '../orchestration/reconciling.js';
import type { SettlementOrchestration } from '../orchestration/settlements.js';
import type { TemporalClient } from '../orchestration/temporal-client.js';
import type { AuthorizationReader } from '../providers/evm/authorizations.js';
import type { MarketplaceProviders } from './marketplace-runtime.js';

export interface ReconcileParts {
  readonly ledger: Ledger;
  readonly providers: MarketplaceProviders;
  readonly chain: AuthorizationReader | undefined;
  readonly temporal: TemporalClient;
  readonly marketplace: MarketplaceOrchestration;
  readonly settlements: SettlementOrchestration;
  readonly logger: Logger;
}

/** What the reconciler compares here: the providers that are set. */
export function createReconcileRuntime(parts: ReconcileParts): ReconcileDependencies {
  const { ledger, providers, chain, temporal, marketplace, settlements, logger } = parts;
  const { stripe, hyperswitch } = providers;
  return {
    ledger,
    sides: {
      stripe: stripe && {
        calls: stripe.inLane('reconcile'),
        account: createStripeAccountCheck({ ledger, stripe }),
      },
      hyperswitch: hyperswitch && { calls: hyperswitch, account: createHyperswitchAccount({ ledger, hyperswitch }) },
      chain,
      workflows: createWorkflowReader(temporal, { ledger, marketplace, settlements }),
      clock: systemClock,
      youngMs: YOUNG_MS,
    },
    logger,
    monotonicMs: () => performance.now(),
  };
}
