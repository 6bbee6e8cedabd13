import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createChannelStore, Fetch, sessionManager, tempo as tempoClient } from 'mppx/client';
import { Mppx, tempo } from 'mppx/express';
import { Store, tempo as tempoServer } from 'mppx/server';
import type { Hex } from 'viem';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { chainClient, newAccount, stateOf, TOKEN } from '../../support/channels/tempo-chain.js';

let sandbox: TempoSandbox;
let shop: Awaited<ReturnType<typeof stockShop>>;
beforeEach(async () => {
  sandbox = await startTempoSandbox();
  shop = await stockShop(sandbox);
});
afterEach(async () => {
  await shop.close();
  await sandbox.close();
});

const merchant = newAccount();

/** The unmodified mppx server, paid 10000 a request. */
async function stockShop({ url, chainId }: TempoSandbox, suggestedDeposit = '1') {
  const store = Store.memory();
  const client = chainClient(url, merchant);
  let channel: string | undefined;
  const mppx = Mppx.create({
    methods: [
      tempo.session({
        account: merchant,
        currency: TOKEN,
        decimals: 6,
        chainId,
        store,
        getClient: () => client,
        suggestedDeposit,
        resolveChannelId: () => channel as Hex | undefined,
      }),
    ],
    realm: 'shop.test',
    secretKey: 'x'.repeat(32),
  });
  const app = express();
  app.all('/paid', mppx.session({ amount: '0.01', unitType: 'request' }), (_req, res) => void res.json({ ok: true }));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/paid`,
    client,
    store,
    remember: (id: string) => {
      channel = id;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const receiptOf = (response: Response) =>
  JSON.parse(Buffer.from(response.headers.get('payment-receipt') ?? '', 'base64url').toString()) as {
    channelId: Hex;
    acceptedCumulative: string;
    txHash?: string;
  };

const payer = newAccount();
const clientOf = (channelStore = createChannelStore()) =>
  Fetch.from({
    methods: [
      tempoClient.session({
        account: payer,
        getClient: () => chainClient(sandbox.url, payer),
        maxDeposit: '5',
        channelStore,
      }),
    ],
  });

it('the unmodified mppx client opens a channel at the unmodified mppx server, pays by vouchers, resumes cold, and it is settled', async () => {
  const paid = clientOf();
  const first = await paid(shop.url);
  expect(first.status).toBe(200);
  const { channelId, txHash } = receiptOf(first);
  expect(sandbox.ledger().transactions.map(({ hash, events }) => [hash, events])).toEqual([
    [txHash, ['ChannelOpened']],
  ]);
  for (const expected of ['20000', '30000']) {
    expect(receiptOf(await paid(shop.url)).acceptedCumulative).toBe(expected);
  }
  shop.remember(channelId);
  expect(receiptOf(await clientOf()(shop.url))).toMatchObject({ channelId, acceptedCumulative: '40000' });
  await tempoServer.settle(shop.store, shop.client, channelId, { account: merchant });
  const [channel] = sandbox.ledger().channels;
  expect(channel).toMatchObject({ channelId, deposit: '1000000', settled: '40000', closed: false });
  expect(channel?.captures.map(({ kind, captured }) => [kind, captured])).toEqual([['settle', '40000']]);
});

it('the unmodified session manager opens, pays and closes, and the rest of the deposit goes back', async () => {
  const manager = sessionManager({
    account: payer,
    getClient: () => chainClient(sandbox.url, payer),
    maxDeposit: '0.05',
  });
  const first = await manager.fetch(shop.url);
  expect(first.status).toBe(200);
  await manager.fetch(shop.url);
  const { channels } = sandbox.ledger();
  expect(channels.map(({ deposit }) => deposit)).toEqual(['50000']);
  const closed = await manager.close();
  expect(closed).toMatchObject({ acceptedCumulative: '20000', spent: '20000' });
  const [channel] = sandbox.ledger().channels;
  expect(channel).toMatchObject({ settled: '20000', refunded: '30000', closed: true });
  expect(channel?.captures.map(({ kind, txHash }) => [kind, txHash])).toEqual([['close', closed?.txHash]]);
  expect(await stateOf(shop.client, channel?.channelId ?? '0x')).toEqual({
    settled: 0n,
    deposit: 0n,
    closeRequestedAt: 0,
  });
});

it('the unmodified client tops a channel up whose deposit is too small', async () => {
  await shop.close();
  shop = await stockShop(sandbox, '0.01');
  const paid = clientOf();
  expect((await paid(shop.url)).status).toBe(200);
  expect((await paid(shop.url)).status).toBe(200);
  const { channels, transactions } = sandbox.ledger();
  expect(transactions.flatMap(({ events }) => events)).toEqual(['ChannelOpened', 'TopUp']);
  expect(channels.map(({ deposit }) => BigInt(deposit) >= 20_000n)).toEqual([true]);
});
