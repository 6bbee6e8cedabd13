import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import type { Express, RequestHandler } from 'express';
import session from 'express-session';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import { createAuthServer } from '../../src/providers/auth-server/client.js';
import type { CorsOptions, PaidSessionOptions, PaidSessions } from '../../src/sessions/index.js';
import { openChannelShop, receiptOf, SOLD } from '../support/channels/channel-shop.js';
import { ledgerForTest, type TestLedger } from '../support/ledger-fixtures.js';
import { isPassedOverWithout } from '../support/programs.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { startPaidServer } from '../support/sessions/paid-server.js';
import { settleOnce } from '../support/settlements/settling.js';
import { type BuyingPage, openBuyingPage } from './support/browser.js';
import type { PageClient, Seen } from './support/page.js';
import { stockWallet } from './support/stock-wallet.js';

const PRICE = '10000';
const REPORT: PaidSessionOptions = { ...IN_USDC, price: PRICE, protocols: ['atxp', 'x402'] };
const UUID = /^[0-9a-f-]{36}$/;
const BLOCKED = { error: 'TypeError: Failed to fetch' };

interface Shop {
  readonly url: string;
  readonly store: TestLedger;
  readonly sandbox: AuthServerSandbox;
  /** Methods of the requests that reached `/report`, and how often its handler ran. */
  readonly asked: string[];
  readonly served: () => number;
  /** Every row of a charge that there is, settled before it is counted. */
  readonly charged: () => Promise<{ readonly rows: number; readonly debits: number; readonly debited: string }>;
}

/** Sells `/report` until the test ends, by every method, behind what is put before it. */
async function openShop(before: (sessions: PaidSessions) => readonly RequestHandler[]): Promise<Shop> {
  const store = await ledgerForTest();
  const sandbox = await startAuthServerSandbox({ checkSignatures: true, clock: store.clock });
  const asked: string[] = [];
  let served = 0;
  const mount = (app: Express, sessions: PaidSessions) => {
    app.use((req, _res, next) => (asked.push(req.method), next()));
    for (const layer of before(sessions)) app.use(layer);
    app.all('/report', sessions.paidSession(REPORT), (req, res) => {
      served += 1;
      req.paymentSession?.charge(PRICE);
      res.set('X-Inner', 'not for pages').json({ report: 'x', visitor: req.sessionID });
    });
  };
  const server = await startPaidServer(store, sandbox.url, mount);
  onTestFinished(async () => {
    await server.stop();
    await sandbox.close();
  });
  return {
    url: `${server.url}/report`,
    store,
    sandbox,
    asked,
    served: () => served,
    async charged() {
      const rows = await store.ledger.listSettlements({ limit: 10 });
      const authServer = createAuthServer({ baseUrl: sandbox.url, clock: store.clock });
      await settleOnce(
        store.ledger,
        rows.map(({ id }) => id),
        { authServer },
      );
      const { debits, debited } = sandbox.ledger().totals;
      return { rows: rows.length, debits, debited };
    },
  };
}

const withCors = (options?: CorsOptions) => openShop(({ paidSession }) => [paidSession.cors(options)]);
const ONCE = { rows: 1, debits: 1, debited: PRICE };
const NEVER = { rows: 0, debits: 0, debited: '0' };

/** A payment that the stock client would send, and that nobody has sent yet. */
async function signedFor(url: string): Promise<Record<string, string>> {
  let header: string | undefined;
  const unsent: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    header = request.headers.get('PAYMENT-SIGNATURE') ?? undefined;
    return header === undefined ? await fetch(request) : new Response('{}');
  };
  await wrapFetchWithPayment(unsent, new x402Client().register('eip155:*', new ExactEvmScheme(stockWallet)))(url);
  return { 'PAYMENT-SIGNATURE': header ?? '' };
}

