import type { FollowStep } from '../calls/steps.js';
import type { Config } from '../config/config.js';
import { systemClock } from '../domain/clock.js';
import type { PaymentId } from '../domain/ids.js';
import type {
  MarketplaceRouteDependencies,
  PaymentSent,
  WebhookVerifiers,
} from '../http/marketplace/marketplace-dependencies.js';
import type { Ledger } from '../ledger/ledger.js';
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
  const { calls, wake, processWebhook } = marketplace;
  return {
    ledger,
    hyperswitch: calls && { paymentIdFor: hyperswitchPaymentId, refundIdFor: hyperswitchRefundId },
    async sendPayment(id) {
      if (!calls) return { kind: 'unknown', detail: 'Hyperswitch is not configured on this server' };
      return await toSent(id, await calls.advancePayment(id), ledger);
    },
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

async function toSent(id: PaymentId, step: FollowStep, ledger: Pick<Ledger, 'findPayment'>): Promise<PaymentSent> {
  if (step.kind === 'later') return { kind: 'unknown', detail: step.why };
  const payment = await ledger.findPayment(id);
  // Failed without ever having existed at the provider: it did not take the payment on.
  return payment?.status === 'failed' && payment.certainty === 'absent'
    ? { kind: 'refused', detail: 'Hyperswitch did not take this payment; the order is closed, nobody was charged' }
    : { kind: 'sent' };
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
