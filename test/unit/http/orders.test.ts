import { afterEach, describe, expect, it } from 'vitest';
import type { NewOrder } from '../../../src/ledger/marketplace/marketplace-types.js';
import { TOKENS } from '../../support/api.js';
import { anOrder, aPayment, aRefund, aReversal, aTransfer, id, ORDER_ID } from './marketplace-objects.js';
import { openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

const made: NewOrder[] = [];
async function open() {
  made.length = 0;
  shop = await openShop(({ tie }) => ({
    ledger: {
      createOrder: (order, request) => {
        made.push(order);
        tie(request, order.id);
        const amount = order.items.reduce((sum, item) => sum + item.amount, 0n);
        const items = order.items.map(({ release = { kind: 'immediately' }, ...item }, nth) => ({
          kind: 'item' as const,
          fee: 0n,
          ordered: null,
          ...item,
          release,
          id: id(10 + nth),
        }));
        return Promise.resolve(anOrder({ ...order, items, amount, status: 'pending' }));
      },
    },
  }));
}

const ITEM = { seller_account: 'acct_1A', amount: 600, description: 'a lamp' };
const VALID = { currency: 'USD', items: [ITEM] };
const item = (change: object) => ({ ...VALID, items: [{ ...ITEM, ...change }] });
const raw = (amount: string) => JSON.stringify(VALID).replace('600', amount);
const LARGEST = Number.MAX_SAFE_INTEGER;

describe('POST /api/v1/orders', () => {
  it('answers 201 with all that the contract names', async () => {
    await open();
    const { status, body } = await shop.post('/api/v1/orders', {
      currency: 'usd',
      items: [ITEM, { seller_account: 'acct_2B', amount: 400, description: 'a chair' }],
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/),
      status: 'pending',
      currency: 'USD',
      amount: 1_000,
      ordered: null,
      items: [
        { id: id(10), kind: 'item', ordered: null, fee: 0, release: 'immediately', ...ITEM },
        {
          id: id(11),
          kind: 'item',
          ordered: null,
          fee: 0,
          release: 'immediately',
          seller_account: 'acct_2B',
          amount: 400,
          description: 'a chair',
        },
      ],
      platform: { amount: 0, fees: 0, kept: 0 },
      payment: null,
      transfers: [],
      refunds: [],
      reversals: [],
      disputes: [],
      reference: null,
      created_at: expect.any(String),
    });
    expect(made[0]?.items.map(({ amount }) => amount)).toEqual([600n, 400n]);
  });

  it.each(['USD', 'usd', 'uSd'])('takes the currency as %s and answers upper case', async (currency) => {
    await open();
    expect((await shop.post('/api/v1/orders', { ...VALID, currency })).body.currency).toBe('USD');
  });

  it.each([
    ['no body', undefined, ''],
    ['a list', [], ''],
    ['no currency', { items: [ITEM] }, '/currency'],
    ['a currency that is a number', { ...VALID, currency: 840 }, '/currency'],
    ['a currency of four letters', { ...VALID, currency: 'USDC' }, '/currency'],
    ['a currency in other letters', { ...VALID, currency: 'ＵＳＤ' }, '/currency'],
    ['a currency nobody has', { ...VALID, currency: 'ABC' }, '/currency'],
    ['a currency that is gone', { ...VALID, currency: 'BGN' }, '/currency'],
    ['gold', { ...VALID, currency: 'XAU' }, '/currency'],
    ['no items', { currency: 'USD' }, '/items'],
    ['an empty list of items', { currency: 'USD', items: [] }, '/items'],
    ['101 items', { currency: 'USD', items: Array.from({ length: 101 }, () => ITEM) }, '/items'],
    ['no seller of a line with a fee', item({ seller_account: undefined, fee: 1 }), '/items/0/fee'],
    [
      'no seller of a line with a fee of nothing',
      item({ seller_account: undefined, fee: { basis_points: 0 } }),
      '/items/0/fee',
    ],
    ['a fee that is text', item({ fee: '10' }), '/items/0/fee'],
    ['a fee above the amount', item({ fee: 601 }), '/items/0/fee'],
    ['a negative fee', item({ fee: -1 }), '/items/0/fee'],
    ['a fee of half a cent', item({ fee: 0.5 }), '/items/0/fee'],
    ['more basis points than a whole', item({ fee: { basis_points: 10_001 } }), '/items/0/fee/basis_points'],
    ['a fee of no whole steps', { currency: 'KWD', items: [{ ...ITEM, fee: 5 }] }, '/items/0/fee'],
    ['a line of another kind', item({ kind: 'tip' }), '/items/0/kind'],
    ['a seller of another kind', item({ seller_account: 'cus_1' }), '/items/0/seller_account'],
    ['a seller without an id', item({ seller_account: 'acct_' }), '/items/0/seller_account'],
    ['a seller with a space', item({ seller_account: 'acct_1 2' }), '/items/0/seller_account'],
    ['no description', item({ description: undefined }), '/items/0/description'],
    ['a description of 501 characters', item({ description: 'x'.repeat(501) }), '/items/0/description'],
    ['an amount as text', item({ amount: '600' }), '/items/0/amount'],
    ['an amount of nothing', item({ amount: 0 }), '/items/0/amount'],
    ['a negative amount', item({ amount: -600 }), '/items/0/amount'],
    ['half a cent', item({ amount: 0.5 }), '/items/0/amount'],
    ['no amount', item({ amount: undefined }), '/items/0/amount'],
    ['an unknown member', { ...VALID, total: 600 }, '/total'],
    ['an unknown member of an item', item({ quantity: 2 }), '/items/0/quantity'],
    ['a sum that cannot be told exactly', { currency: 'USD', items: [{ ...ITEM, amount: LARGEST }, ITEM] }, '/items'],
  ])('refuses %s, and nothing is made', async (_what, json, pointer) => {
    await open();
    const answer = await shop.post('/api/v1/orders', json, json === undefined ? { method: 'POST' } : {});
    expect(problemOf(answer)).toEqual([400, 'invalid_request']);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect([made, shop.kept()]).toEqual([[], []]);
  });

  it.each(['600.0', '6e2', '6E+2', '60000e-2', '9007199254740992', '123456789012345678901234567890', '-0'])(
    'refuses the amount %s as it is written, whatever a parser makes of it',
    async (amount) => {
      await open();
      const answer = await shop.post('/api/v1/orders', undefined, { body: raw(amount) });
      expect(problemOf(answer)).toEqual([400, 'invalid_request']);
      expect(answer.body.errors[0].pointer).toBe('/items/0/amount');
      expect(made).toEqual([]);
    },
  );

  it.each([
    ['KWD', 5_120, 201],
    ['KWD', 5_124, 400],
    ['JPY', 501, 201],
    ['ISK', 500, 201],
    ['ISK', 510, 400],
    ['HUF', 1_045, 201],
    ['USD', 1, 201],
    ['USD', LARGEST, 201],
  ])('%s in an amount of %i: %i, because Stripe has to move it later', async (currency, amount, status) => {
    await open();
    const answer = await shop.post('/api/v1/orders', { currency, items: [{ ...ITEM, amount }] });
    expect(answer.status).toBe(status);
    if (status === 400) {
      expect(answer.body.errors).toEqual([
        { pointer: '/items/0/amount', message: expect.stringMatching(/has to be a multiple of 10+: Stripe moves/) },
      ]);
    }
  });

  it('takes no order in shillings of which the processor would charge a hundredth, and says so', async () => {
    await open();
    const answer = await shop.post('/api/v1/orders', { currency: 'ugx', items: [{ ...ITEM, amount: 500_000 }] });
    expect(problemOf(answer)).toEqual([400, 'invalid_request']);
    expect(answer.body.errors).toEqual([
      { pointer: '/currency', message: expect.stringMatching(/Stripe, which would charge a hundredth/) },
    ]);
    expect(made).toEqual([]);
  });

  it('takes 100 items and a description of 500 characters', async () => {
    await open();
    const items = Array.from({ length: 100 }, () => ({ ...ITEM, description: 'x'.repeat(500) }));
    expect((await shop.post('/api/v1/orders', { currency: 'USD', items })).body.amount).toBe(60_000);
  });

  it('takes 100 kB and not more', async () => {
    await open();
    const answer = await shop.post('/api/v1/orders', undefined, {
      body: `${JSON.stringify(VALID)}${' '.repeat(100 * 1024)}`,
    });
    expect(problemOf(answer)).toEqual([413, 'body_too_large']);
  });
});

