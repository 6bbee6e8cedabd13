import { createHmac } from 'node:crypto';
import type { NewWebhookEvent } from '../../../../src/ledger/marketplace/marketplace-types.js';
import { verifyHyperswitchWebhook } from '../../../../src/providers/hyperswitch/webhook.js';
import { verifyStripeWebhook } from '../../../../src/providers/stripe/webhook.js';
import type { DisputeWorld } from '../dispute-world.js';

/**
 * How an event is told: by which provider, at once; by both, each of them twice; after the other event and the newest news first; never.
 * `by Stripe alone`: Hyperswitch does not hear of it either, ever.
 */
export const WAYS = [
  'by both, twice',
  'by Hyperswitch',
  'by Stripe',
  'late and out of order',
  'by nobody',
  'by Stripe alone',
] as const;
export type Way = (typeof WAYS)[number];

/** One webhook as a provider's stand-in wrote it, read as the server reads it. */
export type News = NewWebhookEvent;

const SECRET = 'whsec_matrix';
const IS_ABOUT_MONEY_THAT_LEAVES = /^(?:charge\.dispute\.|charge\.refund|refund\.)/;

/** What both stand-ins have to tell since the last time, Hyperswitch's first. */
export function newsOf({ atHyperswitch, atStripe, clock }: DisputeWorld): () => readonly News[] {
  let [toldThere, toldAtStripe] = [atHyperswitch.webhooks().length, atStripe.events().length];
  return () => {
    const there = atHyperswitch.webhooks();
    const own = atStripe.events();
    const news = [
      ...there.slice(toldThere).map(({ body }) => ofHyperswitch(body)),
      ...own
        .slice(toldAtStripe)
        .filter(({ event }) => IS_ABOUT_MONEY_THAT_LEAVES.test(event.type))
        .map(({ event }) => ofStripe(JSON.stringify(event), clock.nowMs())),
    ];
    [toldThere, toldAtStripe] = [there.length, own.length];
    return news;
  };
}

function ofHyperswitch(body: string): News {
  const signature = createHmac('sha512', SECRET).update(body).digest('hex');
  const event = verifyHyperswitchWebhook(Buffer.from(body), signature, [SECRET]);
  if (!event) throw new Error(`it is no event of Hyperswitch: ${body}`);
  const { eventId, type, paymentId, refundId, disputeId } = event;
  const part = refundId ?? disputeId;
  return {
    provider: 'hyperswitch',
    eventId,
    type,
    objectId: part ?? paymentId,
    parentId: part === null ? null : paymentId,
    account: null,
    bodySha256: eventId,
  };
}

function ofStripe(body: string, nowMs: number): News {
  const time = Math.floor(nowMs / 1_000);
  const signature = createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex');
  const event = verifyStripeWebhook(Buffer.from(body), `t=${time},v1=${signature}`, [SECRET], nowMs);
  if (!event) throw new Error(`it is no event of Stripe: ${body}`);
  const { eventId, type, objectId, paymentId: parentId, account } = event;
  return { provider: 'stripe', eventId, type, objectId, parentId, account, bodySha256: eventId };
}

/** Stored, and acted on where it is new; a second delivery only counts. */
async function deliver({ ledger, hears }: DisputeWorld, news: readonly News[]): Promise<void> {
  for (const event of news) if ((await ledger.storeWebhook(event)) === 'stored') await hears(event);
}

/** Tells of one event as its way is. */
export interface Teller {
  /** After each of its steps. */
  tell(news: readonly News[]): Promise<void>;
  /** After the other event. */
  tellLate(): Promise<void>;
}

export function teller(world: DisputeWorld, way: Way): Teller {
  const kept: News[] = [];
  return {
    async tell(news) {
      switch (way) {
        case 'by both, twice':
          return await deliver(world, [...news, ...news]);
        case 'by Hyperswitch':
          return await deliver(world, from('hyperswitch', news));
        case 'by Stripe':
        case 'by Stripe alone':
          return await deliver(world, from('stripe', news));
        case 'late and out of order':
          kept.push(...news);
          return;
        case 'by nobody':
      }
    },
    tellLate: () => deliver(world, kept.splice(0).toReversed()),
  };
}

const from = (provider: News['provider'], news: readonly News[]): readonly News[] =>
  news.filter((one) => one.provider === provider);
