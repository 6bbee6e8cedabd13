import { createHmac, timingSafeEqual } from 'node:crypto';
import type { JsonObject } from '../../domain/json.js';
import { isObject, objectAt, parseJson, publicText, stringAt } from '../../protocols/wire-json.js';

/** What an event says it is about: a hint to read that object, never a fact about money. */
export interface StripeEvent {
  /** The same at every redelivery. */
  readonly eventId: string;
  /** `transfer.reversed`, `balance.available`, …; also types that nobody has heard of. */
  readonly type: string;
  /** Null for objects without an id, such as a balance. */
  readonly objectId: string | null;
  /** The payment that it says it is of, `pi_…` or `ch_…`: of a dispute, a refund or a charge. */
  readonly paymentId: string | null;
  /** `transfer`, `payout`, `balance`, … */
  readonly objectType: string | null;
  /** The connected account it happened on; null: our own. */
  readonly account: string | null;
  readonly livemode: boolean;
}

/** A delivery this much older or younger is replayed or forged: https://docs.stripe.com/webhooks. */
const TOLERANCE_S = 300;

/**
 * The event in a webhook, or null for one that was not signed with any of our secrets within the last five minutes, or
 * that is no event. The library's own check admits any time in the future.
 * @param rawBody the bytes as they came, before any parser
 * @param header `Stripe-Signature`
 * @param secrets several while one is changed; an empty one verifies nothing
 * @param nowMs Unix milliseconds
 */
export function verifyStripeWebhook(
  rawBody: Buffer,
  header: string | undefined,
  secrets: readonly string[],
  nowMs: number,
): StripeEvent | null {
  const signed = readHeader(header ?? '');
  if (signed === null || Math.abs(Math.floor(nowMs / 1000) - Number(signed.time)) > TOLERANCE_S) return null;
  // Every pair is compared, so that the time taken does not tell which one fits.
  const fits = secrets
    .filter((secret) => secret.trim() !== '')
    .map((secret) => createHmac('sha256', secret).update(`${signed.time}.`).update(rawBody).digest())
    .flatMap((wanted) => signed.signatures.map((given) => timingSafeEqual(wanted, given)));
  return fits.includes(true) ? eventOf(rawBody) : null;
}

interface SignedHeader {
  /** Unix seconds, in the digits that were signed. */
  readonly time: string;
  readonly signatures: readonly Buffer[];
}

/** `t=1700000000,v1=…[,v1=…]`; other schemes (`v0`) sign nothing here. */
function readHeader(header: string): SignedHeader | null {
  const parts = header.split(',').map((part) => part.trim());
  const times = parts.filter((part) => part.startsWith('t='));
  const signatures = parts.filter((part) => /^v1=[0-9a-f]{64}$/.test(part));
  const time = /^t=(\d{1,12})$/.exec(times[0] ?? '')?.[1];
  if (time === undefined || times.length !== 1) return null;
  return { time, signatures: signatures.map((part) => Buffer.from(part.slice('v1='.length), 'hex')) };
}

function eventOf(rawBody: Buffer): StripeEvent | null {
  const event = parseJson(rawBody.toString('utf8'));
  if (!isObject(event)) return null;
  const isThin = stringAt(event, 'object') === 'v2.core.event';
  const told = isThin ? thin(event) : snapshot(event);
  const eventId = textAt(event, 'id');
  if (eventId === null || told === null) return null;
  // What it is about would be passed over for ever: refused, Stripe sends it again for days and tells whoever set it up.
  if (NAMES_AN_OBJECT.test(told.type) && told.objectId === null) return null;
  return { eventId, ...told, livemode: event['livemode'] === true };
}

type Told = Omit<StripeEvent, 'eventId' | 'livemode'>;

const NAMES_AN_OBJECT = /^(?:transfer|payout|refund|charge\.dispute)\.|^charge\.refund/;

function snapshot(event: JsonObject): Told | null {
  const type = textAt(event, 'type');
  const object = objectAt(objectAt(event, 'data'), 'object') ?? {};
  if (type === null) return null;
  return {
    type,
    objectId: textAt(object, 'id'),
    paymentId: namedAt(object, 'payment_intent') ?? namedAt(object, 'charge'),
    objectType: textAt(object, 'object'),
    account: textAt(event, 'account'),
  };
}

/**
 * An event of v2 carries no object and only names one (docs.stripe.com/events/how-events-work). Those about objects of v1 have
 * `v1.` before the type that v1 gives them; where it happened is the last account of the context.
 */
function thin(event: JsonObject): Told | null {
  const type = textAt(event, 'type')?.replace(/^v1\./, '') ?? null;
  const related = objectAt(event, 'related_object') ?? {};
  if (type === null) return null;
  return {
    type,
    objectId: textAt(related, 'id'),
    paymentId: null,
    objectType: textAt(related, 'type'),
    account: /(?:^|\/)(acct_\w+)$/.exec(textAt(event, 'context') ?? '')?.[1] ?? null,
  };
}

/** An id, also where the object itself was put in its place. */
const namedAt = (object: JsonObject, key: string): string | null =>
  textAt(object, key) ?? textAt(objectAt(object, key) ?? {}, 'id');

const textAt = (object: JsonObject, key: string): string | null => publicText(stringAt(object, key), 255) ?? null;
