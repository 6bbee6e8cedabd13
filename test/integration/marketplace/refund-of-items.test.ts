import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderAnswer, RefundAnswer } from '../../../src/domain/marketplace/marketplace-answer.js';
import { isTakenBack, type MarketplaceStack, startMarketplaceStack } from '../../support/marketplace/stack.js';

/** An order of two sellers and the platform, of which single items are given back. */

const ADA = 'acct_1AdaOfItems';
const BOB = 'acct_1BobOfItems';
const ITEMS = [
  { seller_account: ADA, amount: 6_000, fee: { basis_points: 1_000 }, description: 'a lamp' },
  { seller_account: ADA, amount: 500, kind: 'shipping', description: 'by post' },
  { seller_account: BOB, amount: 4_000, fee: 333, description: 'a chair' },
  { amount: 700, description: 'gift wrapping' },
  { amount: 1_000, kind: 'tax', description: 'tax that the platform pays' },
];
const PAID = 12_200;

let stack: MarketplaceStack;
beforeAll(async () => {
  stack = await startMarketplaceStack();
  await stack.hyperswitch('auto', ['PUT', { refund: { to: 'succeeded', afterMs: 0 } }]);
}, 120_000);
afterAll(() => stack.stop());

async function sold(): Promise<{ readonly id: string; readonly items: readonly string[] }> {
  const { id } = await stack.sellPaid(ITEMS);
  return { id, items: (await stack.order(id)).items.map((item) => item.id) };
}
const back = (id: string, refunds: number): Promise<OrderAnswer> =>
  stack.orderUntil(
    'what was taken is back',
    id,
    (order) => order.refunds.filter(({ status }) => status === 'succeeded').length === refunds && isTakenBack(order),
  );
/** Of the transfers at Stripe, what each seller has of the order. */
async function has(id: string): Promise<Readonly<Record<string, number>>> {
  const { transfers } = await stack.books();
  const ours = transfers.filter(({ metadata }) => metadata['order_id'] === id);
  return Object.fromEntries(ours.map((one) => [one.destination, one.amount - one.amount_reversed]));
}
const refund = (id: string, body: object): Promise<RefundAnswer> => stack.refund(id, body);

describe('an order with lines of the platform and fees', () => {
  it('pays every seller what is left of his lines after the fee, and the rest is the platform’s', async () => {
    const { id } = await sold();
    const order = await stack.order(id);
    expect(order.items.map(({ seller_account: seller, amount, fee, kind }) => [seller, amount, fee, kind])).toEqual([
      [ADA, 6_000, 600, 'item'],
      [ADA, 500, 0, 'shipping'],
      [BOB, 4_000, 333, 'item'],
      [null, 700, 0, 'item'],
      [null, 1_000, 0, 'tax'],
    ]);
    expect(await has(id)).toEqual({ [ADA]: 5_900, [BOB]: 3_667 });
    expect(order.platform).toEqual({ amount: 1_700, fees: 933, kept: 2_633 });
  });

  it('refunded as a whole, gives back the same part of every line, and the platform’s part is its own', async () => {
    const { id } = await sold();
    await refund(id, { amount: PAID / 2 });
    const order = await back(id, 1);
    expect(await has(id)).toEqual({ [ADA]: 2_950, [BOB]: 1_834 });
    expect(order.refunds[0]).toMatchObject({ items: null, fee: 'return_proportionally' });
    expect(order.platform.kept).toBe(PAID / 2 - 2_950 - 1_834);
  });
});

