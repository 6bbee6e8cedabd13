import type { NewWebhookEvent } from '../../ledger/marketplace/marketplace-types.js';
import type { Logger } from '../../observability/logger.js';
import { sha256 } from '../../protocols/wire-json.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem, retryAfter } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import type { MarketplaceRouteDependencies } from './marketplace-dependencies.js';
import { hyperswitchWebhookOperation, stripeWebhookOperation } from './marketplace-operations.js';

type Dependencies = Pick<MarketplaceRouteDependencies, 'ledger' | 'processWebhook' | 'webhooks'> & {
  readonly logger: Logger;
};

/** What an event names; nothing of it is believed, the object is read from the provider again. */
type Named = Omit<NewWebhookEvent, 'bodySha256'>;

/**
 * Where providers tell us that something happened. Public, and without the limits of the API: a provider sends its
 * backlog in one burst, and whatever it is refused it sends later, for days. An event is verified over its bytes, stored
 * once and answered; what it is about is read from the provider afterwards.
 */
export const webhookRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(stripeWebhookOperation, (call) => receive('stripe', stripeEvent(call, dependencies), call, dependencies)),
  route(hyperswitchWebhookOperation, (call) =>
    receive('hyperswitch', hyperswitchEvent(call, dependencies), call, dependencies),
  ),
];

type Received = Call<unknown, unknown>;

function stripeEvent({ raw, headers }: Received, { webhooks }: Dependencies): Named | null {
  const verify = secretOf(webhooks.stripe, 'STRIPE_WEBHOOK_SECRET');
  const event = verify(raw, only(headers['stripe-signature']));
  if (!event) return null;
  const { eventId, type, objectId, paymentId, account } = event;
  return { provider: 'stripe', eventId, type, objectId, parentId: paymentId, account };
}

function hyperswitchEvent({ raw, headers }: Received, { webhooks }: Dependencies): Named | null {
  const verify = secretOf(webhooks.hyperswitch, 'HYPERSWITCH_WEBHOOK_SECRET');
  const event = verify(raw, only(headers['x-webhook-signature-512']));
  if (!event) return null;
  const { eventId, type, paymentId, refundId, disputeId } = event;
  const part = refundId ?? disputeId;
  const [objectId, parentId] = part === null ? [paymentId, null] : [part, paymentId];
  return { provider: 'hyperswitch', eventId, type, objectId, parentId, account: null };
}

/** A header that was sent twice says two things, and is none. */
const only = (values: readonly string[] | undefined): string | undefined =>
  values?.length === 1 ? values[0] : undefined;

const NOT_CONFIGURED_RETRY_SECONDS = 300;

function secretOf<T>(verify: T | undefined, variable: string): T {
  if (verify) return verify;
  throw new HttpProblem('not_configured', `events are taken once ${variable} is set: nothing was stored`, {
    headers: retryAfter(NOT_CONFIGURED_RETRY_SECONDS),
  });
}

async function receive(
  provider: NewWebhookEvent['provider'],
  named: Named | null,
  { raw }: Received,
  { ledger, processWebhook, logger }: Dependencies,
): Promise<Reply> {
  if (!named) {
    logger.warn(
      { provider, bytes: raw.length },
      'a webhook was refused: no valid signature, or no event that can be read',
    );
    throw new HttpProblem(
      'invalid_signature',
      'the signature is missing or wrong, or what it signs is no event that can be read: nothing was stored',
    );
  }
  const event = { ...named, bodySha256: sha256(raw) };
  // A duplicate was processed, or is found by the sweep.
  if ((await fromLedger(ledger.storeWebhook(event))) === 'stored') processWebhook(event);
  return { status: 200, body: { received: true } };
}
