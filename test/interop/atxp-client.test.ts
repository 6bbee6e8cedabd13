import { atxpFetch } from '@atxp/client';
import { describe, expect, it } from 'vitest';
import { shopForFile } from './support/shop.js';

/**
 * ATXP's client as it is published (0.2.22) knows payments as errors of MCP alone: of an HTTP 402 it reads nothing. What it
 * would read of ours there is what `X-ATXP-Payment-Request` says.
 */
const MCP_PAYMENT_REQUIRED = -30402;
const shop = await shopForFile(() => undefined);
const silent = () => undefined;
const nothing = () => Promise.resolve(null);

function client(fetchFn: typeof fetch, sideChannelFetch: typeof fetch = fetch) {
  const paid: string[] = [];
  const asked: string[] = [];
  const pays = atxpFetch({
    accountId: 'atxp_acct_reader',
    db: {
      getPKCEValues: nothing,
      getAccessToken: nothing,
      getClientCredentials: nothing,
      savePKCEValues: () => Promise.resolve(),
      saveAccessToken: () => Promise.resolve(),
      saveClientCredentials: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    paymentMakers: {
      base_sepolia: {
        makePayment(amount, currency, receiver) {
          paid.push(`${String(amount)} ${currency} to ${receiver}`);
          return Promise.resolve('0xpaid');
        },
        generateJWT: () => Promise.resolve('a.token.of-the-payer'),
      },
    },
    fetchFn,
    sideChannelFetch(url, init) {
      asked.push(`${init?.method ?? 'GET'} ${String(url)}`);
      return sideChannelFetch(url, init);
    },
    allowInsecureRequests: true,
    allowedAuthorizationServers: [shop.sandbox.url as never],
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  return { paid, asked, get: pays };
}

const demo = () => `${shop.url}/demo/fixed`;

describe('@atxp/client', () => {
  it('hands the 402 of a paid route on whole to its caller, and pays nothing for it', async () => {
    const { get, paid, asked } = client(fetch);
    const answer = await get(demo());
    expect([answer.status, paid, asked]).toEqual([402, [], []]);
    const { accepts } = (await answer.json()) as { accepts: readonly object[] };
    // What ATXP's own servers write in every accept of a body like this.
    expect(accepts).toEqual([expect.objectContaining({ amount: '10000', scheme: 'exact', payTo: expect.any(String) })]);
    expect(await shop.charges('/demo/fixed')).toEqual([]);
  });

  it('told by MCP what our X-ATXP-Payment-Request says, pays that payment request at the auth server, for the amount of the 402', async () => {
    const offered = JSON.parse((await fetch(demo())).headers.get('x-atxp-payment-request') ?? '') as Record<
      string,
      string
    >;
    const error = { code: MCP_PAYMENT_REQUIRED, message: 'Payment via ATXP is required. ', data: offered };
    let times = 0;
    const server = () =>
      Promise.resolve(
        Response.json({ jsonrpc: '2.0', id: 1, ...((times += 1) === 1 ? { error } : { result: { content: [] } }) }),
      );
    const authServer = () =>
      Promise.resolve(
        Response.json({
          network: 'base_sepolia',
          currency: 'USDC',
          amount: offered['chargeAmount'],
          destination: '0xde3',
        }),
      );
    const { get, paid, asked } = client(server, authServer);
    expect((await get('http://mcp.example/')).status).toBe(200);
    expect(paid).toEqual(['0.01 USDC to 0xde3']);
    expect(asked).toEqual([`GET ${offered['paymentRequestUrl']}`, `PUT ${offered['paymentRequestUrl']}`]);
  });
});
