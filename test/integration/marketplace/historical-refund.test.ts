import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderId, TransferId } from '../../../src/domain/ids.js';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import type { HistoricalTransfer } from '../../../src/ledger/historical/historical-types.js';
import { runMakegood } from '../../support/cli.js';
import { atStripe, type BackfillWorld, history, startBackfillWorld } from '../../support/marketplace/backfill-world.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { openRealTimeMarketplace, type RealTimeMarketplace } from '../../support/marketplace/real-time.js';
import { until } from '../../support/until.js';

let market: RealTimeMarketplace;
let backfills: BackfillWorld;

beforeAll(async () => {
  market = await openRealTimeMarketplace();
  const { temporal, test, stripe } = market;
  backfills = await startBackfillWorld({ connection: temporal.native, client: temporal.client, test, stripe });
});
afterAll(async () => {
  await backfills.stop();
  await market.dispose();
});

/** A payment that an older system made, with an id of its own. */
async function paidEarlier(amount: bigint): Promise<string> {
  const payment_id = `pay_${unique('old').slice(0, 20).padEnd(26, '0')}`;
  const response = await fetch(`${market.hyperswitch.url}/payments`, {
    method: 'POST',
    headers: { 'api-key': market.hyperswitch.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify({ amount: Number(amount), currency: 'USD', payment_id, confirm: true }),
  });
  expect(await response.json()).toMatchObject({ payment_id, status: 'succeeded' });
  return payment_id;
}

async function importAll(...lines: readonly HistoricalTransfer[]): Promise<{ order: OrderId; transfer: TransferId }[]> {
  const out: string[] = [];
  async function* stdin(): AsyncGenerator<Uint8Array> {
    for (const line of lines) {
      const { order, currency, createdAt: created_at } = line;
      const paid = Number(line.paid);
      const amount = Number(line.amount);
      const ids = { hyperswitch_payment_id: line.hyperswitchPaymentId, stripe_transfer_id: line.stripeTransferId };
      const one = { order, currency, paid, ...ids, seller_account: line.sellerAccount, amount, created_at };
      yield Buffer.from(`${JSON.stringify(one)}\n`);
    }
  }
  await runMakegood(['import-transfers', '--json'], {
    env: { DATABASE_URL: market.test.url },
    clock: market.test.clock,
    stdin: stdin(),
    out: (line) => out.push(line),
    err: () => undefined,
  });
  return out.map((line) => {
    const { order_id: order, transfer_id: transfer } = JSON.parse(line) as {
      order_id: OrderId;
      transfer_id: TransferId;
    };
    return { order, transfer };
  });
}

const reversalsMade = () => market.stripe.calls().endpoints['reversals.create']?.calls ?? 0;

async function reversalOf(order: OrderId, status: string) {
  return await until(
    `the reversal is ${status}`,
    async () => (await market.world.find(order)).reversals.find((reversal) => reversal.status === status),
    { limitMs: 20_000 },
  );
}

it('a refund takes the share of an imported transfer back; without an id only when it was found, and once', async () => {
  const sold = { paid: 10_000n, amount: 9_000n };
  const withId = history({ ...sold, hyperswitchPaymentId: await paidEarlier(10_000n), stripeTransferId: unique('tr') });
  const withoutId = history({ ...sold, hyperswitchPaymentId: await paidEarlier(10_000n) });
  const lost = unique('tr');
  await market.stripe.seed({
    transfers: [atStripe(withId, { id: withId.stripeTransferId }), atStripe(withoutId, { id: lost })],
  });
  const [known, unknown] = await importAll(withId, withoutId);

  await market.world.refund(known!.order);
  expect(await reversalOf(known!.order, 'reversed')).toMatchObject({
    amount: 9_000n,
    stripeTransferId: withId.stripeTransferId,
  });

  await market.world.refund(unknown!.order);
  expect((await market.world.find(unknown!.order)).status).toBe('refunded');
  const stuck = await reversalOf(unknown!.order, 'permanently_failed');
  expect(stuck).toMatchObject({ certainty: 'not_sent', attention: { reason: 'missing_transfer_id' } });
  expect(reversalsMade()).toBe(1);
  expect(market.stripe.calls().calls.some(({ path }) => path.includes(lost))).toBe(false);

  const run = await backfills.start({ apply: true });
  await until('the backfill is finished', async () => (await backfills.progress(run)).state === 'finished', {
    limitMs: 20_000,
  });
  expect((await backfills.report(run)).get(unknown!.transfer)).toMatchObject({ stripeTransferId: lost });
  expect((await market.world.find(unknown!.order)).transfers).toMatchObject([{ stripeTransferId: lost }]);

  await market.temporal.client.workflow
    .getHandle(marketplaceWorkflowId('reversal', stuck.id))
    .executeUpdate('resolve', { args: [{ action: 'retry', by: 'nora', note: 'its transfer has its id by now' }] });
  expect(await reversalOf(unknown!.order, 'reversed')).toMatchObject({ amount: 9_000n, stripeTransferId: lost });
  expect(reversalsMade()).toBe(2);
  const taken = market.stripe.ledger().transfers.map((transfer) => transfer.amount_reversed);
  expect(taken).toEqual([9_000, 9_000]);
});