describe.skipIf(isPassedOverWithout('chromium'))('Chromium', () => {
  let page: BuyingPage;
  beforeAll(async () => {
    page = await openBuyingPage();
  });
  afterAll(() => page?.close());

  const buy = (client: PageClient, url: string, init?: RequestInit) => page.ask({ client, url, init });

  it.each(['@x402/fetch', 'x402-fetch'] as const)(
    'a page of another origin buys with %s: the preflight is free, the answer is read, one charge in all',
    async (client) => {
      const shop = await withCors();
      const seen = (await buy(client, shop.url)) as Seen;
      expect(seen).toMatchObject({ status: 200, body: { report: 'x' } });
      expect(seen.headers['settlement-id']).toMatch(UUID);
      expect(seen.headers).not.toHaveProperty('x-inner');
      expect(shop.asked).toEqual(['GET', 'OPTIONS', 'GET']);
      expect(shop.served()).toBe(1);
      expect(await shop.charged()).toEqual(ONCE);
    },
  );

  it('a page buys from a session channel with mppx', async () => {
    const asked: string[] = [];
    const { chain, shop } = await openChannelShop({
      mount(app, { paidSession }) {
        app.use((req, _res, next) => (asked.push(req.method), next()));
        app.use(paidSession.cors());
        app.all('/report', paidSession(SOLD), (req, res) => {
          req.paymentSession?.charge(SOLD.price ?? '');
          res.json({ report: 'x' });
        });
      },
    });
    page.chainAt(chain.url);
    for (const spent of ['10000', '20000']) {
      const { status, headers } = (await buy('mppx', `${shop.url}/report`)) as Seen;
      expect(status).toBe(200);
      expect(receiptOf(new Response(null, { headers }))).toMatchObject({ spent, acceptedCumulative: spent });
    }
    expect(asked.filter((method) => method === 'OPTIONS').length).toBeGreaterThan(0);
  });

  it('a page reads what to pay, and why a payment was refused', async () => {
    const shop = await withCors();
    const unpaid = (await buy('fetch', shop.url)) as Seen;
    expect(unpaid).toMatchObject({ status: 402, body: { x402Version: 1 } });
    expect(Object.keys(unpaid.headers)).toEqual(expect.arrayContaining(['payment-required', 'x-atxp-payment-request']));
    const headers = await signedFor(shop.url);
    const [paid, again] = [
      (await buy('fetch', shop.url, { headers })) as Seen,
      (await buy('fetch', shop.url, { headers })) as Seen,
    ];
    expect(paid).toMatchObject({ status: 200, headers: { 'settlement-id': expect.stringMatching(UUID) } });
    expect(again).toMatchObject({ status: 409, body: { code: 'credential_already_used' } });
    expect(again.headers['settlement-id']).toBe(paid.headers['settlement-id']);
    shop.sandbox.setFaults([{ kinds: ['server_error'], on: ['verify'] }]);
    const down = (await buy('fetch', shop.url, { headers: await signedFor(shop.url) })) as Seen;
    expect(down).toMatchObject({ status: 503, body: { code: 'payment_unavailable' } });
    expect(Number(down.headers['retry-after'])).toBeGreaterThan(0);
    expect(await shop.charged()).toMatchObject({ debits: 1 });
  });

  it('a page that is let use its visitor’s cookies buys in that visitor’s session', async () => {
    const shop = await openShop(({ paidSession }) => [
      paidSession.cors({ origin: page.origin, credentials: true }),
      session({ secret: 'play money only', resave: false, saveUninitialized: true }),
    ]);
    const first = (await buy('@x402/fetch', shop.url, { credentials: 'include' })) as Seen;
    const second = (await buy('@x402/fetch', shop.url, { credentials: 'include' })) as Seen;
    const visitorOf = ({ body }: Seen) => (body as { visitor: string }).visitor;
    expect([first.status, second.status, visitorOf(second)]).toEqual([200, 200, visitorOf(first)]);
    expect(await shop.charged()).toEqual({ rows: 2, debits: 2, debited: '20000' });
  });

  it('a page that may buy, but without cookies, is blocked where it sends them', async () => {
    const shop = await withCors();
    expect(await buy('@x402/fetch', shop.url, { credentials: 'include' })).toEqual(BLOCKED);
    expect(await shop.charged()).toEqual(NEVER);
  });

  it.each([
    ['without cors()', () => openShop(() => [])],
    ['with cors() for others', () => withCors({ origin: ['https://shop.example'] })],
  ])('%s the same page is blocked, no handler runs and nothing is charged', async (_name, open) => {
    const shop = await open();
    for (const client of ['@x402/fetch', 'x402-fetch'] as const) expect(await buy(client, shop.url)).toEqual(BLOCKED);
    // Nor does a payment that it got elsewhere come further than its preflight.
    const headers = await signedFor(shop.url);
    expect(await buy('fetch', shop.url, { headers })).toEqual(BLOCKED);
    expect(shop.asked.at(-1)).toBe('OPTIONS');
    expect(shop.served()).toBe(0);
    expect(await shop.charged()).toEqual(NEVER);
    expect((await fetch(shop.url, { headers })).status).toBe(200);
  });
});
