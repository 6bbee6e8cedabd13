import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { reconciliationWorkflowId } from '../../../src/domain/workflow-ids.js';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import { openReconcileWorld, type ReconcileWorld } from '../../support/marketplace/reconcile-world.js';
import { until } from '../../support/until.js';

/** A run that is ended in the middle goes on where it was, whoever takes it up; and it asks at its own pace. */

let temporal: ConnectedTemporal;
let world: ReconcileWorld;
beforeAll(async () => {
  temporal = await startConnectedTemporal();
});
afterAll(() => temporal.dispose());
beforeEach(async () => {
  world = await openReconcileWorld(temporal, { paceMs: 50 });
});
afterEach(() => world.close());

const PATIENCE = { limitMs: 30_000 };
const SINCE = '2020-01-01T00:00:00.000Z';

const foreign = (count: number) =>
  world.stripe.seed({
    transfers: Array.from({ length: count }, (_, nth) => ({
      id: `tr_foreign${nth}`,
      destination: 'acct_stranger',
      amount: 100 + nth,
    })),
  });

const pagesAsked = () => world.stripe.calls().endpoints['transfers.list']?.calls ?? 0;

it('goes on at the page where its workflow was terminated, and finds all of it once', async () => {
  await foreign(250);
  let held = true;
  world.mirror.before = async (asked) => {
    if (asked === 'transfersSince' && pagesAsked() >= 1) await until('it may go on', () => !held, { limitMs: 20_000 });
  };
  const id = await world.begin(SINCE);
  const pages = async () =>
    (await world.test.ledger.findReconciliation(id))?.parts.find(({ part }) => part === 'stripe-transfers')?.pages;
  await until('a page is stored', async () => (await pages()) === 1, PATIENCE);
  await temporal.client.workflow.getHandle(reconciliationWorkflowId(id)).terminate('killed in the middle');
  held = false;
  await world.goOn(id);
  await world.ended(id);
  // Three pages and, at most, the one that was under way when it was ended.
  expect(pagesAsked()).toBeLessThanOrEqual(4);
  const found = await world.test.ledger.driftsOfRun(id);
  expect(found).toHaveLength(250);
  expect(new Set(found.map(({ providerId }) => providerId)).size).toBe(250);
  expect(await world.test.ledger.findReconciliation(id)).toMatchObject({ state: 'finished' });
});

it('is taken up by the next scheduled run where it was wiped', async () => {
  await foreign(3);
  const { id } = await world.test.ledger.beginReconciliation({
    id: '01a00000-0000-7000-8000-000000000001' as never,
    requestedBy: 'nora',
    since: SINCE,
  });
  const handle = await temporal.client.workflow.start('reconcile', {
    taskQueue: world.world.taskQueue,
    workflowId: `reconcile-${crypto.randomUUID()}`,
    args: [{ reconciliationId: null, requestedBy: 'schedule' }],
  });
  await handle.result();
  expect(await world.test.ledger.findReconciliation(id)).toMatchObject({ state: 'finished', requestedBy: 'nora' });
  expect(await world.test.ledger.driftsOfRun(id)).toHaveLength(3);
});

it('leaves what cannot be read to the next run, and concludes nothing from it', async () => {
  const { id: orderId } = await world.world.paidOrder({ acct_1: 500n });
  await until(
    'the seller has its transfer',
    async () => (await world.world.find(orderId)).transfers[0]?.status === 'completed',
    PATIENCE,
  );
  world.stripe.setApiKeys({ accepted: {} });
  const first = await world.begin(SINCE);
  await world.ended(first);
  const left = (await world.test.ledger.findReconciliation(first))!.parts.filter(
    ({ leftBecause }) => leftBecause !== null,
  );
  expect(left.map(({ part }) => part)).toEqual([
    'stripe-transfers',
    'stripe-reversals',
    'stripe-disputes',
    'stripe-payments',
    'stripe-refunds',
    'stripe-payouts',
  ]);
  expect(await world.test.ledger.driftsOfRun(first)).toEqual([]);

  world.stripe.setApiKeys({ accepted: null });
  const second = await world.begin();
  await world.ended(second);
  const parts = (await world.test.ledger.findReconciliation(second))!.parts;
  expect(parts.filter(({ leftBecause }) => leftBecause !== null)).toEqual([]);
  expect(parts.find(({ part }) => part === 'stripe-transfers')?.lookedAt).toBeGreaterThan(0);
});

it('asks Stripe no faster than its pace, each request with a token of the shared budget', async () => {
  await foreign(201);
  const taken = async () =>
    (
      await world.test.database.query<{ taken: number }>(
        `SELECT coalesce(sum(taken), 0)::int AS taken FROM stripe_tokens WHERE endpoint = 'transfers.list'`,
      )
    )[0]?.taken;
  const id = await world.begin(SINCE);
  await world.ended(id);
  const asked = world.stripe.calls().calls.filter(({ endpoint }) => endpoint === 'transfers.list');
  expect(await taken()).toBe(asked.length);
  const gaps = asked.slice(1).map(({ at }, nth) => at - asked[nth]!.at);
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50);
});
