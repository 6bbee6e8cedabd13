import { createSendPayment } from '../calls/marketplace/send-payment.js';
import type { Config } from '../config/config.js';
import { systemClock } from '../domain/clock.js';
import type { MarketplaceRouteDependencies, WebhookVerifiers } from '../http/marketplace/marketplace-dependencies.js';
import type { Logger } from '../observability/logger.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../providers/hyperswitch/ids.js';
import { verifyHyperswitchWebhook } from '../providers/hyperswitch/webhook.js';
import { verifyStripeWebhook } from '../providers/stripe/webhook.js';
import type { PaidSessionRuntime } from './runtime.js';

/** What the marketplace's routes are given: the same calls, decisions and starts that the worker has. */
export function createMarketplaceRoutes(
  config: Config,
  { ledger, marketplace }: PaidSessionRuntime,
  logger: Logger,
): MarketplaceRouteDependencies {
  const { calls, external, wake, processWebhook } = marketplace;
  return {
    ledger,
    external,
    paymentProvider: config.paymentProvider,
    paysByStripe: config.stripe !== undefined,
    hyperswitch: config.hyperswitch && {
      paymentIdFor: hyperswitchPaymentId,
      refundIdFor: hyperswitchRefundId,
      profileId: config.hyperswitch.profileId,
    },
    sendPayment: createSendPayment(calls?.advancePayment, ledger),
    async sendRefund(id) {
      // The row is there: what this one call could not do, the refund's workflow does.
      await calls
        ?.advanceRefund(id)
        .catch((error: unknown) =>
          logger.warn({ refund: id, err: error }, 'a refund was not sent in its request; its workflow sends it'),
        );
    },
    nudge: (item) => wake([item]),
    processWebhook(event) {
      processWebhook(event).catch((error: unknown) =>
        logger.warn({ event: event.eventId, err: error }, 'a webhook was stored and not acted on yet; the sweep does'),
      );
    },
    webhooks: verifiersOf(config),
  };
}

function verifiersOf({ stripe, hyperswitch }: Config): WebhookVerifiers {
  const ofStripe = stripe?.webhookSecrets;
  const ofHyperswitch = hyperswitch?.webhookSecrets;
  return {
    ...(ofStripe && {
      stripe: (raw: Buffer, signature: string | undefined) =>
        verifyStripeWebhook(raw, signature, ofStripe, systemClock.nowMs()),
    }),
    ...(ofHyperswitch && {
      hyperswitch: (raw: Buffer, signature: string | undefined) =>
        verifyHyperswitchWebhook(raw, signature, ofHyperswitch),
    }),
  };
}
