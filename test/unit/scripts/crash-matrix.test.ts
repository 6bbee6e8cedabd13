import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawn } from '../../support/crash-matrix.js';

const cells = Array.from({ length: 101 }, (_, nth) => ({ name: `cell ${nth}`, always: nth === 7 }));
const always = ({ always: one }: { readonly always: boolean }) => one;

it('a seed draws the same quarter of the cells in whatever order they come, and with it what is always done', () => {
  fc.assert(
    fc.property(fc.nat(), fc.shuffledSubarray(cells, { minLength: cells.length }), (seed, shuffled) => {
      const names = new Set(drawn(cells, { always, seed }).map(({ name }) => name));
      expect(names.size).toBe(26);
      expect(names).toContain('cell 7');
      expect(new Set(drawn(shuffled, { always, seed }).map(({ name }) => name))).toEqual(names);
    }),
  );
});

it('every cell comes sooner or later', () => {
  const seen = new Set(Array.from({ length: 60 }, (_, seed) => drawn(cells, { always, seed })).flat());
  expect(seen.size).toBe(cells.length);
});