describe('GET /api/v1/orders', () => {
  const ORDER = anOrder({
    status: 'partially_refunded',
    payment: aPayment({ status: 'succeeded', certainty: 'done' }),
    transfers: [aTransfer(), aTransfer({ id: id(44) as never, sellerAccount: 'acct_b', amount: 400n })],
    refunds: [aRefund({ status: 'succeeded', certainty: 'done' })],
    reversals: [aReversal()],
  });

  it('tells the payment, the transfers, the refunds and the reversals, each with its own', async () => {
    shop = await openShop(() => ({ ledger: { findOrder: () => Promise.resolve(ORDER) } }));
    const { status, body } = await shop.read(`/api/v1/orders/${ORDER_ID}`);
    expect(status).toBe(200);
    expect(body.payment).toEqual({
      id: ORDER.payment?.id,
      order_id: ORDER_ID,
      status: 'succeeded',
      amount: 1_000,
      currency: 'USD',
      attention: null,
    });
    const [reversal] = body.reversals;
    expect(body.refunds[0].reversals).toEqual([reversal]);
    expect(body.transfers.map(({ reversals }: { reversals: unknown[] }) => reversals)).toEqual([[reversal], []]);
    expect(body.transfers[0]).toMatchObject({ amount: 600, amount_reversed: 0, stripe_transfer_id: 'tr_1' });
  });

  it.each([id(9), 'x', ORDER_ID.toUpperCase()])('%s is not found', async (unknown) => {
    shop = await openShop();
    expect(problemOf(await shop.read(`/api/v1/orders/${unknown}`))).toEqual([404, 'not_found']);
  });

  it('lists page by page, with every filter of the contract', async () => {
    const orders = [3, 2, 1].map((digit) => anOrder({ id: id(digit) as never }));
    shop = await openShop(() => ({ ledger: { listOrders: ({ limit }) => Promise.resolve(orders.slice(0, limit)) } }));
    const first = await shop.read(
      `/api/v1/orders?status=paid&needs_attention=true&order_id=${ORDER_ID}&key=cart-7&limit=2`,
    );
    expect(first.body.items.map((order: { id: string }) => order.id)).toEqual([id(3), id(2)]);
    expect(first.body.next_cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    await shop.read(`/api/v1/orders?needs_attention=false&cursor=${first.body.next_cursor}`);
    expect(shop.filters).toEqual([
      { status: 'paid', needsAttention: true, orderId: ORDER_ID, key: 'cart-7', before: undefined, limit: 3 },
      { status: undefined, needsAttention: false, orderId: undefined, key: undefined, before: id(2), limit: 51 },
    ]);
  });
});

describe('lists of orders, transfers and reversals', () => {
  it.each(['orders', 'transfers', 'reversals'])('%s refuse what is no filter of theirs', async (kind) => {
    shop = await openShop();
    for (const [query, pointer] of [
      ['status=settled', '/status'],
      ['status=', '/status'],
      ['needs_attention=yes', '/needs_attention'],
      ['limit=0', '/limit'],
      ['limit=201', '/limit'],
      ['limit=1e2', '/limit'],
      ['cursor=bm9wZQ', '/cursor'],
      ['cursor=%00', '/cursor'],
      ['key=', '/key'],
      ['protocol=x402', '/protocol'],
      ['order_id=a&order_id=b', '/order_id'],
      ['page=2', '/page'],
    ] as const) {
      const answer = await shop.read(`/api/v1/${kind}?${query}`);
      expect([query, problemOf(answer), answer.body.errors?.[0]?.pointer]).toEqual([
        query,
        [400, 'invalid_request'],
        pointer,
      ]);
    }
    expect(shop.filters).toEqual([]);
  });

  it.each(['orders', 'transfers', 'reversals'])('%s of an order that cannot be are none', async (kind) => {
    shop = await openShop();
    const { status, body } = await shop.read(`/api/v1/${kind}?order_id=nonsense`);
    expect([status, body]).toEqual([200, { items: [], next_cursor: null }]);
    expect(shop.filters).toEqual([]);
  });

  it('are open to everybody with a token and to nobody else', async () => {
    shop = await openShop();
    for (const token of [TOKENS.service, TOKENS.viewer, TOKENS.operator, TOKENS.approver]) {
      expect((await shop.send('/api/v1/orders', { token })).status).toBe(200);
    }
    expect(problemOf(await shop.send('/api/v1/orders'))).toEqual([401, 'unauthorized']);
  });
});
