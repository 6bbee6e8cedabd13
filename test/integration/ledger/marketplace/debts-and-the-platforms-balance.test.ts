import { expect, it } from 'vitest';
import type { OrderId } from '../../../../src/domain/ids.js';
import type { SellerTransfer } from '../../../../src/domain/marketplace/marketplace.js';
import { createPlatformQueue } from '../../../../src/ledger/calls/platform-queue.js';
import { HOUR_MS } from '../../../support/durations.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

const ALL_OF_IT = { on: true, limitPercent: 100 };
const SHORT = { kind: 'short', detail: '400 balance_insufficient', replayed: false, requestId: null } as const;

/** Her transfers wait for the platform's balance, and meanwhile it is decided that 800 of what she owes are kept of them. */
async function waiting(amounts: readonly bigint[], offsets = ALL_OF_IT, ofBob?: bigint) {
  const world = await debtWorld({ offsets });
  const { reversal } = await world.short(1_000n, 800n);
  const calls = world.stripe.inLane();
  const createTransfer = calls.createTransfer.bind(calls);
  const platform = { empty: true };
  calls.createTransfer = (...given) => (platform.empty ? Promise.resolve(SHORT) : createTransfer(...given));
  calls.readPlatformBalance = () => Promise.resolve({ kind: 'found', value: new Map([['USD', 0n]]) });
  const bobsOrder =
    ofBob === undefined
      ? undefined
      : await world.paidOrder([{ sellerAccount: 'acct_bob', amount: ofBob, fee: 0n, description: 'other goods' }]);
  const orders: OrderId[] = [];
  for (const amount of amounts) orders.push(await world.order(amount));
  await world.sweep();
  const transfers: SellerTransfer[] = [];
  for (const order of orders) transfers.push(await world.only(order));
  expect(new Set(transfers.map(({ status }) => status))).toEqual(new Set(['waiting_platform_balance']));
  await world.decide(reversal, 'offset');
  const shows = async (balance: bigint, told = true) =>
    await world.ledger.balanceShows(new Map([['USD', balance]]), told);
  return {
    ...world,
    platform,
    orders,
    transfers,
    bobs: bobsOrder === undefined ? undefined : await world.only(bobsOrder),
    shows,
    letGo: async (balance: bigint) => {
      const go = await shows(balance);
      return transfers.flatMap((transfer, nth) => (go.some(({ id }) => id === transfer.id) ? [nth] : []));
    },
  };
}

it('a transfer waits for as much of the balance as is sent of it', async () => {
  const world = await waiting([900n]);
  expect(await world.letGo(99n)).toEqual([]);
  world.platform.empty = false;
  for (const item of await world.shows(100n)) await world.advance(item);
  expect(await world.only(world.orders[0]!)).toMatchObject({ status: 'completed', amount: 100n, offset: 800n });
});

it('no more than OFFSET_LIMIT of it is taken for kept', async () => {
  const world = await waiting([500n], { on: true, limitPercent: 50 });
  expect(await world.letGo(249n)).toEqual([]);
  expect(await world.letGo(250n)).toEqual([0]);
});

it('a debt is taken for kept once, of the oldest', async () => {
  const world = await waiting([500n, 500n]);
  expect(await world.letGo(199n)).toEqual([0]);
  expect(await world.letGo(700n)).toEqual([1]);
});

it('all of it is waited for without OFFSET', async () => {
  const world = await waiting([500n]);
  const off = createPlatformQueue(world.database, { on: false, limitPercent: 100 });
  expect(await off.balanceShows(new Map([['USD', 499n]]), true)).toEqual([]);
});

it('what was refused although it fitted stops nothing that needs no balance', async () => {
  const world = await waiting([500n], ALL_OF_IT, 300n);
  const [bobs] = (await world.shows(300n)).filter(({ id }) => id === world.bobs?.id);
  await world.advance(bobs!);
  world.clock.advance(HOUR_MS);
  const go = await world.shows(300n, false);
  expect(go.map(({ id }) => id).toSorted()).toEqual([world.transfers[0]!.id, world.bobs!.id].toSorted());
  for (const item of go) await world.advance(item);
  expect(await world.only(world.orders[0]!)).toMatchObject({ status: 'completed', amount: 0n, offset: 500n });
  expect(await world.ledger.findTransfer(world.bobs!.id)).toMatchObject({ status: 'waiting_platform_balance' });
});
