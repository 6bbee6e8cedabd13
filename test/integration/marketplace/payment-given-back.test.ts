import { afterEach, describe, expect, it } from 'vitest';
import { newDecisionId, newRefundId, type PaymentId } from '../../../src/domain/ids.js';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { hyperswitchPaymentId } from '../../../src/providers/hyperswitch/ids.js';
import { HOUR_MS } from '../../support/durations.js';
import { refundAt } from '../../support/marketplace/hyperswitch-facts.js';
import { type MarketplaceTest, openMarketplaceTest } from '../../support/marketplace/time-skipping.js';

/** The buyer was given his money back outside of any refund: two persons say so, and that ends it. */

const SELLER = 'acct_1GivenBack';
let market: MarketplaceTest;
let order: Order;
let payment: PaymentId;
let events = 0;

afterEach(() => market.dispose());

async function sold(): Promise<void> {
  market = await openMarketplaceTest();
  order = await market.sold({ [SELLER]: 1_000n });
}

async function notSentYet(): Promise<void> {
  market = await openMarketplaceTest({ settings: { TRANSFER_RETRY_ENABLED: 'false' } });
  order = await market.pay({ [SELLER]: 1_000n });
}

/** Hyperswitch has no webhook of its own for it: that of the cancel tells. */
async function hyperswitchCalls(status: 'conflicted' | 'succeeded'): Promise<void> {
  payment = order.payment!.id;
  const at = hyperswitchPaymentId(order.id);
  await market.hyperswitch.movePayment(at, { to: status });
  events += 1;
  const event = { provider: 'hyperswitch', eventId: `evt_${events}`, type: 'x', bodySha256: 'x' } as const;
  await market.test.ledger.storeWebhook({ ...event, objectId: at, parentId: null, account: null });
  market.world.wake([{ kind: 'payment', id: payment }]);
  await market.until('a person is asked', async () => (await question())?.reason === 'conflict');
}
const question = async () => (await market.test.ledger.findPayment(payment))?.attention;

const ask = (action: string, item: { readonly kind: 'payment' | 'refund'; readonly itemId: string }) => {
  const id = newDecisionId(market.test.clock.nowMs());
  return market.world.resolution.decide({
    ...item,
    id,
    action,
    note: 'seen in the dashboard',
    evidence: null,
    by: 'olga',
    authenticated: true,
  });
};

async function twoSay(action: string, item = { kind: 'payment' as 'payment' | 'refund', itemId: payment as string }) {
  const asked = await ask(action, item);
  if (asked.kind !== 'pending_approval') throw new Error(JSON.stringify(asked));
  const approval = { decisionId: asked.decisionId, by: 'anna', note: 'yes' };
  expect(await market.world.resolution.approve(approval)).toMatchObject({ kind: 'applied' });
  await market.world.sweep();
}

const refundsOf = async () => (await market.order(order)).refunds.map(({ amount, status }) => `${amount} ${status}`);
const sent = () => market.transferPosts(SELLER).filter(({ status }) => status === 200).length;

describe('a payment whose money is with the buyer again', () => {
  it('never sends a share that was not sent, and asks no more', async () => {
    await notSentYet();
    await hyperswitchCalls('conflicted');
    await market.restart({});
    await twoSay('given_back');
    for (let days = 0; days < 3; days += 1) {
      await market.sleep(24 * HOUR_MS);
      await market.world.sweep();
    }
    expect(market.transferPosts(SELLER)).toEqual([]);
    expect(await market.order(order)).toMatchObject({ status: 'refunded', transfers: [{ status: 'cancelled' }] });
    expect(await question()).toBeNull();
  });

  it('takes back what was sent, as after a refund', async () => {
    await sold();
    await hyperswitchCalls('conflicted');
    await twoSay('given_back');
    await market.untilTransfer('reversed', order.transfers[0]!.id);
    const { status, reversals, refunds } = await market.order(order);
    expect(status).toBe('refunded');
    expect(reversals.map(({ amount }) => amount)).toEqual([1_000n]);
    expect(refunds).toMatchObject([{ origin: 'provider', hyperswitchRefundId: null, status: 'succeeded' }]);
  });

  it('counts what refunds of ours had given back before', async () => {
    await sold();
    const refund = await market.refund(order, 400n);
    await market.until('it has succeeded', async () => (await refundsOf())[0] === '400 succeeded');
    await hyperswitchCalls('conflicted');
    await twoSay('given_back');
    await market.untilTransfer('reversed', order.transfers[0]!.id);
    const { refunds, reversals } = await market.order(order);
    expect(refunds.filter(({ id }) => id !== refund).map(({ amount }) => amount)).toEqual([600n]);
    expect(new Set(reversals.map(({ amount }) => amount))).toEqual(new Set([400n, 600n]));
  });

  it('gives the buyer nothing again, and counts no refund of it that Hyperswitch shows later', async () => {
    await sold();
    await hyperswitchCalls('conflicted');
    await twoSay('given_back');
    await market.untilTransfer('reversed', order.transfers[0]!.id);
    await expect(market.refund(order, 1n)).rejects.toThrow();
    const shown = { hyperswitchRefundId: 'ref_late', hyperswitchPaymentId: hyperswitchPaymentId(order.id) };
    const facts = refundAt({ ...shown, amount: 1_000n, currency: 'USD' });
    const late = await market.test.ledger.adoptRefund(payment, newRefundId(market.test.clock.nowMs()), facts);
    expect(await market.test.ledger.findRefund(late.refundId)).toMatchObject({
      status: 'pending',
      attention: { reason: 'conflict' },
    });
    expect(await market.order(order)).toMatchObject({ status: 'refunded', reversals: [{ amount: 1_000n }] });
  });

  it('is not said to be while a refund may give the same money back, nor while Hyperswitch has it', async () => {
    await sold();
    await hyperswitchCalls('conflicted');
    await market.test.database.query(
      `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, idempotency_key, hyperswitch_refund_id, next_check_at)
       VALUES (gen_random_uuid(), $1, $2, 5, 'USD', 'x', 'k', 'ref_leaving', clock_now() + interval '1 day')`,
      [order.id, payment],
    );
    const item = { kind: 'payment', itemId: payment } as const;
    expect(await ask('given_back', item)).toMatchObject({ kind: 'refused', detail: expect.stringContaining('refund') });
    await market.hyperswitch.movePayment(hyperswitchPaymentId(order.id), { to: 'succeeded' });
    expect(await ask('given_back', item)).toMatchObject({ kind: 'refused', detail: expect.stringContaining('retry') });
    expect(await refundsOf()).toEqual(['5 pending']);
  });
});

