import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import { DAY_MS } from '../../support/durations.js';
import { openReconcileWorld, type ReconcileWorld } from '../../support/marketplace/reconcile-world.js';
import { until } from '../../support/until.js';

/** Payouts whose events nobody told us of, of sellers who let us in and of one who does not. */

let temporal: ConnectedTemporal;
let world: ReconcileWorld;
beforeAll(async () => {
  temporal = await startConnectedTemporal();
  world = await openReconcileWorld(temporal);
}, 120_000);
afterAll(async () => {
  await world.close();
  await temporal.dispose();
});

async function paidOut(seller: string, status: 'paid' | 'in_transit' = 'in_transit'): Promise<string> {
  const { id } = await world.world.paidOrder({ [seller]: 1_000n });
  const sent = async () => (await world.world.find(id)).transfers[0]?.status === 'completed';
  await until('the seller has its transfer', sent, { limitMs: 30_000 });
  return (await world.stripe.createPayout({ account: seller, amount: 100, currency: 'usd', status })).id;
}
const known = (id: string) => world.test.ledger.findPayout(id);
const since = () => new Date(world.test.clock.nowMs() - DAY_MS).toISOString();

it('what nobody told of is taken in once, a failure that was missed asks a person, and a seller who lets nobody in is passed over', async () => {
  const failed = await paidOut('acct_failed', 'paid');
  const shut = await paidOut('acct_shut');
  const fine = await paidOut('acct_with_more');
  const first = await world.reconcile(since());
  expect(new Set(first.map(({ kind, providerId, state }) => `${kind} ${providerId} ${state}`))).toEqual(
    new Set([failed, shut, fine].map((id) => `payout_unknown ${id} closed`)),
  );
  expect(first).toHaveLength(3);
  expect(await known(failed)).toMatchObject({ status: 'paid', attention: null });

  // Read to the end, as by the lane of payouts; what happens at Stripe from then on nobody tells.
  await world.test.database.query("UPDATE payouts SET next_check_at = NULL, contents = 'not_told'");
  await world.stripe.updatePayout(failed, 'failed', 'account_closed');
  await world.stripe.setAccount('acct_shut', { access: 'revoked' });
  const second = await world.begin(since());
  await world.ended(second);
  const [mended, ...others] = await world.test.ledger.driftsOfRun(second);
  expect(others).toEqual([]);
  expect(mended).toMatchObject({ kind: 'payout_differs', providerId: failed, state: 'closed', closedWhy: 'repaired' });
  expect(await known(failed)).toMatchObject({ status: 'failed', attention: { reason: 'payout_failed' } });
  expect(await known(shut)).toMatchObject({ status: 'in_transit' });
  const run = await world.test.ledger.findReconciliation(second);
  expect(run!.parts.find(({ part }) => part === 'stripe-payouts')).toMatchObject({ leftBecause: null, lookedAt: 2 });

  expect((await world.reconcile(since())).filter(({ state }) => state === 'open')).toEqual([]);
}, 120_000);
