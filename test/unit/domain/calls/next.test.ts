import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallAnswer } from '../../../../src/domain/calls/answers.js';
import { CERTAINTIES, type Certainty, certaintyAtSend, joinCertainty } from '../../../../src/domain/calls/certainty.js';
import { type Attempted, backoffMs, next, type RetryPolicy } from '../../../../src/domain/calls/next.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const POLICY: RetryPolicy = { backoffBaseMs: 1_000, backoffMaxMs: 300_000, answerWindowMs: 30_000 };

const answers: fc.Arbitrary<CallAnswer> = fc.oneof(
  fc.record({
    kind: fc.constant('done' as const),
    alreadySettled: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('refused' as const),
    why: fc.constantFrom('insufficient', 'used', 'expired', 'other'),
  }),
  fc.record({
    kind: fc.constant('unclear' as const),
    why: fc.constantFrom('no_answer', 'reset', 'not_connected', 'server_error', 'unreadable'),
  }),
  fc.record({ kind: fc.constant('busy' as const), retryAfterMs: fc.option(fc.nat(300_000)) }),
  fc.record({ kind: fc.constant('misdirected' as const) }),
);
const attempted: fc.Arbitrary<Attempted> = fc.record({
  certainty: fc.constantFrom<Certainty>('in_flight', 'unknown', 'done'),
  answer: answers,
  keyLeftMs: fc.option(fc.integer({ min: -1_000_000, max: 10_000_000 })),
  attempts: fc.integer({ min: 1, max: 500 }),
  sinceSentMs: fc.nat(60_000),
});

