import { wrapAxiosWithPayment, x402Client as x402ClientOfAxios } from '@x402/axios';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment as wrapFetchV2, x402Client } from '@x402/fetch';
import axios from 'axios';
import { type Chain, createWalletClient, http, publicActions } from 'viem';
import { base, polygon } from 'viem/chains';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withPaymentInterceptor } from 'x402-axios';
import { wrapFetchWithPayment as wrapFetchV1 } from 'x402-fetch';
import { type DemoShop, openDemoShop } from '../support/sessions/demo-shop.js';
import { BASE_EURC, BASE_USDC, IN_THREE_TOKENS, POLYGON, POLYGON_USDC } from '../support/sessions/offers.js';
import { stockWallet as wallet } from './support/stock-wallet.js';

/** The clients of x402 as they are published: nothing of ours stands between them and the route. */

const PRICE = '10000';

interface Had {
  readonly status: number;
  readonly body: unknown;
  readonly settlementId: unknown;
}
interface StockClient {
  readonly name: string;
  /** Pays for one response of this URL, and gives what it had. */
  readonly buy: (url: string) => Promise<Had>;
}

const byFetch = (paying: typeof fetch) => async (url: string) => {
  const response = await paying(url);
  return {
    status: response.status,
    body: await response.json(),
    settlementId: response.headers.get('settlement-id'),
  };
};
const byAxios =
  (paying: { get(url: string): Promise<{ status: number; data: unknown; headers: object }> }) =>
  async (url: string) => {
    const { status, data, headers } = await paying.get(url);
    return { status, body: data, settlementId: (headers as Record<string, unknown>)['settlement-id'] };
  };

const CLIENTS: readonly StockClient[] = [
  { name: 'x402-fetch', buy: byFetch(wrapFetchV1(fetch, wallet) as typeof fetch) },
  { name: 'x402-axios', buy: byAxios(withPaymentInterceptor(axios.create(), wallet)) },
  {
    name: '@x402/fetch',
    buy: byFetch(wrapFetchV2(fetch, new x402Client().register('eip155:*', new ExactEvmScheme(wallet))) as typeof fetch),
  },
  {
    name: '@x402/axios',
    buy: byAxios(
      wrapAxiosWithPayment(axios.create(), new x402ClientOfAxios().register('eip155:*', new ExactEvmScheme(wallet))),
    ),
  },
];

let shop: DemoShop;
beforeEach(async () => {
  shop = await openDemoShop((app, paid) =>
    app.get('/several', paid(IN_THREE_TOKENS), (req, res) => {
      if (req.paymentSession?.charge(req.paymentSession.cap) !== true) return res.status(402).end();
      return res.json({ asset: req.paymentSession.offer?.asset });
    }),
  );
});
afterEach(() => shop.close());

it.each(CLIENTS)(
  '$name pays for a fixed route that sells by ATXP and MPP too, once, and is served',
  async ({ buy }) => {
    const had = await buy(`${shop.url}/demo/fixed`);
    expect(had).toMatchObject({ status: 200, settlementId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await shop.settle('x402')).toMatchObject({ kind: 'done', alreadySettled: false });
    const { payers, totals } = shop.sandbox.ledger();
    expect(totals).toMatchObject({ debits: 1, debited: PRICE });
    expect(Object.keys(payers)).toContain(wallet.address.toLowerCase());
  },
);

const inV1On = (chain: Chain) => {
  const signer = createWalletClient({ account: wallet, chain, transport: http() }).extend(publicActions);
  return byFetch(wrapFetchV1(fetch, signer) as typeof fetch);
};
const inV2 = (client: x402Client) => byFetch(wrapFetchV2(fetch, client) as typeof fetch);
/** Unless they are told, clients of v2 pay in the usual token of a network alone, which is USDC. */
const inEveryToken = { allowedAssets: true } as const;
const choosing = (asset: string) =>
  new x402Client((_version, accepts) => accepts.find((accept) => accept.asset === asset) ?? accepts[0]!)
    .register('eip155:*', new ExactEvmScheme(wallet))
    .setSpendControls(inEveryToken);

it.each<readonly [string, StockClient['buy'], string, string]>([
  ['x402-fetch on Base', inV1On(base), BASE_USDC, PRICE],
  ['x402-fetch on Polygon', inV1On(polygon), POLYGON_USDC, PRICE],
  ['x402-fetch in EURC', byFetch(wrapFetchV1(fetch, wallet, undefined, inEuro) as typeof fetch), BASE_EURC, '9200'],
  [
    '@x402/fetch that pays on Polygon alone',
    inV2(new x402Client().register(POLYGON, new ExactEvmScheme(wallet))),
    POLYGON_USDC,
    PRICE,
  ],
  ['@x402/fetch that takes what comes first', inV2(choosing('')), BASE_USDC, PRICE],
  ['@x402/fetch that chooses EURC', inV2(choosing(BASE_EURC)), BASE_EURC, '9200'],
])('%s pays for a route that sells in several tokens, and settles in its own', async (_name, buy, asset, amount) => {
  const had = await buy(`${shop.url}/several`);
  expect(had).toMatchObject({ status: 200, body: { asset } });
  expect(shop.ledger.only().session).toMatchObject({ asset, cap: amount });
  expect(await shop.settle('x402')).toMatchObject({ kind: 'done', alreadySettled: false });
  expect(shop.sandbox.ledger().totals).toMatchObject({ debits: 1, debited: amount });
});

function inEuro<T extends { readonly asset: string }>(accepts: readonly T[]): T {
  const accept = accepts.find(({ asset }) => asset === BASE_EURC);
  if (accept === undefined) throw new Error('EURC is not among what v1 can pay');
  return accept;
}
