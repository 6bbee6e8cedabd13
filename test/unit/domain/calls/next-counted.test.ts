import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallAnswer } from '../../../../src/domain/calls/answers.js';
import type { Certainty } from '../../../../src/domain/calls/certainty.js';
import { type Attempted, next, type RetryPolicy } from '../../../../src/domain/calls/next.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const HORIZON_MS = 30 * 86_400_000;
/** As for reversals and seller transfers, with the settings' defaults. */
const REVERSAL: RetryPolicy = {
  backoffBaseMs: 60_000,
  backoffMaxMs: 3_600_000,
  answerWindowMs: 20_000,
  counted: { maxRetries: 5, whenShort: { waitAtMostMs: HORIZON_MS }, whenRefused: 'ask' },
};
const TRANSFER: RetryPolicy = { ...REVERSAL, counted: { maxRetries: 5, whenShort: 'wait', whenRefused: 'retry' } };
const POLICIES = [REVERSAL, TRANSFER];

const FIRST = { certainty: 'in_flight', keyLeftMs: null, attempts: 1, retries: 0, sinceSentMs: 0 } as const;
const after = (answer: CallAnswer, changes: Partial<Attempted> = {}, policy = REVERSAL) =>
  next({ ...FIRST, answer, ...changes }, policy);
const SERVER_ERROR: CallAnswer = { kind: 'unclear', why: 'server_error' };

const answers: fc.Arbitrary<CallAnswer> = fc.oneof(
  fc.constant<CallAnswer>({ kind: 'done', alreadySettled: false }),
  fc
    .constantFrom('missing', 'foreign', 'exceeds', 'conflict', 'refused', 'barred')
    .map((why) => ({ kind: 'refused' as const, why })),
  fc
    .constantFrom('undue', 'foreign', 'partly_foreign', 'exceeds', 'conflict')
    .map((why) => ({ kind: 'not_sent' as const, why })),
  fc.constant<CallAnswer>({ kind: 'short' }),
  fc.constant<CallAnswer>({ kind: 'not_able' }),
  fc
    .constantFrom('no_answer', 'reset', 'not_connected', 'server_error', 'unreadable')
    .map((why) => ({ kind: 'unclear' as const, why })),
  fc.record({
    kind: fc.constant('busy' as const),
    retryAfterMs: fc.option(fc.nat(300_000)),
    executed: fc.constantFrom('no' as const, 'perhaps' as const),
  }),
  fc.constant<CallAnswer>({ kind: 'misdirected' }),
);
const attempted: fc.Arbitrary<Attempted> = fc.record({
  certainty: fc.constantFrom<Certainty>('in_flight', 'unknown', 'done'),
  answer: answers,
  keyLeftMs: fc.constant(null),
  attempts: fc.integer({ min: 1, max: 500 }),
  retries: fc.nat(8),
  sinceSentMs: fc.nat(60_000),
  provedAbsent: fc.boolean(),
});
const policies = fc.constantFrom(...POLICIES);

