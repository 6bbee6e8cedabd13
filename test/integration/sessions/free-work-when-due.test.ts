import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSettleFirstShop, SETTLED_FIRST, type SettleFirstShop } from '../../support/sessions/settle-first-shop.js';
import { until } from '../../support/until.js';

/** RELEASED_LIMIT is for all work that a payer asks for and takes nothing of: also for an answer that is due. */

const LIMIT = 3;
let shop: SettleFirstShop;
let ran: number;

beforeEach(async () => {
  shop = await openSettleFirstShop(
    (app, sessions) =>
      app.get('/dear', sessions.paidSession({ ...SETTLED_FIRST, price: '10000' }), (req, res) => {
        ran += 1;
        req.paymentSession?.charge('10000');
        const status = Number(req.get('x-status') ?? 200);
        if (status === 0) return;
        if (status === 304) res.status(304).end();
        else res.status(status).json({ ok: true });
      }),
    { releasedLimit: LIMIT },
  );
  ran = 0;
});
afterEach(() => shop.close());

const ask = (headers: Record<string, string>, status: number) =>
  fetch(`${shop.url}/dear`, { headers: { ...headers, 'x-status': `${status}` } });

it.each([304, 404])(
  'an answer that is due is %s as often as the limit says, then 429, and is had an hour later',
  async (status) => {
    const { headers } = await shop.due('/dear');
    ran = 0;
    for (let n = 0; n < LIMIT; n += 1) expect((await ask(headers, status)).status).toBe(status);
    const refused = await ask(headers, status);
    expect(refused.status).toBe(429);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(3_500);
    expect(ran).toBe(LIMIT);
    shop.store.clock.advance(seconds * 1_000);
    expect((await ask(headers, 200)).status).toBe(200);
  },
);

it('failures of the server itself are not counted', async () => {
  const { headers } = await shop.due('/dear');
  for (let n = 0; n < 2 * LIMIT; n += 1) expect((await ask(headers, 500)).status).toBe(500);
  expect((await ask(headers, 200)).status).toBe(200);
});

it('who leaves while it is made is counted', async () => {
  const { headers } = await shop.due('/dear');
  for (let n = 1; n <= LIMIT; n += 1) {
    ran = 0;
    const asking = request(`${shop.url}/dear`, { headers: { ...headers, 'x-status': '0' } }).on(
      'error',
      () => undefined,
    );
    asking.end();
    await until('the handler works', () => ran === 1, { limitMs: 5_000 });
    asking.destroy();
    await until('it is due again', async () => (await due()) === 'due', { limitMs: 5_000 });
    await wait(10);
  }
  expect((await ask(headers, 200)).status).toBe(429);
});

async function due(): Promise<string | undefined> {
  const [row] = await shop.store.database.query<{ answer: string }>('SELECT answer FROM settlements');
  return row?.answer;
}
