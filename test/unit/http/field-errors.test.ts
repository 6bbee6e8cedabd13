import { expect, it } from 'vitest';
import { z } from 'zod';
import { fieldErrors } from '../../../src/http/problem.js';

const Body = z.strictObject({ items: z.array(z.strictObject({ 'a/b~c': z.string(), amount: z.int() })) });

it.each([
  [
    'a member of a list',
    {
      items: [
        { 'a/b~c': 'x', amount: 1 },
        { 'a/b~c': 'x', amount: 'x' },
      ],
    },
    '/items/1/amount',
  ],
  ['a name with a slash and a tilde', { items: [{ 'a/b~c': 1, amount: 1 }] }, '/items/0/a~1b~0c'],
  ['an unknown member', { items: [{ 'a/b~c': 'x', amount: 1, '~1/': 1 }] }, '/items/0/~01~1'],
  ['the body itself', [], ''],
] as const)('what is wrong is pointed at by a JSON pointer: %s', (_, body, pointer) => {
  const { error } = Body.safeParse(body);
  expect(error && fieldErrors(error).map((one) => one.pointer)).toEqual([pointer]);
});
