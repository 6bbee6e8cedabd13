import { Agent, cacheStores, type Dispatcher, interceptors, request } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { credentialFor } from '../support/sessions/paying.js';
import { had, shopForFile } from './support/shop.js';

/** What undici does for its users between them and a paid route: caches, sends again, and makes one request of two. */

const FIXED = { ...IN_USDC, price: '10000', protocols: ['x402'] } as const;
let made = 0;
const shop = await shopForFile((app, sessions) => {
  const paid = sessions.paidSession(FIXED);
  for (const path of ['/cached', '/kept', '/together', '/cut'])
    app.get(path, paid, (req, res) => {
      req.paymentSession?.charge('10000');
      res.set({ 'Cache-Control': 'public, max-age=600', ETag: `"${(made += 1)}"`, 'CDN-Cache-Control': 'max-age=600' });
      res.json({ made, report: 'r'.repeat(3_000) });
    });
  app.get(
    '/cached/free',
    (_req, res) => void res.set('Cache-Control', 'public, max-age=600').json({ made: (made += 1) }),
  );
  app.get('/first', sessions.paidSession({ ...FIXED, settle: 'before-release' }), (req, res) => {
    req.paymentSession?.charge('10000');
    res.json({ report: 'it' });
  });
});

const agents: Agent[] = [];
afterAll(() => Promise.all(agents.map((agent) => agent.close())));
function through(...interceptor: Parameters<Dispatcher['compose']>) {
  const agent = new Agent();
  agents.push(agent);
  const dispatcher = agent.compose(...interceptor);
  return async (url: string, headers: Readonly<Record<string, string>> = {}) => {
    const { statusCode: status, body, headers: fields } = await request(url, { dispatcher, headers: { ...headers } });
    return { status, body: await body.text(), id: fields['settlement-id'] };
  };
}

let buyers = 0;
const credential = async (path: string) => ({
  ...(await credentialFor(shop.url + path, payerAccount(`of undici ${(buyers += 1)}`), { protocol: 'x402' })).headers,
});

describe('undici', () => {
  it('its shared cache gives a paid answer to no second buyer, and keeps no 402', async () => {
    const get = through(interceptors.cache({ type: 'shared', store: new cacheStores.MemoryCacheStore() }));
    const url = `${shop.url}/cached`;
    expect((await get(url)).status).toBe(402);
    const first = await credential('/cached');
    const answers = [await get(url, first), await get(url, await credential('/cached'))];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers[0]?.body).not.toBe(answers[1]?.body);
    expect((await get(url)).status).toBe(402);
    // Not even to the same buyer: his payment was for one answer.
    expect((await get(url, first)).status).toBe(409);
    const free = [await get(`${url}/free`), await get(`${url}/free`)];
    expect(free[0]?.body).toBe(free[1]?.body);
    await shop.expectCharges('/cached', [had('10000'), had('10000')]);
    expect(await shop.settle('/cached')).toEqual(['10000', '10000']);
  });

  it('its private cache gives a paid answer to who paid for it again, without another charge, and to no other payment', async () => {
    const get = through(interceptors.cache({ type: 'private', store: new cacheStores.MemoryCacheStore() }));
    const url = `${shop.url}/kept`;
    const [mine, other] = [await credential('/kept'), await credential('/kept')];
    const answers = [await get(url, mine), await get(url, mine), await get(url, other), await get(url)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 402]);
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.body).not.toBe(answers[2]?.body);
    await shop.expectCharges('/kept', [had('10000'), had('10000')]);
  });

  it('two buyers at once whose requests it would make one of have each their own answer', async () => {
    const get = through(interceptors.deduplicate());
    const credentials = [await credential('/together'), await credential('/together')];
    const answers = await Promise.all(credentials.map((headers) => get(`${shop.url}/together`, headers)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(2);
    await shop.expectCharges('/together', [had('10000'), had('10000')]);
  });

  it('sends a request of which nobody knows again until it has its answer, and pays once', async () => {
    const get = through(interceptors.retry({ maxRetries: 1_000, maxTimeout: 20 }));
    const headers = await credential('/first');
    shop.sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
    const { debits } = shop.sandbox.ledger().totals;
    const getting = get(`${shop.url}/first`, headers);
    await expect.poll(() => shop.sandbox.ledger().totals.debits).toBe(debits + 1);
    await expect
      .poll(async () => (await shop.settle('/first')) && (await shop.charges('/first'))[0]?.status)
      .toBe('settled');
    expect(await getting).toMatchObject({ status: 200, body: '{"report":"it"}' });
    expect(shop.sandbox.ledger().totals.debits).toBe(debits + 1);
    await shop.expectCharges('/first', [{ status: 'settled', spent: '10000' }]);
  });

  it('asks for the rest of an answer that was cut off, is told that it was used, and pays once', async () => {
    const wire = await startFaultProxy(shop.url);
    const url = `http://127.0.0.1:${wire.port}/cut`;
    const { headers } = await credentialFor(url, payerAccount('is cut off'), { protocol: 'x402' });
    wire.cutAnswerTo('PAYMENT-SIGNATURE', { bytes: 1_500 });
    const get = through(interceptors.retry({ maxRetries: 3, minTimeout: 1, maxTimeout: 5 }));
    await expect(get(url, { ...headers })).rejects.toMatchObject({ statusCode: 409 });
    await shop.expectCharges('/cut', [{ status: 'pending', spent: '10000' }]);
    expect(await shop.settle('/cut')).toEqual(['10000']);
    await wire.close();
  });
});
