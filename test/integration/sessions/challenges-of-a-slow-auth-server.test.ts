import { Challenge } from 'mppx';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { mountDemoRoutes } from '../../../sandbox/demo-routes.js';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { type ChannelShop, PRICE, SOLD, startChannelShop } from '../../support/channels/channel-shop.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { IN_USDC } from '../../support/sessions/offers.js';

/** What a 402 can do without it says while the auth server keeps its answer back. How fast: `npm run bench -- challenges`. */

const MPP = { protocol: 'mpp', network: SOLD.network, asset: SOLD.asset } as const;
const ON = ['payment-request', 'supported', 'verify', 'settle'] as const;

let authServer: AuthServerSandbox;
let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;

beforeEach(async () => {
  [authServer, chain, store] = await Promise.all([startAuthServerSandbox(), startTempoSandbox(), openTestLedger()]);
});
afterEach(async () => {
  await shop.stop();
  await Promise.all([authServer.close(), chain.close(), store.dispose()]);
});

/** @param challengePatienceMs default: as installed */
async function open(challengePatienceMs = 40): Promise<void> {
  shop = await startChannelShop(store, {
    challengePatienceMs,
    chainUrl: chain.url,
    authServerUrl: authServer.url,
    mount: (app, sessions) => {
      mountDemoRoutes(app, sessions.paidSession);
      const never = (): never => {
        throw new Error('nothing is paid for here');
      };
      const all = { ...IN_USDC, protocols: ['atxp', 'x402', MPP, 'tempo'] } as const;
      app.all('/all', sessions.paidSession({ ...all, price: PRICE }), never);
      app.all('/all/metered', sessions.paidSession({ ...all, cap: PRICE }), never);
      app.get('/only/atxp', sessions.paidSession({ ...IN_USDC, price: PRICE, protocols: ['atxp'] }), never);
      app.get('/only/upto', sessions.paidSession({ ...IN_USDC, cap: PRICE, protocols: ['x402'] }), never);
    },
  });
}

async function offered(path: string): Promise<readonly string[]> {
  const answer = await fetch(shop.url + path);
  await answer.body?.cancel();
  return [
    String(answer.status),
    ...(answer.headers.has('payment-required') ? ['x402'] : []),
    ...(answer.headers.has('www-authenticate')
      ? Challenge.fromResponseList(answer).map(({ intent }) => `mpp ${intent}`)
      : []),
    ...(answer.headers.has('x-atxp-payment-request') ? ['atxp'] : []),
  ];
}

async function offeredOften(paths: readonly string[], times: number): Promise<Readonly<Record<string, string[]>>> {
  const seen = new Map(paths.map((path) => [path, new Set<string>()]));
  for (let n = 0; n < times; n += 1) {
    const path = paths[n % paths.length] ?? '';
    seen.get(path)?.add((await offered(path)).join(', '));
  }
  return Object.fromEntries([...seen].map(([path, answers]) => [path, [...answers]]));
}

it('the first 402 of each route offers everything while the auth server is well', async () => {
  // So that a busy machine is not taken for a slow auth server.
  await open(5_000);
  expect(await offered('/demo/fixed')).toEqual(['402', 'x402', 'mpp charge', 'atxp']);
  expect(await offered('/demo/metered')).toEqual(['402', 'x402', 'mpp session', 'atxp']);
  expect(await offered('/all')).toEqual(['402', 'x402', 'mpp charge', 'mpp session', 'atxp']);
  expect(await offered('/all/metered')).toEqual(['402', 'x402', 'mpp session', 'atxp']);
  expect(await offered('/only/atxp')).toEqual(['402', 'atxp']);
});

it('a server that never heard of the auth server offers what does not need it, and 503 where nothing is left', async () => {
  await open();
  authServer.setFaults([{ kinds: ['hang_before_commit'], on: [...ON] }]);
  expect(await offeredOften(['/demo/fixed', '/demo/channel', '/all', '/all/metered'], 200)).toEqual({
    '/demo/fixed': ['402, x402, mpp charge'],
    '/demo/channel': ['402, mpp session'],
    '/all': ['402, x402, mpp charge, mpp session'],
    '/all/metered': ['402, mpp session'],
  });
  expect(await Promise.all(['/only/atxp', '/only/upto'].map(offered))).toEqual([['503'], ['503']]);
});

it('what was heard of its schemes is offered on while it answers nothing any more', async () => {
  await open();
  await expect.poll(() => offered('/demo/metered')).toContain('mpp session');
  authServer.setFaults([{ kinds: ['hang_before_commit'], on: [...ON] }]);
  const often = await offeredOften(['/demo/fixed', '/demo/metered', '/demo/stream', '/all', '/all/metered'], 200);
  const rest = Object.fromEntries(Object.entries(often).map(([path, answers]) => [path, answers.at(-1)]));
  expect(rest).toEqual({
    '/demo/fixed': '402, x402, mpp charge',
    '/demo/metered': '402, x402, mpp session',
    '/demo/stream': '402, x402, mpp session',
    '/all': '402, x402, mpp charge, mpp session',
    '/all/metered': '402, x402, mpp session',
  });
});

it('ATXP is offered again while each of its answers takes seconds', async () => {
  await open();
  authServer.setFaults([{ kinds: ['slow'], ms: 2_000, on: ['payment-request'] }]);
  expect(await offered('/demo/fixed')).toEqual(['402', 'x402', 'mpp charge']);
  await expect.poll(() => offered('/demo/fixed')).toEqual(['402', 'x402', 'mpp charge', 'atxp']);
});
