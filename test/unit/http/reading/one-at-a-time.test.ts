import { expect, it } from 'vitest';
import { oneAtATime } from '../../../../src/http/reading/one-at-a-time.js';

/** Readings that a test ends, each with its number. */
function readings() {
  const ends: (() => void)[] = [];
  const fails: (() => void)[] = [];
  const ask = oneAtATime(
    () =>
      new Promise<number>((resolve, reject) => {
        const number = ends.length + 1;
        ends.push(() => resolve(number));
        fails.push(() => reject(new Error(`reading ${number} failed`)));
      }),
  );
  return { ask, ends, fails };
}

it('whoever asks while one is read is answered by the next, all of them by the same', async () => {
  const { ask, ends } = readings();
  const asked = [ask(), ask(), ask()];
  expect(ends.length).toBe(1);
  ends[0]?.();
  await expect.poll(() => ends.length).toBe(2);
  ends[1]?.();
  expect(await Promise.all(asked)).toEqual([1, 2, 2]);
  const later = ask();
  ends[2]?.();
  expect(await later).toBe(3);
});

it('one that fails tells only who asked for it', async () => {
  const { ask, ends, fails } = readings();
  const [first, second] = [ask(), ask()];
  fails[0]?.();
  await expect(first).rejects.toThrow('reading 1 failed');
  await expect.poll(() => ends.length).toBe(2);
  ends[1]?.();
  expect(await second).toBe(2);
});
