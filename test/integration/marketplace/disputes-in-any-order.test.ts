import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OrderId } from '../../../src/domain/ids.js';
import type { MarketplaceKind } from '../../../src/domain/marketplace/marketplace.js';
import { createCaseCounts } from '../../support/case-counts.js';
import { HOUR_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { sizeOf } from '../../support/whole-or-sample.js';

/**
 * Whatever a bank does, in whichever order, told by either provider, late, twice, or by nobody: when all is read, every seller has what
 * the funds at Stripe leave him, and the two sums of the order hold at every moment (the database refuses anything else).
 */

const SELLERS = { acct_1Ada: 600n, acct_1Bob: 400n } as const;
/** A smaller crowd still mixes every policy with every order of news; each policy by itself is in disputes.test.ts. */
const CASES = sizeOf({ whole: 40, sample: 8 });

/** Of a thousand in steps of five, so that shares have no cents to round. */
const part = fc.integer({ min: 1, max: 100 }).map((fives) => fives * 5);
const step = fc.oneof(
  fc.record({
    do: fc.constant('move' as const),
    move: fc.constantFrom('escalate', 'respond', 'win', 'lose', 'close_inquiry'),
  }),
  fc.record({ do: fc.constant('move' as const), move: fc.constantFrom('withdraw', 'reinstate'), amount: part }),
  fc.record({
    do: fc.constant('hyperswitch tells' as const),
    type: fc.constantFrom('dispute_opened', 'dispute_lost', 'dispute_won', 'dispute_cancelled'),
  }),
  fc.record({
    do: fc.constant('stripe tells' as const),
    type: fc.constantFrom('created', 'updated', 'closed', 'funds_withdrawn', 'funds_reinstated'),
  }),
  fc.record({
    do: fc.constant('work' as const),
    kind: fc.constantFrom<MarketplaceKind>('dispute', 'transfer', 'reversal', 'refund', 'payment'),
  }),
  fc.record({ do: fc.constant('time' as const), hours: fc.integer({ min: 1, max: 30 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
const stories = fc.record({
  policy: fc.constantFrom('reverse' as const, 'hold' as const, 'wait' as const),
  refunded: fc.oneof(
    fc.constant(0),
    part.map((amount) => Math.min(amount, 400)),
  ),
  disputed: part,
  inquiry: fc.boolean(),
  sentBefore: fc.boolean(),
  heard: fc.boolean(),
  steps: fc.array(step, { minLength: 3, maxLength: 10 }),
});

it('every seller has in the end what the funds at Stripe leave him', { timeout: 900_000 }, async () => {
  const cases = createCaseCounts();
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const world = await openDisputeWorld({ policy: story.policy });
      try {
        const order = await world.paid(SELLERS);
        if (story.sentBefore) await world.settle();
        if (story.refunded > 0) await world.refund(order, BigInt(story.refunded));
        const { disputed: amount, inquiry, heard } = story;
        const dispute = await world.dispute(order, { amount, inquiry, ...(heard ? {} : { events: [] }) });
        for (const one of story.steps) await take(world, one, { order, dispute });
        await allIsRead(world, order, dispute);
        const out = await outAtStripe(world);
        const { status } = (await world.find(order)).disputes[0] ?? { status: 'inquiry' };
        const borne = story.policy === 'reverse' || status === 'lost';
        await expectSharedOut(world, order, { refunded: BigInt(story.refunded), out, borne: borne ? out : 0n });
        cases.count('funds out in the end', out > 0n);
        cases.count('funds that were out are back', out === 0n && (await wasOut(world)));
      } finally {
        await world.close();
      }
    }),
    { numRuns: CASES },
  );
});

interface Disputed {
  readonly order: OrderId;
  readonly dispute: { readonly id: string; readonly atProcessor: string };
}

async function take(world: DisputeWorld, one: Step, { order, dispute }: Disputed): Promise<void> {
  switch (one.do) {
    case 'move': {
      // A bank's next step comes seconds later at the soonest: Stripe's movements bear whole ones, and of one second nobody knows the order.
      world.clock.advance(2_000);
      // Where its status does not lead there, Stripe refuses it.
      const { move } = one;
      const change = 'amount' in one ? { move, amount: one.amount } : { move };
      await world.move(dispute, change as never).catch(() => undefined);
      return;
    }
    case 'hyperswitch tells':
      return await world.hyperswitchTells(order, dispute, one.type);
    case 'stripe tells':
      return await world.stripeTells(`charge.dispute.${one.type}`, dispute.atProcessor);
    case 'work':
      return await world.settle([one.kind]);
    case 'time':
      world.clock.advance(one.hours * HOUR_MS);
  }
}

/** Hyperswitch hears of it at last; nobody tells us, and time passes until all is looked at and done. */
async function allIsRead(world: DisputeWorld, order: OrderId, dispute: Disputed['dispute']): Promise<void> {
  await world.move(dispute, { events: ['charge.dispute.created', 'charge.dispute.updated'] }).catch(() => undefined);
  for (let round = 0; round < 4; round += 1) {
    world.clock.advance(40 * 24 * HOUR_MS);
    for (const payment of await world.ledger.duePaymentSearches(10)) await world.calls.searchPayment(payment);
    await world.settle();
  }
  const [found] = (await world.find(order)).disputes;
  if (found?.attention) {
    await world.decide('dispute', found.id, 'adopt');
    await world.settle();
  }
}

async function outAtStripe(world: DisputeWorld): Promise<bigint> {
  const [dispute] = world.atStripe.ledger().disputes;
  const moved = (dispute?.balance_transactions ?? []).reduce((sum, { amount }) => sum - BigInt(amount), 0n);
  return moved > 0n ? moved : 0n;
}
const wasOut = async (world: DisputeWorld): Promise<boolean> =>
  (world.atStripe.ledger().disputes[0]?.balance_transactions ?? []).length > 0;

async function expectSharedOut(
  world: DisputeWorld,
  order: OrderId,
  { refunded, out, borne }: { readonly refunded: bigint; readonly out: bigint; readonly borne: bigint },
): Promise<void> {
  const back = refunded + borne > 1_000n ? 1_000n : refunded + borne;
  const { transfers, reversals } = await world.find(order);
  const held = transfers.filter(({ status }) => status === 'held').map(({ sellerAccount }) => sellerAccount);
  for (const [seller, promised] of Object.entries(SELLERS)) {
    // Of an open dispute nobody knows yet whose the money is.
    if (held.includes(seller)) continue;
    const left = promised - (promised * back) / 1_000n;
    expect(await world.balanceOf(seller), seller).toBe(left);
  }
  const [sum] = await world.database.query<{ left: string }>(
    'SELECT sum(promised - due_back) AS left FROM order_shares WHERE order_id = $1',
    [order],
  );
  expect(BigInt(sum?.left ?? 0)).toBe(1_000n - refunded - out);
  expect([...transfers, ...reversals].filter(({ attention }) => attention !== null)).toEqual([]);
}
