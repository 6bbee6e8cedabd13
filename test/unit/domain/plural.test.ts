import { expect, it } from 'vitest';
import { plural } from '../../../src/domain/plural.js';

it.each([
  [0, '0 pages'],
  [1, '1 page'],
  [2, '2 pages'],
])('%i of something is said as people say it', (count, said) => {
  expect(plural(count, 'page')).toBe(said);
});
