import { beforeEach, describe, expect, it } from 'vitest';
import { newDecisionId, type RefundId, type ReversalId, type TransferId } from '../../../../src/domain/ids.js';
import type { Verification } from '../../../../src/ledger/decisions/decision-types.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { askedCalls } from '../../../support/marketplace/asked-calls.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { DONE, marketplaceLedgerForFile, REFUSED } from '../../../support/marketplace/steps.js';
import { orderWithReversals } from '../../../support/marketplace/stripe-calls.js';

const { test, steps } = await marketplaceLedgerForFile({ approvalThreshold: 1_000n });
const { refusedReversal, exhausted, itemOf } = askedCalls(steps);
// A day between two tests: nobody has given anything up yet today.
beforeEach(() => steps.pass(25 * 60 * MINUTE_MS));

const ABSENT: Verification = { kind: 'absent' };
const found = (providerId: string): Verification => ({ kind: 'found', providerId });

describe('the first decision', () => {
  it('wins, however many come at once; the later ones are on record and change nothing', async () => {
    const id = await refusedReversal();
    const outcomes = await Promise.all(
      ['retry', 'write_off', 'retry', 'write_off', 'retry'].map((action) =>
        steps.decide({ kind: 'reversal', itemId: id, action, verified: ABSENT }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'not_waiting')).toHaveLength(4);
    const states = await test.database.query<{ state: string }>('SELECT state FROM decisions WHERE item_id = $1', [id]);
    expect(states.map(({ state }) => state).sort()).toEqual(['applied', ...Array<string>(4).fill('ignored')]);
    expect((await steps.events(id)).filter((kind) => kind === 'decision_ignored')).toHaveLength(4);
  });

  it('is answered alike when its message comes twice, also after the item has moved on', async () => {
    const id = await refusedReversal();
    const message = { id: newDecisionId(test.clock.nowMs()), kind: 'reversal', itemId: id, action: 'retry' } as const;
    const first = await steps.decide(message);
    await steps.reverse(id, DONE);
    expect(await steps.decide(message)).toEqual({ ...first, status: 'reversed' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'reversed' });
  });

  it('that came too late is not carried out when its message comes again at a better time', async () => {
    const id = await refusedReversal();
    await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' });
    const late = {
      id: newDecisionId(test.clock.nowMs()),
      kind: 'reversal',
      itemId: id,
      action: 'write_off',
      verified: ABSENT,
    } as const;
    expect(await steps.decide(late)).toMatchObject({ kind: 'not_waiting', status: 'pending' });
    await steps.reverse(id, REFUSED, { provedAbsent: true });
    expect(await steps.decide(late)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'permanently_failed' });
  });

  it('about what nobody is asked about is ignored, and about nothing at all not found', async () => {
    const { reversals, transferId } = await orderWithReversals(steps, [300]);
    expect(await steps.decide({ kind: 'reversal', itemId: reversals[0]!, action: 'retry' })).toMatchObject({
      kind: 'not_waiting',
      status: 'pending',
    });
    expect(await steps.decide({ kind: 'transfer', itemId: transferId, action: 'retry' })).toMatchObject({
      kind: 'not_waiting',
    });
    expect(await steps.decide({ kind: 'refund', itemId: crypto.randomUUID(), action: 'retry' })).toEqual({
      kind: 'not_found',
    });
  });
});

describe('a retry', () => {
  it.each(['transfer', 'reversal'] as const)(
    'is always honoured: a %s looks at Stripe first, with every retry again',
    async (kind) => {
      const id = await exhausted(kind);
      const outcome = await steps.decide({ kind, itemId: id, action: 'retry', authenticated: false, by: 'anyone' });
      expect(outcome).toMatchObject({ kind: 'applied', status: 'pending' });
      expect(await itemOf(kind, id)).toMatchObject({ retryCount: 0, certainty: 'unknown', attention: null });
      expect((await test.ledger.dueItems(kind, 10_000)).map((due) => due.id)).toContain(id);
      const claim = kind === 'transfer' ? steps.holdTransfer(id as TransferId) : steps.holdReversal(id as ReversalId);
      expect(await claim).toMatchObject({ looksFirst: true, retryCount: 0 });
    },
  );

  it('never sends a transfer again that was ever completed', async () => {
    const id = (await exhausted('transfer')) as TransferId;
    await test.ledger.adoptTransfer(id, unique('tr'));
    expect(await steps.transfer(id)).toMatchObject({ status: 'completed', attention: { reason: 'late_success' } });
    expect(await steps.decide({ kind: 'transfer', itemId: id, action: 'retry' })).toMatchObject({
      kind: 'not_waiting',
    });
    expect(await steps.claimTransfer(id)).toEqual({ kind: 'final', status: 'completed' });
  });
});

