import { describe, expect, it } from 'vitest';
import type { OrderId, RefundId } from '../../../../src/domain/ids.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { marketplaceLedgerForFile, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

describe('a seller who was made good once', () => {
  async function compensated(refund: RefundId) {
    const asked = await steps.decide({ kind: 'refund', itemId: refund, action: 'compensate' });
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    const said = { decisionId: asked.decisionId, by: 'anna', note: 'yes', verified: { kind: 'not_needed' } } as const;
    expect(await test.ledger.approve(said)).toMatchObject({ kind: 'applied' });
  }
  const paidAgain = async (id: OrderId) =>
    (await steps.find(id)).transfers.filter(({ origin }) => origin === 'compensation');
  const pending = async (id: OrderId) => (await steps.find(id)).reversals.filter(({ status }) => status === 'pending');

  it('is made good again by the same refund, when it succeeds and fails once more', async () => {
    const seller = unique('acct');
    const { id, transfers } = await steps.paid({ [seller]: 1_000 });
    const refund = await steps.refunded(id, 500);
    await steps.send(transfers[seller]!);
    await steps.refundSays(refund, 'failed');
    await compensated(refund);
    for (const made of [1, 2]) {
      await steps.send((await paidAgain(id)).at(-1)!.id);
      await steps.refundSays(refund, 'succeeded');
      for (const one of await pending(id)) await steps.reverse(one.id);
      await steps.refundSays(refund, 'failed');
      await compensated(refund);
      expect((await paidAgain(id)).map(({ amount }) => amount)).toEqual(Array(made + 1).fill(500n));
    }
    // All that was promised is due of all transfers together, whichever of them makes which good.
    await steps.send((await paidAgain(id)).at(-1)!.id);
    await steps.refunded(id);
    const taken = (await pending(id)).map(({ amount }) => amount);
    expect(taken.reduce((sum, amount) => sum + amount, 0n)).toBe(1_000n);
  });

  it('is made good again for a share that is found taken once every refund has made good', async () => {
    const { id, transferId } = await steps.sentShare();
    const first = await steps.refunded(id, 500);
    await steps.reverse((await pending(id))[0]!.id);
    await steps.refundSays(first, 'failed');
    await compensated(first);
    await steps.send((await paidAgain(id))[0]!.id);
    const second = await steps.refunded(id);
    const due = await pending(id);
    const late = due.find((one) => one.transferId !== transferId)!;
    await steps.reverse(due.find((one) => one.transferId === transferId)!.id);
    await steps.reverse(late.id, UNKNOWN);
    await steps.refundSays(second, 'failed');
    await compensated(second);
    await test.ledger.adoptReversal(late.id, unique('trr'));
    const asked = (await steps.find(id)).refunds.find(({ attention }) => attention !== null);
    expect(asked).toMatchObject({ attention: { reason: 'refund_failed_after_reversal' } });
    await compensated(asked!.id);
    expect((await paidAgain(id)).map(({ amount }) => amount)).toEqual([500n, 500n, 500n]);
  });

  it('gives back of what he was paid again when the refund succeeds after all', async () => {
    const { id, transferId } = await steps.sentShare();
    const refund = await steps.refunded(id, 500);
    await steps.reverse((await pending(id))[0]!.id);
    await steps.refundSays(refund, 'failed');
    await compensated(refund);
    const compensation = (await paidAgain(id))[0]!;
    await steps.send(compensation.id);
    await steps.refundSays(refund, 'succeeded');
    expect((await pending(id)).map((one) => [one.transferId, one.amount])).toEqual([[compensation.id, 500n]]);
    expect(await steps.refund(refund)).toMatchObject({ attention: null });
    // And the rest of the order of the rest of the first.
    await steps.refunded(id);
    expect((await pending(id)).map((one) => [one.transferId, one.amount])).toEqual([
      [compensation.id, 500n],
      [transferId, 500n],
    ]);
  });
});
