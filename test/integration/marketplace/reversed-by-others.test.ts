import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { newDecisionId, type ReversalId } from '../../../src/domain/ids.js';
import type { Order, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import { createStripe } from '../../../src/providers/stripe/client.js';
import { rereadSignal } from '../../../workflows/messages.js';
import { type TestApi, TOKENS } from '../../support/api.js';
import { serveMarketplace } from '../../support/marketplace/http.js';
import { type MarketplaceTest, openMarketplaceTest, reversalOf } from '../../support/marketplace/time-skipping.js';

/** Somebody reversed a part of a transfer in Stripe's dashboard: nothing of a share is taken twice. */

let market: MarketplaceTest;
let api: TestApi;
let resolution: ReturnType<typeof createResolution>;
let sellers = 0;

beforeAll(async () => {
  market = await openMarketplaceTest({ approvalThreshold: 100_000n });
  api = await serveMarketplace(market);
  const stripe = createStripe({
    secretKey: 'sk_test_sandbox',
    apiBase: market.stripe.url,
    takeToken: () => Promise.resolve(() => undefined),
  });
  resolution = createResolution({ ledger: market.test.ledger, stripe, chain: undefined });
});
afterAll(async () => {
  await api.close();
  await market.dispose();
});
afterEach(() => market.stripe.setFaults([]));

async function soldByOne(amount = 1_000n) {
  sellers += 1;
  const order = await market.sold({ [`acct_1Others${sellers}`]: amount });
  const [transfer] = order.transfers;
  if (!transfer) throw new Error('the seller was not paid');
  return { order, transfer };
}

const byHand = async ({ stripeTransferId }: SellerTransfer, amount: number) => {
  const { id } = await market.stripe.reverse(stripeTransferId ?? '', { amount });
  await market.stripe.webhooksIdle();
  return id;
};
const takenAtStripe = ({ stripeTransferId }: SellerTransfer) =>
  market.stripe.ledger().transfers.find(({ id }) => id === stripeTransferId)?.amount_reversed;

async function refundedAndAsked(order: Order, amount: bigint): Promise<ReversalId> {
  const id = reversalOf(await market.refund(order, amount), order);
  await market.untilIn('needs_attention', 'reversal', id);
  return id;
}

const decide = (kind: 'reversal' | 'transfer', itemId: string, action: string) =>
  resolution.decide({
    id: newDecisionId(market.test.clock.nowMs()),
    kind,
    itemId,
    action,
    by: 'ann',
    authenticated: true,
    note: 'asked the seller',
    evidence: null,
  });

async function decided(id: ReversalId, action: string) {
  const outcome = await decide('reversal', id, action);
  if (outcome.kind === 'applied') await market.handle('reversal', id).signal(rereadSignal);
  return outcome;
}

describe('a transfer of 1000 of which somebody else took 300, and a refund of 300', () => {
  async function asked() {
    const { order, transfer } = await soldByOne();
    const foreign = await byHand(transfer, 300);
    const id = await refundedAndAsked(order, 300n);
    return { order, transfer, foreign, id };
  }

  it('asks a person before anything is sent, and says what is there', async () => {
    const { transfer, foreign, id } = await asked();
    const { status, certainty, attention } = await market.reversal(id);
    expect({ status, certainty, reason: attention?.reason }).toEqual({
      status: 'permanently_failed',
      certainty: 'not_sent',
      reason: 'partly_foreign_reversal',
    });
    expect(attention?.detail).toContain(foreign);
    expect(market.reversalPosts(transfer)).toEqual([]);
    expect(takenAtStripe(transfer)).toBe(300);
    await market.handle('reversal', id).signal(rereadSignal);
    await market.sleep(60_000);
    expect((await market.reversal(id)).attention?.reason).toBe('partly_foreign_reversal');
  });

  it('count_as_share: the share is back, nothing is sent, and the transfer says so', async () => {
    const { order, transfer, id } = await asked();
    expect(await decided(id, 'count_as_share')).toMatchObject({ kind: 'applied', status: 'reversed' });
    expect(await market.reversal(id)).toMatchObject({ status: 'reversed', stripeReversalId: null, counted: 300n });
    // Whoever reads it sees why a share is back of which Stripe has no reversal of ours.
    const read = await api.send(`/api/v1/reversals/${id}`, { token: TOKENS.viewer });
    expect(read.body).toMatchObject({ status: 'reversed', amount: 300, counted: 300, stripe_reversal_id: null });
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'partially_reversed', amountReversed: 300n });
    await market.untilIn('finished', 'reversal', id);
    expect(market.reversalPosts(transfer)).toEqual([]);

    const rest = reversalOf(await market.refund(order), order);
    await market.untilReversal('reversed', rest);
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'reversed', amountReversed: 1_000n });
    expect(takenAtStripe(transfer)).toBe(1_000);
  });

  it('take_all: the whole share is taken beside it, and it is not asked about again', async () => {
    const { order, transfer, id } = await asked();
    expect(await decided(id, 'take_all')).toMatchObject({ kind: 'applied', status: 'pending' });
    await market.untilReversal('reversed', id);
    expect(takenAtStripe(transfer)).toBe(600);
    expect(await market.transfer(transfer.id)).toMatchObject({ status: 'partially_reversed', amountReversed: 300n });

    await market.untilReversal('reversed', reversalOf(await market.refund(order, 100n), order));
    expect(takenAtStripe(transfer)).toBe(700);
    await byHand(transfer, 50);
    const again = await refundedAndAsked(order, 100n);
    expect((await market.reversal(again)).attention?.detail).toContain('350 USD');
    expect(takenAtStripe(transfer)).toBe(750);
  });

  it('take_missing says that nothing is missing', async () => {
    const { id } = await asked();
    expect(await decided(id, 'take_missing')).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('count_as_share'),
    });
  });

  it('is given up with write_off as before', async () => {
    const { transfer, id } = await asked();
    expect(await decided(id, 'write_off')).toMatchObject({ kind: 'applied', status: 'written_off' });
    expect(takenAtStripe(transfer)).toBe(300);
  });
});

