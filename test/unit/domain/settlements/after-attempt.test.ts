import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CERTAINTIES } from '../../../../src/domain/calls/certainty.js';
import type { NeverWaiting } from '../../../../src/domain/calls/next.js';
import type { SettlementId } from '../../../../src/domain/ids.js';
import { afterAttempt, STATUS_AFTER, type Standing } from '../../../../src/domain/settlements/after-attempt.js';
import { SETTLEMENT_STATUSES, SETTLEMENT_TRANSITIONS } from '../../../../src/domain/settlements/settlement-status.js';

const OF_THE_PAYER = '0198c5f0-0000-7000-8000-000000000000' as SettlementId;
const PENDING: Standing = { status: 'pending', held: true, unserved: false, askedOfPayer: undefined };
const FINISH = { do: 'finish', certainty: 'done' } as const;
const CANNOT_PAY = { do: 'ask', certainty: 'absent', reason: 'uncollectable' } as const;

const standings: fc.Arbitrary<Standing> = fc.record({
  status: fc.constantFrom(...SETTLEMENT_STATUSES),
  held: fc.boolean(),
  unserved: fc.boolean(),
  askedOfPayer: fc.constantFrom(undefined, OF_THE_PAYER),
});
const undecided = { certainty: fc.constantFrom(...CERTAINTIES), afterMs: fc.nat(300_000) };
const decisions: fc.Arbitrary<NeverWaiting> = fc.oneof(
  fc.constant(FINISH),
  fc.record({ do: fc.constantFrom('retry' as const, 'park' as const), ...undecided }),
  fc.record({
    do: fc.constant('ask' as const),
    certainty: undecided.certainty,
    reason: fc.constantFrom('uncollectable' as const, 'conflict' as const, 'credential_expired' as const),
  }),
);

describe('what an attempt makes of its settlement', () => {
  it('is a move that a settlement may make, or none', () => {
    fc.assert(
      fc.property(decisions, standings, (decision, standing) => {
        const after = afterAttempt(decision, standing);
        if (!after || STATUS_AFTER[after.kind] === standing.status) return;
        // What is written off is asked about first, in the same commit.
        const moves =
          after.kind === 'is_written_off' ? (['needs_attention', 'written_off'] as const) : [STATUS_AFTER[after.kind]];
        let { status } = standing;
        for (const to of moves) {
          expect(SETTLEMENT_TRANSITIONS[status]).toContain(to);
          status = to;
        }
      }),
    );
  });
  it('is settled whoever holds it by then, and late where nobody was trying any more', () => {
    expect(afterAttempt(FINISH, { ...PENDING, held: false })).toEqual({ kind: 'settles' });
    for (const status of ['needs_attention', 'written_off'] as const)
      expect(afterAttempt(FINISH, { ...PENDING, status, held: false })).toEqual({ kind: 'settles', late: status });
  });
  it('is nothing where another attempt holds the claim, or it is over, unless the money moved', () => {
    fc.assert(
      fc.property(decisions, standings, (decision, standing) => {
        fc.pre(decision.do !== 'finish' && (standing.status !== 'pending' || !standing.held));
        expect(afterAttempt(decision, standing)).toBeUndefined();
      }),
    );
  });
  it('is tried again after the wait, and looked for by the sweep a little later; what is parked only the sweep takes', () => {
    const after = (does: 'retry' | 'park') => afterAttempt({ do: does, certainty: 'unknown', afterMs: 2_000 }, PENDING);
    expect(after('retry')).toEqual({ kind: 'tries_again', retryMs: 2_000, checkMs: 17_000 });
    expect(after('park')).toEqual({ kind: 'tries_again', retryMs: 2_000, checkMs: 2_000 });
  });
  it('asks once about a payer who cannot pay: the rest waits behind that question', () => {
    expect(afterAttempt(CANNOT_PAY, PENDING)).toEqual({ kind: 'asks', reason: 'uncollectable' });
    const beside = { ...PENDING, askedOfPayer: OF_THE_PAYER };
    expect(afterAttempt(CANNOT_PAY, beside)).toEqual({ kind: 'waits_behind', settlement: OF_THE_PAYER });
    const other = { ...CANNOT_PAY, reason: 'conflict' } as const;
    expect(afterAttempt(other, beside)).toEqual({ kind: 'asks', reason: 'conflict' });
  });
  it('gives up what was not served only where it is sure that no money moved', () => {
    const unserved = { ...PENDING, unserved: true, askedOfPayer: OF_THE_PAYER };
    expect(afterAttempt(CANNOT_PAY, unserved)).toEqual({ kind: 'is_written_off', reason: 'uncollectable' });
    fc.assert(
      fc.property(decisions, standings, (decision, standing) => {
        fc.pre(!standing.unserved || decision.certainty !== 'absent');
        expect(afterAttempt(decision, standing)?.kind).not.toBe('is_written_off');
      }),
    );
  });
});
