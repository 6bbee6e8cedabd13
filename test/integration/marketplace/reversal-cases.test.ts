import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { forceColumns, putOrder } from '../../support/marketplace/fixtures.js';
import {
  type MarketplaceTest,
  openMarketplaceTest,
  reversalOf,
  waitsBetween,
} from '../../support/marketplace/time-skipping.js';

/** The nine cases of taking a seller's share back, on a skipped clock, against Stripe and Hyperswitch over HTTP. */

let market: MarketplaceTest;
let sellers = 0;

beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(() => market.dispose());
afterEach(() => {
  market.stripe.setFaults([]);
  market.hyperswitch.setFaults([]);
});

/** Sold by one seller, whom no other test knows. */
async function soldByOne(amount = 1_000n) {
  sellers += 1;
  const seller = `acct_1Case${sellers}`;
  const order = await market.sold({ [seller]: amount });
  return { order, seller, transfer: firstOf(order) };
}

function firstOf({ transfers: [transfer] }: Pick<Order, 'transfers'>) {
  if (!transfer?.stripeTransferId) throw new Error('the seller was not paid');
  return { ...transfer, stripeTransferId: transfer.stripeTransferId };
}

const reversalsAtStripe = ({ stripeTransferId }: { stripeTransferId: string | null }) =>
  market.stripe.ledger().reversals.filter(({ transfer }) => transfer === stripeTransferId);

/** The refund succeeds, and the reversal cannot be sent until what is returned is called. */
async function refundedButNotSent(order: Order, amount?: bigint) {
  market.hyperswitch.setFaults([{ kinds: ['http_503'], on: ['refunds.read'] }]);
  const refund = await market.refund(order, amount);
  const id = reversalOf(refund, order);
  await market.untilIn('waiting_to_retry', 'reversal', id);
  return { id, refund, goOn: () => market.hyperswitch.setFaults([]) };
}

describe('a share that is still with the seller', () => {
  it('is taken back once, under the key of its reversal, and the ledgers say the same', async () => {
    const { order, transfer } = await soldByOne();
    const refund = await market.refund(order);
    const id = reversalOf(refund, order);
    await market.untilReversal('reversed', id);
    const [at, ...more] = reversalsAtStripe(transfer);
    expect(more).toEqual([]);
    expect(at).toMatchObject({
      amount: 1_000,
      metadata: { operation_id: id, refund_id: refund, order_id: order.id, generation: '1' },
    });
    expect(await market.reversal(id)).toMatchObject({ stripeReversalId: at?.id, certainty: 'done', retryCount: 0 });
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'reversed', amountReversed: 1_000n });
    expect(market.reversalPosts(transfer).map(({ idempotencyKey }) => idempotencyKey)).toEqual([id]);
  });

  it('is taken back in part by a partial refund, and wholly by the next one', async () => {
    const { order, transfer } = await soldByOne(999n);
    await market.untilReversal('reversed', reversalOf(await market.refund(order, 333n), order));
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'partially_reversed', amountReversed: 333n });
    await market.untilReversal('reversed', reversalOf(await market.refund(order), order));
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'reversed', amountReversed: 999n });
    expect(reversalsAtStripe(transfer).map(({ amount }) => amount)).toEqual([666, 333]);
  });
});

describe('a share that was taken back already', () => {
  it('is adopted without a call when the reversal at Stripe is ours', async () => {
    const { order, transfer } = await soldByOne();
    const { id, goOn } = await refundedButNotSent(order);
    const ours = await market.stripe.reverse(transfer.stripeTransferId, { metadata: { operation_id: id } });
    goOn();
    await market.untilReversal('reversed', id);
    expect(await market.reversal(id)).toMatchObject({ stripeReversalId: ours.id, certainty: 'done', attention: null });
    expect(market.reversalPosts(transfer)).toEqual([]);
    expect(reversalsAtStripe(transfer)).toHaveLength(1);
  });

  it('is adopted before a second call when the answer to the first one was lost', async () => {
    const { order, transfer } = await soldByOne();
    market.stripe.setFaults([{ kinds: ['reset_after_commit'], times: 1 }]);
    const id = reversalOf(await market.refund(order), order);
    await market.untilReversal('reversed', id);
    expect(market.reversalPosts(transfer)).toHaveLength(1);
    expect(reversalsAtStripe(transfer).map(({ id: found }) => found)).toEqual([
      (await market.reversal(id)).stripeReversalId,
    ]);
  });

  it('never becomes ours when somebody else did it: a person is asked, and told what is there', async () => {
    const { order, transfer } = await soldByOne();
    const foreign = await market.stripe.reverse(transfer.stripeTransferId);
    const id = reversalOf(await market.refund(order), order);
    await market.untilReversal('permanently_failed', id);
    const reversal = await market.reversal(id);
    expect(reversal).toMatchObject({ stripeReversalId: null, attention: { reason: 'foreign_reversal' } });
    expect(reversal.attention?.detail).toContain(foreign.id);
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'permanently_failed' });
    expect((await market.order(order)).status).toBe('refunded');
  });

  it('is not taken back beyond what somebody else left', async () => {
    const { order, transfer } = await soldByOne();
    await market.stripe.reverse(transfer.stripeTransferId, { amount: 400 });
    const id = reversalOf(await market.refund(order), order);
    await market.untilReversal('permanently_failed', id);
    expect((await market.reversal(id)).attention).toMatchObject({ reason: 'exceeds_remainder' });
    expect(reversalsAtStripe(transfer)).toHaveLength(1);
  });
});