describe('a call that carries a key', () => {
  it('is retried after min(base·2^retries, max), counted from the failures before it', () => {
    const wait = (retries: number, policy: RetryPolicy) => after(SERVER_ERROR, { attempts: 9, retries }, policy);
    const short = { ...REVERSAL, backoffBaseMs: 1_000, backoffMaxMs: 10_000 };
    expect(wait(4, short)).toEqual({ do: 'retry', certainty: 'unknown', afterMs: 10_000, counts: true });
    expect([0, 1, 2, 3, 4].map((retries) => wait(retries, short))).toMatchObject(
      [1_000, 2_000, 4_000, 8_000, 10_000].map((afterMs) => ({ afterMs })),
    );
    expect(wait(0, REVERSAL)).toMatchObject({ afterMs: 60_000 });
  });

  it('is exhausted after the retries that are allowed after the first attempt, whatever else was attempted', () => {
    expect(after(SERVER_ERROR, { attempts: 70, retries: 4 })).toMatchObject({ do: 'retry', counts: true });
    expect(after(SERVER_ERROR, { attempts: 70, retries: 5 })).toEqual({
      do: 'ask',
      certainty: 'unknown',
      reason: 'retries_exhausted',
    });
    const none = {
      ...REVERSAL,
      counted: { maxRetries: 0, whenShort: { waitAtMostMs: HORIZON_MS }, whenRefused: 'ask' },
    } as const;
    expect(after(SERVER_ERROR, {}, none)).toMatchObject({ do: 'ask', reason: 'retries_exhausted' });
  });

  it('burns no retry when it is turned away, parked or waiting for a balance, however often', () => {
    const unburnt: CallAnswer[] = [
      { kind: 'busy', retryAfterMs: null, executed: 'no' },
      { kind: 'busy', retryAfterMs: 500, executed: 'perhaps' },
      { kind: 'misdirected' },
      { kind: 'short' },
      { kind: 'not_able' },
    ];
    for (const answer of unburnt) {
      const decision = after(answer, { attempts: 400, retries: 5 });
      expect(decision.do).not.toBe('ask');
      expect('counts' in decision).toBe(false);
    }
  });

  it('waits for a balance until the horizon, and asks a person from then on', () => {
    const short = (shortForMs: number) => after({ kind: 'short' }, { shortForMs });
    expect(after({ kind: 'short' }).do).toBe('wait');
    expect(short(HORIZON_MS - 1).do).toBe('wait');
    expect(short(HORIZON_MS)).toEqual({ do: 'ask', certainty: 'absent', reason: 'balance_horizon' });
  });

  it('waits as long as the provider asks, and two seconds where it does not say', () => {
    expect(after({ kind: 'busy', retryAfterMs: 7_500, executed: 'no' })).toMatchObject({ do: 'retry', afterMs: 7_500 });
    expect(after({ kind: 'busy', retryAfterMs: null, executed: 'no' })).toMatchObject({ do: 'retry', afterMs: 2_000 });
  });

  it('knows after being turned away what it knew before; an attempt still at work leaves it unknown', () => {
    const busy = (executed: 'no' | 'perhaps', certainty: Certainty) =>
      after({ kind: 'busy', retryAfterMs: null, executed }, { certainty }).certainty;
    expect(busy('no', 'in_flight')).toBe('not_sent');
    expect(busy('no', 'unknown')).toBe('unknown');
    expect(busy('perhaps', 'in_flight')).toBe('unknown');
    expect(after({ kind: 'misdirected' }).certainty).toBe('not_sent');
    expect(after({ kind: 'misdirected' }, { certainty: 'unknown' }).certainty).toBe('unknown');
  });

  it('waits for a balance, as long as it takes where nobody is asked about it, and for a seller', () => {
    expect(after({ kind: 'short' })).toEqual({ do: 'wait', certainty: 'absent' });
    expect(after({ kind: 'short' }, { certainty: 'unknown' })).toEqual({ do: 'wait', certainty: 'unknown' });
    const late = { retries: 5, shortForMs: 9 * HORIZON_MS };
    expect(after({ kind: 'short' }, late, TRANSFER)).toEqual({ do: 'wait', certainty: 'absent' });
    expect(after({ kind: 'not_able' }, late, TRANSFER)).toEqual({ do: 'wait', certainty: 'absent', for: 'seller' });
  });

  it.each([
    ['missing', 'resource_missing'],
    ['foreign', 'foreign_reversal'],
    ['exceeds', 'exceeds_remainder'],
    ['conflict', 'conflict'],
    ['gone', 'seller_gone'],
  ] as const)('asks a person when the records say %s, whatever the policy', (why, reason) => {
    for (const policy of POLICIES)
      expect(after({ kind: 'refused', why }, {}, policy)).toEqual({ do: 'ask', certainty: 'absent', reason });
  });

  it('asks about a refusal that nothing explains, or tries again where that may help', () => {
    const refused: CallAnswer = { kind: 'refused', why: 'refused' };
    expect(after(refused)).toEqual({ do: 'ask', certainty: 'absent', reason: 'provider_config' });
    expect(after(refused, {}, TRANSFER)).toEqual({ do: 'retry', certainty: 'absent', afterMs: 60_000, counts: true });
    expect(after(refused, { retries: 5 }, TRANSFER)).toEqual({
      do: 'ask',
      certainty: 'absent',
      reason: 'retries_exhausted',
    });
  });

  it('asks about a call that was not sent, and knows after it what it knew before', () => {
    const asked = (why: 'undue' | 'foreign', certainty: Certainty) => after({ kind: 'not_sent', why }, { certainty });
    expect(asked('undue', 'not_sent')).toEqual({ do: 'ask', certainty: 'not_sent', reason: 'cause_no_longer_holds' });
    expect(asked('foreign', 'unknown')).toEqual({ do: 'ask', certainty: 'unknown', reason: 'foreign_reversal' });
  });

  it('counts a call that was turned away as if we were not known, and knows after it what it knew before', () => {
    const barred: CallAnswer = { kind: 'refused', why: 'barred' };
    for (const policy of POLICIES) {
      expect(after(barred, {}, policy)).toEqual({ do: 'retry', certainty: 'not_sent', afterMs: 60_000, counts: true });
      expect(after(barred, { certainty: 'unknown', provedAbsent: true }, policy)).toMatchObject({
        certainty: 'unknown',
      });
      expect(after(barred, { retries: 5 }, policy)).toEqual({
        do: 'ask',
        certainty: 'not_sent',
        reason: 'provider_config',
      });
    }
  });

  it('closes an unknown as absent only when the records were read after the refusal, and never what is done', () => {
    const refused: CallAnswer = { kind: 'refused', why: 'refused' };
    expect(after(refused, { certainty: 'unknown' }).certainty).toBe('unknown');
    expect(after(refused, { certainty: 'unknown', provedAbsent: true }).certainty).toBe('absent');
    expect(after({ kind: 'short' }, { certainty: 'unknown', provedAbsent: true }).certainty).toBe('absent');
    expect(after(refused, { certainty: 'done', provedAbsent: true }).certainty).toBe('done');
  });

  it('is always decided: certain only by evidence, finished only when done, counted only as a retry', () => {
    fc.assert(
      fc.property(attempted, policies, (given, policy) => {
        const decision = next(given, policy);
        const refusal = ['refused', 'short', 'not_able'].includes(given.answer.kind);
        if (given.certainty === 'done' || given.answer.kind === 'done') expect(decision.certainty).toBe('done');
        else if (given.certainty === 'unknown' && !(refusal && given.provedAbsent))
          expect(decision.certainty).toBe('unknown');
        if (decision.certainty === 'absent') expect(refusal).toBe(true);
        if (decision.do === 'finish') expect(given.answer.kind).toBe('done');
        if (given.answer.kind === 'busy' || given.answer.kind === 'misdirected')
          expect('counts' in decision).toBe(false);
        if ('counts' in decision) expect(given.retries ?? 0).toBeLessThan(policy.counted?.maxRetries ?? 0);
        if ('afterMs' in decision) expect(decision.afterMs).toBeLessThanOrEqual(policy.backoffMaxMs);
      }),
    );
  });

  it('never goes out again while a call that got no answer may still be at work', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(attempted, policies, (given, policy) => {
        const decision = next({ ...given, answer: { kind: 'unclear', why: 'no_answer' } }, policy);
        cases.count(decision.do);
        if (decision.do === 'retry')
          expect(decision.afterMs + given.sinceSentMs).toBeGreaterThanOrEqual(policy.answerWindowMs);
      }),
    );
    cases.expectAtLeast({ retry: 20 });
  });
});
