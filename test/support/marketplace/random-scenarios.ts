import fc from 'fast-check';
import type { OrderId } from '../../../src/domain/ids.js';
import { FEE_POLICIES, type FeePolicy } from '../../../src/domain/marketplace/lines.js';
import type { Order, Reversal, SellerTransfer } from '../../../src/domain/marketplace/marketplace.js';
import type { ReleaseTerms } from '../../../src/domain/marketplace/releases.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../durations.js';
import { HYPERSWITCH_FAULTS, type HyperswitchFault } from './model-hyperswitch.js';
import { type ModelCurrency, STRIPE_FAULTS, STRIPE_STEPS, type StripeFault } from './model-stripe.js';
import { CRASHING, type CrashPoint, type MarketplaceModelWorld } from './model-world.js';

/** What may happen to the money of a few orders, in any order and at the same time. */

/** Most steps take seconds; some are an outage, and some reach into the hours in which a key may be forgotten. */
const PASSING = [
  2 * SECOND_MS,
  20 * SECOND_MS,
  90 * SECOND_MS,
  90 * SECOND_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  11 * HOUR_MS,
  23 * HOUR_MS,
  25 * HOUR_MS,
];
export const SELLERS = ['acct_ada', 'acct_bob'] as const;
/** Counted in what the currency moves in at Stripe: POST /orders takes nothing else. */
export interface StoryLine {
  readonly seller: (typeof SELLERS)[number] | null;
  readonly steps: number;
  /** Of the steps, what the platform keeps. */
  readonly fee: number;
  readonly release?: ReleaseTerms;
}
const line = (seller: StoryLine['seller'], steps: number, fee = 0): StoryLine => ({ seller, steps, fee });
const later = (one: StoryLine, release: ReleaseTerms): StoryLine => ({ ...one, release });
const ON_REQUEST: ReleaseTerms = { kind: 'on_request' };
/** The first is only ever refunded as a whole; of the second the platform has lines and fees, and a seller has several. The third is paid out by and by. */
export const ORDERS: readonly (readonly StoryLine[])[] = [
  [line('acct_ada', 700), line('acct_bob', 301)],
  [line('acct_ada', 500, 50), line('acct_bob', 33, 3), line('acct_ada', 20), line(null, 100), line('acct_bob', 40, 40)],
  [
    line('acct_ada', 300, 30),
    later(line('acct_ada', 201), ON_REQUEST),
    later(line('acct_bob', 150), { kind: 'after', afterMs: 12 * HOUR_MS }),
    later(line('acct_ada', 77), { kind: 'after', afterMs: 30 * HOUR_MS }),
    later(line('acct_bob', 33, 3), ON_REQUEST),
    later(line('acct_ada', 9), ON_REQUEST),
  ],
  // What sellers owe can be kept of these.
  [
    later(line('acct_ada', 260, 10), { kind: 'after', afterMs: 20 * HOUR_MS }),
    later(line('acct_bob', 180), ON_REQUEST),
    later(line('acct_ada', 90), ON_REQUEST),
  ],
];

/** One thing that happens. Numbers choose among what there is at that moment. */
export type Step =
  | { readonly do: 'refund'; readonly order: number; readonly part: number }
  /** Of the second order alone: of one line, or of its seller. */
  | {
      readonly do: 'refund lines';
      readonly line: number;
      readonly bySeller: boolean;
      readonly part: number;
      readonly fee: FeePolicy | undefined;
    }
  | { readonly do: 'dashboard'; readonly order: number; readonly part: number; readonly odd: number }
  | { readonly do: 'turn'; readonly refund: number; readonly to: 'succeeded' | 'failed'; readonly told: boolean }
  | { readonly do: 'tell'; readonly refund: number }
  | { readonly do: 'advance'; readonly item: number }
  | { readonly do: 'sweep' }
  | { readonly do: 'stripe'; readonly fault: StripeFault }
  /** A reversal that Stripe will not carry out: a person is asked. */
  | { readonly do: 'refuse'; readonly item: number }
  | { readonly do: 'hyperswitch'; readonly fault: HyperswitchFault }
  | { readonly do: 'unreadable'; readonly stripe: boolean }
  | { readonly do: 'die'; readonly at: CrashPoint }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'spend'; readonly seller: number; readonly part: number }
  | { readonly do: 'earn'; readonly seller: number }
  | { readonly do: 'release'; readonly item: number }
  | {
      readonly do: 'decide';
      readonly item: number;
      readonly action: 'retry' | 'adopt' | 'write_off' | 'compensate' | 'release';
    }
  /** Of what cannot all be taken: less, or nothing but the seller's next transfers; what is owed is asked for again, or given up. */
  | { readonly do: 'less'; readonly item: number; readonly action: (typeof LESS)[number] };

