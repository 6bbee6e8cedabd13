import { describe, expect, it } from 'vitest';
import { agrees, type OurLine, pairUp } from '../../../sandbox/demo/ledgers.js';
import { createNarrator } from '../../../sandbox/demo/narrator.js';

const ours = (bodySha256: string, spent = 3000n, status = 'settled'): OurLine => ({
  id: `id of ${bodySha256}`,
  protocol: 'atxp',
  status,
  spent,
  attempts: 1,
  attention: null,
  bodySha256,
});
const theirs = (...digests: string[]) => ({
  debits: digests.map((bodySha256) => ({
    key: bodySha256,
    once: null,
    protocol: 'atxp' as const,
    payer: 'alice',
    network: 'base',
    channelId: null,
    manages: null,
    amount: '3000',
    settledAmount: '0.003',
    txHash: '0x',
    bodySha256,
    atMs: 0,
  })),
});

describe('the comparison of the two ledgers', () => {
  it('agrees when each charge was taken once, whatever the order', () => {
    expect(pairUp([ours('a'), ours('b')], theirs('b', 'a')).every(agrees)).toBe(true);
  });

  it.each([
    ['taken twice', [ours('a')], theirs('a', 'a')],
    ['taken and unknown to us', [], theirs('a')],
    ['settled for us and never taken', [ours('a')], theirs()],
    ['taken with another amount', [ours('a', 2999n)], theirs('a')],
    ['taken and still pending for us', [ours('a', 3000n, 'pending')], theirs('a')],
    ['taken for other bytes than ours', [ours('a')], theirs('b')],
  ])('never calls it even when a charge was %s', (_what, our, their) => {
    expect(pairUp(our, their).every(agrees)).toBe(false);
  });
});

it('a promise that did not hold is printed as such and remembered', () => {
  const lines: string[] = [];
  const narrator = createNarrator((line) => lines.push(line));
  narrator.check('all is well', true, '3 of 3');
  narrator.check('nothing is lost', false, '1 of 3');
  expect(lines).toEqual(['   ✓ all is well (3 of 3)', '   ✗ nothing is lost (1 of 3)']);
  expect([narrator.kept, narrator.broken]).toEqual([1, ['nothing is lost']]);
});
