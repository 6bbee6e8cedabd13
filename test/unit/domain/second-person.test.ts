import { expect, it } from 'vitest';
import { DECISIONS } from '../../../src/domain/decisions/decisions.js';
import { takesAnother } from '../../../src/domain/decisions/second-person.js';

const of = (amount: bigint, currency = 'usd') => ({ amount, currency });

it('a decision takes another person from the threshold on, always where it says so, and where nothing is confirmed yet', () => {
  const { retry, write_off: writeOff, adopt } = DECISIONS.transfer;
  expect(takesAnother(retry, of(10n ** 12n), 10_000n)).toBe(false);
  expect(takesAnother(DECISIONS.refund.compensate, of(1n), 10_000n)).toBe(true);
  expect(takesAnother(DECISIONS.settlement.settled, of(1n), 10_000n)).toBe(true);
  for (const rule of [writeOff, adopt]) {
    expect([9_999n, 10_000n].map((amount) => takesAnother(rule, of(amount), 10_000n))).toEqual([false, true]);
    expect(takesAnother(rule, of(1n, 'jpy'), new Map([['usd', 10_000n]]))).toBe(true);
  }
});
