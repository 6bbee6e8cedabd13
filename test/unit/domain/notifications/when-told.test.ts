import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ATTENTION_REASONS } from '../../../../src/domain/decisions/attention.js';
import { parseQuietHours } from '../../../../src/domain/notifications/quiet-hours.js';
import { isUrgent, type TellingRules, whenTold } from '../../../../src/domain/notifications/when-told.js';

const rules: TellingRules = {
  groupWindowMs: 300_000,
  escalateAfterMs: 3_600_000,
  quietHours: parseQuietHours('22:00-07:00 UTC'),
  urgentAmount: new Map([
    ['usd', 10_000n],
    ['usdc', 10_000n],
  ]),
};
const NIGHT = Date.parse('2026-01-10T23:30:00Z');
const DAY = Date.parse('2026-01-10T12:00:00Z');
const group = (amount: string, changes: object = {}) => ({
  reason: 'retries_exhausted' as const,
  readyAtMs: 0,
  totals: [{ currency: 'USD', decimals: null, amount, count: 1 }],
  ...changes,
});

describe('what needs a person is told', () => {
  it('when its window is over, and not a millisecond before', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ATTENTION_REASONS), fc.integer({ min: -600_000, max: 600_000 }), (reason, ms) => {
        const moment = whenTold({ ...group('1'), reason, readyAtMs: DAY - ms }, DAY, rules);
        expect(moment).toBe(ms >= rules.groupWindowMs ? 'now' : 'gathering');
      }),
    );
  });

  it('by day whatever it is, at night only if it is urgent', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ATTENTION_REASONS), fc.bigInt({ min: 0n, max: 20_000n }), (reason, amount) => {
        const one = { ...group(String(amount)), reason };
        expect(whenTold(one, DAY, rules)).toBe('now');
        expect(whenTold(one, NIGHT, rules)).toBe(isUrgent(one, rules.urgentAmount) ? 'now' : 'quiet');
        expect(whenTold(one, NIGHT, { ...rules, quietHours: undefined })).toBe('now');
        if (amount >= 10_000n) expect(isUrgent(one, rules.urgentAmount)).toBe(true);
      }),
    );
  });

  it('at night where all of it together is much, assets in hundredths of their unit, or where nobody said what is much', () => {
    const usdc = (amount: string) => group('1', { totals: [{ currency: 'USDC', decimals: 6, amount, count: 3 }] });
    expect(whenTold(usdc('99990000'), NIGHT, rules)).toBe('quiet');
    expect(whenTold(usdc('100000000'), NIGHT, rules)).toBe('now');
    expect(
      whenTold(group('1', { totals: [{ currency: 'JPY', decimals: null, amount: '1', count: 1 }] }), NIGHT, rules),
    ).toBe('now');
  });
});
