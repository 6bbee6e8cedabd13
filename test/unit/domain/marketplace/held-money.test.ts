import { describe, expect, it } from 'vitest';
import { isOfHeld } from '../../../../src/domain/marketplace/held-money.js';

// Stripe's refunds of money that was only held are told from those that gave something back.

const BY_HAND = { amount: 1_000n, captured: 700n, captureMethod: 'manual' } as const;

describe('a refund', () => {
  it.each([
    ['that Stripe says is of held money', { ofHeld: 'surely', amount: 42n }, undefined, true],
    ['that no balance shows, of exactly the rest', { ofHeld: 'perhaps', amount: 300n }, BY_HAND, true],
    ['that no balance shows, of another amount', { ofHeld: 'perhaps', amount: 299n }, BY_HAND, false],
    [
      'that no balance shows, of a payment that captures itself',
      { ofHeld: 'perhaps', amount: 300n },
      { ...BY_HAND, captureMethod: 'automatic' },
      false,
    ],
    [
      'that no balance shows, where nobody knows what was captured',
      { ofHeld: 'perhaps', amount: 1_000n },
      { ...BY_HAND, captured: null },
      false,
    ],
    ['that no balance shows, of a payment that nobody knows', { ofHeld: 'perhaps', amount: 300n }, undefined, false],
    ['that a balance shows', { amount: 300n }, BY_HAND, false],
  ] as const)('%s', (_what, refund, payment, expected) => {
    expect(isOfHeld(refund, payment)).toBe(expected);
  });
});
