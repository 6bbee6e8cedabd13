import { createHmac, timingSafeEqual } from 'node:crypto';
import type { JsonObject } from '../../domain/json.js';
import { isObject, parseJson, publicText } from '../../protocols/wire-json.js';

/** What an event says it is about: a hint to read that payment, refund or dispute, never a fact about money. */
export interface HyperswitchEvent {
  /** The same at every redelivery. */
  readonly eventId: string;
  /** `refund_succeeded`, `payment_failed`, …; also types that nobody has heard of. */
  readonly type: string;
  readonly paymentId: string | null;
  readonly refundId: string | null;
  readonly disputeId: string | null;
}

/** HMAC-SHA512 in lower-case hex; anything else was not made by Hyperswitch. */
const SIGNATURE = /^[0-9a-f]{128}$/;

/**
 * The event in a webhook, or null for one that was not signed with any of our secrets, or that is no event.
 * The signature covers the body alone, so an old delivery verifies for ever: its event id must be remembered.
 * @param rawBody the bytes as they came, before any parser
 * @param header `x-webhook-signature-512`
 * @param secrets the profile's payment response hash key; several while it is changed. An empty one verifies nothing
 */
export function verifyHyperswitchWebhook(
  rawBody: Buffer,
  header: string | undefined,
  secrets: readonly string[],
): HyperswitchEvent | null {
  if (header === undefined || !SIGNATURE.test(header)) return null;
  const given = Buffer.from(header, 'hex');
  // Every secret is tried, so that the time taken does not tell which one fits.
  const fits = secrets
    .filter((secret) => secret.trim() !== '')
    .map((secret) => timingSafeEqual(createHmac('sha512', secret).update(rawBody).digest(), given));
  return fits.includes(true) ? eventOf(rawBody) : null;
}

function eventOf(rawBody: Buffer): HyperswitchEvent | null {
  const event = parseJson(rawBody.toString('utf8'));
  if (!isObject(event)) return null;
  const eventId = textAt(event, 'event_id');
  const type = textAt(event, 'event_type');
  if (eventId === null || type === null) return null;
  const content = isObject(event['content']) ? event['content'] : {};
  const object = isObject(content['object']) ? content['object'] : {};
  return {
    eventId,
    type,
    paymentId: textAt(object, 'payment_id'),
    refundId: textAt(object, 'refund_id'),
    disputeId: textAt(object, 'dispute_id'),
  };
}

function textAt(object: JsonObject, key: string): string | null {
  const value = object[key];
  return typeof value === 'string' ? (publicText(value) ?? null) : null;
}