describe('a transfer that Stripe does not know', () => {
  it('is not asked for again: a person hears resource_missing', async () => {
    const { order, transfer } = await soldByOne();
    await forceColumns(market.test.database, 'seller_transfers', transfer.id, { stripe_transfer_id: 'tr_nowhere' });
    const id = reversalOf(await market.refund(order), order);
    await market.untilReversal('permanently_failed', id);
    expect(await market.reversal(id)).toMatchObject({ retryCount: 0, attention: { reason: 'resource_missing' } });
    await market.sleep(HOUR_MS);
    expect(market.reversalPosts({ stripeTransferId: 'tr_nowhere' })).toEqual([]);
  });

  it('is never sent to Stripe at all when its id is not known here', async () => {
    const before = market.stripe.calls().totals.calls;
    const { reversals } = await putOrder(market.test, {
      transfers: [{ amount: 500, seller: 'acct_1Legacy', stripeTransferId: null }],
      refunds: [{ reversals: [{ transfer: 0, amount: 500 }] }],
    });
    const [legacy] = reversals;
    if (!legacy) throw new Error('there is no reversal');
    await market.world.sweep();
    await market.untilReversal('permanently_failed', legacy.id);
    expect((await market.reversal(legacy.id)).attention).toMatchObject({ reason: 'missing_transfer_id' });
    await market.sleep(2 * HOUR_MS);
    expect(market.stripe.calls().totals.calls).toBe(before);
  });
});

describe('a failure that may pass', () => {
  it('counts, sets the date of the next attempt, and leaves the transfer reversal_pending', async () => {
    const { order, transfer } = await soldByOne();
    market.stripe.setFaults([{ kinds: ['unavailable'], times: 1 }]);
    const id = reversalOf(await market.refund(order), order);
    await market.until('it failed once', async () => (await market.reversal(id)).retryCount === 1);
    const [call] = market.reversalPosts(transfer);
    const { nextRetryAt, ...reversal } = await market.reversal(id);
    expect(reversal).toMatchObject({ status: 'pending', certainty: 'unknown', attention: null });
    const waitMs = Date.parse(nextRetryAt ?? '') - (call?.at ?? 0);
    expect(waitMs).toBeGreaterThanOrEqual(MINUTE_MS);
    expect(waitMs).toBeLessThan(MINUTE_MS + 2_000);
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'reversal_pending', nextRetryAt });
    await market.untilReversal('reversed', id);
    const calls = market.reversalPosts(transfer);
    expect(calls.map(({ status }) => status)).toEqual([503, 200]);
    expect(calls[1]?.at).toBeGreaterThanOrEqual(Date.parse(nextRetryAt ?? ''));
  });

  it('ends with a person after the last retry, and what nobody knows stays unknown', async () => {
    const { order, transfer } = await soldByOne();
    market.stripe.setFaults([{ kinds: ['unavailable'] }]);
    const id = reversalOf(await market.refund(order), order);
    await market.until('it failed once', async () => (await market.reversal(id)).retryCount === 1);
    await market.sleep(HOUR_MS);
    await market.untilReversal('permanently_failed', id);
    expect(await market.reversal(id)).toMatchObject({
      certainty: 'unknown',
      retryCount: 5,
      attention: { reason: 'retries_exhausted' },
    });
    expect(market.reversalPosts(transfer)).toHaveLength(6);
    expect((await market.order(order)).status).toBe('refunded');
  });
});

describe('the waits between attempts', () => {
  beforeAll(() =>
    market.restart({
      settings: { REVERSAL_BACKOFF_BASE: '1s', REVERSAL_BACKOFF_MAX: '10s', REVERSAL_MAX_RETRIES: '5' },
    }),
  );
  afterAll(() => market.restart());

  it('are min(BASE·2^retry_count, MAX): the fifth wait is 10 s, not 16 s', async () => {
    const { order, transfer } = await soldByOne();
    market.stripe.setFaults([{ kinds: ['unavailable'], times: 5 }]);
    const id = reversalOf(await market.refund(order), order);
    await market.untilReversal('reversed', id);
    const waits = waitsBetween(market.reversalPosts(transfer));
    expect(waits.map((ms) => Math.floor(ms / 1_000))).toEqual([1, 2, 4, 8, 10]);
    expect((await market.reversal(id)).retryCount).toBe(5);
  });
});
