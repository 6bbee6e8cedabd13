import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answered, TOKENS } from '../../support/api.js';
import { anOrder, aPayment, aRefund, ORDER_ID } from './marketplace-objects.js';
import { openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

const BODIES = {
  orders: { currency: 'EUR', items: [{ seller_account: 'acct_1A', amount: 600, description: 'a lamp' }] },
  payments: { order_id: ORDER_ID },
  refunds: { order_id: ORDER_ID, amount: 500, reason: 'broken' },
} as const;
type Kind = keyof typeof BODIES;
const KINDS = Object.keys(BODIES) as Kind[];
const STATUS = { orders: 201, payments: 201, refunds: 202 } as const;

/** How often each thing was made, and sent on. */
let done: string[];
async function open() {
  done = [];
  shop = await openShop(({ tie }) => ({
    sendPayment: (id) => Promise.resolve(done.push(`sent ${id}`)).then(() => ({ kind: 'sent' })),
    sendRefund: (id) => Promise.resolve(done.push(`sent ${id}`)).then(() => undefined),
    ledger: {
      createOrder: (order, request) => {
        done.push('order');
        tie(request, order.id);
        return Promise.resolve(anOrder({ id: order.id }));
      },
      createPayment: (_payment, request) => {
        done.push('payment');
        tie(request, aPayment().id);
        return Promise.resolve({ kind: 'created', payment: aPayment() });
      },
      findPayment: () => Promise.resolve(aPayment()),
      createRefund: (_refund, request) => {
        done.push('refund');
        tie(request, aRefund().id);
        return Promise.resolve({ kind: 'created', refund: aRefund() });
      },
      findRefund: () => Promise.resolve(aRefund()),
      findOrder: () => Promise.resolve(anOrder()),
    },
  }));
}
const post = (kind: Kind, key: string | undefined, json: unknown = BODIES[kind]): Promise<Answered> =>
  shop.send(`/api/v1/${kind}`, {
    token: TOKENS.service,
    json,
    headers: key === undefined ? {} : { 'Idempotency-Key': key },
  });

describe('the header Idempotency-Key', () => {
  it.each(KINDS)('is needed by POST %s, and said so before anything is done', async (kind) => {
    await open();
    const answer = await post(kind, undefined);
    expect(problemOf(answer)).toEqual([400, 'idempotency_key_required']);
    expect(answer.body.detail).toMatch(/Idempotency-Key/);
    expect(answer.body.errors).toEqual([{ pointer: '/Idempotency-Key', message: 'is missing' }]);
    expect([done, shop.kept()]).toEqual([[], []]);
  });

  it.each([
    ['empty', ''],
    ['blank', '   '],
    ['of 256 characters', 'k'.repeat(256)],
    ['with a tab', 'a\tb'],
    ['with letters beyond ASCII', 'käse'],
  ])('is refused when it is %s', async (_what, key) => {
    await open();
    for (const kind of KINDS) {
      expect(problemOf(await post(kind, key))).toEqual([400, 'idempotency_key_required']);
    }
    expect(done).toEqual([]);
  });

  it('is refused when it is there twice: nobody knows which one is meant', async () => {
    await open();
    const status = await new Promise((resolve, reject) => {
      const sent = httpRequest(
        `${shop.url}/api/v1/orders`,
        {
          method: 'POST',
          headers: {
            Authorization: `Bearer ${TOKENS.service}`,
            'Content-Type': 'application/json',
            'Idempotency-Key': ['a', 'b'],
          },
        },
        (response) => resolve(response.resume().statusCode),
      );
      sent.on('error', reject).end(JSON.stringify(BODIES.orders));
    });
    expect([status, done]).toEqual([400, []]);
  });

  it.each(['k', 'k'.repeat(255), 'cart 7, try 1', '"quoted"', '0197d7a4-6f00-7000-8000-000000000001'])(
    'may be %j',
    async (key) => {
      await open();
      expect((await post('orders', key)).status).toBe(201);
    },
  );
});

describe('the same request again', () => {
  it.each(KINDS)('is answered with the first answer, and POST %s is done once', async (kind) => {
    await open();
    const first = await post(kind, 'key');
    expect(first.status).toBe(STATUS[kind]);
    const before = [...done];
    const again = await post(kind, 'key');
    expect([again.status, again.body, done]).toEqual([first.status, first.body, before]);
  });

  it('is the same with its members in another order, other spaces and another case of the currency', async () => {
    await open();
    const first = await post('orders', 'key');
    const { items } = BODIES.orders;
    const again = await shop.send('/api/v1/orders', {
      token: TOKENS.service,
      body: JSON.stringify({ items, currency: 'eur' }, null, 3),
      headers: { 'Idempotency-Key': 'key' },
    });
    expect([again.status, again.body.id, done]).toEqual([201, first.body.id, ['order']]);
  });

  it.each(KINDS)('with another body under the key of POST %s is refused, and nothing more is done', async (kind) => {
    await open();
    await post(kind, 'key');
    const before = [...done];
    const other = {
      orders: { ...BODIES.orders, currency: 'USD' },
      payments: { order_id: `${ORDER_ID.slice(0, -1)}9` },
      refunds: { ...BODIES.refunds, amount: 501 },
    }[kind];
    expect(problemOf(await post(kind, 'key', other))).toEqual([422, 'idempotency_key_reused']);
    expect(done).toEqual(before);
  });

  it('tells a refund of the remainder from one of a stated amount', async () => {
    await open();
    const { amount: _amount, ...remainder } = BODIES.refunds;
    await post('refunds', 'key', remainder);
    expect(problemOf(await post('refunds', 'key'))).toEqual([422, 'idempotency_key_reused']);
  });

  it('of another kind is another request', async () => {
    await open();
    for (const kind of KINDS) expect((await post(kind, 'key')).status).toBe(STATUS[kind]);
    expect(done.filter((what) => !what.startsWith('sent'))).toEqual(['order', 'payment', 'refund']);
  });

  it('two equal refunds with two keys are two', async () => {
    await open();
    for (const key of ['a', 'b']) expect((await post('refunds', key)).status).toBe(202);
    expect(done.filter((what) => what === 'refund')).toHaveLength(2);
  });

  it('while the first is at work is told to come back', async () => {
    let finish = (): void => undefined;
    const made: string[] = [];
    shop = await openShop(() => ({
      ledger: {
        createOrder: async ({ id }) => {
          made.push(id);
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          return anOrder({ id });
        },
      },
    }));
    const first = post('orders', 'key');
    await expect.poll(() => made.length).toBe(1);
    const meanwhile = await post('orders', 'key');
    expect(problemOf(meanwhile)).toEqual([409, 'request_in_flight']);
    expect(Number(meanwhile.headers.get('retry-after'))).toBeGreaterThan(0);
    finish();
    expect([(await first).status, (await post('orders', 'key')).status, made.length]).toEqual([201, 201, 1]);
  });
});

describe('a request that did not end well', () => {
  it('leaves its key free: the same request goes on', async () => {
    let healthy = false;
    shop = await openShop(() => ({
      ledger: {
        createOrder: ({ id }) => (healthy ? Promise.resolve(anOrder({ id })) : Promise.reject(new Error('gone'))),
      },
    }));
    expect(problemOf(await post('orders', 'key'))).toEqual([503, 'ledger_unavailable']);
    healthy = true;
    expect((await post('orders', 'key')).status).toBe(201);
  });

  it('answers 503 when its answer could not be kept, and never as if nothing were known', async () => {
    shop = await openShop(() => ({
      ledger: {
        createOrder: ({ id }) => Promise.resolve(anOrder({ id })),
        finishRequest: () => Promise.reject(new Error('gone')),
        releaseRequest: () => Promise.reject(new Error('gone too')),
      },
    }));
    const answer = await post('orders', 'key');
    expect(problemOf(answer)).toEqual([503, 'ledger_unavailable']);
    expect(answer.body.detail).toMatch(/send the same request again/);
  });
});
