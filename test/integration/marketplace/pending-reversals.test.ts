import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveSignal } from '../../../workflows/messages.js';
import { HOUR_MS } from '../../support/durations.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';

/** Stripe's preview of pending reversals: taken on, and not done (docs.stripe.com/connect/pending-transfer-reversals). */

let market: MarketplaceTest;
let sellers = 0;
beforeAll(async () => {
  market = await openMarketplaceTest();
});
afterAll(() => market.dispose());

async function pendingAtStripe() {
  sellers += 1;
  const seller = `acct_1Pending${sellers}`;
  const order = await market.sold({ [seller]: 1_000n });
  const [transfer] = order.transfers;
  if (!transfer) throw new Error('the seller was not paid');
  await market.stripe.setAccount(seller, { pendingReversals: true });
  await market.stripe.setBalance({ account: seller, currency: 'usd', available: 0 });
  const id = reversalOf(await market.refund(order), order);
  await market.until('Stripe has it', () => Promise.resolve(atStripe(transfer.stripeTransferId).length === 1));
  await market.untilIn('waiting_to_retry', 'reversal', id);
  expect(await market.reversal(id)).toMatchObject({ status: 'pending', stripeReversalId: null, attention: null });
  const [trr] = atStripe(transfer.stripeTransferId);
  return { seller, order, transfer, id, trr: trr?.id ?? '' };
}
const atStripe = (transfer: string | null) =>
  market.stripe.ledger().reversals.filter((reversal) => reversal.transfer === transfer);
const generations = (transfer: string | null) =>
  atStripe(transfer)
    .map(({ metadata }) => metadata['generation'])
    .sort((one = '', other = '') => one.localeCompare(other));

describe('a reversal that Stripe keeps pending', () => {
  it('is adopted when it succeeds, and never sent a second time', async () => {
    const { transfer, id, trr, seller } = await pendingAtStripe();
    await market.sleep(HOUR_MS);
    expect(await market.reversal(id)).toMatchObject({ status: 'pending', retryCount: 0 });
    await market.stripe.setBalance({ account: seller, currency: 'usd', available: 1_000 });
    await market.stripe.endReversal(trr, 'succeeded');
    await market.untilReversal('reversed', id);
    expect(await market.reversal(id)).toMatchObject({ stripeReversalId: trr });
    expect(market.reversalPosts(transfer)).toHaveLength(1);
  });

  it('waits for the balance when Stripe gives it up, and is taken under a new key', async () => {
    const { transfer, id, trr, seller } = await pendingAtStripe();
    await market.stripe.setAccount(seller, { pendingReversals: false });
    await market.stripe.endReversal(trr, 'failed');
    await market.untilReversal('waiting_balance', id);
    expect(await market.reversal(id)).toMatchObject({ certainty: 'absent', attention: null });
    await market.sleep(HOUR_MS);
    await market.stripe.setBalance({ account: seller, currency: 'usd', available: 1_000 });
    await market.sleep(HOUR_MS);
    await market.untilReversal('reversed', id);
    expect(generations(transfer.stripeTransferId)).toEqual(['1', expect.not.stringMatching(/^1$/)]);
    expect(market.stripe.ledger().transfers.find(({ id: tr }) => tr === transfer.stripeTransferId)).toMatchObject({
      amount_reversed: 1_000,
    });
  });

  it('asks a person when somebody canceled it; retry takes it under a new key', async () => {
    const { transfer, id, trr, seller } = await pendingAtStripe();
    await market.stripe.endReversal(trr, 'canceled');
    await market.untilIn('needs_attention', 'reversal', id);
    expect(await market.reversal(id)).toMatchObject({
      status: 'permanently_failed',
      certainty: 'absent',
      attention: { reason: 'conflict', detail: expect.stringContaining('canceled') },
    });
    await market.stripe.setBalance({ account: seller, currency: 'usd', available: 1_000 });
    await market.handle('reversal', id).signal(resolveSignal, { action: 'retry', by: 'ann', note: 'wanted after all' });
    await market.untilReversal('reversed', id);
    expect(generations(transfer.stripeTransferId)).toEqual(['1', '2']);
  });
});