describe('a late success', () => {
  it.each(['transfer', 'reversal'] as const)(
    'of a %s is acknowledged with adopt, and with nothing else',
    async (kind) => {
      const id = await exhausted(kind);
      await steps.longAbsent({ kind, id });
      await steps.decide({ kind, itemId: id, action: 'write_off', verified: ABSENT });
      expect(await itemOf(kind, id)).toMatchObject({ certainty: 'absent', attention: null });
      const adopt = kind === 'transfer' ? 'adoptTransfer' : 'adoptReversal';
      await test.ledger[adopt](id as never, unique('id'));
      expect(await itemOf(kind, id)).toMatchObject({ certainty: 'done', attention: { reason: 'late_success' } });
      expect(await steps.decide({ kind, itemId: id, action: 'write_off', verified: ABSENT })).toMatchObject({
        kind: 'refused',
      });
      expect(await steps.decide({ kind, itemId: id, action: 'adopt' })).toMatchObject({ kind: 'applied' });
      expect(await itemOf(kind, id)).toMatchObject({ certainty: 'done', attention: null });
    },
  );
});

describe('adopting', () => {
  it.each(['transfer', 'reversal'] as const)('believes only what Stripe itself shows of a %s', async (kind) => {
    const id = await exhausted(kind);
    const adopt = (verified: Verification) => steps.decide({ kind, itemId: id, action: 'adopt', verified });
    for (const verified of [
      { kind: 'not_needed' },
      ABSENT,
      { kind: 'refuted', detail: 'of another' },
      { kind: 'unanswered', detail: 'Stripe is away' },
    ] as const)
      expect(await adopt(verified)).toMatchObject({ kind: 'refused' });
    expect(await itemOf(kind, id)).toMatchObject({ certainty: 'unknown' });
    const stripeId = unique('id');
    expect(await adopt(found(stripeId))).toMatchObject({
      kind: 'applied',
      status: kind === 'transfer' ? 'completed' : 'reversed',
    });
    expect(await itemOf(kind, id)).toMatchObject({ certainty: 'done', attention: null });
    expect(await itemOf(kind, id)).toMatchObject(
      kind === 'transfer' ? { stripeTransferId: stripeId } : { stripeReversalId: stripeId },
    );
  });
});

describe('an action that does not fit', () => {
  it.each([
    ['reversal', 'compensate'],
    ['transfer', 'compensate'],
    ['refund', 'adopt'],
  ] as const)('is refused and leaves the question open: of a %s, %s', async (kind, action) => {
    const id = kind === 'refund' ? await conflicting() : await exhausted(kind);
    expect(await steps.decide({ kind, itemId: id, action, verified: found('id_1') })).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining(`a ${kind} is resolved with`),
    });
  });

  /** A refund of which Hyperswitch holds another amount. */
  async function conflicting(): Promise<RefundId> {
    const order = await steps.paid({ [unique('acct')]: 500 });
    const id = await steps.askRefund(order.id, 100);
    await test.ledger.applyRefund({
      refundId: id,
      runner: null,
      facts: { ...(await steps.factsOf(id, 'succeeded')), amount: 99n },
    });
    return id;
  }

  it('compensates nothing where nothing is owed', async () => {
    expect(await steps.decide({ kind: 'refund', itemId: await conflicting(), action: 'compensate' })).toMatchObject({
      kind: 'refused',
    });
  });

  it('is retried or given up on a refund: read again, or closed as it is', async () => {
    const [read, closed] = [await conflicting(), await conflicting()];
    expect(await steps.decide({ kind: 'refund', itemId: read, action: 'retry' })).toMatchObject({ kind: 'applied' });
    expect((await test.ledger.dueItems('refund', 10_000)).map(({ id }) => id)).toContain(read);
    expect(await steps.decide({ kind: 'refund', itemId: closed, action: 'write_off' })).toMatchObject({
      kind: 'applied',
    });
    for (const id of [read, closed])
      expect(await steps.refund(id)).toMatchObject({ status: 'pending', attention: null });
  });
});
