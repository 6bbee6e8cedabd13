import { wrapAxiosWithPayment, x402Client as x402ClientOfAxios } from '@x402/axios';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import { wrapFetchWithPayment as wrapFetchV2, x402Client } from '@x402/fetch';
import axios from 'axios';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withPaymentInterceptor } from 'x402-axios';
import { wrapFetchWithPayment as wrapFetchV1 } from 'x402-fetch';
import { type DemoShop, openDemoShop } from '../support/sessions/demo-shop.js';
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
  shop = await openDemoShop();
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
