import { describe, expect, it } from 'vitest';
import type { DecisionId } from '../../../../src/domain/ids.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { DONE, marketplaceLedgerForFile, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

describe('a compensation', () => {
  /** A refund of 300 that failed after its share was taken back. */
  async function owed() {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    await steps.reverse((await steps.reversalsOf(order.id))[0]!.id);
    await steps.refundSays(refund, 'failed');
    return { ...order, refund };
  }
  const ask = (itemId: string) => steps.decide({ kind: 'refund', itemId, action: 'compensate' });
  async function compensateBy(by: string, refund: string) {
    const asked = await ask(refund);
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    return await approve(asked.decisionId, by);
  }
  const approve = (decisionId: DecisionId, by: string) =>
    test.ledger.approve({ decisionId, by, note: 'yes', verified: { kind: 'not_needed' } });
  async function compensated() {
    const order = await owed();
    await compensateBy('anna', order.refund);
    const found = await steps.find(order.id);
    return { ...order, compensation: found.transfers.find(({ origin }) => origin === 'compensation')! };
  }

  it('is new money: it needs two persons, pays exactly what is owed, and closes the question', async () => {
    const order = await owed();
    const asked = await ask(order.refund);
    expect(asked.kind).toBe('pending_approval');
    if (asked.kind !== 'pending_approval') return;
    expect(await approve(asked.decisionId, 'olga')).toEqual({ kind: 'self_approval' });
    expect((await steps.find(order.id)).transfers).toHaveLength(1);
    expect(await approve(asked.decisionId, 'anna')).toMatchObject({ kind: 'applied' });
    expect(await approve(asked.decisionId, 'anna')).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.find(order.id)).toMatchObject({
      transfers: [
        { status: 'partially_reversed', amountReversed: 300n },
        { status: 'pending', origin: 'compensation', amount: 300n, sellerAccount: order.seller },
      ],
      refunds: [{ attention: null }],
    });
  });

  it('carries its part of the promise: the next refund takes back from both, and the last one everything', async () => {
    const { id, transferId, compensation } = await compensated();
    await steps.send(compensation.id);
    await steps.refunded(id, 500);
    await steps.refunded(id);
    const due = (await steps.reversalsOf(id)).slice(1);
    expect(due.map((one) => [one.transferId, one.amount])).toEqual([
      [transferId, 500n],
      [transferId, 200n],
      [compensation.id, 300n],
    ]);
    for (const one of due) await steps.reverse(one.id);
    expect((await steps.find(id)).transfers.map(({ status, amountReversed }) => [status, amountReversed])).toEqual([
      ['reversed', 1_000n],
      ['reversed', 300n],
    ]);
  });

  it('that is taken back and owed again is made good as well', async () => {
    const { id, compensation } = await compensated();
    await steps.send(compensation.id);
    const all = await steps.refunded(id);
    for (const one of (await steps.reversalsOf(id)).slice(1)) await steps.reverse(one.id);
    await steps.refundSays(all, 'failed');
    await compensateBy('otto', all);
    const paid = (await steps.find(id)).transfers;
    expect(paid.map(({ status, amount }) => [status, amount])).toEqual([
      ['reversed', 1_000n],
      ['reversed', 300n],
      ['pending', 1_000n],
    ]);
  });

  it('that was not sent yet is withheld by the next refund', async () => {
    const { id, compensation } = await compensated();
    await steps.refunded(id);
    expect(await steps.transfer(compensation.id)).toMatchObject({ status: 'cancelled' });
    expect((await steps.reversalsOf(id)).map(({ amount }) => amount)).toEqual([300n, 700n]);
  });

  it('is asked for anew when more is owed than was asked for', async () => {
    const order = await steps.sentShare();
    const first = await steps.refunded(order.id, 300);
    const second = await steps.refunded(order.id, 200);
    for (const one of await steps.reversalsOf(order.id)) await steps.reverse(one.id);
    await steps.refundSays(first, 'failed');
    const asked = await ask(first);
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    await steps.refundSays(second, 'failed');
    await steps.refundSays(first, 'failed');
    expect((await approve(asked.decisionId, 'anna')).kind).toBe('not_waiting');
    expect((await steps.find(order.id)).transfers).toHaveLength(1);
    await compensateBy('anna', second);
    expect(await steps.find(order.id)).toMatchObject({
      transfers: [{ origin: 'order' }, { origin: 'compensation', amount: 500n }],
      refunds: [{ attention: null }, { attention: null }],
    });
  });

  it('is asked for once more when a reversal that nobody knew of took more', async () => {
    const order = await steps.sentShare();
    const failing = await steps.refunded(order.id, 300);
    await steps.reverse((await steps.reversalsOf(order.id))[0]!.id);
    await steps.refunded(order.id, 100);
    const late = (await steps.reversalsOf(order.id))[1]!;
    await steps.reverse(late.id, UNKNOWN);
    await steps.refundSays(failing, 'failed');
    await compensateBy('anna', failing);
    steps.pass(MINUTE_MS);
    await steps.answered(await steps.holdReversal(late.id), DONE, { source: 'lookup' });
    await compensateBy('berta', failing);
    const paidAgain = (await steps.find(order.id)).transfers.filter(({ origin }) => origin === 'compensation');
    expect(paidAgain.map(({ amount }) => amount)).toEqual([200n, 100n]);
    expect(await steps.refund(failing)).toMatchObject({ attention: null });
  });

  it('is no longer offered when the refund succeeds after all', async () => {
    const { refund, id } = await owed();
    const asked = await ask(refund);
    await steps.refundSays(refund, 'succeeded');
    expect(await steps.refund(refund)).toMatchObject({ status: 'succeeded', attention: null });
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    expect(await approve(asked.decisionId, 'anna')).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.find(id)).toMatchObject({
      transfers: [{ amountReversed: 300n }],
      reversals: [{ amount: 300n }],
    });
  });
});
