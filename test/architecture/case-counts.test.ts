import { expect, it } from 'vitest';
import { createCaseCounts } from '../support/case-counts.js';

it('what came about too rarely is named, beside everything that was counted', () => {
  const cases = createCaseCounts();
  cases.count('refunds', 3);
  cases.count('reversals', false);
  expect(() => cases.expectAtLeast({ refunds: 3 })).not.toThrow();
  expect(() => cases.expectAtLeast({ refunds: 4 })).toThrow(
    'fewer than 4 refunds, of all this: 3 refunds, 0 reversals',
  );
  expect(() => cases.expectAtLeast({ deaths: 1 })).toThrow('fewer than 1 deaths');
});
