import { afterEach, beforeEach, expect, it } from 'vitest';
import { comparePage } from '../../../src/calls/reconciliation/compare-page.js';
import type { ComparisonDependencies } from '../../../src/calls/reconciliation/comparison.js';
import { lookAgain } from '../../../src/calls/reconciliation/look-again.js';
import { newReconciliationId, type OrderId } from '../../../src/domain/ids.js';
import type { Drift, Suspicion } from '../../../src/domain/reconciliation/drift.js';
import type { ListedPart } from '../../../src/domain/reconciliation/parts.js';
import { createStripe } from '../../../src/providers/stripe/client.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { forceColumns } from '../../support/marketplace/fixtures.js';
import { shopAtStripe } from '../../support/marketplace/made-at-stripe.js';
import { checkoutOf } from '../../support/marketplace/own-checkout.js';

/** Payments whose provider is Stripe itself, and their refunds, compared both ways; what is suspected is read by itself. */

let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(() => world.close());

const { paid, charged } = checkoutOf(() => world);

const sides = (): ComparisonDependencies =>
  ({
    ledger: world.ledger,
    stripe: {
      calls: createStripe({
        secretKey: 'sk_test_sandbox',
        apiBase: world.atStripe.url,
        takeToken: () => Promise.resolve(() => undefined),
      }).inLane('reconcile'),
      account: { verify: () => Promise.resolve(undefined) },
    },
    clock: world.clock,
    youngMs: 0,
  }) as unknown as ComparisonDependencies;

/** Every page of one part, of the provider's list and of the rows that it did not name, each suspicion looked at again. */
async function compared(part: ListedPart): Promise<readonly Suspicion[]> {
  const { database, ledger, clock } = world;
  const { id: runId } = await ledger.beginReconciliation({
    id: newReconciliationId(clock.nowMs()),
    requestedBy: 'nora',
    since: new Date(clock.nowMs() - 86_400_000).toISOString(),
  });
  const place = {
    part,
    runId,
    since: new Date(clock.nowMs() - 86_400_000).toISOString(),
    until: new Date(clock.nowMs() + 1_000).toISOString(),
    pages: 0,
  };
  const seen: Suspicion[] = [];
  for (const listed of [false, true]) {
    let cursor: string | null = null;
    for (;;) {
      const page = await comparePage({ ...place, cursor, listed }, part, sides());
      if (page.kind !== 'page') throw new Error(page.why);
      seen.push(...page.suspicions);
      await database.query(
        `INSERT INTO reconciled_objects (run_id, part, provider_id) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING`,
        [runId, part, page.named],
      );
      if (page.last) break;
      cursor = page.cursor;
    }
  }
  await ledger.finishReconciliation(runId);
  const looks = await Promise.all(seen.map((one) => lookAgain(one as Drift, sides())));
  return looks.flatMap((look) => (look.kind === 'stands' ? [look.seen] : []));
}

const paymentOf = async (order: OrderId) => (await world.find(order)).payment!;
const told = (seen: readonly Suspicion[]) =>
  seen.map(({ kind, providerId, item }) => [kind, providerId, item?.id ?? null]);

it('agrees where nothing is wrong, also of a payment refunded in the dashboard, and says nothing of another shop’s', async () => {
  const { order, charge } = await paid();
  await charged(4_200);
  await world.settle();
  await world.atStripe.createRefund({ charge, amount: 300 });
  await world.calls.searchPayment((await paymentOf(order)).id);
  await world.settle();
  expect(await compared('stripe-payments')).toEqual([]);
  expect(await compared('stripe-refunds')).toEqual([]);
});

it('agrees where a part was captured by hand, and what was held was called off: neither is a refund', async () => {
  const shop = shopAtStripe(() => world);
  const part = await shop.held();
  const off = await shop.held();
  await shop.askCapture(part.payment, 700n);
  await world.ledger.askCancel(off.payment, 'shop');
  for (const { payment } of [part, off]) await world.calls.advancePayment(payment);
  await world.settle();
  expect(new Set(world.atStripe.ledger().refunds.map(({ amount }) => amount))).toEqual(new Set([1_000, 300]));
  expect(await compared('stripe-payments')).toEqual([]);
  expect(await compared('stripe-refunds')).toEqual([]);
});

it('tells of a payment that Stripe has in another amount, and of one that it does not have', async () => {
  const first = await paid();
  const second = await paid();
  await world.settle();
  const [more, gone] = [await paymentOf(first.order), await paymentOf(second.order)];
  await forceColumns(world.database, 'payments', more.id, { captured: 999 });
  await forceColumns(world.database, 'payments', gone.id, { connector_transaction_id: 'pi_nobodys' });
  expect(told(await compared('stripe-payments'))).toEqual([
    ['payment_differs', first.intent, more.id],
    ['payment_missing', 'pi_nobodys', gone.id],
  ]);
});

it('tells of a refund that nobody here knows, one in another amount, and one that Stripe does not have', async () => {
  const { order, charge } = await paid();
  await world.settle();
  const { refund: less } = await world.atStripe.createRefund({ charge, amount: 100 });
  const { refund: gone } = await world.atStripe.createRefund({ charge, amount: 200 });
  await world.calls.searchPayment((await paymentOf(order)).id);
  await world.settle();
  const { refund: unknown } = await world.atStripe.createRefund({ charge, amount: 50 });
  const of = async (name: string) => (await world.ledger.refundAtStripe(name))!;
  const [lessId, goneId] = [await of(less.id), await of(gone.id)];
  await forceColumns(world.database, 'refunds', lessId, { amount: 99 });
  await forceColumns(world.database, 'refunds', goneId, { connector_refund_id: 're_nobodys' });
  const { id: paymentId } = await paymentOf(order);
  // What was named otherwise is unknown by its own name, too.
  expect(told(await compared('stripe-refunds'))).toEqual([
    ['refund_unknown', unknown.id, paymentId],
    ['refund_unknown', gone.id, paymentId],
    ['refund_differs', less.id, lessId],
    ['refund_missing', 're_nobodys', goneId],
  ]);
});
