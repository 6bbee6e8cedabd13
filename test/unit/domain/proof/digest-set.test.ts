import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createDigestSet } from '../../../../src/domain/proof/digest-set.js';

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

it('a digest is found exactly where it was added, however many there are and where the first words meet', () => {
  const set = createDigestSet();
  const near = digestOf('0').slice(0, 8);
  const added = Array.from({ length: 20_000 }, (_, nth) => digestOf(String(nth)));
  const meeting = added.slice(0, 500).map((digest) => near + digest.slice(8));
  for (const digest of [...added, ...meeting, ...added]) set.add(digest);
  expect(set.size()).toBe(new Set([...added, ...meeting]).size);
  expect([...added, ...meeting].every((digest) => set.has(digest))).toBe(true);
  expect(Array.from({ length: 20_000 }, (_, nth) => digestOf(`not ${nth}`)).some((digest) => set.has(digest))).toBe(
    false,
  );
  expect(set.has(near + digestOf('x').slice(8))).toBe(false);
});
