import { expect, it } from 'vitest';
import { openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { expectMarketplaceLedgersEqual, marketplaceRows } from '../../support/marketplace/ledger-comparison.js';
import {
  cellsOf,
  nameOf,
  PAIRS,
  type Pair,
  type Played,
  play,
} from '../../support/marketplace/money-that-leaves/cells.js';
import { complaintsOf } from '../../support/marketplace/money-that-leaves/complaints.js';
import { cellName, comeToRest } from '../../support/marketplace/money-that-leaves/rest.js';
import { sampleOf } from '../../support/whole-or-sample.js';

/**
 * Everything that takes a buyer's money from us, or brings it back, before, during and after each of the others; each told by one provider, by
 * both, twice, out of order, late, or by nobody. In the end sellers have what the funds at the stand-ins leave them, all books tell
 * the same, and persons were asked where docs/decisions/0059 says so, and nowhere else.
 */

const pairs = sampleOf('money that leaves', PAIRS, { nameOf, kindOf: ({ when }: Pair) => when, oneIn: 42 });

it.concurrent.each(pairs.map((pair) => [nameOf(pair), pair] as const))(
  '%s',
  { timeout: 300_000 },
  async (_name, pair) => {
    const world = await openDisputeWorld();
    try {
      const all: Played[] = [];
      for (const cell of cellsOf(pair)) all.push(await play(world, cell));
      const asked = await comeToRest(world, all);
      const atStripe = world.atStripe.ledger();
      const complaints: Record<string, readonly string[]> = {};
      for (const played of all) {
        const found = await complaintsOf(world, {
          played,
          asked: asked.get(played.stage.order) ?? new Set(),
          atStripe,
        });
        if (found.length > 0) complaints[cellName(played)] = found;
      }
      expect(complaints).toEqual({});
      expect(await world.openEvents()).toBe(0);
      expectBooksEqual(world, await marketplaceRows(world.url));
    } finally {
      await world.close();
    }
  },
);

/** A payment that was cancelled after its capture was captured, and what has no name at Hyperswitch is compared with Stripe's books above. */
function expectBooksEqual(
  { atStripe, atHyperswitch }: Awaited<ReturnType<typeof openDisputeWorld>>,
  rows: Awaited<ReturnType<typeof marketplaceRows>>,
): void {
  const money = atHyperswitch.ledger();
  const payments = money.payments.map((one) =>
    one.status === 'cancelled_post_capture' ? { ...one, status: 'succeeded' as const } : one,
  );
  expectMarketplaceLedgersEqual(
    rows.filter(({ kind, provider_id }) => kind !== 'refund' || provider_id !== null),
    { stripe: atStripe, hyperswitch: { ledger: () => ({ ...money, payments }), calls: () => atHyperswitch.calls() } },
  );
}
