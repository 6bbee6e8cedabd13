import { expect, it } from 'vitest';
import { fewAtOnce } from '../../../../src/http/reading/few-at-once.js';

/** Readings that end when they are told to. */
function held() {
  const begun: (() => void)[] = [];
  const work = () => new Promise<void>((end) => begun.push(end));
  return { begun, work };
}
/** Everything that can go on has gone on. */
const settled = () => new Promise<void>((go) => setImmediate(go));

it('a crowd of readings has so many at work at once, each in its turn', async () => {
  const read = fewAtOnce(2, 10);
  const { begun, work } = held();
  const all = Promise.all([1, 2, 3, 4, 5].map(() => read(work)));
  for (const least of [2, 3, 4, 5]) {
    await settled();
    expect(begun).toHaveLength(least);
    begun[least - 2]?.();
  }
  begun[4]?.();
  await all;
});

it('who comes when too many wait is told to come back, and those who wait are served', async () => {
  const read = fewAtOnce(1, 1);
  const { begun, work } = held();
  const first = read(work);
  const second = read(work);
  await expect(read(work)).rejects.toMatchObject({ code: 'rate_limited' });
  begun[0]?.();
  await first;
  await settled();
  begun[1]?.();
  await second;
  // The place is free again.
  expect(await read(() => Promise.resolve('read'))).toBe('read');
});

it('a reading that fails gives its place on', async () => {
  const read = fewAtOnce(1, 1);
  await expect(read(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await read(() => Promise.resolve('read'))).toBe('read');
});
