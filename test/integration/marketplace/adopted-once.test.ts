import { beforeEach, describe, expect, it } from 'vitest';
import { createResolution } from '../../../src/calls/decisions/decide.js';
import { newDecisionId, type ReversalId, type TransferId } from '../../../src/domain/ids.js';
import { HOUR_MS, MINUTE_MS } from '../../support/durations.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { marketplaceLedgerForFile, UNKNOWN } from '../../support/marketplace/steps.js';

/** What Stripe holds without our mark is adopted for one thing, and only where nothing of ours stands beside it. */

const { test, steps } = await marketplaceLedgerForFile({ approvalThreshold: 100_000n });
beforeEach(() => steps.pass(25 * HOUR_MS));

describe('a transfer that somebody made by hand', () => {
  it('is not adopted while Stripe shows the one that bears our mark, however long nobody saw that', async () => {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 1_000 });
    const id = order.transfers[seller] as TransferId;
    for (let attempts = 0; attempts < 6; attempts += 1) {
      await steps.send(id, UNKNOWN);
      steps.pass(2 * MINUTE_MS);
    }
    // One look finds nothing; then nobody looks for a day, and Stripe carries it out meanwhile.
    await test.ledger.nextProbe({ kind: 'transfer', id }, false, HOUR_MS);
    steps.pass(26 * HOUR_MS);
    const [ours, byHand] = [unique('tr_ours'), unique('tr_hand')];
    const common = {
      amount: 1_000n,
      amountReversed: 0n,
      currency: 'USD',
      destination: seller,
      transferGroup: order.id,
    };
    const group = [
      { ...common, stripeTransferId: ours, metadata: { seller_transfer_id: id } },
      { ...common, stripeTransferId: byHand, metadata: {} },
    ];
    const stripe = { inLane: () => ({ transfersTo: () => Promise.resolve({ kind: 'found', value: group }) }) };
    const resolution = createResolution({ ledger: test.ledger, stripe: stripe as never, chain: undefined });
    const adopt = (stripeTransferId: string) =>
      resolution.decide({
        id: newDecisionId(test.clock.nowMs()),
        kind: 'transfer',
        itemId: id,
        action: 'adopt',
        note: 'paid by hand',
        evidence: { stripe_transfer_id: stripeTransferId },
        by: 'olga',
        authenticated: true,
      });
    expect(await adopt(byHand)).toMatchObject({ kind: 'refused', detail: expect.stringContaining(`adopt that`) });
    expect(await adopt(ours)).toMatchObject({ kind: 'applied', status: 'completed' });
  });
});

describe('a reversal of somebody else', () => {
  /** Two shares of 300, and one reversal of 300 that bears no mark, as two persons saw it before either had decided. */
  async function seenByTwo() {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 1_200 });
    await steps.send(order.transfers[seller] as TransferId);
    for (const amount of [300, 300]) await steps.refunded(order.id, amount);
    const ids = (await steps.find(order.id)).reversals.map(({ id }) => id) as [ReversalId, ReversalId];
    const theirs = unique('trr');
    for (const id of ids) {
      const claim = await steps.holdReversal(id);
      const ask = { do: 'ask', certainty: 'not_sent', reason: 'partly_foreign_reversal' } as const;
      const nothing = { requestId: null, stripeId: null, parks: null };
      const looked = { detail: `others took ${theirs}`, source: 'lookup', others: [theirs] } as const;
      await test.ledger.recordReversal({ id, runner: claim.runner, decision: ask, ...nothing, ...looked });
    }
    const taken = {
      kind: 'taken_by_others',
      reversals: [{ id: theirs, amount: '300', settled: true }],
      left: '900',
    } as const;
    return { ids, theirs, taken, transfer: order.transfers[seller] as TransferId };
  }

  it('that was adopted for one share counts as no other, whatever was read before', async () => {
    const { ids, theirs, taken, transfer } = await seenByTwo();
    const found = { kind: 'found', providerId: theirs, unmarked: true } as const;
    expect(await steps.decide({ kind: 'reversal', itemId: ids[0], action: 'adopt', verified: found })).toMatchObject({
      kind: 'applied',
    });
    expect(
      await steps.decide({ kind: 'reversal', itemId: ids[1], action: 'count_as_share', verified: taken }),
    ).toMatchObject({ kind: 'refused' });
    expect((await steps.transfer(transfer)).amountReversed).toBe(300n);
  });

  it('stands for one share by SQL as well', async () => {
    const { ids, theirs, taken, transfer } = await seenByTwo();
    expect(
      await steps.decide({ kind: 'reversal', itemId: ids[0], action: 'count_as_share', verified: taken }),
    ).toMatchObject({ kind: 'applied' });
    const also = `UPDATE reversals SET stripe_reversal_id = $1, status = 'reversed', certainty = 'done', reversed_at = clock_now() WHERE id = $2`;
    await expect(test.database.query(also, [theirs, ids[1]])).rejects.toThrow('stands for another share already');
    const other = unique('trr');
    await test.database.query(also, [other, ids[1]]);
    const count = `INSERT INTO foreign_decisions (stripe_reversal_id, reversal_id, transfer_id, amount) VALUES ($1, $2, $3, 1)`;
    await expect(test.database.query(count, [other, ids[0], transfer])).rejects.toThrow('stands for another share');
  });
});
