import type express from 'express';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSettleFirstShop, SETTLED_FIRST, type SettleFirstShop } from '../../support/sessions/settle-first-shop.js';

/** An answer that was paid for is had, whatever its work costs when it is given: nothing more is booked for it. */

const CAP = 100_000;
let shop: SettleFirstShop;
/** What the route sells at by now, and what its handler charges. */
let price: string;
let cost: string;
let charged: boolean[];

/** As the README has it: who is not charged is not served. */
const serve: express.RequestHandler = (req, res) => {
  const taken = req.paymentSession?.charge(cost) ?? false;
  charged.push(taken);
  if (taken) res.json({ ok: true });
  else res.status(402).end();
};

beforeEach(async () => {
  [price, cost, charged] = ['10000', '10000', []];
  shop = await openSettleFirstShop((app, sessions) => {
    const sold = new Map(
      ['5000', '10000', '20000'].map((of) => [of, sessions.paidSession({ ...SETTLED_FIRST, price: of })]),
    );
    app.get('/priced', (req, res, next) => sold.get(price)?.(req, res, next), serve);
    app.get('/metered', sessions.paidSession({ ...SETTLED_FIRST, cap: `${CAP}` }), serve);
  });
});
afterEach(() => shop.close());

const booked = () => shop.store.database.query('SELECT status, spent::text, answer FROM settlements');

it.each(['5000', '10000', '20000'])('at a price that was 10000 and is %s', async (later) => {
  const { id, headers } = await shop.due('/priced');
  price = cost = later;
  expect((await fetch(`${shop.url}/priced`, { headers })).status).toBe(200);
  expect(await booked()).toEqual([{ status: 'settled', spent: '10000', answer: 'given' }]);
  const again = await fetch(`${shop.url}/priced`, { headers });
  expect([again.status, again.headers.get('settlement-id')]).toEqual([409, id]);
});

it.each([2_900, 3_000, 3_100, CAP])('on a metered route whose work cost 3000 and costs %s', async (later) => {
  cost = '3000';
  const { headers } = await shop.due('/metered');
  cost = `${later}`;
  expect((await fetch(`${shop.url}/metered`, { headers })).status).toBe(200);
  expect(await booked()).toEqual([{ status: 'settled', spent: '3000', answer: 'given' }]);
});

it('but for no more than its route sells at most: it stays due', async () => {
  cost = '3000';
  const { headers } = await shop.due('/metered');
  cost = `${CAP + 1}`;
  expect((await fetch(`${shop.url}/metered`, { headers })).status).toBe(402);
  expect(charged).toEqual([true, false]);
  expect(await booked()).toEqual([{ status: 'settled', spent: '3000', answer: 'due' }]);
});
