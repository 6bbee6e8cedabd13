import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../src/sandbox/hyperswitch/start.js';
import { type StripeSandbox, startStripeSandbox } from '../../src/sandbox/stripe/start.js';
import { openTestLedger, type TestLedger } from '../support/ledger-fixtures.js';
import { type MarketplaceWorld, startMarketplace } from '../support/marketplace-world.js';
import { type DevServer, startDevServer } from '../support/temporal.js';
import { until } from '../support/until.js';

let server: DevServer;
let test: TestLedger;
let stripe: StripeSandbox;
let hyperswitch: HyperswitchSandbox;
let native: NativeConnection;
let connection: Connection;
let world: MarketplaceWorld;

beforeAll(async () => {
  server = await startDevServer();
  test = await openTestLedger();
  stripe = await startStripeSandbox({ clock: test.clock });
  hyperswitch = await startHyperswitchSandbox({
    clock: test.clock,
    auto: { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'succeeded', afterMs: 0 } },
  });
  connection = await Connection.connect({ address: server.address });
  native = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  await addSearchAttributes(client, 'default');
  world = await startMarketplace({
    connection: native,
    client,
    test,
    stripe,
    hyperswitch,
    settings: { REVERSAL_BACKOFF_BASE: '100ms', REVERSAL_BACKOFF_MAX: '1s', TRANSFER_RETRY_BACKOFF_BASE: '100ms' },
  });
});

afterAll(async () => {
  await world.stop();
  await native.close();
  await connection.close();
  await hyperswitch.close();
  await stripe.close();
  await test.dispose();
  await server.dispose();
});

describe('a marketplace', () => {
  it('pays each seller once, refunds the buyer at once, and takes every share back', async () => {
    const order = await world.paidOrder({ acct_1Ada: 6_000n, acct_1Bob: 4_000n });
    expect(order.status).toBe('paid');
    await until(
      'both sellers are paid',
      async () => (await world.find(order.id)).transfers.every(({ status }) => status === 'completed'),
      { limitMs: 10_000 },
    );
    await world.refund(order.id);
    expect((await world.find(order.id)).status).toBe('refunded');
    const done = await until(
      'both shares are back',
      async () => {
        const found = await world.find(order.id);
        return found.reversals.length === 2 && found.reversals.every(({ status }) => status === 'reversed') && found;
      },
      { limitMs: 10_000 },
    );
    expect(done.transfers.map(({ status }) => status)).toEqual(['reversed', 'reversed']);
  });

  it('finds a refund of the dashboard that is the first it hears of the payment having succeeded', async () => {
    hyperswitch.setAuto({ refund: { to: 'succeeded', afterMs: 0 } });
    const order = await world.order({ acct_1Cyd: 5_000n });
    const paymentId = await world.placePayment(order.id);
    await world.calls?.advancePayment(paymentId);
    const [payment] = hyperswitch.ledger().payments.filter(({ metadata }) => metadata?.['order_id'] === order.id);
    // Nobody tells us of either; then one event comes, and it is the refund's.
    await hyperswitch.movePayment(payment!.id, { to: 'succeeded' });
    const made = await hyperswitch.refundInDashboard({ payment_id: payment!.id, amount: 2_000 });
    const event = {
      provider: 'hyperswitch',
      eventId: crypto.randomUUID(),
      type: 'refund_succeeded',
      objectId: 'refund' in made ? made.refund.id : '',
      parentId: payment!.id,
      account: null,
      bodySha256: 'body',
    } as const;
    await test.ledger.storeWebhook(event);
    await world.processWebhook(event);
    const found = await until(
      'the refund is known',
      async () => {
        const now = await world.find(order.id);
        return now.status === 'partially_refunded' && now;
      },
      { limitMs: 10_000 },
    );
    expect(found.refunds).toMatchObject([{ origin: 'provider', status: 'succeeded', amount: 2_000n }]);
  });
});
