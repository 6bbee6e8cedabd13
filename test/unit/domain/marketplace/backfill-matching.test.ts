import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import {
  type Candidate,
  type Match,
  matchTransfers,
  type OurTransfer,
} from '../../../../src/domain/marketplace/backfill-matching.js';
import { createCaseCounts } from '../../../support/case-counts.js';

const LIVE = true;
const id = (name: string) => name as TransferId;

const our = (name: string, changes: Partial<OurTransfer> = {}): OurTransfer => ({
  id: id(name),
  orderMark: 'order_1',
  sellerAccount: 'acct_1',
  amount: 9_000n,
  currency: 'USD',
  stripeTransferId: null,
  ...changes,
});

const theirs = (stripeTransferId: string, changes: Partial<Candidate> = {}): Candidate => ({
  stripeTransferId,
  orderMark: 'order_1',
  destination: 'acct_1',
  amount: 9_000n,
  currency: 'USD',
  livemode: LIVE,
  names: null,
  heldBy: null,
  ...changes,
});

const outcomes = (matches: readonly Match[]) =>
  Object.fromEntries(matches.map((one) => [one.transferId, one.stripeTransferId ?? one.outcome]));

interface Case {
  readonly ours: readonly OurTransfer[];
  readonly stripe: readonly Candidate[];
  readonly expected: Readonly<Record<string, string>>;
}

const CASES: Readonly<Record<string, Case>> = {
  'the only one that agrees is it': { ours: [our('a')], stripe: [theirs('tr_1')], expected: { a: 'tr_1' } },
  'nothing with the mark of the order is not found, whatever else the seller got': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { orderMark: 'order_2' })],
    expected: { a: 'not_found' },
  },
  'two that agree are ambiguous': {
    ours: [our('a')],
    stripe: [theirs('tr_1'), theirs('tr_2')],
    expected: { a: 'ambiguous' },
  },
  'two of ours for one at Stripe are ambiguous, both': {
    ours: [our('a'), our('b')],
    stripe: [theirs('tr_1')],
    expected: { a: 'ambiguous', b: 'ambiguous' },
  },
  'two of ours for two at Stripe are ambiguous: which is which nobody can tell': {
    ours: [our('a'), our('b')],
    stripe: [theirs('tr_1'), theirs('tr_2')],
    expected: { a: 'ambiguous', b: 'ambiguous' },
  },
  'two of ours with different amounts each find their own': {
    ours: [our('a'), our('b', { amount: 500n })],
    stripe: [theirs('tr_1'), theirs('tr_2', { amount: 500n })],
    expected: { a: 'tr_1', b: 'tr_2' },
  },
  'what metadata names is found among equals, and leaves the rest to the other': {
    ours: [our('a'), our('b')],
    stripe: [theirs('tr_1', { names: id('a') }), theirs('tr_2')],
    expected: { a: 'tr_1', b: 'tr_2' },
  },
  'what metadata names for another is nobody else’s': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { names: id('elsewhere') })],
    expected: { a: 'not_found' },
  },
  'a name on another amount is a mismatch, and its owner still competes': {
    ours: [our('a'), our('b')],
    stripe: [theirs('tr_1', { names: id('a'), amount: 1n }), theirs('tr_2')],
    expected: { a: 'mismatch', b: 'ambiguous' },
  },
  'two that name the same one are ambiguous': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { names: id('a') }), theirs('tr_2', { names: id('a') })],
    expected: { a: 'ambiguous' },
  },
  'another amount is a mismatch': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { amount: 8_999n })],
    expected: { a: 'mismatch' },
  },
  'another currency is a mismatch': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { currency: 'EUR' })],
    expected: { a: 'mismatch' },
  },
  'the other mode is a mismatch': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { livemode: !LIVE })],
    expected: { a: 'mismatch' },
  },
  'another destination is a mismatch': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { destination: 'acct_2' })],
    expected: { a: 'mismatch' },
  },
  'the id of another order’s transfer is taken': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { heldBy: id('elsewhere') })],
    expected: { a: 'taken' },
  },
  'one taken elsewhere beside a free one is ambiguous': {
    ours: [our('a')],
    stripe: [theirs('tr_1', { heldBy: id('elsewhere') }), theirs('tr_2')],
    expected: { a: 'ambiguous' },
  },
  'what a sibling has already is explained, and leaves the other': {
    ours: [our('a'), our('b', { stripeTransferId: 'tr_1' })],
    stripe: [theirs('tr_1', { heldBy: id('b') }), theirs('tr_2')],
    expected: { a: 'tr_2' },
  },
  'when the sibling has the only one, nothing is left': {
    ours: [our('a'), our('b', { stripeTransferId: 'tr_1' })],
    stripe: [theirs('tr_1', { heldBy: id('b') })],
    expected: { a: 'not_found' },
  },
  'an id that stands at the same order’s transfer to another seller explains nothing': {
    ours: [our('a'), our('b', { sellerAccount: 'acct_2', stripeTransferId: 'tr_1' })],
    stripe: [theirs('tr_1', { heldBy: id('b') })],
    expected: { a: 'taken' },
  },
  'what fits another of ours is no mismatch of this one': {
    ours: [our('a'), our('b', { amount: 500n })],
    stripe: [theirs('tr_1')],
    expected: { a: 'tr_1', b: 'not_found' },
  },
};

