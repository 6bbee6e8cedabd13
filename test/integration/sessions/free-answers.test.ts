import type { Express, Request, Response } from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { pay } from '../../../sandbox/payer/pay.js';
import { startTempoSandbox } from '../../../sandbox/tempo/start.js';
import type { PaidSessions } from '../../../src/sessions/index.js';
import { openPayer, paying } from '../../support/channels/channel-payer.js';
import { PRICE, SOLD, startChannelShop } from '../../support/channels/channel-shop.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';
import { startPaidServer } from '../../support/sessions/paid-server.js';
import { until } from '../../support/until.js';

/**
 * Signing is free, so answers that cost nothing are free work: handlers that charge and then answer 404 or 304, over HTTP, until
 * it is 429. The same for whoever pays through the auth server and for whoever pays from a channel of ours.
 */

const LIMIT = 3;
let store: TestLedger;
/** Requests that their handlers hold until the test lets them go. */
let held: (() => void)[];
let close: () => Promise<void>;
/** One more request of the one payer; each is paid for anew. */
let ask: (path: string) => Promise<globalThis.Response>;

const eventually = (what: string, holds: () => boolean) => until(what, holds, { limitMs: 10_000 });

const PLACES = { '/missing': 404, '/same': 304, '/broken': 500 } as const;

function mount(app: Express, sold: () => ReturnType<PaidSessions['paidSession']>): void {
  const charging = (serve: (res: Response) => void) => (req: Request, res: Response) => {
    req.paymentSession?.charge(PRICE);
    serve(res);
  };
  for (const [path, status] of Object.entries(PLACES))
    app.get(
      path,
      sold(),
      charging((res) => res.status(status).end()),
    );
  app.get(
    '/good',
    sold(),
    charging((res) => res.json({ ok: true })),
  );
  app.get(
    '/held',
    sold(),
    charging((res) => held.push(() => res.json({ ok: true }))),
  );
}

const WAYS = {
  'through the auth server': async () => {
    const sandbox = await startAuthServerSandbox({ clock: store.clock });
    const server = await startPaidServer(
      store,
      sandbox.url,
      (app, sessions) =>
        mount(app, () =>
          sessions.paidSession({
            price: PRICE,
            ...IN_USDC,
            protocols: ['x402'],
          }),
        ),
      { releasedLimit: LIMIT, leaseMs: 86_400_000 },
    );
    const account = payerAccount('prober');
    ask = async (path) => pay(server.url + path, { protocol: 'x402', account, nowMs: store.clock.nowMs() });
    close = async () => {
      await server.stop();
      await sandbox.close();
    };
  },
  'from a channel': async () => {
    const chain = await startTempoSandbox();
    const shop = await startChannelShop(store, {
      chainUrl: chain.url,
      releasedLimit: LIMIT,
      leaseMs: 86_400_000,
      mount: (app, sessions) => mount(app, () => sessions.paidSession({ ...SOLD, suggestedDeposit: 100n * PRICE })),
    });
    const payer = await openPayer(chain.url, `${shop.url}/good`);
    let nth = 1n;
    ask = async (path) => {
      nth += 1n;
      const mine = nth;
      const challenge = await payer.challenge(shop.url + path);
      return paying(shop.url + path, await payer.voucher(challenge, mine * PRICE));
    };
    close = async () => {
      await shop.stop();
      await chain.close();
    };
  },
} as const;

describe.each(Object.entries(WAYS))('answers that cost nothing, paid for %s', (_way, begin) => {
  beforeEach(async () => {
    store = await openTestLedger();
    held = [];
    await begin();
  });
  afterEach(async () => {
    for (const release of held) release();
    await close();
    await store.dispose();
  });
  const statusesOf = async (...paths: string[]): Promise<number[]> => {
    const statuses: number[] = [];
    for (const path of paths) statuses.push((await ask(path)).status);
    return statuses;
  };

  it('are 404 and 304 as often as the limit says, and then 429 with the time after which there is room', async () => {
    expect(await statusesOf('/missing', '/same', '/missing')).toEqual([404, 304, 404]);
    const refused = await ask('/good');
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'too_many_released']);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(3_500);
    expect(seconds).toBeLessThanOrEqual(3_600);
    store.clock.advance(seconds * 1_000);
    expect(await statusesOf('/good', '/missing', '/same', '/missing', '/good')).toEqual([200, 404, 304, 404, 429]);
  });

  it('are not the server’s own failures, and not what is paid for', async () => {
    const many = ['/broken', '/good', '/broken', '/good', '/broken', '/good', '/broken', '/good'];
    expect(await statusesOf(...many)).toEqual(many.map((path) => (path === '/good' ? 200 : 500)));
  });

  it('are counted also while they are under way: no payer gets more by asking many times at once', async () => {
    const answers = Array.from({ length: 4 * LIMIT }, () => ask('/held'));
    await eventually('as many as the limit are served', () => held.length === LIMIT);
    const early: number[] = [];
    const note = async (answer: Promise<globalThis.Response>): Promise<void> => {
      const { status, headers } = await answer;
      if (status === 429) early.push(Number(headers.get('retry-after')));
    };
    const noted = answers.map(note);
    await eventually('all others are refused', () => early.length === 3 * LIMIT);
    expect(new Set(early)).toEqual(new Set([1]));
    expect(held).toHaveLength(LIMIT);
    for (const release of held.splice(0)) release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    await Promise.all(noted);
    expect(statuses.filter((status) => status === 200)).toHaveLength(LIMIT);
    // Paid for, so that there is room again at once.
    expect(await statusesOf('/good')).toEqual([200]);
  });

  it('and what is under way count together', async () => {
    expect(await statusesOf('/missing', '/same')).toEqual([404, 304]);
    const slow = ask('/held');
    await eventually('it is served', () => held.length === 1);
    const refused = await ask('/good');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    held.pop()?.();
    expect((await slow).status).toBe(200);
    expect(await statusesOf('/good')).toEqual([200]);
  });
});
