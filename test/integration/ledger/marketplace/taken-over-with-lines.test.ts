import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderId } from '../../../../src/domain/ids.js';
import { createDatabase, type Database } from '../../../../src/ledger/database.js';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';
import { movableClock, testKey } from '../../../support/ledger-fixtures.js';
import { type OrderIn, type OrderPut, putOrder } from '../../../support/marketplace/fixtures.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { DONE, type MarketplaceSteps, marketplaceSteps } from '../../../support/marketplace/steps.js';

/** Orders of a database that knew no lines, fees or disputes, with something open of every kind, are finished by the new one. */

let empty: TestDatabase;
let database: Database;
let steps: MarketplaceSteps;
let ledger: ReturnType<typeof createLedger>;
const clock = movableClock();

beforeEach(async () => {
  empty = await createTestDatabase('empty');
  const number = (await knownMigrations()).findIndex(({ name }) => name.includes('lines-fees-and-causes'));
  await migrate(empty.url, { to: number });
  database = createDatabase({ url: empty.url, clock });
  ledger = createLedger({ database, sealer: createSealer([testKey()]), clock, approvalThreshold: 10_000n });
  steps = marketplaceSteps({ ledger, clock, database });
});
afterEach(async () => {
  await database.close();
  await empty.drop();
});

const TWO = [
  { seller: 'acct_a', amount: 700n, status: 'completed' },
  { seller: 'acct_b', amount: 300n, status: 'completed' },
] as const;
/** An order of before, then the database of now. */
async function takenOver(order: OrderIn): Promise<OrderPut> {
  const put = await putOrder({ database, clock }, order);
  await migrate(empty.url);
  return put;
}
const find = async (id: OrderId) => {
  const order = await ledger.findOrder(id);
  if (!order) throw new Error('the order is gone');
  return order;
};
/** Transfers of one millisecond have no order of their own. */
const takenOf = async (id: OrderId) =>
  (await find(id)).reversals.map(({ sellerAccount, amount }) => `${sellerAccount} ${amount}`).sort();
const sharesOf = async (id: OrderId) =>
  (
    await database.query<{ seller: string | null; promised: string; due: string }>(
      `SELECT seller_account AS seller, promised, due_back AS due FROM order_shares WHERE order_id = $1 ORDER BY seller_account NULLS LAST`,
      [id],
    )
  ).map(({ seller, promised, due }) => [seller, Number(promised), Number(due)]);

describe('an order of before', () => {
  it('has items with ids and no fees, and its sellers and the platform what they had', async () => {
    const { id } = await takenOver({ transfers: [...TWO], refunds: [{ amount: 333n }] });
    const order = await find(id);
    expect(order.items.map(({ sellerAccount, amount, fee, kind }) => [sellerAccount, amount, fee, kind])).toEqual([
      ['acct_a', 700n, 0n, 'item'],
      ['acct_b', 300n, 0n, 'item'],
    ]);
    expect(new Set(order.items.map((item) => item.id)).size).toBe(2);
    for (const item of order.items) expect(item.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(await sharesOf(id)).toEqual([
      ['acct_a', 700, 233],
      ['acct_b', 300, 99],
      [null, 0, 1],
    ]);
  });

  it('that nobody has paid is paid and shared out', async () => {
    const { id, paymentId, hyperswitchPaymentId } = await takenOver({
      paid: 1_000n,
      status: 'pending',
      payment: { status: 'pending' },
    });
    const facts = paymentAt({ hyperswitchPaymentId, amount: 1_000n, currency: 'USD' });
    await ledger.applyPayment({ paymentId, runner: null, facts });
    expect(await sharesOf(id)).toEqual([
      ['acct_a', 1_000, 0],
      [null, 0, 0],
    ]);
  });

  it('of which a refund is on its way takes the shares that it took before, to the cent', async () => {
    const { id, refunds } = await takenOver({ transfers: [...TWO], refunds: [{ amount: 333n, status: 'pending' }] });
    await steps.refundSays(refunds[0]!.id, 'succeeded');
    expect(await takenOf(id)).toEqual(['acct_a 233', 'acct_b 99']);
  });

  it('of which items are given back from now on counts what was given back before as it was taken', async () => {
    const { id, reversals } = await takenOver({
      transfers: [...TWO],
      refunds: [
        {
          amount: 333n,
          reversals: [
            { transfer: 0, amount: 233n, status: 'reversed' },
            { transfer: 1, amount: 99n, status: 'pending' },
          ],
        },
      ],
    });
    const { items } = await find(id);
    const refund = await steps.askRefund(id, undefined, { lines: { items: [{ itemId: items[1]!.id, amount: 200n }] } });
    await steps.refundSays(refund, 'succeeded');
    expect(await steps.reverse(reversals[1]!.id, DONE)).toMatchObject({ status: 'reversed' });
    expect(await takenOf(id)).toEqual(['acct_a 233', 'acct_b 201', 'acct_b 99']);
    expect(await sharesOf(id)).toEqual([
      ['acct_a', 700, 233],
      ['acct_b', 300, 300],
      [null, 0, 0],
    ]);
  });

  it('whose refund fails after all gives its sellers back what they had', async () => {
    const { id, refunds } = await takenOver({
      transfers: [...TWO],
      refunds: [{ amount: 500n, reversals: [{ transfer: 0, amount: 350n, status: 'waiting_balance' }] }],
    });
    await steps.refundSays(refunds[0]!.id, 'failed');
    expect((await find(id)).reversals.map(({ status }) => status)).toEqual(['written_off']);
    expect(await sharesOf(id)).toEqual([
      ['acct_a', 700, 0],
      ['acct_b', 300, 0],
      [null, 0, 0],
    ]);
  });
});
