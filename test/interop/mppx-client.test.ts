import { Fetch, tempo } from 'mppx/client';
import { afterAll, describe, expect, it } from 'vitest';
import { startTempoSandbox } from '../../sandbox/tempo/start.js';
import { chainClient, newAccount } from '../support/channels/tempo-chain.js';
import { had, shopForFile } from './support/shop.js';

/** npm mppx' own client on routes whose payments the auth server verifies and settles; on our own channels: test/contract/stock-mppx-client.test.ts. */

const shop = await shopForFile(() => undefined);
const chain = await startTempoSandbox();
afterAll(() => chain.close());

const payer = newAccount();
const common = { account: payer, getClient: () => chainClient(chain.url, payer) };

/** What it sent, so that it can be sent again. */
let sent: Headers | undefined;
const watched: typeof fetch = (input, init) => {
  sent = new Headers(init?.headers);
  return fetch(input, init);
};

describe('mppx/client', () => {
  it('pays a charge for a fixed route that sells by ATXP and x402 too, once', async () => {
    const pays = Fetch.from({ fetch: watched, methods: [tempo.charge({ ...common, mode: 'pull' })] });
    const url = `${shop.url}/demo/fixed`;
    const answer = await pays(url);
    expect([answer.status, await answer.json()]).toEqual([200, { joke: expect.stringContaining('bar') }]);
    await shop.expectCharges('/demo/fixed', [had('10000')]);
    expect(await shop.settle('/demo/fixed')).toEqual(['10000']);
    const again = await fetch(url, { headers: sent ?? {} });
    expect([again.status, again.headers.get('settlement-id')]).toEqual([409, answer.headers.get('settlement-id')]);
  });

  it('pays a metered route by a session through the auth server: it vouches for the cap, and what was spent moves', async () => {
    const pays = Fetch.from({ fetch: watched, methods: [tempo.session({ ...common, maxDeposit: '5' })] });
    const answer = await pays(`${shop.url}/demo/metered?n=3`);
    expect([answer.status, await answer.json()]).toEqual([200, { asked: 3, done: 3 }]);
    await shop.expectCharges('/demo/metered', [had('3000')]);
    expect(await shop.settle('/demo/metered')).toEqual(['3000']);
  });
});
