import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../sandbox/tempo/start.js';
import { createMemoryChannelStore } from '../../src/client.js';
import {
  ourClient,
  type StockShop,
  type StockShopOptions,
  startStockShop,
  stockClient,
} from '../support/channels/stock-mppx-shop.js';
import { newAccount } from '../support/channels/tempo-chain.js';

let node: TempoSandbox;
let shop: StockShop;
const open = async (options: StockShopOptions = {}) => (shop = await startStockShop(node, options));
beforeEach(async () => {
  node = await startTempoSandbox();
});
afterEach(async () => {
  await shop.close();
  await node.close();
});

const PRICE = 10_000n;
const account = newAccount();
const channels = () => node.ledger().channels;
const times = async (count: number, call: () => Promise<Pick<Response, 'status'>>): Promise<number[]> => {
  const statuses: number[] = [];
  for (let done = 0; done < count; done += 1) statuses.push((await call()).status);
  return statuses;
};
const vouchers = (from: bigint, count: number) =>
  Array.from({ length: count }, (_none, index) => `voucher ${(from + BigInt(index)) * PRICE} 200`);
/** What our client pays one more request with, after others have gone so many further with its channel. */
async function paymentsWhenBehind(behind: number): Promise<readonly string[]> {
  const { pays, payments } = ourClient(node, shop, account);
  await pays(shop.url);
  await times(behind, () => stockClient(node, shop, account).pays(shop.url));
  payments.length = 0;
  expect((await pays(shop.url)).status).toBe(200);
  return payments;
}

describe('against an unmodified mppx server', () => {
  it('opens one channel and pays 20 more requests with a voucher each', async () => {
    await open();
    const { pays, payments } = ourClient(node, shop, account);
    expect(await times(21, () => pays(shop.url))).toEqual(Array.from({ length: 21 }, () => 200));
    expect(payments).toEqual([`open ${PRICE} 200`, ...vouchers(2n, 20)]);
    expect(channels()).toMatchObject([{ deposit: '1000000', settled: '0' }]);
  });

  it('writes down what the server counted', async () => {
    await open();
    const channelStore = createMemoryChannelStore();
    const entries: unknown[] = [];
    const watching = { ...channelStore, set: (entry: never) => (entries.push(entry), channelStore.set(entry)) };
    const { pays } = ourClient(node, shop, account, { channelStore: watching });
    await times(3, () => pays(shop.url));
    expect(entries.at(-1)).toMatchObject({
      opened: true,
      cumulativeAmount: 3n * PRICE,
      mirrors: { accepted: '30000', spent: '30000' },
    });
  });

  it('goes on with its channel after a start with nothing on record', async () => {
    await open();
    await times(3, () => ourClient(node, shop, account).pays(shop.url));
    const cold = ourClient(node, shop, account);
    expect(await times(2, () => cold.pays(shop.url))).toEqual([200, 200]);
    expect(cold.payments).toEqual(vouchers(4n, 2));
    expect(channels()).toHaveLength(1);
  });

  it.each([1, 8, 100])('pays with one voucher when it is %i requests behind', async (behind) => {
    await open({ suggestedDeposit: '3' });
    expect(await paymentsWhenBehind(behind)).toEqual(vouchers(BigInt(behind) + 2n, 1));
    expect(channels()).toHaveLength(1);
  });

  it.each([
    [1, 'voucher 20000 402, voucher 30000 200'],
    [8, 'voucher 20000 402, voucher 30000 402, voucher 40000 402'],
    [100, 'voucher 20000 402, voucher 30000 402, voucher 40000 402'],
  ])('where the stock client, %i requests behind, sends: %#', async (behind, sent) => {
    await open({ suggestedDeposit: '3' });
    const { pays, payments } = stockClient(node, shop, account);
    await pays(shop.url);
    await times(behind, () => stockClient(node, shop, account).pays(shop.url));
    payments.length = 0;
    await pays(shop.url);
    expect(payments.join(', ')).toBe(sent);
  });

  it('tops the channel up when its deposit is used up, and never above maxDeposit', async () => {
    await open({ price: '0.4' });
    const { pays, payments } = ourClient(node, shop, account, { maxDeposit: '1.5' });
    expect(await times(3, () => pays(shop.url))).toEqual([200, 200, 200]);
    expect(payments).toEqual(['open 400000 200', 'voucher 800000 200', 'topUp  204', 'voucher 1200000 200']);
    await expect(pays(shop.url)).rejects.toMatchObject({ code: 'over_max_deposit' });
    expect(channels()).toMatchObject([{ deposit: '1500000' }]);
    expect(payments).toHaveLength(4);
  });

  it('closes: what was served is captured, the rest comes back, and the next request opens a new channel', async () => {
    await open();
    const { pays } = ourClient(node, shop, account);
    await times(3, () => pays(shop.url));
    expect(await pays.close(shop.url)).toMatchObject({ spent: '30000', acceptedCumulative: '30000' });
    expect(channels()).toMatchObject([{ settled: '30000', refunded: '970000' }]);
    expect((await pays(shop.url)).status).toBe(200);
    expect(channels()).toHaveLength(2);
  });

  it('closes for what another process spent too, after a start with nothing on record', async () => {
    await open();
    await times(3, () => ourClient(node, shop, account).pays(shop.url));
    expect(await ourClient(node, shop, account).pays.close(shop.url)).toMatchObject({ spent: '30000' });
    expect(channels()).toMatchObject([{ settled: '30000' }]);
  });

  it('forgets a channel that the server has lost, and opens one new one', async () => {
    await open();
    const { pays, payments } = ourClient(node, shop, account);
    await pays(shop.url);
    await shop.store.delete(shop.state.channel ?? '');
    payments.length = 0;
    expect((await pays(shop.url)).status).toBe(200);
    expect(payments).toEqual(['voucher 20000 410', 'open 10000 200']);
    expect(channels()).toHaveLength(2);
  });

  it('serves 50 requests at once, each with an increment of its own and none refused', async () => {
    await open();
    const { pays, payments } = ourClient(node, shop, account);
    const responses = await Promise.all(Array.from({ length: 50 }, () => pays(shop.url)));
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(payments).toEqual([`open ${PRICE} 200`, ...vouchers(2n, 49)]);
    expect(await shop.spent(shop.state.channel ?? '0x')).toBe(50n * PRICE);
  });

  it('two processes at once pay for each request once, and never twice for one', async () => {
    await open();
    const one = ourClient(node, shop, account);
    const two = ourClient(node, shop, account);
    await one.pays(shop.url);
    // Where the other one is faster twice, the request ends unpaid, and is made again.
    const outcome = (client: typeof one) => async () => {
      try {
        return await client.pays(shop.url);
      } catch (error) {
        expect(error).toMatchObject({ code: 'hint_unprovable' });
        return { status: 402 };
      }
    };
    const both = await Promise.all([times(10, outcome(one)), times(10, outcome(two))]);
    const served = both.flat().filter((status) => status === 200).length;
    expect(served).toBeGreaterThan(0);
    expect(await shop.spent(shop.state.channel ?? '0x')).toBe(BigInt(served + 1) * PRICE);
    expect(channels()).toHaveLength(1);
  });
});

