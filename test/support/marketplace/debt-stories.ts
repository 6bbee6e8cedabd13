import fc from 'fast-check';
import { HOUR_MS, MINUTE_MS } from '../durations.js';
import type { StripeFault } from './model-stripe.js';
import type { CrashPoint } from './model-world.js';
import type { Step, StoryLine } from './random-scenarios.js';

/** Stories of sellers who have spent what they were paid, and whose next transfers pay what they owe. */

const sent = (seller: 'acct_ada' | 'acct_bob', steps: number, fee = 0): StoryLine => ({ seller, steps, fee });
const later = (seller: 'acct_ada' | 'acct_bob', steps: number, fee = 0): StoryLine => ({
  ...sent(seller, steps, fee),
  release: { kind: 'on_request' },
});

/** The first two are sent and spent; the others are paid out by and by. */
export const DEBT_ORDERS: readonly (readonly StoryLine[])[] = [
  [sent('acct_ada', 700, 70), sent('acct_bob', 301)],
  [sent('acct_ada', 90), sent('acct_bob', 55)],
  [later('acct_ada', 260, 10), later('acct_bob', 180)],
  [later('acct_ada', 333), later('acct_bob', 21, 1)],
  [later('acct_ada', 120), later('acct_bob', 400, 40)],
];

const DEATHS: readonly CrashPoint[] = [
  'after claimTransfer',
  'before permitTransfer',
  'after permitTransfer',
  'before recordTransfer',
  'after recordTransfer',
  'after claimReversal',
  'after permitReversal',
  'before recordReversal',
];
const FAULTS: readonly StripeFault[] = [
  'lost',
  'dropped',
  'broken',
  'finished_later',
  'refused',
  'refused',
  'refused',
  'throttled',
];

const MOSTLY_OFFSET = [
  'take_available',
  'take_available',
  'offset',
  'offset',
  'offset',
  'offset',
  'offset',
  'retry',
  'write_off',
] as const;

const many = fc.nat(1_000);
const always = <T extends string>(what: T) => fc.constant(what);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: always('refund'), order: many, part: fc.constantFrom(0.1, 0.25, 0.5, 1) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: always('turn'),
      refund: many,
      to: fc.constantFrom('succeeded', 'succeeded', 'failed'),
      told: fc.constant(true),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: always('sweep') }) },
  { weight: 5, arbitrary: fc.record({ do: always('advance'), item: many }) },
  { weight: 10, arbitrary: fc.record({ do: always('stripe'), fault: fc.constantFrom(...FAULTS) }) },
  { weight: 1, arbitrary: fc.record({ do: always('unreadable'), stripe: fc.constant(true) }) },
  { weight: 8, arbitrary: fc.record({ do: always('die'), at: fc.constantFrom(...DEATHS) }) },
  {
    weight: 7,
    arbitrary: fc.record({ do: always('pass'), ms: fc.constantFrom(MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 25 * HOUR_MS) }),
  },
  { weight: 11, arbitrary: fc.record({ do: always('release'), item: many }) },
  { weight: 4, arbitrary: fc.record({ do: always('spend'), seller: many, part: fc.constantFrom(0.5, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: always('earn'), seller: many }) },
  {
    weight: 14,
    arbitrary: fc.record({
      do: always('less'),
      item: many,
      action: fc.constantFrom(...MOSTLY_OFFSET),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: always('decide'),
      item: many,
      action: fc.constantFrom('retry', 'write_off', 'compensate'),
    }),
  },
);

export const debtStory = fc.array(fc.array(step, { minLength: 1, maxLength: 3, size: 'max' }), {
  minLength: 12,
  maxLength: 30,
  size: 'max',
});
