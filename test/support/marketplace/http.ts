import { readConfig } from '../../../src/config/config.js';
import { createMarketplaceRoutes } from '../../../src/programs/marketplace-routes.js';
import { verifyStripeWebhook } from '../../../src/providers/stripe/webhook.js';
import { startApi, type TestApi } from '../api.js';
import type { MarketplaceTest } from './time-skipping.js';
import { marketplaceEnvironment } from './world.js';

/**
 * The server's side of the same marketplace over HTTP: its routes, with the real ledger, calls and decisions. Both
 * stand-ins send their webhooks here from now on.
 */
export async function serveMarketplace(market: MarketplaceTest): Promise<TestApi> {
  const { test, stripe, hyperswitch, world } = market;
  const environment = marketplaceEnvironment(stripe, hyperswitch);
  const config = readConfig({ DATABASE_URL: test.url, ...environment });
  const routes = createMarketplaceRoutes(
    config,
    { ledger: test.ledger, marketplace: world } as never,
    world.logger as never,
  );
  const secrets = config.stripe?.webhookSecrets ?? [];
  const api = await startApi({
    ledger: test.ledger,
    marketplace: {
      ...routes,
      webhooks: {
        ...routes.webhooks,
        // Stripe's signatures carry a date, which is the stand-in's: by the clock that a test moves.
        stripe: (raw, signature) => verifyStripeWebhook(raw, signature, secrets, test.clock.nowMs()),
      },
    },
  });
  stripe.setWebhookTarget({ url: `${api.url}/webhooks/stripe`, secrets: [environment.STRIPE_WEBHOOK_SECRET ?? ''] });
  hyperswitch.setWebhooks({
    url: `${api.url}/webhooks/hyperswitch`,
    secret: environment.HYPERSWITCH_WEBHOOK_SECRET ?? '',
  });
  return api;
}
