import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReversalId, TransferId } from '../../../src/domain/ids.js';
import type { ReversalFacts } from '../../../src/domain/provider-answers.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { unique } from '../../support/marketplace-fixtures.js';
import { DONE, MINUTE, type MoneySteps, moneySteps, UNKNOWN } from '../../support/money-steps.js';

let test: TestLedger;
let steps: MoneySteps;
beforeAll(async () => {
  test = await openTestLedger({ approvalThreshold: 10_000n });
  steps = moneySteps(test);
});
afterAll(() => test.dispose());

async function sent(amount = 1_000) {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: amount });
  const transferId = order.transfers[seller] as TransferId;
  await steps.send(transferId);
  return { order, transferId };
}

async function sharedOut(refund: number) {
  const { order, transferId } = await sent();
  await steps.refunded(order.id, refund);
  const [reversal] = (await steps.find(order.id)).reversals;
  return { order, transferId, id: reversal?.id as ReversalId };
}

const byHand = (amount: bigint): ReversalFacts => ({
  stripeReversalId: unique('trr'),
  stripeTransferId: 'tr_1',
  amount,
  currency: 'USD',
  metadata: {},
  createdAt: '2026-01-01T00:00:00.000Z',
  state: 'done',
});
const note = (id: TransferId, ...reversals: ReversalFacts[]) => test.ledger.noteReversed(id, { reversals });
const acknowledge = (id: TransferId) => steps.decide({ kind: 'transfer', itemId: id, action: 'adopt' });
const attentionOf = async (id: TransferId) => (await steps.transfer(id)).attention;

describe('what others took is told', () => {
  it('also where it came between our look and our call, and its event before our answer', async () => {
    const { transferId, id } = await sharedOut(300);
    const foreign = byHand(300n);
    const claim = await steps.holdReversal(id);
    await steps.noteAbsent(claim);
    await steps.leave(claim);
    await note(transferId, foreign);
    expect(await attentionOf(transferId)).toBeNull();
    await steps.answered(claim, DONE);
    expect(await attentionOf(transferId)).toMatchObject({
      reason: 'partly_foreign_reversal',
      detail: expect.stringContaining(foreign.stripeReversalId),
    });
  });

  it('once the transfer has been answered what it asked before, and only once', async () => {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 1_000 });
    const transferId = order.transfers[seller] as TransferId;
    for (let n = 0; n < 6; n += 1) {
      await steps.send(transferId, UNKNOWN);
      steps.pass(MINUTE);
    }
    await test.ledger.adoptTransfer(transferId, unique('tr'));
    const foreign = byHand(1_000n);
    await note(transferId, foreign);
    expect((await attentionOf(transferId))?.reason).toBe('late_success');
    await acknowledge(transferId);
    expect((await attentionOf(transferId))?.reason).toBe('foreign_reversal');
    await acknowledge(transferId);
    await note(transferId, foreign);
    expect(await attentionOf(transferId)).toBeNull();
  });

  it('when the share whose look would have asked is not due any more', async () => {
    const { order, transferId } = await sharedOut(300);
    await note(transferId, byHand(200n));
    expect(await attentionOf(transferId)).toBeNull();
    const [refund] = (await steps.find(order.id)).refunds;
    if (!refund) throw new Error('there is no refund');
    await steps.refundSays(refund.id, 'failed');
    expect((await attentionOf(transferId))?.reason).toBe('partly_foreign_reversal');
  });

  it('not twice: what a share was asked about, or is adopted as, is known', async () => {
    const { transferId, id } = await sharedOut(300);
    const foreign = byHand(300n);
    const claim = await steps.holdReversal(id);
    await note(transferId, foreign);
    await test.ledger.recordReversal({
      id,
      runner: claim.runner,
      decision: { do: 'ask', certainty: 'not_sent', reason: 'partly_foreign_reversal' },
      detail: 'others took 300',
      requestId: null,
      stripeId: null,
      source: 'lookup',
      parks: null,
      others: [foreign.stripeReversalId],
    });
    await test.ledger.adoptReversal(id, foreign.stripeReversalId);
    expect(await attentionOf(transferId)).toBeNull();
  });
});