describe('a payment that was said to be given back and is called captured again', () => {
  it('takes no share back while a person is asked about that', async () => {
    await sold();
    await hyperswitchCalls('conflicted');
    market.stripe.setFaults([{ kinds: ['rate_limited'], on: ['reversals.create'], times: 1, retryAfterSeconds: 60 }]);
    await twoSay('given_back');
    const [reversal] = (await market.order(order)).reversals;
    await market.untilIn('waiting_to_retry', 'reversal', reversal!.id);
    await market.hyperswitch.movePayment(hyperswitchPaymentId(order.id), { to: 'succeeded' });
    await market.until('a person is asked', async () => (await question())?.reason === 'conflict');
    await market.sleep(3 * HOUR_MS);
    await market.world.sweep();
    const [transfer] = order.transfers;
    expect(market.reversalPosts(transfer!).map(({ status }) => status)).toEqual([429]);

    await twoSay('not_given_back');
    await market.untilReversal('written_off', reversal!.id);
    expect(await market.order(order)).toMatchObject({ status: 'paid', transfers: [{ status: 'completed' }] });
  });

  it('asks, however often it is read, and moves no money until two persons have said whose it is', async () => {
    await sold();
    await hyperswitchCalls('conflicted');
    await twoSay('given_back');
    await market.untilTransfer('reversed', order.transfers[0]!.id);
    await hyperswitchCalls('succeeded');
    for (let hours = 0; hours < 3; hours += 1) {
      await market.sleep(HOUR_MS);
      await market.world.sweep();
    }
    expect((await question())?.detail).toContain('not_given_back');
    expect([sent(), await refundsOf()]).toEqual([1, ['1000 succeeded']]);
    // Nobody says alone that a platform keeps what Hyperswitch calls captured.
    expect(await ask('write_off', { kind: 'payment', itemId: payment })).toMatchObject({ kind: 'pending_approval' });
    expect(await ask('retry', { kind: 'payment', itemId: payment })).toMatchObject({ kind: 'applied' });
    await market.world.sweep();

    await twoSay('not_given_back');
    expect(await question()).toBeNull();
    const [refund] = (await market.order(order)).refunds;
    expect(refund).toMatchObject({ status: 'failed', attention: { reason: 'refund_failed_after_reversal' } });
    expect(sent()).toBe(1);
    await twoSay('compensate', { kind: 'refund', itemId: refund!.id });
    await market.until('the seller is made good', async () => sent() === 2);
    expect((await market.order(order)).status).toBe('paid');
  });
});

it('not_given_back ends all that was said of a payment, not the newest part alone', async () => {
  await sold();
  const refund = await market.refund(order, 400n);
  await market.until('it has succeeded', async () => (await refundsOf())[0] === '400 succeeded');
  await hyperswitchCalls('conflicted');
  await twoSay('given_back');
  await market.untilTransfer('reversed', order.transfers[0]!.id);
  const row = await market.test.ledger.findRefund(refund);
  const there = {
    hyperswitchRefundId: row!.hyperswitchRefundId!,
    hyperswitchPaymentId: hyperswitchPaymentId(order.id),
  };
  await market.hyperswitch.moveRefund(there.hyperswitchRefundId, { to: 'failed' });
  const facts = refundAt({ ...there, amount: 400n, currency: 'USD', status: 'failed' });
  await market.test.ledger.applyRefund({ refundId: refund, runner: null, facts });
  await hyperswitchCalls('succeeded');
  await market.hyperswitch.movePayment(there.hyperswitchPaymentId, { to: 'conflicted' });
  await ask('retry', { kind: 'payment', itemId: payment });
  await market.world.sweep();
  await market.sleep(HOUR_MS);
  await twoSay('given_back');
  expect(await refundsOf()).toEqual(['400 failed', '600 succeeded', '400 succeeded']);
  await hyperswitchCalls('succeeded');
  await twoSay('not_given_back');
  expect(await refundsOf()).toEqual(['400 failed', '600 failed', '400 failed']);
});