describe('against a server that tells flat hints', () => {
  it.each([1, 8, 100])('beside the snapshot: one voucher when it is %i requests behind', async (behind) => {
    await open({ suggestedDeposit: '3', tells: 'snapshotAndFlat' });
    expect(await paymentsWhenBehind(behind)).toEqual(vouchers(BigInt(behind) + 2n, 1));
  });

  it('and no signature: signs one price more, once, and says that the hint cannot be proved', async () => {
    await open();
    const { pays, payments } = ourClient(node, shop, account);
    await pays(shop.url);
    await times(8, () => stockClient(node, shop, account).pays(shop.url));
    shop.state.tells = 'flatOnly';
    payments.length = 0;
    await expect(pays(shop.url)).rejects.toMatchObject({ code: 'hint_unprovable' });
    expect(payments).toEqual(['voucher 20000 402']);
  });

  it('of the channel id alone: finds its channel on chain, and opens no new one', async () => {
    await open({ tells: 'channelIdOnly' });
    const { pays } = ourClient(node, shop, account);
    await times(3, () => pays(shop.url));
    await shop.settle(shop.state.channel ?? '0x');
    const cold = ourClient(node, shop, account);
    expect(await times(2, () => cold.pays(shop.url))).toEqual([200, 200]);
    expect(cold.payments).toEqual(vouchers(4n, 2));
    expect(channels()).toHaveLength(1);
    expect(node.calls().methods['eth_getLogs']).toBeGreaterThan(0);
  });

  it('of a channel that is not its own: opens one', async () => {
    await open({ tells: 'channelIdOnly' });
    await ourClient(node, shop, newAccount()).pays(shop.url);
    const { pays, payments } = ourClient(node, shop, account);
    expect((await pays(shop.url)).status).toBe(200);
    expect(payments).toEqual([`open ${PRICE} 200`]);
    expect(channels()).toHaveLength(2);
  });
});
