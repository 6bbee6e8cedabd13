import type express from 'express';
import { Challenge } from 'mppx';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { answerOffers, pay } from '../../../sandbox/payer/pay.js';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { openPayer } from '../../support/channels/channel-payer.js';
import { type ChannelShop, channelIn, PRICE, SOLD, startChannelShop } from '../../support/channels/channel-shop.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';

let authServer: AuthServerSandbox;
let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
/** Whether `/moves` sells from channels of its own by now. */
let moved: boolean;

const MPP = { protocol: 'mpp', network: SOLD.network, asset: SOLD.asset } as const;

beforeEach(async () => {
  [authServer, chain, store] = await Promise.all([
    startAuthServerSandbox({ checkSignatures: true }),
    startTempoSandbox(),
    openTestLedger(),
  ]);
  moved = false;
  shop = await startChannelShop(store, {
    chainUrl: chain.url,
    authServerUrl: authServer.url,
    mount: (app, sessions) => {
      const protocols = ['atxp', 'x402', MPP, 'tempo'] as const;
      app.all('/all', sessions.paidSession({ ...IN_USDC, price: PRICE, protocols }), (req, res) => {
        const { protocol, network, asset } = req.paymentSession?.offer ?? {};
        res.json({ charged: req.paymentSession?.charge(PRICE), paidIn: [protocol, network, asset?.toLowerCase()] });
      });
      const [before, since] = [MPP, 'tempo' as const].map((session) =>
        sessions.paidSession({ ...IN_USDC, cap: PRICE, protocols: ['x402', session] }),
      );
      const movesOn: express.RequestHandler = (req, res, next) => (moved ? since : before)?.(req, res, next);
      app.all('/moves', movesOn, (req, res) => {
        res.json({ charged: req.paymentSession?.charge(3_000n) });
      });
      app.all('/metered', sessions.paidSession({ ...IN_USDC, cap: PRICE, protocols }), (req, res) => {
        res.json({ charged: req.paymentSession?.charge(3_000n) });
      });
    },
  });
});
afterEach(async () => {
  await shop.stop();
  await Promise.all([authServer.close(), chain.close(), store.dispose()]);
});

const challengesOf = async (path: string) =>
  Challenge.fromResponseList(await fetch(`${shop.url}${path}`)).map(({ intent, request }) => [
    intent,
    (request as { recipient: string }).recipient.toLowerCase(),
  ]);

it('one route is paid by ATXP, by x402, by an MPP charge through the auth server and from a channel', async () => {
  expect(await challengesOf('/all')).toEqual([
    ['charge', IN_USDC.payTo],
    ['session', SOLD.payTo.toLowerCase()],
  ]);
  for (const protocol of ['atxp', 'x402', 'mpp'] as const) {
    const response = await pay(`${shop.url}/all`, { account: payerAccount(protocol), protocol });
    const { network, asset } = protocol === 'mpp' ? SOLD : IN_USDC;
    const had = { charged: true, paidIn: [protocol, network, asset.toLowerCase()] };
    expect([protocol, response.status, await response.json()]).toEqual([protocol, 200, had]);
    // Settled after the response, so there is no receipt of it.
    expect(response.headers.get('payment-receipt')).toBeNull();
  }
  const payer = await openPayer(chain.url, `${shop.url}/all`);
  const response = await payer.pay(`${shop.url}/all`, 2n * PRICE);
  const had = { charged: true, paidIn: ['tempo', SOLD.network, SOLD.asset.toLowerCase()] };
  expect([response.status, await response.json()]).toEqual([200, had]);
  expect(await channelIn(store, payer.channelId)).toMatchObject({ earned: 2n * PRICE });
  const rows = await store.database.query('SELECT protocol, spent FROM settlements ORDER BY protocol');
  expect(rows).toEqual(['atxp', 'mpp', 'x402'].map((protocol) => ({ protocol, spent: '10000' })));
});

it('a metered route offers one kind of session, and its credentials go to the channels of this server', async () => {
  expect(await challengesOf('/metered')).toEqual([['session', SOLD.payTo.toLowerCase()]]);
  const payer = await openPayer(chain.url, `${shop.url}/metered`);
  expect(await channelIn(store, payer.channelId)).toMatchObject({ accepted: PRICE, spent: 3_000n, earned: 3_000n });
  expect(await store.database.query('SELECT 1 FROM settlements')).toEqual([]);
});

it('channels are paid from while the auth server is down', async () => {
  const payer = await openPayer(chain.url, `${shop.url}/all`);
  await authServer.close();
  expect((await payer.pay(`${shop.url}/all`, 2n * PRICE)).status).toBe(200);
  authServer = await startAuthServerSandbox({ checkSignatures: true });
});

it('a voucher that the auth server was given is known by a route that sells from its own channels since', async () => {
  const account = payerAccount('mpp');
  const offers = await readOffers(await fetch(`${shop.url}/moves`));
  const { headers } = await answerOffers(offers, { protocol: 'mpp', account, nowMs: store.clock.nowMs() });
  const paid = await fetch(`${shop.url}/moves`, { headers });
  expect(paid.status).toBe(200);
  moved = true;
  const again = await fetch(`${shop.url}/moves`, { headers });
  expect([again.status, again.headers.get('settlement-id')]).toEqual([409, paid.headers.get('settlement-id')]);
});
