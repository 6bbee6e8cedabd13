import { Credential } from 'mppx';
import type { Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { type TempoSandbox } from '../../sandbox/tempo/start.js';
import { createMemoryChannelStore, createSessionFetch } from '../../src/client.js';
import { captureWorker } from '../support/channels/captures.js';
import { type ChannelShop, channelIn, openChannelShop, PRICE } from '../support/channels/channel-shop.js';
import { chainClient, newAccount } from '../support/channels/tempo-chain.js';
import { type TestLedger } from '../support/ledger-fixtures.js';

let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
let url: string;
/** Actions and cumulative amounts, with the answers they got. */
let sent: string[];

beforeEach(async () => {
  ({ chain, store, shop } = await openChannelShop({ leaseMs: 86_400_000 }));
  url = `${shop.url}/paid`;
  sent = [];
});

const account = newAccount();

const clientOf = (channelStore = createMemoryChannelStore(), name?: string) =>
  createSessionFetch({
    account,
    getClient: () => chainClient(chain.url, account),
    maxDeposit: '5',
    channelStore,
    clock: store.clock,
    fetch: async (input, init) => {
      const headers = new Headers(init?.headers);
      const header = headers.get('Authorization');
      if (name !== undefined) headers.set('X-Client', name);
      const response = await fetch(input, { ...init, headers });
      if (header !== null) {
        const { action, cumulativeAmount } = Credential.deserialize<Record<string, string>>(header).payload;
        sent.push(`${action} ${cumulativeAmount} ${response.status}`);
      }
      return response;
    },
  });

const theChannel = () => channelIn(store, chain.ledger().channels.at(-1)?.channelId as Hex);

const keyOf = async (): Promise<string> => {
  const { payee, token, escrow, chainId } = await theChannel();
  return `${payee}:${token}:${escrow}:${chainId}`;
};

async function capture(): Promise<void> {
  const worker = captureWorker(store, chain.url, { threshold: 1n, intervalMs: 3_600_000 });
  store.clock.advance(61_000);
  expect([await worker.sweep(), await worker.settle()]).toEqual([1, ['final']]);
}

/** Two clients of one payer that do not know of each other's vouchers; the first one is behind. */
async function oneBehind(by: number, name?: string) {
  const [record, copy] = [createMemoryChannelStore(), createMemoryChannelStore()];
  const behind = clientOf(record, name);
  await behind(url);
  const entry = await record.get(await keyOf());
  if (entry === undefined) throw new Error('the client has no record of its channel');
  await copy.set(entry);
  const ahead = clientOf(copy, name);
  for (let n = 0; n < by; n += 1) expect((await ahead(url)).status).toBe(200);
  sent = [];
  return behind;
}

describe('against our own server, which does not know who asks', () => {
  it.each([1, 8])(
    'pays with two vouchers at most when it is %i requests behind: the first one proves who asks',
    async (by) => {
      const behind = await oneBehind(by);
      expect((await behind(url)).status).toBe(200);
      expect(sent).toEqual(
        by === 1
          ? [`voucher ${2n * PRICE} 402`, `voucher ${3n * PRICE} 200`]
          : [`voucher ${2n * PRICE} 402`, `voucher ${10n * PRICE} 200`],
      );
    },
  );

  it('pays with one voucher where everything that others spent is captured: the chain proves it', async () => {
    const behind = await oneBehind(8);
    await capture();
    expect((await behind(url)).status).toBe(200);
    expect(sent).toEqual([`voucher ${10n * PRICE} 200`]);
  });

  it('closes a channel of which nothing is captured, by what was signed', async () => {
    const client = clientOf();
    await client(url);
    await client.close(url);
    expect(sent.at(-1)).toBe(`close ${PRICE} 204`);
    expect(await theChannel()).toMatchObject({ closing: true });
  });

  it('knows of a close until the chain shows it, also after a restart, and may ask for it again', async () => {
    const record = createMemoryChannelStore();
    await clientOf(record)(url);
    await clientOf(record).close(url);
    expect(await record.get(await keyOf())).toMatchObject({ left: 'closing' });
    await clientOf(record).close(url);
    expect(sent.slice(-2)).toEqual([`close ${PRICE} 204`, `close ${PRICE} 204`]);
    await capture();
    await clientOf(record).close(url);
    expect(sent).toHaveLength(3);
    expect(await record.get(await keyOf())).toBeUndefined();
  });

  it('closes one of which everything is captured, by one unit more; what was earned is all that is taken', async () => {
    const client = clientOf();
    await client(url);
    await client(url);
    await capture();
    await client.close(url);
    expect(sent.slice(-2)).toEqual([`close ${2n * PRICE} 402`, `close ${2n * PRICE + 1n} 204`]);
    const worker = captureWorker(store, chain.url, { threshold: 1n, intervalMs: 3_600_000 });
    expect([await worker.sweep(), await worker.settle()]).toEqual([1, ['final']]);
    expect(chain.ledger().channels.at(-1)).toMatchObject({ closed: true, settled: String(2n * PRICE) });
  });
});

describe('against our own server, which knows who asks', () => {
  it.each([1, 8])('pays with one voucher when it is %i requests behind', async (by) => {
    const behind = await oneBehind(by, 'the buyer');
    expect((await behind(url)).status).toBe(200);
    expect(sent).toEqual([`voucher ${BigInt(by + 2) * PRICE} 200`]);
  });
});