describe('what follows a money call', () => {
  it('is always decided, and never becomes certain of absence while any attempt is unknown', () => {
    fc.assert(
      fc.property(attempted, (given) => {
        const decision = next(given, POLICY);
        if (given.certainty === 'unknown' && given.answer.kind !== 'done') expect(decision.certainty).toBe('unknown');
        if (given.certainty === 'done' || given.answer.kind === 'done') expect(decision.certainty).toBe('done');
        if (decision.do === 'finish') expect(given.answer.kind).toBe('done');
      }),
    );
  });
  it('is never another send once the credential has expired', () => {
    fc.assert(
      fc.property(attempted, (given) => {
        const decision = next({ ...given, keyLeftMs: 0 }, POLICY);
        expect(['finish', 'ask']).toContain(decision.do);
      }),
    );
  });
  it('never sends again while a call that got no answer may still be at work', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(attempted, (given) => {
        const decision = next({ ...given, answer: { kind: 'unclear', why: 'no_answer' } }, POLICY);
        cases.count(decision.do);
        if (decision.do === 'retry')
          expect(decision.afterMs + given.sinceSentMs).toBeGreaterThanOrEqual(POLICY.answerWindowMs);
      }),
    );
    cases.expectAtLeast({ retry: 20 });
  });
  it.each([
    ['in_flight', 'not_sent'],
    ['unknown', 'unknown'],
    ['done', 'done'],
  ] as const)('is the same call again where it was stopped before it left: %s before is %s', (certainty, known) => {
    const answer = { kind: 'busy', executed: 'no', retryAfterMs: null } as const;
    const stopped = { certainty, answer, keyLeftMs: null, attempts: 500, sinceSentMs: 0 };
    expect(next(stopped, POLICY)).toEqual({ do: 'retry', certainty: known, afterMs: 2_000 });
  });
  it('waits at least the base and at most the maximum, but for what the provider or the answer window demand', () => {
    fc.assert(
      fc.property(attempted, (given) => {
        const decision = next({ ...given, answer: { kind: 'unclear', why: 'server_error' }, keyLeftMs: null }, POLICY);
        expect(decision).toMatchObject({ do: 'retry', afterMs: backoffMs(given.attempts - 1, POLICY) });
      }),
    );
    expect([0, 1, 2, 8, 9, 4000].map((retries) => backoffMs(retries, POLICY))).toEqual([
      1e3, 2e3, 4e3, 256e3, 300e3, 300e3,
    ]);
    expect(backoffMs(4, { backoffBaseMs: 1_000, backoffMaxMs: 10_000 })).toBe(10_000);
  });
  it('makes one call in the last ten seconds and one after the expiry, never a burst', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3_600_000 }), fc.integer({ min: 1, max: 30 }), (validMs, firstAttempt) => {
        let left = validMs;
        let attempts = firstAttempt;
        let inLastSeconds = 0;
        for (;;) {
          const decision = next(
            {
              certainty: 'unknown',
              answer: { kind: 'unclear', why: 'server_error' },
              keyLeftMs: left,
              attempts,
              sinceSentMs: 0,
            },
            POLICY,
          );
          if (decision.do === 'ask') {
            expect(decision.reason).toBe('credential_expired');
            return;
          }
          if (decision.do !== 'retry') throw new Error(decision.do);
          left -= decision.afterMs;
          attempts += 1;
          if (left > 0 && left <= 10_000) inLastSeconds += 1;
          expect(inLastSeconds).toBeLessThanOrEqual(4);
          expect(attempts - firstAttempt).toBeLessThan(60);
        }
      }),
    );
  });
  it('asks a person about money that somebody else settled', () => {
    const done: CallAnswer = { kind: 'done', alreadySettled: true };
    const first = { certainty: 'in_flight', answer: done, keyLeftMs: null, attempts: 1, sinceSentMs: 0 } as const;
    expect(next(first, POLICY)).toMatchObject({ do: 'ask', reason: 'settled_elsewhere_suspected' });
    expect(next({ ...first, attempts: 2 }, POLICY)).toMatchObject({ do: 'finish' });
  });
  it('suspects its own success when the nonce is used and an earlier attempt got no answer', () => {
    const used: CallAnswer = { kind: 'refused', why: 'used' };
    const given = { answer: used, keyLeftMs: null, attempts: 2, sinceSentMs: 0 } as const;
    expect(next({ ...given, certainty: 'unknown' }, POLICY)).toMatchObject({
      do: 'ask',
      reason: 'conflict',
      certainty: 'unknown',
    });
    expect(next({ ...given, certainty: 'in_flight' }, POLICY)).toMatchObject({ reason: 'settled_elsewhere_suspected' });
  });
  it('takes a used voucher for one that a higher one has overtaken, unless an earlier attempt may have been the one', () => {
    const given = { answer: { kind: 'refused', why: 'used' }, keyLeftMs: null, attempts: 1, sinceSentMs: 0 } as const;
    const byVoucher = { ...POLICY, byVoucher: true };
    expect(next({ ...given, certainty: 'in_flight' }, byVoucher)).toEqual({
      do: 'ask',
      certainty: 'absent',
      reason: 'uncollectable',
    });
    expect(next({ ...given, certainty: 'unknown' }, byVoucher)).toMatchObject({ reason: 'conflict' });
  });
  it('parks what answers in the provider’s place until the credential expires', () => {
    const given = {
      certainty: 'in_flight',
      answer: { kind: 'misdirected' },
      attempts: 1,
      sinceSentMs: 0,
    } as const;
    expect(next({ ...given, keyLeftMs: null }, POLICY)).toMatchObject({ do: 'park' });
    expect(next({ ...given, keyLeftMs: -1 }, POLICY)).toMatchObject({ do: 'ask', reason: 'provider_config' });
  });
});

describe('certainty', () => {
  it('is a join: associative over attempts, absorbing in done, and unknown beats absent', () => {
    const attempts = fc.array(fc.constantFrom('done' as const, 'absent' as const, 'unknown' as const), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(attempts, (outcomes) => {
        const joined = outcomes.reduce<Certainty>((current, outcome) => joinCertainty(current, outcome), 'in_flight');
        const expected = outcomes.includes('done') ? 'done' : outcomes.includes('unknown') ? 'unknown' : 'absent';
        expect(joined).toBe(expected);
      }),
    );
  });
  it('counts an abandoned attempt as unknown', () => {
    expect(CERTAINTIES.map(certaintyAtSend)).toEqual(['in_flight', 'unknown', 'done', 'in_flight', 'unknown']);
  });
});
