import { createHash, createHmac } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { NewWebhookEvent } from '../../../src/ledger/marketplace/marketplace-types.js';
import { verifyHyperswitchWebhook } from '../../../src/providers/hyperswitch/webhook.js';
import { verifyStripeWebhook } from '../../../src/providers/stripe/webhook.js';
import { openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

/** Published by the providers, and worked out by their own libraries. */
const STRIPE = {
  path: '/webhooks/stripe',
  secret: 'whsec_test_secret',
  body: '{"id":"evt_1","object":"event","type":"transfer.reversed","created":1700000000,"data":{"object":{"id":"tr_1","object":"transfer","amount":1000,"amount_reversed":400,"reversed":false}}}',
  header: 'Stripe-Signature',
  signature: 't=1700000000,v1=e86b4d4c6aed67eb7e783c0b69464fb28b2c2b5953f863f461f7d78257f170ba',
};
const HYPERSWITCH = {
  path: '/webhooks/hyperswitch',
  secret: 'hs_hash_key',
  body: '{"merchant_id":"merchant_1","event_id":"evt_018e31720d1b7a2b82677d3032cab959","event_type":"refund_succeeded","content":{"type":"refund_details","object":{"refund_id":"ref_tfgcgxcysdzg7u8hip6ge9dpd5","payment_id":"pay_mbabizu24mvu3mela5njyhpit4","amount":600,"currency":"USD","status":"succeeded","connector":"stripe"}},"timestamp":"2026-11-21T03:00:00.000Z"}',
  header: 'X-Webhook-Signature-512',
  signature:
    'aa39ab51eb9dfd29ae2193601045a68e43c3b8968556056c5d9462e39dbde47e1a55f72b5a6d54faa906ff9f43026a76d6082a91674a26318dd1259bc97fca99',
};
const BOTH = [STRIPE, HYPERSWITCH] as const;
type Vector = (typeof BOTH)[number];

const signedByHyperswitch = (body: string, secret = HYPERSWITCH.secret) =>
  createHmac('sha512', secret).update(body).digest('hex');
const sha256 = (body: string) => createHash('sha256').update(body).digest('hex');

let stored: NewWebhookEvent[];
interface Inbox {
  readonly secrets?: { readonly stripe?: readonly string[]; readonly hyperswitch?: readonly string[] };
  readonly store?: (event: NewWebhookEvent) => Promise<'stored' | 'duplicate'>;
}
async function open({ secrets, store }: Inbox = {}) {
  stored = [];
  const { stripe = [STRIPE.secret], hyperswitch = ['another', HYPERSWITCH.secret] } = secrets ?? {};
  shop = await openShop(() => ({
    webhooks: {
      ...(stripe.length > 0 && {
        stripe: (raw: Buffer, header: string | undefined) =>
          verifyStripeWebhook(raw, header, stripe, 1_700_000_060_000),
      }),
      ...(hyperswitch.length > 0 && {
        hyperswitch: (raw: Buffer, header: string | undefined) => verifyHyperswitchWebhook(raw, header, hyperswitch),
      }),
    },
    ledger: {
      storeWebhook: (event) => {
        stored.push(event);
        return store?.(event) ?? Promise.resolve('stored');
      },
    },
  }));
}
const deliver = (
  { path, body, header, signature }: Vector,
  change: { body?: string; signature?: string | null; type?: string } = {},
) => {
  const signed = change.signature === undefined ? signature : change.signature;
  return shop.send(path, {
    body: change.body ?? body,
    headers: { 'Content-Type': change.type ?? 'application/json', ...(signed === null ? {} : { [header]: signed }) },
  });
};

describe('an event', () => {
  it('of Stripe is stored with what it is about, answered, and processed afterwards', async () => {
    await open();
    const { status, body } = await deliver(STRIPE);
    expect([status, body]).toEqual([200, { received: true }]);
    expect(stored).toEqual([
      {
        provider: 'stripe',
        eventId: 'evt_1',
        type: 'transfer.reversed',
        objectId: 'tr_1',
        parentId: null,
        account: null,
        bodySha256: sha256(STRIPE.body),
      },
    ]);
    expect(shop.processed).toEqual(stored);
  });

  it('of Hyperswitch names its refund, and the payment it belongs to', async () => {
    await open();
    expect((await deliver(HYPERSWITCH)).status).toBe(200);
    expect(stored).toEqual([
      {
        provider: 'hyperswitch',
        eventId: 'evt_018e31720d1b7a2b82677d3032cab959',
        type: 'refund_succeeded',
        objectId: 'ref_tfgcgxcysdzg7u8hip6ge9dpd5',
        parentId: 'pay_mbabizu24mvu3mela5njyhpit4',
        account: null,
        bodySha256: sha256(HYPERSWITCH.body),
      },
    ]);
  });

  it('of Hyperswitch about a payment has no other', async () => {
    await open();
    const body = JSON.stringify({
      event_id: 'e',
      event_type: 'payment_succeeded',
      content: { object: { payment_id: 'pay_1' } },
    });
    await deliver(HYPERSWITCH, { body, signature: signedByHyperswitch(body) });
    expect(stored).toMatchObject([{ objectId: 'pay_1', parentId: null }]);
  });

  it('of a connected account keeps its account', async () => {
    await open();
    const body = '{"id":"evt_2","type":"balance.available","account":"acct_a","data":{"object":{"object":"balance"}}}';
    const signature = createHmac('sha256', STRIPE.secret).update(`1700000000.${body}`).digest('hex');
    await deliver(STRIPE, { body, signature: `t=1700000000,v1=${signature}` });
    expect(stored).toMatchObject([{ type: 'balance.available', objectId: null, account: 'acct_a' }]);
  });

  it.each([
    ['of a type that nobody knows', { event_id: 'e', event_type: 'moon_landing', content: { object: {} } }],
    [
      'about something that nobody knows',
      { event_id: 'e', event_type: 'refund_failed', content: { object: { refund_id: 'ref_x' } } },
    ],
  ])('%s is received all the same', async (_what, event) => {
    await open();
    const body = JSON.stringify(event);
    const answer = await deliver(HYPERSWITCH, { body, signature: signedByHyperswitch(body) });
    expect([answer.status, answer.body, stored.length]).toEqual([200, { received: true }, 1]);
  });

  it.each(['application/json; charset=utf-8', 'text/plain', 'application/octet-stream'])(
    'may come as %s: it is the bytes that are signed',
    async (type) => {
      await open();
      expect((await deliver(STRIPE, { type })).status).toBe(200);
    },
  );

  it('that comes again is received, and not processed twice by the request', async () => {
    await open({ store: () => Promise.resolve('duplicate') });
    const { status, body } = await deliver(STRIPE);
    expect([status, body, shop.processed]).toEqual([200, { received: true }, []]);
  });

  it('is answered before it is processed, and never waits for it', async () => {
    const seen: string[] = [];
    shop = await openShop(() => ({
      webhooks: { hyperswitch: (raw, header) => verifyHyperswitchWebhook(raw, header, [HYPERSWITCH.secret]) },
      processWebhook: ({ eventId }) => {
        seen.push(eventId);
      },
      ledger: { storeWebhook: () => Promise.resolve('stored') },
    }));
    expect((await deliver(HYPERSWITCH)).status).toBe(200);
    expect(seen).toEqual(['evt_018e31720d1b7a2b82677d3032cab959']);
  });

  it('needs no token, and a burst of them is never limited', async () => {
    await open();
    const answers = await Promise.all(Array.from({ length: 300 }, () => deliver(HYPERSWITCH)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('what was not signed for us', () => {
  it.each(BOTH)('$path refuses it with 400, and stores nothing', async (vector) => {
    await open();
    const tampered = vector.body.replace('"USD"', '"EUR"').replace('"amount_reversed":400', '"amount_reversed":500');
    expect(tampered).not.toBe(vector.body);
    for (const change of [
      { signature: null },
      { signature: '' },
      { signature: 'x' },
      { signature: vector.signature.replace(/.$/, (last) => (last === '0' ? '1' : '0')) },
      { signature: vector.signature.toUpperCase() },
      { body: tampered },
      { body: `${vector.body} ` },
      { body: '' },
      { signature: BOTH.find((other) => other !== vector)?.signature },
    ]) {
      expect(problemOf(await deliver(vector, change))).toEqual([400, 'invalid_signature']);
    }
    expect([stored, shop.processed]).toEqual([[], []]);
  });

  it('is refused when it is signed twice: a header that says two things says nothing', async () => {
    await open();
    const status = await new Promise((resolve, reject) => {
      const sent = request(
        `${shop.url}${STRIPE.path}`,
        { method: 'POST', headers: { [STRIPE.header]: [STRIPE.signature, 't=1,v1=00'] } },
        (response) => resolve(response.resume().statusCode),
      );
      sent.on('error', reject).end(STRIPE.body);
    });
    expect([status, stored]).toEqual([400, []]);
  });

  it('is refused when Stripe signed it more than five minutes ago', async () => {
    await open();
    const signature = createHmac('sha256', STRIPE.secret).update(`1699999700.${STRIPE.body}`).digest('hex');
    const answer = await deliver(STRIPE, { signature: `t=1699999700,v1=${signature}` });
    expect([problemOf(answer), stored]).toEqual([[400, 'invalid_signature'], []]);
  });

  it.each(['', '   '])('is not what an empty secret %j signed', async (secret) => {
    await open({ secrets: { hyperswitch: [secret] } });
    const signature = signedByHyperswitch(HYPERSWITCH.body, secret);
    expect(problemOf(await deliver(HYPERSWITCH, { signature }))).toEqual([400, 'invalid_signature']);
  });

  it.each(['not JSON', '[]', '{}', '{"event_id":7}', '{"event_id":"","event_type":"x"}'])(
    'is %j, which was signed and is no event',
    async (body) => {
      await open();
      const answer = await deliver(HYPERSWITCH, { body, signature: signedByHyperswitch(body) });
      expect([problemOf(answer), stored]).toEqual([[400, 'invalid_signature'], []]);
    },
  );

  it('never shows in the log what it says', async () => {
    await open();
    await deliver(HYPERSWITCH, { body: '{"canary":1}', signature: null });
    expect(shop.logged.join('\n')).toContain('no valid signature');
    expect(shop.logged.join('\n')).not.toContain('canary');
  });
});

describe('where it cannot be taken', () => {
  it.each([
    [STRIPE, { stripe: [] }],
    [HYPERSWITCH, { hyperswitch: [] }],
  ])('because no secret is set: 503, so that it is sent again', async (vector, secrets) => {
    await open({ secrets });
    const answer = await deliver(vector);
    expect(problemOf(answer)).toEqual([503, 'not_configured']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(stored).toEqual([]);
  });

  it.each(BOTH)('because Postgres is away: $path answers 503 and processes nothing', async (vector) => {
    await open({ store: () => Promise.reject(Object.assign(new Error('canary'), { code: 'ECONNREFUSED' })) });
    const answer = await deliver(vector);
    expect(problemOf(answer)).toEqual([503, 'ledger_unavailable']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect([shop.processed, answer.text.includes('canary')]).toEqual([[], false]);
  });

  it('because it is larger than a megabyte: 413', async () => {
    await open();
    const body = 'x'.repeat(1024 * 1024 + 1);
    expect(problemOf(await deliver(HYPERSWITCH, { body }))).toEqual([413, 'body_too_large']);
    const large = JSON.stringify({ event_id: 'e', event_type: 't', content: 'x'.repeat(1024 * 1024 - 100) });
    expect((await deliver(HYPERSWITCH, { body: large, signature: signedByHyperswitch(large) })).status).toBe(200);
  });
});
