import { describe, expect, it } from 'vitest';
import type { ReversalFacts } from '../../../../src/domain/calls/provider-answers.js';
import type { ReversalId, TransferId } from '../../../../src/domain/ids.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { askAboutForeign, foreignReversal } from '../../../support/marketplace/foreign-reversals.js';
import { marketplaceLedgerForFile, UNKNOWN } from '../../../support/marketplace/steps.js';

/** What others took was asked about with a share, or counted as it, and that share is no longer due. */

const { test, steps } = await marketplaceLedgerForFile();

/** A transfer that asks nothing, or was found late, and a share of it that is asked about with what others took. */
async function asked({ refund, foundLate = false }: { refund: number; foundLate?: boolean }) {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: 1_000 });
  const transferId = order.transfers[seller]!;
  if (foundLate) {
    for (let n = 0; n < 6; n += 1) {
      await steps.send(transferId, UNKNOWN);
      steps.pass(2 * MINUTE_MS);
    }
    await test.ledger.adoptTransfer(transferId, unique('tr'));
  } else await steps.send(transferId);
  const refundId = await steps.refunded(order.id, refund);
  const id = (await steps.find(order.id)).reversals[0]!.id;
  const foreign = foreignReversal(300n);
  await test.ledger.noteReversed(transferId, { reversals: [foreign] });
  await askAboutForeign(test, await steps.holdReversal(id), foreign.stripeReversalId);
  return { order, transferId, refundId, id, foreign };
}

const takes = (action: string, itemId: ReversalId, { stripeReversalId, amount }: ReversalFacts) =>
  steps.decide({
    kind: 'reversal',
    itemId,
    action,
    verified: {
      kind: 'taken_by_others',
      reversals: [{ id: stripeReversalId, amount: `${amount}`, settled: true }],
      left: '700',
    },
  });
const acknowledge = (id: TransferId) => steps.decide({ kind: 'transfer', itemId: id, action: 'adopt' });
const attentionOf = async (id: TransferId) => (await steps.transfer(id)).attention;
const tellsOf = ({ stripeReversalId }: ReversalFacts) => ({
  reason: 'partly_foreign_reversal',
  detail: expect.stringContaining(stripeReversalId),
});

describe('what others took is told once more', () => {
  it('when the refund fails before anybody has answered what it stands for, and only once', async () => {
    const { transferId, refundId, id, foreign } = await asked({ refund: 300 });
    expect(await attentionOf(transferId)).toBeNull();
    await steps.refundSays(refundId, 'failed');
    expect(await steps.reversal(id)).toMatchObject({ status: 'written_off', attention: null });
    expect(await attentionOf(transferId)).toMatchObject(tellsOf(foreign));
    await acknowledge(transferId);
    await test.ledger.noteReversed(transferId, { reversals: [foreign] });
    expect(await attentionOf(transferId)).toBeNull();
  });

  it.each([false, true])(
    'when what was counted as a share is free again; the transfer asks something else meanwhile: %s',
    async (foundLate) => {
      const { transferId, refundId, id, foreign } = await asked({ refund: 500, foundLate });
      expect(await takes('take_missing', id, foreign)).toMatchObject({ kind: 'applied', status: 'pending' });
      await steps.refundSays(refundId, 'failed');
      expect((await steps.reversal(id)).status).toBe('written_off');
      if (foundLate) {
        expect((await attentionOf(transferId))?.reason).toBe('late_success');
        await acknowledge(transferId);
      }
      expect(await attentionOf(transferId)).toMatchObject(tellsOf(foreign));
      await acknowledge(transferId);
      await test.ledger.noteReversed(transferId, { reversals: [foreign] });
      expect(await attentionOf(transferId)).toBeNull();
    },
  );

  it('not when another share has taken it over before the transfer could ask', async () => {
    const { order, transferId, refundId, id, foreign } = await asked({ refund: 500, foundLate: true });
    await takes('take_missing', id, foreign);
    await steps.refundSays(refundId, 'failed');
    await steps.refunded(order.id, 300);
    const next = (await steps.find(order.id)).reversals.find(({ status }) => status === 'pending')!;
    await askAboutForeign(test, await steps.holdReversal(next.id), foreign.stripeReversalId);
    expect(await takes('count_as_share', next.id, foreign)).toMatchObject({ kind: 'applied', status: 'reversed' });
    await acknowledge(transferId);
    expect(await attentionOf(transferId)).toBeNull();
  });
});
