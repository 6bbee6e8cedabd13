import { describe, expect, it } from 'vitest';
import { mppOpaque, readOpaque } from '../../../src/sessions/offers/challenge-opaque.js';

const encoded = (content: object) => ({ opaque: Buffer.from(JSON.stringify(content)).toString('base64url') });
const SHORT = '/report?day=1';
const LONG = `/report?day=${'1'.repeat(500)}`;

describe('what a challenge is for', () => {
  it.each([SHORT, LONG])('is one resource and no other: %s', (target) => {
    const read = readOpaque(encoded(mppOpaque(target, undefined)));
    expect([read.isFor(target), read.isFor(`${target}0`), read.givenTo]).toEqual([true, false, undefined]);
  });

  it('takes as little room for a long one as for any', () => {
    expect(JSON.stringify(mppOpaque(LONG, undefined)).length).toBeLessThan(150);
  });

  it('is known from builds that named every resource as it is, and from nobody who says more', () => {
    expect(readOpaque(encoded({ resource: LONG, nonce: 'n' })).isFor(LONG)).toBe(true);
    expect(readOpaque(encoded({ resource: LONG, nonce: 'n', also: 'this' })).isFor(LONG)).toBe(false);
    expect(readOpaque(encoded({ nonce: 'n' })).isFor(LONG)).toBe(false);
  });
});
