import fc from 'fast-check';
import { expect, it } from 'vitest';
import { atTime, itemDetails, summaryOf } from '../../../src/domain/workflow-texts.js';

it('a summary is one line that Temporal takes, whatever is put into it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const summary = summaryOf(text);
      expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(400);
      expect(summary).not.toMatch(/[\n\r]/);
    }),
  );
  expect(summaryOf(' waits:\n the  balance ')).toBe('waits: the balance');
  expect(summaryOf('€'.repeat(500))).toBe(`${'€'.repeat(119)}…`);
});

it('details name the command that tells more, and times their zone', () => {
  expect(itemDetails('Sees a refund through.', 'r-1')).toContain('`makegood explain r-1`');
  expect(atTime(Date.UTC(2026, 0, 6, 12, 0, 5, 900))).toBe('2026-01-06 12:00:05 UTC');
});
