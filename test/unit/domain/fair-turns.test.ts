import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFairTurns } from '../../../src/domain/fair-turns.js';

it('one who asks for much holds up another by one piece of work at most', async () => {
  const turns = createFairTurns();
  const done: string[] = [];
  const piece = (name: string) => () => {
    done.push(name);
    return Promise.resolve();
  };
  const crowd = Array.from({ length: 40 }, (_, n) => turns.run('crowd', piece(`crowd ${n}`)));
  const owner = turns.run('owner', piece('owner'));
  await Promise.all([...crowd, owner]);
  expect(done.indexOf('owner')).toBeLessThanOrEqual(2);
});

it('every piece is run once, those of one lane in their order, and one that fails fails alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ lane: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), { maxLength: 40 }),
      async (asked) => {
        const turns = createFairTurns(() => Promise.resolve());
        const ran: number[] = [];
        const outcomes = await Promise.allSettled(
          asked.map(({ lane, fails }, n) =>
            turns.run(lane, () => {
              ran.push(n);
              return fails ? Promise.reject(new Error(String(n))) : Promise.resolve(n);
            }),
          ),
        );
        expect(outcomes.map(({ status }) => status)).toEqual(
          asked.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')),
        );
        expect([...ran].sort((x, y) => x - y)).toEqual(asked.map((_, n) => n));
        for (const lane of ['a', 'b', 'c']) {
          const mine = ran.filter((n) => asked[n]?.lane === lane);
          expect(mine).toEqual([...mine].sort((x, y) => x - y));
        }
      },
    ),
  );
});

it('lets everything else in the process run between two pieces', async () => {
  const turns = createFairTurns();
  const seen: string[] = [];
  const first = turns.run('a', () => {
    seen.push('first');
    setImmediate(() => seen.push('somebody else'));
    return Promise.resolve();
  });
  const second = turns.run('a', () => {
    seen.push('second');
    return Promise.resolve();
  });
  await Promise.all([first, second]);
  expect(seen).toEqual(['first', 'somebody else', 'second']);
});