const LESS = ['take_available', 'offset', 'offset', 'offset', 'retry', 'write_off'] as const;

const deaths = CRASHING.flatMap((name) => [`before ${name}` as const, `after ${name}` as const]);
const part = fc.constantFrom(0.03, 0.1, 0.1, 0.25, 0.33, 0.5, 1);
const many = fc.nat(1_000);
const always = <T extends string>(what: T) => fc.constant(what);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: always('refund'), order: many, part }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: always('refund lines'),
      line: many,
      bySeller: fc.boolean(),
      part,
      fee: fc.constantFrom<(FeePolicy | undefined)[]>(undefined, ...FEE_POLICIES),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: always('dashboard'), order: many, part, odd: many }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: always('turn'),
      refund: many,
      to: fc.constantFrom('succeeded', 'succeeded', 'failed'),
      told: fc.constantFrom(true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: always('tell'), refund: many }) },
  { weight: 5, arbitrary: fc.record({ do: always('advance'), item: many }) },
  { weight: 10, arbitrary: fc.record({ do: always('sweep') }) },
  { weight: 8, arbitrary: fc.record({ do: always('stripe'), fault: fc.constantFrom(...STRIPE_FAULTS) }) },
  { weight: 10, arbitrary: fc.record({ do: always('refuse'), item: many }) },
  { weight: 1, arbitrary: fc.record({ do: always('hyperswitch'), fault: fc.constantFrom(...HYPERSWITCH_FAULTS) }) },
  { weight: 1, arbitrary: fc.record({ do: always('unreadable'), stripe: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: always('die'), at: fc.constantFrom(...deaths) }) },
  { weight: 8, arbitrary: fc.record({ do: always('pass'), ms: fc.constantFrom(...PASSING) }) },
  { weight: 5, arbitrary: fc.record({ do: always('release'), item: many }) },
  { weight: 10, arbitrary: fc.record({ do: always('less'), item: many, action: fc.constantFrom(...LESS) }) },
  { weight: 5, arbitrary: fc.record({ do: always('spend'), seller: many, part: fc.constantFrom(0.5, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: always('earn'), seller: many }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: always('decide'),
      item: many,
      action: fc.constantFrom('retry', 'retry', 'adopt', 'write_off', 'compensate', 'compensate', 'release'),
    }),
  },
);
export const currency = fc.oneof(
  fc.constant<ModelCurrency>('USD'),
  fc.constantFrom(...(Object.keys(STRIPE_STEPS) as ModelCurrency[])),
);
/** In hundredths of a transfer. */
export const offsetLimit = fc.constantFrom(100, 100, 50, 33);
/** What stands in one list happens at the same time. */
export const scenario = fc.array(fc.array(step, { minLength: 1, maxLength: 4, size: 'max' }), {
  minLength: 10,
  maxLength: 40,
  size: 'max',
});

const at = <T>(list: readonly T[], place: number): T | undefined => list[place % Math.max(1, list.length)];

