import { beforeEach, describe, expect, it } from 'vitest';
import { type DecisionId, newDecisionId } from '../../../../src/domain/ids.js';
import type { DecideOutcome, Verification } from '../../../../src/ledger/decisions/decision-types.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { askedCalls } from '../../../support/marketplace/asked-calls.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { marketplaceLedgerForFile } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile({ approvalThreshold: 1_000n });
const { refusedReversal, exhausted, itemOf } = askedCalls(steps);
// A day between two tests: nobody has given anything up yet today.
beforeEach(() => steps.pass(25 * 60 * MINUTE_MS));

const ABSENT: Verification = { kind: 'absent' };
const found = (providerId: string): Verification => ({ kind: 'found', providerId });

const approve = (decisionId: DecisionId, by = 'anna', verified: Verification = ABSENT) =>
  test.ledger.approve({ decisionId, by, note: 'I agree', verified });
function waitingId(outcome: DecideOutcome): DecisionId {
  if (outcome.kind !== 'pending_approval') throw new Error(JSON.stringify(outcome));
  return outcome.decisionId;
}
const stateOf = async (id: string) =>
  (await test.database.query<{ state: string }>('SELECT state FROM decisions WHERE id = $1', [id]))[0]?.state;

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
    const [small, large] = [await refusedReversal(999), await refusedReversal(1_000)];
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
    const id = await refusedReversal(1_000);
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
    const id = await refusedReversal(2_000);
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT }),
    );
    for (const verified of [found('trr_1'), { kind: 'unanswered', detail: 'away' }, { kind: 'not_needed' }] as const)
      expect(await approve(decision, 'anna', verified)).toMatchObject({ kind: 'refused' });
    expect(await stateOf(decision)).toBe('pending_approval');
    expect((await approve(decision)).kind).toBe('applied');
  });

  it('is asked for once at a time, and overtaken by a decision that needs nobody else', async () => {
    const id = await refusedReversal(2_000);
    const request = { kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT } as const;
    const first = waitingId(await steps.decide(request));
    expect(await steps.decide(request)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' })).toMatchObject({ kind: 'applied' });
    expect(await stateOf(first)).toBe('ignored');
    expect(await approve(first)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'pending' });
  });

  it('gives way to the retry of anybody, who may always look again, and says that it was overtaken', async () => {
    const id = await refusedReversal(2_000);
    const first = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT }),
    );
    const retry = { kind: 'reversal', itemId: id, action: 'retry', authenticated: false, by: 'olga' } as const;
    expect(await steps.decide({ ...retry, verified: ABSENT })).toMatchObject({ kind: 'applied' });
    expect(await stateOf(first)).toBe('ignored');
    expect(await approve(first)).toMatchObject({ kind: 'not_waiting', status: 'ignored' });
  });

  it('of nobody does not stand against another nobody who only looks', async () => {
    const id = await refusedReversal(2_000);
    const nobody = { kind: 'reversal', itemId: id, authenticated: false, verified: ABSENT } as const;
    const first = waitingId(await steps.decide({ ...nobody, action: 'write_off' }));
    expect(await steps.decide({ ...nobody, action: 'retry' })).toMatchObject({ kind: 'applied' });
    expect(await stateOf(first)).toBe('ignored');
  });

  it('is overtaken by the money itself', async () => {
    const id = await refusedReversal(2_000);
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', authenticated: false, verified: ABSENT }),
    );
    await test.ledger.adoptReversal(id, unique('trr'));
    expect(await stateOf(decision)).toBe('ignored');
    expect(await approve(decision)).toMatchObject({ kind: 'not_waiting' });
    expect(await steps.reversal(id)).toMatchObject({ status: 'reversed' });
  });
});

describe('an approval', () => {
  it('of nothing, or of a settlement’s decision, finds nothing here', async () => {
    expect(await approve(newDecisionId(0))).toEqual({ kind: 'not_found' });
    expect(await test.ledger.decisionItem(newDecisionId(0))).toBeUndefined();
  });

  it('names the item that its request was about', async () => {
    const id = await refusedReversal(2_000);
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
    const id = await refusedReversal(2_000);
    const decision = waitingId(
      await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: ABSENT }),
    );
    const outcomes = await Promise.all(['anna', 'berta', 'clara'].map((by) => approve(decision, by)));
    expect(outcomes.filter(({ kind }) => kind === 'applied')).toHaveLength(1);
    expect((await steps.events(id)).filter((kind) => kind === 'approved')).toHaveLength(1);
  });
});