describe('less than the share', () => {
  it('take_missing takes exactly the rest, under a key of its own, and the share is whole', async () => {
    const { order, transfer } = await soldByOne();
    await byHand(transfer, 120);
    const id = await refundedAndAsked(order, 300n);
    expect(await decided(id, 'count_as_share')).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('take_missing'),
    });
    expect(await decided(id, 'take_missing')).toMatchObject({ kind: 'applied', status: 'pending' });
    await market.untilReversal('reversed', id);
    expect(await market.reversal(id)).toMatchObject({ amount: 300n, counted: 120n });
    expect(takenAtStripe(transfer)).toBe(300);
    expect(await market.transfer(transfer.id)).toMatchObject({ amountReversed: 300n });
  });

  it('is counted once: what stands for one share does not stand for the next', async () => {
    const { order, transfer } = await soldByOne();
    await byHand(transfer, 300);
    expect(await decided(await refundedAndAsked(order, 300n), 'count_as_share')).toMatchObject({ kind: 'applied' });
    await byHand(transfer, 100);
    const next = await refundedAndAsked(order, 300n);
    expect(await decided(next, 'count_as_share')).toMatchObject({ kind: 'refused' });
    expect(await decided(next, 'take_missing')).toMatchObject({ kind: 'applied' });
    await market.untilReversal('reversed', next);
    expect(takenAtStripe(transfer)).toBe(600);
    expect(await market.transfer(transfer.id)).toMatchObject({ amountReversed: 600n });
  });

  it('take_missing finishes what no longer fits: 700 to take of which 400 are left', async () => {
    const { order, transfer } = await soldByOne();
    await byHand(transfer, 600);
    const id = await refundedAndAsked(order, 700n);
    expect((await market.reversal(id)).attention?.reason).toBe('exceeds_remainder');
    expect(await decided(id, 'take_all')).toMatchObject({ kind: 'refused' });
    expect(await decided(id, 'take_missing')).toMatchObject({ kind: 'applied' });
    await market.untilReversal('reversed', id);
    expect(takenAtStripe(transfer)).toBe(700);
  });
});

describe('what Stripe tells of a reversal', () => {
  /** Once more, by an event that carries only the name. */
  async function told({ stripeTransferId }: SellerTransfer) {
    const object = { id: stripeTransferId ?? '', object: 'transfer' };
    market.stripe.sendEvent({ type: 'transfer.reversed', object, thin: true });
    await market.stripe.webhooksIdle();
  }

  it('that is not ours and stands for no share yet makes the transfer ask, once, until more is taken', async () => {
    const { transfer } = await soldByOne();
    await byHand(transfer, 200);
    await market.until('a person hears', async () => (await market.transfer(transfer.id)).attention !== null);
    expect((await market.transfer(transfer.id)).attention).toMatchObject({
      reason: 'partly_foreign_reversal',
      detail: expect.stringContaining('200 USD'),
    });

    expect(await decide('transfer', transfer.id, 'adopt')).toMatchObject({ kind: 'applied' });
    await told(transfer);
    await market.sleep(60_000);
    expect((await market.transfer(transfer.id)).attention).toBeNull();
    await byHand(transfer, 50);
    await market.until('a person hears again', async () => (await market.transfer(transfer.id)).attention !== null);
    expect((await market.transfer(transfer.id)).attention?.detail).toContain('250 USD');
  });

  it('that is ours asks nobody', async () => {
    const { order, transfer } = await soldByOne();
    await market.untilReversal('reversed', reversalOf(await market.refund(order, 300n), order));
    await market.stripe.webhooksIdle();
    await market.sleep(60_000);
    expect((await market.transfer(transfer.id)).attention).toBeNull();
  });

  it('is read by its name when the event carries no object', async () => {
    const { transfer } = await soldByOne();
    market.stripe.setWebhookFaults([{ kinds: ['lost'], times: 1 }]);
    await byHand(transfer, 200);
    expect((await market.transfer(transfer.id)).attention).toBeNull();
    await told(transfer);
    await market.until('a person hears', async () => (await market.transfer(transfer.id)).attention !== null);
  });
});
