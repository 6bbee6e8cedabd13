import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRealTimeMarketplace, type RealTimeMarketplace } from '../../support/marketplace/real-time.js';
import { until } from '../../support/until.js';

let market: RealTimeMarketplace;
beforeAll(async () => {
  market = await openRealTimeMarketplace({ TRANSFER_RETRY_BACKOFF_BASE: '100ms' });
});
afterAll(() => market.dispose());

describe('a marketplace', () => {
  it('pays each seller once, refunds the buyer at once, and takes every share back', async () => {
    const order = await market.world.paidOrder({ acct_1Ada: 6_000n, acct_1Bob: 4_000n });
    expect(order.status).toBe('paid');
    await until(
      'both sellers are paid',
      async () => (await market.world.find(order.id)).transfers.every(({ status }) => status === 'completed'),
      { limitMs: 10_000 },
    );
    await market.world.refund(order.id);
    expect((await market.world.find(order.id)).status).toBe('refunded');
    const done = await until(
      'both shares are back',
      async () => {
        const found = await market.world.find(order.id);
        return found.reversals.length === 2 && found.reversals.every(({ status }) => status === 'reversed') && found;
      },
      { limitMs: 10_000 },
    );
    expect(done.transfers.map(({ status }) => status)).toEqual(['reversed', 'reversed']);
  });

  it('finds a refund of the dashboard that is the first it hears of the payment having succeeded', async () => {
    market.hyperswitch.setAuto({ refund: { to: 'succeeded', afterMs: 0 } });
    const order = await market.world.order({ acct_1Cyd: 5_000n });
    const paymentId = await market.world.placePayment(order.id);
    await market.world.calls?.advancePayment(paymentId);
    const [payment] = market.hyperswitch
      .ledger()
      .payments.filter(({ metadata }) => metadata?.['order_id'] === order.id);
    // Nobody tells us of either; then one event comes, and it is the refund's.
    await market.hyperswitch.movePayment(payment!.id, { to: 'succeeded' });
    const made = await market.hyperswitch.refundInDashboard({ payment_id: payment!.id, amount: 2_000 });
    const event = {
      provider: 'hyperswitch',
      eventId: crypto.randomUUID(),
      type: 'refund_succeeded',
      objectId: 'refund' in made ? made.refund.id : '',
      parentId: payment!.id,
      account: null,
      bodySha256: 'body',
    } as const;
    await market.test.ledger.storeWebhook(event);
    await market.world.processWebhook(event);
    const found = await until(
      'the refund is known',
      async () => {
        const now = await market.world.find(order.id);
        return now.status === 'partially_refunded' && now;
      },
      { limitMs: 10_000 },
    );
    expect(found.refunds).toMatchObject([{ origin: 'provider', status: 'succeeded', amount: 2_000n }]);
  });
});
