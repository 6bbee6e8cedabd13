import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawn } from '../../support/whole-or-sample.js';

interface Cell {
  readonly name: string;
  readonly kind: string;
}
const cells: readonly Cell[] = Array.from({ length: 101 }, (_, nth) => ({
  name: `cell ${nth}`,
  kind: nth < 3 ? 'rare' : 'common',
}));
const drawing = {
  nameOf: ({ name }: Cell) => name,
  kindOf: ({ kind }: Cell) => kind,
  always: ({ name }: Cell) => name === 'cell 7',
  oneIn: 4,
};

it('a seed draws the same quarter of each kind in whatever order they come, and with it what is always done', () => {
  fc.assert(
    fc.property(fc.nat(), fc.shuffledSubarray([...cells], { minLength: cells.length }), (seed, shuffled) => {
      const some = drawn(cells, { ...drawing, seed });
      const names = new Set(some.map(({ name }) => name));
      expect(names.size).toBe(27);
      expect(names).toContain('cell 7');
      expect(some.filter(({ kind }) => kind === 'rare')).toHaveLength(1);
      expect(new Set(drawn(shuffled, { ...drawing, seed }).map(({ name }) => name))).toEqual(names);
    }),
  );
});

it('every cell comes sooner or later', () => {
  const seen = new Set(Array.from({ length: 60 }, (_, seed) => drawn(cells, { ...drawing, seed })).flat());
  expect(seen.size).toBe(cells.length);
});
