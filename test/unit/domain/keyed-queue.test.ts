import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createKeyedQueue } from '../../../src/domain/keyed-queue.js';

it('payments of one channel run one after another, in the order they came, and those of others beside them', async () => {
  const tasks = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(3), fails: fc.boolean() }), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(tasks, async (all) => {
      const queue = createKeyedQueue();
      const running = new Set<string>();
      const done: number[] = [];
      const run = async (index: number) => {
        const { key, turns, fails } = all[index] ?? { key: '', turns: 0, fails: false };
        expect(running.has(key)).toBe(false);
        running.add(key);
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        running.delete(key);
        done.push(index);
        if (fails) throw new Error('no');
        return index;
      };
      const results = await Promise.allSettled(all.map(({ key }, index) => queue.run(key, () => run(index))));
      expect(results.map(({ status }) => status)).toEqual(all.map(({ fails }) => (fails ? 'rejected' : 'fulfilled')));
      for (const key of ['a', 'b', 'c']) {
        const ofKey = done.filter((index) => all[index]?.key === key);
        expect(ofKey).toEqual(ofKey.toSorted((one, other) => one - other));
      }
    }),
  );
});

it('a channel that waits holds up no other', async () => {
  const queue = createKeyedQueue();
  const never = queue.run('a', () => new Promise(() => undefined));
  await expect(Promise.race([never, queue.run('b', async () => 'paid')])).resolves.toBe('paid');
});
