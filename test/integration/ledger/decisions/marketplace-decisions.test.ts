import { beforeEach, describe, expect, it } from 'vitest';
import {
  type DecisionId,
  newDecisionId,
  type RefundId,
  type ReversalId,
  type TransferId,
} from '../../../../src/domain/ids.js';
import type { DecideOutcome, Verification } from '../../../../src/ledger/decisions/decision-types.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { DONE, marketplaceLedgerForFile, REFUSED, UNKNOWN } from '../../../support/marketplace/steps.js';
import { orderWithReversals } from '../../../support/marketplace/stripe-calls.js';

const { test, steps } = await marketplaceLedgerForFile({ approvalThreshold: 1_000n });
// A day between two tests: nobody has given anything up yet today.
beforeEach(() => steps.pass(25 * 60 * MINUTE_MS));

const ABSENT: Verification = { kind: 'absent' };
const found = (providerId: string): Verification => ({ kind: 'found', providerId });

/** A reversal of this amount that was refused, and of which Stripe's records hold nothing. */
async function refused(amount = 300): Promise<ReversalId> {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: 5_000 });
  await steps.send(order.transfers[seller]!);
  await steps.refunded(order.id, amount);
  const { id } = (await steps.find(order.id)).reversals[0]!;
  await steps.reverse(id, REFUSED, { provedAbsent: true });
  return id;
}
/** Every retry went unanswered. */
async function exhausted(kind: 'transfer' | 'reversal'): Promise<string> {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: 500 });
  const transfer = order.transfers[seller]!;
  if (kind === 'reversal') {
    await steps.send(transfer);
    await steps.refunded(order.id, 300);
  }
  const id = kind === 'transfer' ? transfer : (await steps.find(order.id)).reversals[0]!.id;
  for (let attempt = 0; attempt < 6; attempt += 1) {
    await (kind === 'transfer' ? steps.send(id as TransferId, UNKNOWN) : steps.reverse(id as ReversalId, UNKNOWN));
    steps.pass(MINUTE_MS);
  }
  return id;
}
const itemOf = (kind: 'transfer' | 'reversal', id: string) =>
  kind === 'transfer' ? steps.transfer(id as TransferId) : steps.reversal(id as ReversalId);

const approve = (decisionId: DecisionId, by = 'anna', verified: Verification = ABSENT) =>
  test.ledger.approve({ decisionId, by, note: 'I agree', verified });
function waitingId(outcome: DecideOutcome): DecisionId {
  if (outcome.kind !== 'pending_approval') throw new Error(JSON.stringify(outcome));
  return outcome.decisionId;
}
const stateOf = async (id: string) =>
  (await test.database.query<{ state: string }>('SELECT state FROM decisions WHERE id = $1', [id]))[0]?.state;

