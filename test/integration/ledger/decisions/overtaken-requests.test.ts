import { describe, expect, it } from 'vitest';
import { type DecisionId, newDecisionId } from '../../../../src/domain/ids.js';
import type { DecisionRequest } from '../../../../src/ledger/decisions/decision-types.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { marketplaceLedgerForFile, type Paid, REFUSED, UNKNOWN } from '../../../support/marketplace/steps.js';

/** What a person asked for waits for its approval, and something else is asked of the same item meanwhile. */

const { test, steps } = await marketplaceLedgerForFile();

type Asked = Pick<DecisionRequest, 'kind' | 'itemId' | 'action'> & Partial<DecisionRequest>;
async function requests(asked: Asked): Promise<DecisionId> {
  const id = newDecisionId(test.clock.nowMs());
  expect(await steps.decide({ id, ...asked })).toMatchObject({ kind: 'pending_approval' });
  return id;
}
const approve = (decisionId: DecisionId, verified: DecisionRequest['verified'] = { kind: 'not_needed' }) =>
  test.ledger.approve({ decisionId, by: 'anna', note: 'I agree', verified });

async function paid(amount: number) {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: amount });
  return { order, transferId: order.transfers[seller]! };
}

/** A refund that failed while nobody knows whether the seller's share was taken back. */
async function failedRefund() {
  const { order, transferId } = await paid(40_000);
  await steps.send(transferId);
  const refund = await steps.refunded(order.id, 20_000);
  const reversal = (await steps.find(order.id)).reversals[0]!.id;
  await steps.reverse(reversal, UNKNOWN);
  await steps.refundSays(refund, 'failed');
  const failed = await steps.factsOf(refund, 'failed');
  return { refund, reversal, failed };
}

describe('an approval of what was asked for about another question', () => {
  it('of a refund gives up nothing that a seller turns out to be owed, nor does its request stand in the way', async () => {
    const { refund, reversal, failed } = await failedRefund();
    const odd = { ...failed, asks: 'unknown_status' as const, providerStatus: 'levitating' };
    await test.ledger.applyRefund({ refundId: refund, runner: null, facts: odd });
    const decision = await requests({ kind: 'refund', itemId: refund, action: 'write_off' });
    // Stripe had taken the share after all.
    await test.ledger.adoptReversal(reversal, unique('trr'));
    expect(await approve(decision)).toEqual({ kind: 'not_waiting', status: 'ignored' });
    expect((await steps.refund(refund)).attention?.reason).toBe('refund_failed_after_reversal');
    expect(await steps.events(refund)).toContain('request_withdrawn');

    const compensates = await requests({ kind: 'refund', itemId: refund, action: 'compensate' });
    expect(await approve(compensates)).toMatchObject({ kind: 'applied' });
  });

  it('leaves a decision about the new question to be taken at once', async () => {
    const { refund, reversal, failed } = await failedRefund();
    await test.ledger.applyRefund({ refundId: refund, runner: null, facts: { ...failed, amount: 1n } });
    const overtaken = await requests({ kind: 'refund', itemId: refund, action: 'write_off' });
    await test.ledger.adoptReversal(reversal, unique('trr'));
    const compensates = await requests({ kind: 'refund', itemId: refund, action: 'compensate' });
    expect(await approve(overtaken)).toMatchObject({ kind: 'not_waiting' });
    expect(await approve(compensates)).toMatchObject({ kind: 'applied' });
  });

  it('of a transfer that was withheld meanwhile does not give it up when it is to be sent after all', async () => {
    const { order, transferId } = await paid(20_000);
    for (let attempt = 0; attempt <= 5; attempt += 1) {
      await steps.send(transferId, REFUSED, { provedAbsent: true });
      steps.pass(MINUTE_MS);
    }
    const verified = { kind: 'absent' } as const;
    const decision = await requests({ kind: 'transfer', itemId: transferId, action: 'write_off', verified });
    const refund = await steps.refunded(order.id);
    await steps.refundSays(refund, 'failed');
    expect((await steps.transfer(transferId)).attention?.reason).toBe('retries_exhausted');
    expect(await approve(decision, verified)).toMatchObject({ kind: 'not_waiting' });
    expect((await steps.transfer(transferId)).attention?.reason).toBe('retries_exhausted');
  });

  describe('of a payment', () => {
    const reads = async (order: Paid, providerStatus: string, amountReceived: bigint) => {
      const facts = { hyperswitchPaymentId: order.hyperswitchPaymentId, amount: 20_000n, currency: 'USD' };
      const said = paymentAt({ ...facts, providerStatus, amountReceived });
      await test.ledger.applyPayment({ paymentId: order.paymentId, runner: null, facts: said });
      return (await test.ledger.findPayment(order.paymentId))?.attention?.reason;
    };
    const verified = { kind: 'found', providerId: null } as const;
    const writesOff = (itemId: string) => requests({ kind: 'payment', itemId, action: 'write_off', verified });

    it('gives up nothing that was captured since, and is asked about it', async () => {
      const { order } = await paid(20_000);
      expect(await reads(order, 'partially_captured', 400n)).toBe('conflict');
      const decision = await writesOff(order.paymentId);
      expect(await reads(order, 'partially_captured', 19_000n)).toBe('conflict');
      expect(await approve(decision, verified)).toEqual({ kind: 'not_waiting', status: 'ignored' });
      expect(await reads(order, 'partially_captured', 19_000n)).toBe('conflict');
    });

    it('holds while Hyperswitch answers the same', async () => {
      const { order } = await paid(20_000);
      await reads(order, 'partially_captured', 400n);
      const decision = await writesOff(order.paymentId);
      expect(await reads(order, 'partially_captured', 400n)).toBe('approval_pending');
      expect(await approve(decision, verified)).toMatchObject({ kind: 'applied' });
      expect(await reads(order, 'partially_captured', 400n)).toBeUndefined();
    });
  });
});
