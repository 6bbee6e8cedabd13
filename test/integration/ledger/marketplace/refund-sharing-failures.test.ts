import { describe, expect, it } from 'vitest';
import type { ReversalId } from '../../../../src/domain/ids.js';
import { reversalId } from '../../../../src/domain/marketplace/reversal-id.js';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { DONE, marketplaceLedgerForFile, REFUSED, UNKNOWN } from '../../../support/marketplace/steps.js';

const { steps } = await marketplaceLedgerForFile();

const seller = () => unique('acct');

describe('a refund that fails after it had succeeded', () => {
  it('gives up the reversal that nobody has sent yet, and the seller keeps the money', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    await steps.refundSays(refund, 'failed');
    expect(await steps.find(order.id)).toMatchObject({
      status: 'paid',
      transfers: [{ status: 'completed', nextRetryAt: null }],
      reversals: [{ status: 'written_off', attention: null }],
      refunds: [{ status: 'failed', attention: null }],
    });
  });

  it('stops a reversal that was claimed and not sent', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    const [reversal] = await steps.reversalsOf(order.id);
    const claim = await steps.holdReversal(reversal!.id);
    await steps.refundSays(refund, 'failed');
    expect(await steps.permit(claim)).toEqual({ kind: 'stop', why: 'the reversal is written_off' });
  });

  it('promises again what was only withheld', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const refund = await steps.refunded(order.id, 300);
    expect(await steps.transfer(order.transfers[ada]!)).toMatchObject({ amount: 700n });
    await steps.refundSays(refund, 'failed');
    expect(await steps.transfer(order.transfers[ada]!)).toMatchObject({ amount: 1_000n, status: 'pending' });
    expect(await steps.refund(refund)).toMatchObject({ attention: null });
  });

  it('asks a person to pay the seller again whose transfer it had cancelled', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const refund = await steps.refunded(order.id);
    await steps.refundSays(refund, 'failed');
    expect(await steps.refund(refund)).toMatchObject({ attention: { reason: 'refund_failed_after_reversal' } });
  });

  it('brings a share back to a person that could not be sent and was withheld whole', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const id = order.transfers[ada]!;
    for (let retry = 0; retry <= 5; retry += 1) {
      await steps.send(id, REFUSED, { provedAbsent: true });
      steps.pass(MINUTE_MS);
    }
    expect(await steps.transfer(id)).toMatchObject({
      status: 'permanently_failed',
      attention: { reason: 'retries_exhausted' },
    });
    const refund = await steps.refunded(order.id);
    expect(await steps.transfer(id)).toMatchObject({ status: 'permanently_failed', amount: 0n, attention: null });
    await steps.refundSays(refund, 'failed');
    expect(await steps.transfer(id)).toMatchObject({ amount: 1_000n, attention: { reason: 'retries_exhausted' } });
    await steps.decide({ kind: 'transfer', itemId: id, action: 'retry' });
    await steps.send(id);
    expect(await steps.transfer(id)).toMatchObject({ status: 'completed', amount: 1_000n });
  });

  it('does not hold up later reversals while nobody knows whether its own was taken, and ends without a person', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    const [first] = await steps.reversalsOf(order.id);
    await steps.reverse(first!.id, UNKNOWN);
    await steps.refundSays(refund, 'failed');
    const next = await steps.refunded(order.id, 500);
    const [, second] = await steps.reversalsOf(order.id);
    // The 300 may be with us already: only the rest is taken until somebody knows.
    expect(second).toMatchObject({ amount: 200n });
    steps.pass(MINUTE_MS);
    await steps.reverse(second!.id);
    expect(await lookUntilItEnds(first!.id)).toMatchObject({
      status: 'written_off',
      certainty: 'absent',
      attention: null,
    });
    // This refund's reversal is done, and one refund has one: a person hears of the rest.
    expect(await steps.refund(next)).toMatchObject({
      attention: { reason: 'conflict', detail: expect.stringContaining('300 USD') },
    });
    await steps.refunded(order.id, 100);
    expect((await steps.reversalsOf(order.id)).at(-1)).toMatchObject({ amount: 400n, status: 'pending' });
  });

  it('leaves no cent of rounding to a person, whichever refunds fail before their shares are sent and succeed after all', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 999, [seller()]: 1 });
    for (const id of Object.values(order.transfers)) await steps.send(id);
    const [one, two] = [await steps.refunded(order.id, 333), await steps.refunded(order.id, 333)];
    await steps.refundSays(one, 'failed');
    const hers = async () =>
      (await steps.reversalsOf(order.id)).filter(
        ({ sellerAccount, status }) => sellerAccount === ada && status !== 'written_off',
      );
    const sum = async () => (await hers()).reduce((total, { amount }) => total + amount, 0n);
    // 999 × 333 ÷ 1000, and not the 333 that were her part of both.
    expect(await sum()).toBe(332n);
    const three = await steps.refunded(order.id, 334);
    await steps.refundSays(one, 'succeeded');
    expect(await sum()).toBe(999n);
    for (const refund of [one, two, three]) expect((await steps.refund(refund)).attention).toBeNull();
    for (const { id } of await steps.reversalsOf(order.id)) await steps.reverse(id).catch(() => undefined);
    expect(await steps.transfer(order.transfers[ada]!)).toMatchObject({ status: 'reversed', amountReversed: 999n });
  });

  it('tells of every seller whose share no refund can take any more', async () => {
    const [ada, bob] = [seller(), seller()];
    const order = await steps.paid({ [ada]: 600, [bob]: 400 });
    for (const id of Object.values(order.transfers)) await steps.send(id);
    const refund = await steps.refunded(order.id, 100);
    const first = await steps.reversalsOf(order.id);
    for (const { id } of first) await steps.reverse(id, UNKNOWN);
    await steps.refundSays(refund, 'failed');
    const next = await steps.refunded(order.id, 500);
    for (const { id } of first) await lookUntilItEnds(id);
    const { attention } = await steps.refund(next);
    expect(attention).toMatchObject({ reason: 'conflict', detail: expect.stringContaining(`60 USD of ${ada}`) });
    expect(attention?.detail).toContain(`40 USD of ${bob}`);
  });

  it('frees its share for another refund that had counted on it', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    const [first] = await steps.reversalsOf(order.id);
    await steps.reverse(first!.id, UNKNOWN);
    await steps.refundSays(refund, 'failed');
    const next = await steps.refunded(order.id, 200);
    expect(await steps.reversalsOf(order.id)).toHaveLength(1);
    await lookUntilItEnds(first!.id);
    expect(await steps.reversal(reversalId(next, order.transferId))).toMatchObject({ status: 'pending', amount: 200n });
  });

  /** Stripe's records hold nothing of it, however often they are read. */
  async function lookUntilItEnds(id: ReversalId) {
    for (let look = 0; look < 30 && (await steps.reversal(id)).status === 'pending'; look += 1) {
      steps.pass(HOUR_MS);
      const claim = await steps.claimReversal(id);
      if (claim.kind !== 'claimed') continue;
      await steps.noteAbsent(claim.claim);
      expect(await steps.permit(claim.claim)).toMatchObject({ kind: 'stop' });
    }
    return await steps.reversal(id);
  }

  it('finds a share that was taken after all, and asks whether to pay it again', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    const [reversal] = await steps.reversalsOf(order.id);
    await steps.reverse(reversal!.id, UNKNOWN);
    await steps.refundSays(refund, 'failed');
    expect(await steps.refund(refund)).toMatchObject({ attention: null });
    steps.pass(MINUTE_MS);
    await steps.answered(await steps.holdReversal(reversal!.id), DONE, { source: 'lookup' });
    expect(await steps.refund(refund)).toMatchObject({
      attention: {
        reason: 'refund_failed_after_reversal',
        detail: expect.stringContaining(`300 USD to ${order.seller}`),
      },
    });
  });

  it('asks also when what was overtaken is another refund’s share, taken later', async () => {
    const order = await steps.sentShare();
    const failing = await steps.refunded(order.id, 300);
    const [first] = await steps.reversalsOf(order.id);
    await steps.reverse(first!.id);
    await steps.refunded(order.id, 500);
    const [, second] = await steps.reversalsOf(order.id);
    await steps.refundSays(failing, 'failed');
    expect(await steps.refund(failing)).toMatchObject({ attention: null });
    await steps.reverse(second!.id);
    expect(await steps.refund(failing)).toMatchObject({
      attention: { reason: 'refund_failed_after_reversal', detail: expect.stringContaining('300 USD') },
    });
  });

  it('spares the seller what another refund was about to take, as far as it gave back more', async () => {
    const order = await steps.sentShare();
    const failing = await steps.refunded(order.id, 300);
    await steps.reverse((await steps.reversalsOf(order.id))[0]!.id);
    await steps.refunded(order.id, 200);
    await steps.refundSays(failing, 'failed');
    // Taken: 300, due: 200. Nothing more is taken, and only 100 are owed.
    expect((await steps.reversalsOf(order.id)).map(({ status }) => status)).toEqual(['reversed', 'written_off']);
    expect(await steps.refund(failing)).toMatchObject({
      attention: { reason: 'refund_failed_after_reversal', detail: expect.stringContaining('100 USD') },
    });
    expect(await steps.transfer(order.transferId)).toMatchObject({ status: 'partially_reversed' });
  });

  it('counts what it took already against the next refund', async () => {
    const order = await steps.sentShare();
    const failing = await steps.refunded(order.id, 300);
    await steps.reverse((await steps.reversalsOf(order.id))[0]!.id);
    await steps.refundSays(failing, 'failed');
    await steps.refunded(order.id, 200);
    expect(await steps.reversalsOf(order.id)).toHaveLength(1);
    await steps.refunded(order.id, 400);
    expect((await steps.reversalsOf(order.id)).map(({ amount }) => amount)).toEqual([300n, 300n]);
  });

  it('and then succeeds again takes its share again, with the same reversal', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    await steps.refundSays(refund, 'failed');
    const started = await steps.refundSays(refund, 'succeeded');
    const [reversal] = await steps.reversalsOf(order.id);
    expect(reversal).toMatchObject({ status: 'pending', amount: 300n });
    expect(started).toEqual([{ kind: 'reversal', id: reversal!.id }]);
    await steps.reverse(reversal!.id);
    expect(await steps.find(order.id)).toMatchObject({
      status: 'partially_refunded',
      transfers: [{ status: 'partially_reversed', amountReversed: 300n }],
      refunds: [{ attention: null }],
    });
  });
});