describe('the first decision', () => {
  it('wins, however many come at once; the later ones are on record and change nothing', async () => {
    const id = await refused();
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
    const id = await refused();
    const message = { id: newDecisionId(test.clock.nowMs()), kind: 'reversal', itemId: id, action: 'retry' } as const;
    const first = await steps.decide(message);
    await steps.reverse(id, DONE);
    expect(await steps.decide(message)).toEqual({ ...first, status: 'reversed' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'reversed' });
  });

  it('that came too late is not carried out when its message comes again at a better time', async () => {
    const id = await refused();
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

describe('giving money up', () => {
  it.each(['transfer', 'reversal'] as const)(
    'of a %s whose outcome nobody knows takes more than one look: Stripe must have forgotten its key as well',
    async (kind) => {
      const id = await exhausted(kind);
      const writeOff = () => steps.decide({ kind, itemId: id, action: 'write_off', verified: ABSENT });
      const tooEarly = { kind: 'refused', detail: expect.stringContaining('25 hours') };
      expect(await writeOff()).toMatchObject(tooEarly);
      steps.pass(26 * 60 * MINUTE_MS);
      expect(await writeOff()).toMatchObject(tooEarly);
      await test.ledger.nextProbe({ kind, id }, undefined, MINUTE_MS);
      steps.pass(MINUTE_MS);
      expect(await writeOff()).toMatchObject(tooEarly);
      await test.ledger.nextProbe({ kind, id }, false, MINUTE_MS);
      expect(await writeOff()).toMatchObject(tooEarly);
      steps.pass(MINUTE_MS);
      expect(await writeOff()).toMatchObject({ kind: 'applied' });
    },
  );

  it.each(['transfer', 'reversal'] as const)('needs the absence of a %s proved now', async (kind) => {
    const id = await exhausted(kind);
    await steps.longAbsent({ kind, id });
    const writeOff = (verified: Verification) => steps.decide({ kind, itemId: id, action: 'write_off', verified });
    for (const verified of [
      { kind: 'not_needed' },
      found('id_1'),
      { kind: 'refuted', detail: 'no' },
      { kind: 'unanswered', detail: 'Stripe is away' },
    ] as const)
      expect(await writeOff(verified)).toMatchObject({ kind: 'refused' });
    expect(await itemOf(kind, id)).toMatchObject({ certainty: 'unknown' });
    expect(await writeOff(ABSENT)).toMatchObject({ kind: 'applied' });
    expect(await itemOf(kind, id)).toMatchObject({ certainty: 'absent', attention: null, nextRetryAt: null });
    expect((await test.ledger.dueItems(kind, 10_000)).map((due) => due.id)).not.toContain(id);
  });

  it('is for one person below the threshold, and for two from there on', async () => {
    const [small, large] = [await refused(999), await refused(1_000)];
    const writeOff = (itemId: string) =>
      steps.decide({ kind: 'reversal', itemId, action: 'write_off', verified: ABSENT });
    expect((await writeOff(small)).kind).toBe('applied');
    const decision = waitingId(await writeOff(large));
    expect(await steps.reversal(large)).toMatchObject({
      status: 'permanently_failed',
      attention: {
        reason: 'approval_pending',
        detail: expect.stringMatching(/olga asks to write_off.*provider_config/),
      },
    });
    expect(await approve(decision, 'olga')).toEqual({ kind: 'self_approval' });
    expect(await steps.reversal(large)).toMatchObject({ status: 'permanently_failed' });
    expect(await approve(decision)).toMatchObject({ kind: 'applied', status: 'written_off' });
    expect(await steps.reversal(large)).toMatchObject({ status: 'written_off', attention: null });
    expect(await approve(decision, 'berta')).toMatchObject({ kind: 'not_waiting' });
  });

  it('is only a request from the threshold on when nobody was authenticated', async () => {
    const id = await refused(1_000);
    const request = {
      kind: 'reversal',
      itemId: id,
      action: 'write_off',
      authenticated: false,
      verified: ABSENT,
    } as const;
    expect((await steps.decide(request)).kind).toBe('pending_approval');
    expect(await steps.reversal(id)).toMatchObject({ status: 'permanently_failed' });
  });

  it('is proved once more when it is approved: Stripe may have finished meanwhile', async () => {
    const id = await refused(2_000);
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT }),
    );
    for (const verified of [found('trr_1'), { kind: 'unanswered', detail: 'away' }, { kind: 'not_needed' }] as const)
      expect(await approve(decision, 'anna', verified)).toMatchObject({ kind: 'refused' });
    expect(await stateOf(decision)).toBe('pending_approval');
    expect((await approve(decision)).kind).toBe('applied');
  });

  it('is asked for once at a time, and overtaken by a decision that needs nobody else', async () => {
    const id = await refused(2_000);
    const request = { kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT } as const;
    const first = waitingId(await steps.decide(request));
    expect(await steps.decide(request)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' })).toMatchObject({ kind: 'applied' });
    expect(await stateOf(first)).toBe('ignored');
    expect(await approve(first)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'pending' });
  });

  it('gives way to the retry of anybody, who may always look again, and says that it was overtaken', async () => {
    const id = await refused(2_000);
    const first = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT }),
    );
    const retry = { kind: 'reversal', itemId: id, action: 'retry', authenticated: false, by: 'olga' } as const;
    expect(await steps.decide({ ...retry, verified: ABSENT })).toMatchObject({ kind: 'applied' });
    expect(await stateOf(first)).toBe('ignored');
    expect(await approve(first)).toMatchObject({ kind: 'not_waiting', status: 'ignored' });
  });

  it('of nobody does not stand against another nobody who only looks', async () => {
    const id = await refused(2_000);
    const nobody = { kind: 'reversal', itemId: id, authenticated: false, verified: ABSENT } as const;
    const first = waitingId(await steps.decide({ ...nobody, action: 'write_off' }));
    expect(await steps.decide({ ...nobody, action: 'retry' })).toMatchObject({ kind: 'applied' });
    expect(await stateOf(first)).toBe('ignored');
  });

  it('is overtaken by the money itself', async () => {
    const id = await refused(2_000);
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', authenticated: false, verified: ABSENT }),
    );
    await test.ledger.adoptReversal(id, unique('trr'));
    expect(await stateOf(decision)).toBe('ignored');
    expect(await approve(decision)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'reversed' });
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

describe('an approval', () => {
  it('of nothing, or of a settlement’s decision, finds nothing here', async () => {
    expect(await approve(newDecisionId(0))).toEqual({ kind: 'not_found' });
    expect(await test.ledger.decisionItem(newDecisionId(0))).toBeUndefined();
  });

  it('names the item that its request was about', async () => {
    const id = await refused(2_000);
    const evidence = { ticket: 'OPS-7' };
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT, evidence }),
    );
    expect(await test.ledger.decisionItem(decision)).toEqual({
      decisionId: decision,
      kind: 'reversal',
      itemId: id,
      action: 'write_off',
      evidence,
    });
  });

  it('comes into force once, however many approve at once', async () => {
    const id = await refused(2_000);
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT }),
    );
    const outcomes = await Promise.all(['anna', 'berta', 'clara'].map((by) => approve(decision, by)));
    expect(outcomes.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect((await steps.events(id)).filter((kind) => kind === 'approved')).toHaveLength(1);
  });
});
