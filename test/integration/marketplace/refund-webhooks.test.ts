import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RefundId } from '../../../src/domain/ids.js';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { type TestApi, TOKENS } from '../../support/api.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';
import { AT_ONCE } from '../../support/stand-ins.js';

/** What Hyperswitch tells, over HTTP and signed: once, late, twice, in the wrong order, never, or not by Hyperswitch. */

let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;
let order: Order;

beforeAll(async () => {
  market = await openMarketplaceTest();
  api = await serveMarketplace(market);
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
beforeEach(async () => {
  sellers += 1;
  order = await market.sold({ [`acct_1Told${sellers}`]: 600n, [`acct_1Other${sellers}`]: 400n });
});
afterEach(() => {
  market.hyperswitch.setWebhooks({ rules: [] });
  market.hyperswitch.setAuto(AT_ONCE);
});

/** Taken on by Hyperswitch, and not carried out yet. */
async function pendingRefund(amount?: bigint) {
  market.hyperswitch.setAuto({ pay: AT_ONCE.pay });
  const id = await market.refund(order, amount);
  const refund = await market.test.ledger.findRefund(id);
  expect(refund).toMatchObject({ status: 'pending' });
  const at = refund?.hyperswitchRefundId ?? '';
  return { id, move: (to: 'succeeded' | 'failed') => market.hyperswitch.moveRefund(at, { to }) };
}
const byAmount = (left: number, right: number) => left - right;
const rules = (...given: { what: 'lost' | 'late' | 'duplicated' | 'forged' | 'held'; ms?: number }[]) =>
  market.hyperswitch.setWebhooks({ rules: given });
const lastEvent = () => {
  const event = market.hyperswitch.webhooks().at(-1);
  if (!event) throw new Error('nothing was told');
  return event;
};
const eventRows = (eventId: string) =>
  market.test.database.query<{ deliveries: number; outcome: string | null }>(
    'SELECT deliveries, outcome FROM webhook_events WHERE event_id = $1',
    [eventId],
  );
const untilReversed = async (refund: RefundId) => {
  await market.untilReversal('reversed', reversalOf(refund, order, 0), reversalOf(refund, order, 1));
};
/** Money of this order at Stripe and at Hyperswitch, whatever the ledger says. */
const moved = () => {
  const sent = order.transfers.map(({ stripeTransferId }) => stripeTransferId);
  const payment = order.payment?.hyperswitchPaymentId;
  return {
    takenBack: market.stripe.ledger().reversals.filter(({ transfer }) => sent.includes(transfer)).length,
    refunded: market.hyperswitch.ledger().refunds.filter(({ paymentId }) => paymentId === payment).length,
  };
};

describe('a webhook', () => {
  it('that comes in time finishes the buyer at once, is stored once and answered by a reading', async () => {
    const { id, move } = await pendingRefund();
    const nowMs = market.test.clock.nowMs();
    await move('succeeded');
    await untilReversed(id);
    expect(market.test.clock.nowMs() - nowMs).toBeLessThan(MINUTE_MS);
    expect(await eventRows(lastEvent().eventId)).toEqual([{ deliveries: 1, outcome: 'read' }]);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('that is lost is made up for by reading, within minutes', async () => {
    const { id, move } = await pendingRefund();
    rules({ what: 'lost' });
    await move('succeeded');
    await market.sleep(6 * MINUTE_MS);
    await untilReversed(id);
    expect((await market.order(order)).status).toBe('refunded');
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('about a refund that has been pending for weeks, and was read ever less often, is acted on at once', async () => {
    const { id, move } = await pendingRefund();
    const at = (await market.test.ledger.findRefund(id))?.hyperswitchRefundId;
    const readsSoFar = () =>
      market.hyperswitch.calls().calls.filter((call) => call.endpoint === 'refunds.read' && call.id === at).length;
    const readsOf = async (days: number) => {
      const before = readsSoFar();
      for (let day = 0; day < days; day += 1) {
        await market.sleep(24 * HOUR_MS);
        await market.world.sweep();
      }
      return readsSoFar() - before;
    };
    // The first day at its own pace, every five minutes at last; from then on each wait is twice the one before.
    expect(await readsOf(1)).toBeGreaterThan(200);
    expect(await readsOf(3)).toBeLessThan(40);
    expect(await readsOf(14)).toBeLessThanOrEqual(30);
    const before = market.test.clock.nowMs();
    await move('succeeded');
    await untilReversed(id);
    expect(market.test.clock.nowMs() - before).toBeLessThan(5 * MINUTE_MS);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
    // Eighteen days of readings: about 25 s of real time, with nothing else running.
  }, 180_000);

  it('that an operator has acted on again takes and gives nothing twice, however often', async () => {
    const { id, move } = await pendingRefund();
    await move('succeeded');
    await untilReversed(id);
    const { eventId } = lastEvent();
    await market.until('it is read', async () => (await eventRows(eventId))[0]?.outcome === 'read');
    const before = await market.order(order);
    for (const note of ['to be sure', 'once more']) {
      const path = `/api/v1/webhooks/${encodeURIComponent(`hyperswitch:${eventId}`)}/replay`;
      expect((await api.send(path, { token: TOKENS.operator, json: { note } })).status).toBe(202);
      await market.until('it is read again', async () => (await eventRows(eventId))[0]?.outcome === 'read');
    }
    await market.sleep(6 * MINUTE_MS);
    expect(await market.order(order)).toEqual(before);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('that comes late, when everything is done, changes nothing', async () => {
    const { id, move } = await pendingRefund();
    rules({ what: 'held' });
    await move('succeeded');
    await market.sleep(6 * MINUTE_MS);
    await untilReversed(id);
    const before = await market.order(order);
    await market.hyperswitch.releaseWebhooks(false);
    await market.until('it is read', async () => (await eventRows(lastEvent().eventId))[0]?.outcome === 'read');
    expect(await market.order(order)).toEqual(before);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('that comes twice is one event, and one reversal of each share', async () => {
    const { id, move } = await pendingRefund();
    rules({ what: 'duplicated' });
    await move('succeeded');
    await untilReversed(id);
    await market.until('both have come', async () => (await eventRows(lastEvent().eventId))[0]?.deliveries === 2);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('that comes again after a restart, days later, is known', async () => {
    const { id, move } = await pendingRefund();
    await move('succeeded');
    await untilReversed(id);
    await market.restart();
    await api.close();
    api = await serveMarketplace(market);
    await market.sleep(25 * HOUR_MS);
    const before = await market.order(order);
    expect(await market.hyperswitch.redeliver(lastEvent().eventId)).toBe(true);
    expect(lastEvent().deliveries).toEqual([200, 200]);
    await market.sleep(HOUR_MS);
    expect(await market.order(order)).toEqual(before);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('that overtakes an earlier one is not believed: the provider is asked what holds now', async () => {
    const { id, move } = await pendingRefund();
    rules({ what: 'held' });
    await move('failed');
    await move('succeeded');
    await market.hyperswitch.releaseWebhooks(true);
    await untilReversed(id);
    await market.sleep(HOUR_MS);
    expect(await market.test.ledger.findRefund(id)).toMatchObject({ status: 'succeeded', attention: null });
    expect((await market.order(order)).status).toBe('refunded');
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('that nobody signed, or somebody else did, is refused, and nothing is read or stored', async () => {
    const { id, move } = await pendingRefund();
    rules({ what: 'forged' });
    await move('succeeded');
    await market.until('it was delivered', () => Promise.resolve(lastEvent().deliveries.length > 0));
    const { eventId, body, deliveries } = lastEvent();
    expect(deliveries[0]).toBe(400);
    expect((await api.send('/webhooks/hyperswitch', { body })).status).toBe(400);
    expect(await eventRows(eventId)).toEqual([]);
    expect(await market.test.ledger.findRefund(id)).toMatchObject({ status: 'pending' });
    expect(moved()).toEqual({ takenBack: 0, refunded: 1 });
  });
});

describe('a refund that somebody makes in the provider’s dashboard', () => {
  const found = async () =>
    (await market.order(order)).refunds.map(({ origin, amount, status }) => [origin, amount, status]);
  const inDashboard = (amount: number) =>
    market.hyperswitch.refundInDashboard({ payment_id: order.payment?.hyperswitchPaymentId ?? '', amount });

  it('is found by its webhook, stored once, and taken back from the sellers like any other', async () => {
    rules({ what: 'duplicated' });
    await inDashboard(500);
    await market.until('it is found', async () => (await found())[0]?.at(2) === 'succeeded');
    expect(await found()).toEqual([['provider', 500n, 'succeeded']]);
    const [refund] = (await market.order(order)).refunds;
    await untilReversed(refund?.id as RefundId);
    const { reversals, status } = await market.order(order);
    expect(status).toBe('partially_refunded');
    expect(reversals.map(({ amount }) => Number(amount)).toSorted(byAmount)).toEqual([200, 300]);
  });

  it('is found when its payment is read for any other reason, and later webhooks find nothing new', async () => {
    rules({ what: 'held' });
    await inDashboard(1_000);
    const payment = market.hyperswitch.webhooks().findLast(({ type }) => type === 'payment_succeeded');
    expect(await found()).toEqual([]);
    await market.test.ledger.storeWebhook({
      provider: 'hyperswitch',
      eventId: `evt_of_the_payment_${sellers}`,
      type: payment?.type ?? '',
      objectId: order.payment?.hyperswitchPaymentId ?? '',
      parentId: null,
      account: null,
      bodySha256: 'of the payment',
    });
    // Nobody acted on it in time: the sweep does.
    await market.sleep(MINUTE_MS);
    await market.world.sweep();
    await market.until('it is found', async () => (await found())[0]?.at(2) === 'succeeded');
    await market.hyperswitch.releaseWebhooks(false);
    const [refund] = (await market.order(order)).refunds;
    await untilReversed(refund?.id as RefundId);
    await market.sleep(HOUR_MS);
    expect(await found()).toEqual([['provider', 1_000n, 'succeeded']]);
    expect((await market.order(order)).status).toBe('refunded');
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });
});

describe('our own client', () => {
  const post = (amount: number, key?: string) =>
    api.send('/api/v1/refunds', {
      token: TOKENS.service,
      json: { order_id: order.id, amount, reason: 'requested_by_customer' },
      headers: key === undefined ? {} : { 'Idempotency-Key': key },
    });

  it('gets two equal partial refunds with two keys, and every seller pays twice', async () => {
    const answers = await Promise.all([post(300, `a-${sellers}`), post(300, `b-${sellers}`)]);
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    for (const { body } of answers) await untilReversed(body.id as RefundId);
    expect(moved()).toEqual({ takenBack: 4, refunded: 2 });
    const amounts = (await market.order(order)).reversals.map(({ amount }) => Number(amount));
    expect(amounts.toSorted(byAmount)).toEqual([120, 120, 180, 180]);
  });

  it('gets one refund with one key, however often it is sent', async () => {
    const first = await post(300, `c-${sellers}`);
    const again = await post(300, `c-${sellers}`);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body.id).toBe(first.body.id);
    await untilReversed(first.body.id as RefundId);
    expect(moved()).toEqual({ takenBack: 2, refunded: 1 });
  });

  it('gets none without a key', async () => {
    expect([(await post(300)).status, (await post(300, '')).status]).toEqual([400, 400]);
    expect(moved()).toEqual({ takenBack: 0, refunded: 0 });
  });
});
