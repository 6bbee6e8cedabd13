import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RefundId } from '../../../src/domain/ids.js';
import type { Order } from '../../../src/domain/marketplace/marketplace.js';
import type { Hyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { resolveUpdate } from '../../../workflows/messages.js';
import type { TestApi } from '../../support/api.js';
import { HOUR_MS } from '../../support/durations.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';
import { AT_ONCE } from '../../support/stand-ins.js';
import { until } from '../../support/until.js';

/** A refund at every moment of a seller transfer, and a refund that fails at every moment of its reversal. */

let market: MarketplaceTest;
let api: TestApi;
let sellers = 0;
let seller: string;

beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
beforeEach(async () => {
  sellers += 1;
  seller = `acct_1Refund${sellers}`;
  await market.restart();
  await api?.close();
  api = await serveMarketplace(market);
});
afterEach(() => {
  market.stripe.setFaults([]);
  market.hyperswitch.setWebhooks({ rules: [] });
});

const transferOf = (order: Order) => {
  const [transfer] = order.transfers;
  if (!transfer) throw new Error('nothing is to be paid');
  return transfer;
};
const atStripe = () => {
  const { transfers, reversals } = market.stripe.ledger();
  const ours = transfers.filter(({ destination }) => destination === seller);
  return {
    sent: ours.map(({ amount }) => amount),
    takenBack: reversals.filter(({ transfer }) => ours.some(({ id }) => id === transfer)).map(({ amount }) => amount),
  };
};
const reversals = async (order: Order) => (await market.order(order)).reversals;

describe('a refund before the seller is paid', () => {
  const SWITCHED_OFF = { TRANSFER_RETRY_ENABLED: 'false' };

  it('makes the transfer smaller, and nothing is ever taken back', async () => {
    await market.restart({ settings: SWITCHED_OFF });
    const order = await market.pay({ [seller]: 1_000n });
    await market.refund(order, 400n);
    expect((await market.order(order)).status).toBe('partially_refunded');
    await market.restart({});
    await market.world.sweep();
    await market.untilTransfer('completed', transferOf(order).id);
    expect(atStripe()).toEqual({ sent: [600], takenBack: [] });
    expect(await reversals(order)).toEqual([]);
  });

  it('cancels it when nothing is left, and it is never sent', async () => {
    await market.restart({ settings: SWITCHED_OFF });
    const order = await market.pay({ [seller]: 1_000n });
    await market.refund(order);
    expect((await market.order(order)).status).toBe('refunded');
    expect(await market.transfer(transferOf(order).id)).toMatchObject({ status: 'cancelled', amount: 0n });
    await market.restart({});
    await market.world.sweep();
    await market.sleep(HOUR_MS);
    expect(market.transferPosts(seller)).toEqual([]);
  });
});

describe('a refund while the seller is being paid', () => {
  it('waits for the answer, and then takes back what was sent', async () => {
    market.stripe.setFaults([{ kinds: ['slow'], on: ['transfers.create'], times: 1, ms: 1_500 }]);
    const order = await market.pay({ [seller]: 1_000n });
    await until('it is on its way', () => market.transferPosts(seller).length === 1, { limitMs: 10_000, everyMs: 5 });
    const id = reversalOf(await market.refund(order), order);
    expect(await market.reversal(id)).toMatchObject({ status: 'pending', stripeTransferId: null });
    expect((await market.order(order)).status).toBe('refunded');
    await market.untilReversal('reversed', id);
    expect(atStripe()).toEqual({ sent: [1_000], takenBack: [1_000] });
  });
});

describe('a refund while nobody knows whether the seller was paid', () => {
  it('waits until the transfer is found, and takes it back', async () => {
    market.stripe.setFaults([{ kinds: ['reset_after_commit'], on: ['transfers.create'], times: 1 }]);
    const order = await market.pay({ [seller]: 1_000n });
    await market.until(
      'nobody knows',
      async () => (await market.transfer(transferOf(order).id)).certainty === 'unknown',
    );
    const id = reversalOf(await market.refund(order), order);
    expect(await market.transfer(transferOf(order).id)).toMatchObject({ status: 'pending', amount: 1_000n });
    await market.untilReversal('reversed', id);
    expect(atStripe()).toEqual({ sent: [1_000], takenBack: [1_000] });
  });

  it('takes nothing back once it is proved that nothing was sent, and nothing is sent any more', async () => {
    market.stripe.setFaults([
      { kinds: ['reset_before_commit'], on: ['transfers.create'], times: 1 },
      { kinds: ['refused'], on: ['transfers.create'], times: 1 },
    ]);
    const order = await market.pay({ [seller]: 1_000n });
    await market.until(
      'nobody knows',
      async () => (await market.transfer(transferOf(order).id)).certainty === 'unknown',
    );
    const id = reversalOf(await market.refund(order), order);
    await market.untilTransfer('cancelled', transferOf(order).id);
    expect(await market.reversal(id)).toMatchObject({ status: 'written_off', attention: null });
    await market.sleep(HOUR_MS);
    expect(atStripe()).toEqual({ sent: [], takenBack: [] });
    expect(market.transferPosts(seller)).toHaveLength(2);
  });
});

/** At the provider, as when the buyer's bank sends the money back. */
async function fails(refund: RefundId, told: 'told' | 'not told'): Promise<void> {
  if (told === 'not told') market.hyperswitch.setWebhooks({ rules: [{ what: 'lost' }] });
  const { hyperswitchRefundId } = (await market.test.ledger.findRefund(refund)) ?? {};
  await market.hyperswitch.moveRefund(hyperswitchRefundId ?? '', { to: 'failed' });
}

describe('a refund that fails before its reversal was sent', () => {
  it.each(['told', 'not told'] as const)('is noticed before the call, %s of it: nothing is sent', async (told) => {
    const order = await market.sold({ [seller]: 1_000n });
    market.stripe.setFaults([{ kinds: ['rate_limited'], on: ['reversals.create'], times: 1, retryAfterSeconds: 60 }]);
    const refund = await market.refund(order);
    const id = reversalOf(refund, order);
    await market.untilIn('waiting_to_retry', 'reversal', id);
    await fails(refund, told);
    await market.untilReversal('written_off', id);
    expect(market.reversalPosts(transferOf(order)).map(({ status }) => status)).toEqual([429]);
    expect(atStripe()).toEqual({ sent: [1_000], takenBack: [] });
    expect((await market.order(order)).status).toBe('paid');
    expect(await market.transfer(transferOf(order).id)).toMatchObject({ status: 'completed', attention: null });
    expect(await market.test.ledger.findRefund(refund)).toMatchObject({ status: 'failed', attention: null });
  });

  it('leaves a call that may have moved the money to be found out, and never sends it again', async () => {
    const order = await market.sold({ [seller]: 1_000n });
    market.stripe.setFaults([{ kinds: ['reset_before_commit'], on: ['reversals.create'], times: 1 }]);
    const refund = await market.refund(order);
    const id = reversalOf(refund, order);
    await market.until('nobody knows', async () => (await market.reversal(id)).certainty === 'unknown');
    await fails(refund, 'told');
    await market.until('it is known', async () => (await market.order(order)).status === 'paid');
    await market.sleep(20 * HOUR_MS);
    expect(await market.reversal(id)).toMatchObject({ status: 'pending', certainty: 'unknown' });
    await market.sleep(8 * HOUR_MS);
    await market.untilReversal('written_off', id);
    expect(market.reversalPosts(transferOf(order))).toHaveLength(1);
    expect(atStripe()).toEqual({ sent: [1_000], takenBack: [] });
  });
});

describe('a refund that fails after its reversal', () => {
  it('owes the seller again: two persons send a new transfer, exactly once', async () => {
    const order = await market.sold({ [seller]: 1_000n });
    const refund = await market.refund(order, 600n);
    await market.untilReversal('reversed', reversalOf(refund, order));
    await fails(refund, 'told');
    const state = await market.untilIn('needs_attention', 'refund', refund);
    expect(state.reason).toBe('refund_failed_after_reversal');
    expect(state.detail).toContain(`600 USD to ${seller}`);
    expect((await market.order(order)).status).toBe('paid');
    await market.sleep(HOUR_MS);
    expect(atStripe()).toEqual({ sent: [1_000], takenBack: [600] });

    const asked = await market
      .handle('refund', refund)
      .executeUpdate(resolveUpdate, { args: [{ action: 'compensate', by: 'ann', note: 'the bank sent it back' }] });
    expect(asked).toMatchObject({ outcome: 'pending_approval' });
    const approval = { decisionId: asked.decision_id as never, note: 'seen' };
    // The name in an update counts for nobody: it takes two whom we know, and Ann may be one of them.
    expect(await market.world.resolution.approve({ ...approval, by: 'ann' })).toMatchObject({
      kind: 'pending_approval',
    });
    expect(await market.world.resolution.approve({ ...approval, by: 'ann' })).toMatchObject({ kind: 'self_approval' });
    expect(await market.world.resolution.approve({ ...approval, by: 'berta' })).toMatchObject({ kind: 'applied' });
    expect(await market.world.resolution.approve({ ...approval, by: 'cora' })).not.toMatchObject({ kind: 'applied' });
    await market.world.sweep();
    await market.until('the seller has it', () => Promise.resolve(atStripe().sent.length === 2));
    await market.sleep(HOUR_MS);
    expect(atStripe()).toEqual({ sent: [600, 1_000], takenBack: [600] });
    const { transfers } = await market.order(order);
    expect(transfers.map(({ origin, amount, status }) => [origin, amount, status])).toContainEqual([
      'compensation',
      600n,
      'completed',
    ]);
    expect(await market.test.ledger.findRefund(refund)).toMatchObject({ status: 'failed', attention: null });
  });

  it('is put before a person too when its reversal turns out to have been carried out', async () => {
    const order = await market.sold({ [seller]: 1_000n });
    market.stripe.setFaults([{ kinds: ['finish_later'], on: ['reversals.create'], times: 1 }]);
    const refund = await market.refund(order);
    const id = reversalOf(refund, order);
    await market.until('nobody knows', async () => (await market.reversal(id)).certainty === 'unknown');
    await fails(refund, 'told');
    await market.until('it is known', async () => (await market.order(order)).status === 'paid');
    expect(await market.test.ledger.findRefund(refund)).toMatchObject({ attention: null });
    await market.stripe.finishLater();
    await market.sleep(2 * HOUR_MS);
    await market.untilReversal('reversed', id);
    await market.world.sweep();
    await market.untilIn('needs_attention', 'refund', refund);
    expect(await market.test.ledger.findRefund(refund)).toMatchObject({
      attention: { reason: 'refund_failed_after_reversal' },
    });
  });
});

describe('a refund that the provider does not know any more', () => {
  async function notSentYet() {
    const order = await market.sold({ [seller]: 1_000n });
    market.stripe.setFaults([{ kinds: ['rate_limited'], on: ['reversals.create'], times: 1, retryAfterSeconds: 60 }]);
    const id = reversalOf(await market.refund(order), order);
    await market.untilIn('waiting_to_retry', 'reversal', id);
    const posts = () => market.reversalPosts(transferOf(order)).map(({ status }) => status);
    return { id, posts };
  }

  it('is a question for a person, and nothing is taken back until it is answered', async () => {
    const { id, posts } = await notSentYet();
    const forgetful = (hyperswitch: Hyperswitch): Hyperswitch => ({
      ...hyperswitch,
      readRefund: () => Promise.resolve({ kind: 'missing', detail: 'never heard of it' }),
    });
    await market.restart({
      decorate: ({ hyperswitch, ...parts }) => ({ ...parts, hyperswitch: hyperswitch && forgetful(hyperswitch) }),
    });
    await market.untilIn('needs_attention', 'reversal', id);
    expect(await market.reversal(id)).toMatchObject({
      status: 'permanently_failed',
      certainty: 'not_sent',
      attention: { reason: 'cause_no_longer_holds' },
    });
    expect(posts()).toEqual([429]);
    await market.restart({});
  });

  it('is waited for where Hyperswitch knows nothing of ours at all: the key is another merchant’s', async () => {
    const { id, posts } = await notSentYet();
    await market.hyperswitch.reset();
    await market.sleep(HOUR_MS);
    expect(await market.reversal(id)).toMatchObject({ status: 'pending', retryCount: 0, attention: null });
    expect(posts()).toEqual([429]);
    market.hyperswitch.setAuto(AT_ONCE);
    // An hour of a read every fifteen seconds: about 20 s of real time, with nothing else running.
  }, 180_000);
});