describe('a refund of items', () => {
  it('takes its share from the seller of the item, nothing from anybody else, and the platform gives back its fee', async () => {
    const { id, items } = await sold();
    const asked = await refund(id, { items: [{ item_id: items[0], amount: 6_000 }] });
    expect(asked).toMatchObject({ amount: 6_000, items: [{ item_id: items[0], amount: 6_000 }] });
    const order = await back(id, 1);
    expect(order.reversals.map((one) => [one.seller_account, one.amount])).toEqual([[ADA, 5_400]]);
    expect(await has(id)).toEqual({ [ADA]: 500, [BOB]: 3_667 });
    expect(order.platform.kept).toBe(2_633 - 600);
  });

  it('of which the platform keeps the fee takes the item from its seller first', async () => {
    const { id, items } = await sold();
    await refund(id, { items: [{ item_id: items[2], amount: 3_000 }], fee: 'keep' });
    const order = await back(id, 1);
    expect(await has(id)).toEqual({ [ADA]: 5_900, [BOB]: 667 });
    expect(order.platform.kept).toBe(2_633);
  });

  it('of the platform alone takes nothing from sellers', async () => {
    const { id, items } = await sold();
    await refund(id, {
      items: [
        { item_id: items[3], amount: 700 },
        { item_id: items[4], amount: 100 },
      ],
    });
    const order = await stack.orderUntil('it is refunded', id, ({ status }) => status === 'partially_refunded');
    expect(order.reversals).toEqual([]);
    expect(order.platform.kept).toBe(2_633 - 800);
  });

  it('several of one item come to exactly what its seller got, and a refund of the rest of the order to everything', async () => {
    const { id, items } = await sold();
    await refund(id, { amount: 1_001 });
    await refund(id, { items: [{ item_id: items[2], amount: 1_500 }] });
    await refund(id, { items: [{ item_id: items[2], amount: 777 }], fee: 'keep' });
    await refund(id, { seller_account: BOB });
    const bobs = await back(id, 4);
    expect(await has(id)).toMatchObject({ [BOB]: 0 });
    expect(bobs.transfers.find((one) => one.seller_account === BOB)?.status).toBe('reversed');
    await refund(id, {});
    const order = await back(id, 5);
    expect(await has(id)).toEqual({ [ADA]: 0, [BOB]: 0 });
    expect(order).toMatchObject({ status: 'refunded', platform: { kept: 0 } });
  });

  it('of one seller, by an amount, is spread over his lines alone', async () => {
    const { id } = await sold();
    await refund(id, { seller_account: ADA, amount: 3_250 });
    const order = await back(id, 1);
    expect(order.refunds[0]?.items?.map(({ amount }) => amount)).toEqual([3_000, 250]);
    expect(await has(id)).toEqual({ [ADA]: 5_900 - 2_700 - 250, [BOB]: 3_667 });
  });

  it('beyond what is left of it is refused and says what is left, and nothing is given back', async () => {
    const { id, items } = await sold();
    await refund(id, { items: [{ item_id: items[0], amount: 5_000 }] });
    for (const [body, status, code, pointer, message] of [
      [
        { items: [{ item_id: items[0], amount: 1_001 }] },
        409,
        'refund_exceeds_paid',
        '/items/0/amount',
        'at most 1000',
      ],
      [{ seller_account: ADA, amount: 1_501 }, 409, 'refund_exceeds_paid', '/amount', 'at most 1500'],
      [{ amount: 7_201 }, 409, 'refund_exceeds_paid', '/amount', 'at most 7200'],
      [{ items: [{ item_id: id, amount: 1 }] }, 400, 'invalid_request', '/items/0/item_id', 'no item of this order'],
      [{ seller_account: 'acct_1Nobody' }, 400, 'invalid_request', '/seller_account', 'no line in this order'],
      [
        { items: [{ item_id: items[0], amount: 1 }], amount: 1 },
        400,
        'invalid_request',
        '/items',
        'leave out amount and seller_account',
      ],
      [
        {
          items: [
            { item_id: items[0], amount: 1 },
            { item_id: items[0], amount: 2 },
          ],
        },
        400,
        'invalid_request',
        '/items/1/item_id',
        'named twice',
      ],
    ] as const) {
      const answer = await stack.post('refunds', { order_id: id, reason: 'broken', ...body });
      expect([answer.status, answer.body.code, answer.body.errors[0].pointer]).toEqual([status, code, pointer]);
      expect(answer.body.errors[0].message).toContain(message);
    }
    expect((await stack.order(id)).refunds).toHaveLength(1);
  });
});
