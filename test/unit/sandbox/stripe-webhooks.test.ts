import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { stripeSignature } from '../../../sandbox/stripe/webhooks/webhook-signature.js';
import { HOUR_MS } from '../../support/durations.js';
import { startFundedStripe } from '../../support/marketplace/funded-stripe.js';
import { SELLER, type StripeApi, stripeApi, transferOf } from '../../support/marketplace/stripe-api.js';

const SECRET = 'whsec_test';

interface Received {
  readonly body: string;
  readonly signature: string;
  readonly type: string;
  readonly id: string;
}

const clock = { at: Date.UTC(2026, 10, 21), nowMs: () => clock.at };
let sandbox: StripeSandbox;
let api: StripeApi;
let received: Received[];
let answers: number[];
let url: string;
let closeReceiver: () => void;
beforeEach(async () => {
  clock.at = Date.UTC(2026, 10, 21);
  received = [];
  answers = [];
  const receiver = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    req.on('end', () => {
      const { type, id } = JSON.parse(body) as { type: string; id: string };
      received.push({ body, type, id, signature: String(req.headers['stripe-signature']) });
      res.writeHead(answers.shift() ?? 200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  closeReceiver = () => receiver.close().closeAllConnections();
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks/stripe`;
  sandbox = await startFundedStripe({ clock, webhook: { url, secrets: [SECRET] } });
  api = stripeApi(sandbox.url);
});
afterEach(async () => {
  closeReceiver();
  await sandbox.close();
});

const stripe = new Stripe('sk_test_unused');
const verified = ({ body, signature }: Received, secret = SECRET) =>
  stripe.webhooks.constructEvent(body, signature, secret, 300, undefined, clock.at);
const types = () => received.map(({ type }) => type);
const states = () => sandbox.events().map(({ state }) => state);
const transfer = () => api.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' });
/** One event of a seller; nothing else comes with it. */
const balance = async (available: number) => {
  await sandbox.setBalance({ account: SELLER, currency: 'usd', available });
  await sandbox.webhooksIdle();
};

it('signs as Stripe does', () => {
  const body =
    '{"id":"evt_1","object":"event","type":"transfer.reversed","created":1700000000,"data":{"object":{"id":"tr_1","object":"transfer","amount":1000,"amount_reversed":400,"reversed":false}}}';
  expect(stripeSignature(body, ['whsec_test_secret'], 1_700_000_000)).toBe(
    't=1700000000,v1=e86b4d4c6aed67eb7e783c0b69464fb28b2c2b5953f863f461f7d78257f170ba',
  );
});

describe('an event', () => {
  it('of a transfer is sent with its object, the request and its key, and the signature verifies', async () => {
    const { json, headers } = await transfer();
    await sandbox.webhooksIdle();
    const created = received.find(({ type }) => type === 'transfer.created');
    expect(created && verified(created)).toEqual({
      id: expect.stringMatching(/^evt_/),
      object: 'event',
      api_version: '2026-10-28.endive',
      created: Math.floor(clock.at / 1000),
      data: { object: json },
      livemode: false,
      pending_webhooks: 1,
      request: { id: headers['request-id'], idempotency_key: 'k1' },
      type: 'transfer.created',
    });
  });

  it('of a seller’s balance names the account, and comes for a rise only', async () => {
    await balance(500);
    expect(received.map((each) => verified(each))).toMatchObject([
      {
        type: 'balance.available',
        account: SELLER,
        data: { object: { object: 'balance', available: [{ amount: 500, currency: 'usd' }] } },
      },
    ]);
    await balance(400);
    expect(received.length).toBe(1);
  });

  it('of a reversal carries the transfer as it is now, also for a part of it and when made in the dashboard', async () => {
    const { json } = await transfer();
    await api.post(`/v1/transfers/${json.id}/reversals`, { amount: '400' });
    // Several are under way at once, so only one that has arrived is surely before the next.
    await sandbox.webhooksIdle();
    await sandbox.reverse(json.id);
    await sandbox.webhooksIdle();
    const reversed = received.filter(({ type }) => type === 'transfer.reversed').map((each) => verified(each));
    expect(reversed.map(({ data }) => data)).toMatchObject([
      {
        object: { id: json.id, amount_reversed: 400, reversed: false, reversals: { data: [{ amount: 400 }] } },
        previous_attributes: { amount_reversed: 0 },
      },
      { object: { amount_reversed: 1000, reversed: true }, previous_attributes: { amount_reversed: 400 } },
    ]);
  });

  it('is sent for what is finished later, under the request that was answered 500', async () => {
    sandbox.setFaults([{ kinds: ['finish_later'], times: 1 }]);
    const { headers } = await transfer();
    await sandbox.webhooksIdle();
    expect(received).toEqual([]);
    await sandbox.finishLater();
    await sandbox.webhooksIdle();
    const created = received.find(({ type }) => type === 'transfer.created');
    expect(created && verified(created).request).toEqual({ id: headers['request-id'], idempotency_key: 'k1' });
  });

  it('is not sent for a replay nor for a refusal', async () => {
    await transfer();
    await sandbox.webhooksIdle();
    const before = types();
    await transfer();
    expect((await api.post('/v1/transfers', transferOf({ amount: '999999999999' }))).status).toBe(400);
    expect((await api.post('/v1/transfers/tr_nothing/reversals')).status).toBe(404);
    await sandbox.webhooksIdle();
    expect(types()).toEqual(before);
  });

  it('about nothing that happened here can be sent as well', async () => {
    sandbox.sendEvent({ type: 'charge.refunded', account: SELLER, object: { id: 'ch_1', object: 'charge' } });
    await sandbox.webhooksIdle();
    expect(received.map((each) => verified(each))).toMatchObject([
      { type: 'charge.refunded', account: SELLER, data: { object: { id: 'ch_1' } } },
    ]);
  });

  it('of a payout names the account at each step', async () => {
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 900 });
    const { id } = await sandbox.createPayout({ account: SELLER, amount: 600, currency: 'usd', status: 'pending' });
    for (const status of ['in_transit', 'failed'] as const) {
      await sandbox.webhooksIdle();
      await sandbox.updatePayout(id, status, 'account_closed');
    }
    await sandbox.webhooksIdle();
    const payouts = received.filter(({ type }) => type.startsWith('payout.')).map((each) => verified(each));
    expect(payouts).toMatchObject([
      { type: 'payout.created', account: SELLER, data: { object: { id, status: 'pending' } } },
      { type: 'payout.updated', account: SELLER, data: { object: { status: 'in_transit' } } },
      {
        type: 'payout.failed',
        account: SELLER,
        data: { object: { status: 'failed', failure_code: 'account_closed' } },
      },
    ]);
  });
});

describe('while secrets are rolled', () => {
  it('one delivery verifies with each of them and with no other', async () => {
    sandbox.setWebhookTarget({ url, secrets: ['whsec_new', 'whsec_old'] });
    await balance(1);
    const [sent] = received as [Received];
    expect(verified(sent, 'whsec_new').id).toBe(sent.id);
    expect(verified(sent, 'whsec_old').id).toBe(sent.id);
    expect(() => verified(sent, 'whsec_third')).toThrow();
  });
});

describe('a delivery', () => {
  it('that is lost never arrives, until it is sent again', async () => {
    sandbox.setWebhookFaults([{ kinds: ['lost'], times: 1 }]);
    await balance(1);
    expect([received.length, states()]).toEqual([0, ['lost']]);
    expect(sandbox.redeliver({ states: ['lost'] })).toBe(1);
    await sandbox.webhooksIdle();
    expect([types(), states()]).toEqual([['balance.available'], ['delivered']]);
  });

  it('that is duplicated arrives twice under one id', async () => {
    sandbox.setWebhookFaults([{ kinds: ['duplicated'], times: 1 }]);
    await balance(1);
    expect(received.length).toBe(2);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  });

  it('that is late arrives when the clock reaches it, freshly signed', async () => {
    sandbox.setWebhookFaults([{ kinds: ['late'], ms: 2 * HOUR_MS, times: 1 }]);
    await balance(1);
    await sandbox.advanceClock(2 * HOUR_MS - 1);
    await sandbox.webhooksIdle();
    expect(received).toEqual([]);
    await sandbox.advanceClock(1);
    await sandbox.webhooksIdle();
    const [late] = received as [Received];
    // By the clock of whoever is told.
    expect(stripe.webhooks.constructEvent(late.body, late.signature, SECRET, 300, undefined, clock.at).id).toBe(
      late.id,
    );
  });

  it('out of order is overtaken by the next one', async () => {
    sandbox.setWebhookFaults([{ kinds: ['out_of_order'], times: 1 }]);
    await balance(1);
    expect([received.length, states()]).toEqual([0, ['held']]);
    await balance(2);
    const amounts = received.map(
      (each) =>
        (JSON.parse(each.body) as never as { data: { object: { available: { amount: number }[] } } }).data.object
          .available[0]?.amount,
    );
    expect(amounts).toEqual([2, 1]);
    expect(states()).toEqual(['delivered', 'delivered']);
  });

  it.each(['forged', 'stale'] as const)('that is %s does not verify, and the true one can follow', async (kind) => {
    sandbox.setWebhookFaults([{ kinds: [kind], times: 1 }]);
    await balance(1);
    const [wrong] = received as [Received];
    expect(() => verified(wrong)).toThrow();
    expect(states()).toEqual([kind]);
    sandbox.redeliver();
    await sandbox.webhooksIdle();
    expect(verified(received[1] as Received).id).toBe(wrong.id);
  });

  it('that fails is tried three times more over hours, by the clock', async () => {
    answers = [500, 404, 301, 500, 500];
    await balance(1);
    expect(states()).toEqual(['failed']);
    for (const hours of [1, 2, 3, 9]) {
      await sandbox.advanceClock(hours * HOUR_MS);
      await sandbox.webhooksIdle();
    }
    expect(received.length).toBe(4);
    expect(sandbox.events()[0]?.deliveries.map(({ status }) => status)).toEqual([500, 404, 301, 500]);
    expect(states()).toEqual(['failed']);
  });

  it('that arrived is not sent again', async () => {
    answers = [500, 200];
    await balance(1);
    for (let hours = 0; hours < 9; hours += 1) {
      await sandbox.advanceClock(HOUR_MS);
      await sandbox.webhooksIdle();
    }
    expect([received.length, states()]).toEqual([2, ['delivered']]);
  });

  it('to nobody is kept as unsent and can be sent when somebody listens', async () => {
    sandbox.setWebhookTarget(null);
    await balance(1);
    expect(states()).toEqual(['unsent']);
    sandbox.setWebhookTarget({ url, secrets: [SECRET] });
    sandbox.redeliver({ types: ['balance.available'] });
    await sandbox.webhooksIdle();
    expect(types()).toEqual(['balance.available']);
  });

  it('of other types goes on while a rule strikes one type', async () => {
    sandbox.setWebhookFaults([{ kinds: ['lost'], types: ['transfer.created'] }]);
    await transfer();
    await sandbox.webhooksIdle();
    expect(types()).toEqual(['balance.available']);
  });
});

it('never keeps an answer of the API waiting for a listener that hangs', async () => {
  const hanging = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(hanging, 'listening');
  const port = (hanging.address() as AddressInfo).port;
  sandbox.setWebhookTarget({ url: `http://127.0.0.1:${port}`, secrets: [SECRET] });
  expect((await transfer()).status).toBe(200);
  expect(states()).toEqual(['waiting', 'waiting']);
  hanging.close().closeAllConnections();
});
