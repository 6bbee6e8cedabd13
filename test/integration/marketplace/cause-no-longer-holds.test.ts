import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hyperswitch } from '../../../src/providers/hyperswitch/client.js';
import { resolveSignal } from '../../../workflows/messages.js';
import { MINUTE_MS } from '../../support/durations.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';

/** A refund that Hyperswitch no longer calls succeeded takes nothing, and a person hears of it. */

let market: MarketplaceTest;
let sellers = 0;
beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(() => market.dispose());

/** Refunded while Stripe was down; Hyperswitch says something else by the time it is back. */
async function refundedWhileStripeIsDown() {
  sellers += 1;
  const order = await market.sold({ [`acct_1Cause${sellers}`]: 1_000n });
  const [transfer] = order.transfers;
  if (!transfer) throw new Error('the seller was not paid');
  market.stripe.setFaults([{ kinds: ['rate_limited'], on: ['reversals.create'], times: 1, retryAfterSeconds: 60 }]);
  const refund = await market.refund(order, 400n);
  const id = reversalOf(refund, order);
  await market.untilIn('waiting_to_retry', 'reversal', id);
  const { hyperswitchRefundId } = (await market.test.ledger.findRefund(refund)) ?? {};
  return { order, transfer, refund, id, hyperswitchRefundId: hyperswitchRefundId ?? '' };
}

const tellingLess = (hyperswitch: Hyperswitch): Hyperswitch => ({
  ...hyperswitch,
  async readRefund(refund) {
    const answer = await hyperswitch.readRefund(refund);
    return answer.kind === 'found' ? { ...answer, value: { ...answer.value, amount: 250n } } : answer;
  },
});

describe.each(['pending', 'review'] as const)('a refund that is %s again when Stripe is back', (status) => {
  it('stops the share, asks a person, and goes on by retry once it holds', async () => {
    const { transfer, id, hyperswitchRefundId } = await refundedWhileStripeIsDown();
    await market.hyperswitch.moveRefund(hyperswitchRefundId, { to: status });
    await market.untilIn('needs_attention', 'reversal', id);
    expect(await market.reversal(id)).toMatchObject({
      status: 'permanently_failed',
      certainty: 'not_sent',
      retryCount: 0,
      attention: { reason: 'cause_no_longer_holds', detail: expect.stringContaining(status) },
    });
    const posts = () => market.reversalPosts(transfer).map((call) => call.status);
    expect(posts()).toEqual([429]);

    const retry = { action: 'retry', by: 'ann', note: 'looked at it' };
    await market.handle('reversal', id).signal(resolveSignal, retry);
    await market.sleep(MINUTE_MS);
    await market.untilIn('needs_attention', 'reversal', id);
    expect(posts()).toEqual([429]);

    await market.hyperswitch.moveRefund(hyperswitchRefundId, { to: 'succeeded' });
    await market.handle('reversal', id).signal(resolveSignal, retry);
    await market.untilReversal('reversed', id);
    expect(posts()).toEqual([429, 200]);
  });
});

it('a refund of another amount stops the share, although it is succeeded', async () => {
  const { transfer, id } = await refundedWhileStripeIsDown();
  await market.restart({
    decorate: ({ hyperswitch, ...parts }) => ({ ...parts, hyperswitch: hyperswitch && tellingLess(hyperswitch) }),
  });
  await market.untilIn('needs_attention', 'reversal', id);
  expect((await market.reversal(id)).attention).toMatchObject({
    reason: 'cause_no_longer_holds',
    detail: expect.stringContaining('250 USD'),
  });
  expect(market.reversalPosts(transfer).map(({ status }) => status)).toEqual([429]);
  await market.restart({});
});

it('a refund that has failed still ends the reversal by itself', async () => {
  const { id, hyperswitchRefundId } = await refundedWhileStripeIsDown();
  await market.hyperswitch.moveRefund(hyperswitchRefundId, { to: 'failed' });
  await market.untilReversal('written_off', id);
  expect(await market.reversal(id)).toMatchObject({ attention: null });
});

it('a Hyperswitch that cannot be read is waited for: nothing is asked and no retry is burnt', async () => {
  const { id } = await refundedWhileStripeIsDown();
  market.hyperswitch.setFaults([{ kinds: ['http_503'], on: ['refunds.read'], times: 8 }]);
  await market.untilReversal('reversed', id);
  expect(await market.reversal(id)).toMatchObject({ retryCount: 0, attention: null });
});