describe('matching', () => {
  it.each(Object.entries(CASES))('%s', (_name, { ours, stripe, expected }) => {
    expect(outcomes(matchTransfers(ours, stripe, LIVE))).toEqual(expected);
  });

  it('says in words what differs, and lists the candidates', () => {
    const wrong = theirs('tr_1', { amount: 1n, currency: 'EUR', livemode: !LIVE });
    expect(matchTransfers([our('a')], [wrong], LIVE)).toEqual([
      {
        transferId: 'a',
        outcome: 'mismatch',
        stripeTransferId: null,
        candidates: ['tr_1'],
        detail: 'tr_1 has amount 1 instead of 9000, currency EUR instead of USD, mode test instead of live',
      },
    ]);
  });

  it('names at most twenty candidates and how many there are', () => {
    const many = Array.from({ length: 30 }, (_, nth) => theirs(`tr_${String(nth).padStart(2, '0')}`));
    const [match] = matchTransfers([our('a')], many, LIVE);
    expect(match?.candidates).toHaveLength(20);
    expect(match?.detail).toMatch(/^30 at Stripe could be this transfer/);
  });
});

/** A world so small that everything collides: orders, amounts, names and holders. */
const few = <T>(...values: T[]) => fc.constantFrom(...values);
const OURS = ['a', 'b', 'c', 'd'].map(id);
const world = fc.record({
  ours: fc.uniqueArray(
    fc.record({
      id: few(...OURS),
      orderMark: few('order_1', 'order_2'),
      sellerAccount: few('acct_1'),
      amount: few(100n, 200n),
      currency: few('USD', 'EUR'),
      stripeTransferId: few(null),
    }),
    { selector: (one) => one.id },
  ),
  stripe: fc.uniqueArray(
    fc.record({
      stripeTransferId: few('tr_1', 'tr_2', 'tr_3', 'tr_4', 'tr_5'),
      orderMark: few('order_1', 'order_2'),
      destination: few('acct_1'),
      amount: few(100n, 200n),
      currency: few('USD', 'EUR'),
      livemode: few(LIVE, LIVE, !LIVE),
      names: few(null, null, null, ...OURS, id('elsewhere')),
      heldBy: few(null, null, null, ...OURS, id('elsewhere')),
    }),
    { selector: (one) => one.stripeTransferId },
  ),
});

/** As the database would have it: whoever holds an id at Stripe has it written, and has one. */
function asStored({ ours, stripe }: { ours: readonly OurTransfer[]; stripe: readonly Candidate[] }) {
  const holders = new Map<TransferId, string>();
  const candidates = stripe.map((candidate) => {
    if (candidate.heldBy === null || holders.has(candidate.heldBy)) return { ...candidate, heldBy: null };
    holders.set(candidate.heldBy, candidate.stripeTransferId);
    return candidate;
  });
  return { ours: ours.map((one) => ({ ...one, stripeTransferId: holders.get(one.id) ?? null })), stripe: candidates };
}

/** What the database looks like when these ids were written. */
function written(
  stored: ReturnType<typeof asStored>,
  matches: readonly Match[],
): { ours: readonly OurTransfer[]; stripe: readonly Candidate[] } {
  const found = new Map(matches.map((one) => [one.transferId, one.stripeTransferId]));
  const holder = new Map(matches.map((one) => [one.stripeTransferId, one.transferId]));
  return {
    ours: stored.ours.map((one) => ({ ...one, stripeTransferId: found.get(one.id) ?? one.stripeTransferId })),
    stripe: stored.stripe.map((one) => ({ ...one, heldBy: holder.get(one.stripeTransferId) ?? one.heldBy })),
  };
}