export async function perform(
  world: MarketplaceModelWorld,
  orders: readonly OrderId[],
  one: Step,
  story: readonly (readonly StoryLine[])[] = ORDERS,
): Promise<void> {
  const { stripe, hyperswitch, clock } = world;
  switch (one.do) {
    case 'refund':
    case 'dashboard': {
      const total = at(story, one.order)!.reduce((all, { steps }) => all + steps, 0);
      const moves = STRIPE_STEPS[world.currency];
      const amount = BigInt(Math.max(1, Math.round(total * one.part))) * moves;
      const id = at(orders, one.order)!;
      if (one.do === 'refund') return await world.askRefund(id, one.part === 1 ? null : amount);
      // Nobody looks at what a person types into the dashboard.
      return await world.dashboardRefund(id, amount - (BigInt(one.odd) % moves));
    }
    case 'refund lines': {
      const { items, id } = await world.find(at(orders, 1)!);
      const item = at(items, one.line)!;
      const own = items.filter(({ sellerAccount }) => sellerAccount !== null && sellerAccount === item.sellerAccount);
      const whole = (one.bySeller ? own : [item]).reduce((all, { amount }) => all + amount, 0n);
      const moves = STRIPE_STEPS[world.currency];
      const steps = Math.max(1, Math.round(Number(whole / moves) * one.part));
      const amount = BigInt(steps) * moves;
      const { sellerAccount: seller } = item;
      if (one.bySeller && seller !== null)
        return await world.askRefund(id, one.part === 1 ? null : amount, { lines: { seller }, fee: one.fee });
      return await world.askRefund(id, null, { lines: { items: [{ itemId: item.id, amount }] }, fee: one.fee });
    }
    case 'turn':
    case 'tell': {
      const refund = at(hyperswitch.refunds(), one.refund);
      if (!refund) return;
      if (one.do === 'turn') hyperswitch.turn(refund, one.to);
      if (one.do === 'tell' || one.told) await world.tell(refund);
      return;
    }
    case 'advance': {
      const item = at(await itemsOf(world, orders), one.item);
      return item && (await world.advance(item));
    }
    case 'sweep': {
      const due = await world.due();
      await world.ledger.markItemsStarted(due);
      await Promise.all(due.map((item) => world.advance(item)));
      return;
    }
    case 'stripe':
      stripe.faults.push(one.fault);
      return;
    case 'refuse': {
      const open = (await found(world, orders)).flatMap(({ reversals }) =>
        reversals.filter(({ status }) => status === 'pending'),
      );
      const reversal = at(open, one.item);
      if (!reversal) return;
      stripe.faults.unshift('refused');
      return await world.advance({ kind: 'reversal', id: reversal.id });
    }
    case 'hyperswitch':
      hyperswitch.faults.push(one.fault);
      return;
    case 'unreadable':
      return (one.stripe ? stripe : hyperswitch).failReads(1);
    case 'die':
      world.deaths.push(one.at);
      return;
    case 'pass':
      return clock.advance(one.ms);
    case 'spend':
      return stripe.spend(at(SELLERS, one.seller)!, one.part);
    case 'earn':
      stripe.credit(at(SELLERS, one.seller)!, 300n);
      await world.survive(() => world.ledger.balanceRose(at(SELLERS, one.seller)!));
      return;
    case 'release': {
      const transfer = at(
        (await found(world, orders)).flatMap(({ transfers }) => transfers.filter(isUnreleased)),
        one.item,
      );
      if (transfer) await world.survive(() => world.ledger.releaseHeld(transfer.id, 'shop'));
      return;
    }
    case 'decide': {
      const asked = at(await askedAbout(world, orders), one.item);
      // Every way in refuses what its kind cannot be decided with.
      if (!asked || one.action === (asked.kind === 'refund' ? 'adopt' : 'compensate')) return;
      if (one.action === 'release' && asked.kind !== 'transfer') return;
      return await world.decide(asked, one.action);
    }
    case 'less': {
      const short = at(
        (await found(world, orders)).flatMap(({ reversals }) => reversals.filter(isShort)),
        one.item,
      );
      // What waits by itself has no other answers.
      if (!short || ((one.action === 'retry' || one.action === 'write_off') && short.debt === null)) return;
      return await world.decide({ kind: 'reversal', id: short.id }, one.action);
    }
  }
}

const isShort = ({ status, attention }: Reversal): boolean => status === 'waiting_balance' || attention !== null;

export const isUnreleased = ({ release, status }: SellerTransfer): boolean =>
  release.kind !== 'immediately' && release.releasedAt === null && status === 'held';

export const found = (world: MarketplaceModelWorld, orders: readonly OrderId[]): Promise<Order[]> =>
  Promise.all(orders.map((id) => world.find(id)));

const itemsOf = async (world: MarketplaceModelWorld, orders: readonly OrderId[]) =>
  (await found(world, orders)).flatMap((order) => [
    ...order.transfers.map(({ id }) => ({ kind: 'transfer' as const, id })),
    ...order.reversals.map(({ id }) => ({ kind: 'reversal' as const, id })),
    ...order.refunds.map(({ id }) => ({ kind: 'refund' as const, id })),
  ]);

export const askedAbout = async (world: MarketplaceModelWorld, orders: readonly OrderId[]) =>
  (await found(world, orders))
    .flatMap((order) => [
      ...order.transfers.map((one) => ({ kind: 'transfer' as const, ...one })),
      ...order.reversals.map((one) => ({ kind: 'reversal' as const, ...one })),
      ...order.refunds.map((one) => ({ kind: 'refund' as const, ...one })),
    ])
    .filter(({ attention }) => attention !== null);
