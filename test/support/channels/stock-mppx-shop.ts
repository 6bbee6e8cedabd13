import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Credential, z } from 'mppx';
import { Fetch, tempo as tempoClient } from 'mppx/client';
import { Mppx, tempo } from 'mppx/express';
import { Store, tempo as tempoServer } from 'mppx/server';
import type { Hex, LocalAccount } from 'viem';
import type { TempoSandbox } from '../../../sandbox/tempo/start.js';
import { createSessionFetch, type SessionFetchOptions } from '../../../src/client.js';
import { chainClient, newAccount, TOKEN } from './tempo-chain.js';

/** What the server tells of a channel: stock mppx its snapshot, ours the same in flat fields too, a poor one less. */
export type Telling = 'snapshot' | 'snapshotAndFlat' | 'flatOnly' | 'channelIdOnly' | 'nothing';

export interface StockShopOptions {
  readonly price?: string;
  readonly suggestedDeposit?: string;
  readonly tells?: Telling;
}

type Details = Record<string, unknown> & { sessionSnapshot?: Record<string, unknown> };

/** The flat hints of mppx pull request 260 beside mppx's snapshot, or instead of it. */
function told(details: Details, tells: Telling): Details {
  const { sessionSnapshot, ...rest } = details;
  if (sessionSnapshot === undefined || tells === 'snapshot') return details;
  const { channelId, acceptedCumulative, spent, deposit, requiredCumulative } = sessionSnapshot;
  const flat = { channelId, acceptedCumulative, spent, deposit, requiredCumulative };
  if (tells === 'snapshotAndFlat') return { ...details, ...flat };
  if (tells === 'flatOnly') return { ...rest, ...flat };
  return tells === 'channelIdOnly' ? { ...rest, channelId } : rest;
}

/** The unmodified mppx server, which takes the newest channel for everybody's. */
export async function startStockShop({ url: node, chainId }: TempoSandbox, options: StockShopOptions = {}) {
  const merchant = newAccount();
  const store = Store.memory();
  const client = chainClient(node, merchant);
  const state = { channel: undefined as Hex | undefined, tells: options.tells ?? 'snapshot', served: 0, dropNext: 0 };
  const method = tempo.session({
    account: merchant,
    currency: TOKEN,
    decimals: 6,
    chainId,
    store,
    getClient: () => client,
    suggestedDeposit: options.suggestedDeposit ?? '1',
    resolveChannelId: () => state.channel,
  });
  const request = z.pipe(
    method.schema.request,
    z.transform((asked) => ({ ...asked, methodDetails: told(asked.methodDetails as Details, state.tells) })),
  );
  const telling = { ...method, schema: { ...method.schema, request } } as unknown as typeof method;
  const mppx = Mppx.create({ methods: [telling], realm: 'shop.test', secretKey: 'x'.repeat(32) });
  const app = express();
  app.all('/paid', mppx.session({ amount: options.price ?? '0.01', unitType: 'request' }), (_req, res) => {
    state.served += 1;
    if (state.dropNext > 0) {
      state.dropNext -= 1;
      res.destroy();
      return;
    }
    res.json({ ok: true });
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/paid`,
    state,
    store,
    settle: (channelId: Hex) => tempoServer.settle(store, client, channelId, { account: merchant }),
    async spent(channelId: Hex): Promise<bigint> {
      const row: unknown = await store.get(channelId);
      return (row as { readonly spent: bigint }).spent;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
export type StockShop = Awaited<ReturnType<typeof startStockShop>>;

/** A fetch that writes down each payment with the answer it got, and tells the shop which channel is the newest. */
function watched(shop: StockShop) {
  const payments: string[] = [];
  const watching: typeof globalThis.fetch = async (input, init) => {
    const header = new Headers(init?.headers).get('Authorization');
    const response = await fetch(input, init);
    if (header === null) return response;
    const { action, cumulativeAmount, channelId } = Credential.deserialize<{
      action: string;
      cumulativeAmount?: string;
      channelId: Hex;
    }>(header).payload;
    payments.push(`${action} ${cumulativeAmount ?? ''} ${response.status}`);
    if (response.ok) shop.state.channel = channelId;
    return response;
  };
  return { payments, fetch: watching };
}

/** Our client on this chain. */
export function ourClient(
  sandbox: TempoSandbox,
  shop: StockShop,
  account: LocalAccount,
  options: Partial<SessionFetchOptions> = {},
) {
  const { payments, fetch } = watched(shop);
  const getClient = () => chainClient(sandbox.url, account);
  return { payments, pays: createSessionFetch({ account, getClient, maxDeposit: '5', fetch, ...options }) };
}

/** The unmodified mppx client on this chain. */
export function stockClient(sandbox: TempoSandbox, shop: StockShop, account: LocalAccount) {
  const { payments, fetch } = watched(shop);
  const getClient = () => chainClient(sandbox.url, account);
  const methods = [tempoClient.session({ account, getClient, maxDeposit: '5' })] as const;
  return { payments, pays: Fetch.from({ fetch, methods }) };
}