describe('whatever collides', () => {
  const always = (holds: (stored: ReturnType<typeof asStored>, matches: readonly Match[]) => void) => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(world, (given) => {
        const stored = asStored(given);
        const matches = matchTransfers(stored.ours, stored.stripe, LIVE);
        for (const { outcome } of matches) cases.count(outcome);
        holds(stored, matches);
      }),
      { numRuns: 10_000 },
    );
    cases.expectAtLeast({ matched: 500, ambiguous: 300 });
  };

  it('every transfer without an id is answered for once, and no other', () => {
    always(({ ours }, matches) => {
      const without = ours.filter((one) => one.stripeTransferId === null).map((one) => one.id);
      expect(matches.map((one) => one.transferId)).toEqual(without);
    });
  });

  it('never gives two of ours one id, nor one that somebody holds', () => {
    always(({ stripe }, matches) => {
      const given = matches.flatMap((one) => one.stripeTransferId ?? []);
      expect(new Set(given).size).toBe(given.length);
      for (const one of given) expect(stripe.find((other) => other.stripeTransferId === one)?.heldBy).toBeNull();
    });
  });

  it('never gives an id where another reading of the facts is possible', () => {
    always(({ ours, stripe }, matches) => {
      for (const match of matches.filter((one) => one.outcome === 'matched')) {
        const one = ours.find((other) => other.id === match.transferId)!;
        const chosen = stripe.find((other) => other.stripeTransferId === match.stripeTransferId)!;
        expect(chosen).toMatchObject({ orderMark: one.orderMark, amount: one.amount, currency: one.currency });
        expect([chosen.livemode, chosen.destination]).toEqual([LIVE, one.sellerAccount]);
        if (chosen.names !== null) {
          expect(chosen.names).toBe(one.id);
          continue;
        }
        const alike = (other: OurTransfer | Candidate) =>
          other.orderMark === one.orderMark && other.amount === one.amount && other.currency === one.currency;
        const ids = ours.filter((other) => other.orderMark === one.orderMark).map((other) => other.id);
        const also = stripe.filter(
          (other) =>
            alike(other) &&
            other.livemode === LIVE &&
            other.names === null &&
            !(other.heldBy !== null && ids.includes(other.heldBy)),
        );
        expect(also).toEqual([chosen]);
        const rivals = ours.filter((other) => alike(other) && other.stripeTransferId === null && other.id !== one.id);
        for (const rival of rivals) {
          const own = matches.find((other) => other.transferId === rival.id)?.stripeTransferId;
          expect(stripe.find((other) => other.stripeTransferId === own)?.names).toBe(rival.id);
        }
      }
    });
  });

  it('says the same in whatever order things are given', () => {
    fc.assert(
      fc.property(world, fc.func(fc.nat()), (given, rank) => {
        const { ours, stripe } = asStored(given);
        const shuffled = [...stripe].sort((a, b) => rank(a.stripeTransferId) - rank(b.stripeTransferId));
        const reversed = [...ours].reverse();
        const sorted = (matches: readonly Match[]) =>
          [...matches].sort((a, b) => (a.transferId < b.transferId ? -1 : 1));
        expect(sorted(matchTransfers(reversed, shuffled, LIVE))).toEqual(sorted(matchTransfers(ours, stripe, LIVE)));
      }),
    );
  });

  it('says the same of the rest when a part was written before a crash', () => {
    const cases = createCaseCounts();
    fc.assert(
      fc.property(world, fc.func(fc.boolean()), (given, wasWritten) => {
        const stored = asStored(given);
        const whole = matchTransfers(stored.ours, stored.stripe, LIVE);
        const part = whole.filter((one) => one.outcome === 'matched' && wasWritten(one.transferId));
        cases.count('written', part.length);
        const { ours, stripe } = written(stored, part);
        expect(matchTransfers(ours, stripe, LIVE)).toEqual(whole.filter((one) => !part.includes(one)));
      }),
      { numRuns: 10_000 },
    );
    cases.expectAtLeast({ written: 200 });
  });
});
