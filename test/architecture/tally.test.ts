import { expect, it } from 'vitest';
import { createTally } from '../support/tally.js';

it('what came about too rarely is named, beside everything that was counted', () => {
  const tally = createTally();
  tally.count('refunds', 3);
  tally.count('reversals', false);
  expect(() => tally.expectAtLeast({ refunds: 3 })).not.toThrow();
  expect(() => tally.expectAtLeast({ refunds: 4 })).toThrow(
    'fewer than 4 refunds, of all this: 3 refunds, 0 reversals',
  );
  expect(() => tally.expectAtLeast({ deaths: 1 })).toThrow('fewer than 1 deaths');
});
