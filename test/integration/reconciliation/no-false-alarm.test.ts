import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drift } from '../../../src/domain/reconciliation/drift.js';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import { openReconcileWorld, type ReconcileWorld } from '../../support/marketplace/reconcile-world.js';
import { until } from '../../support/until.js';

/** A busy marketplace that nobody touches from outside: whatever is in flight while it is compared, nothing is found. */

let temporal: ConnectedTemporal;
beforeAll(async () => {
  temporal = await startConnectedTemporal();
});
afterAll(() => temporal.dispose());

const FAULTS = ['reset_after_commit', 'reset_before_commit', 'rate_limited', 'lock_timeout'] as const;

/** Orders and refunds one after the other, for as long as it is not told to stop. */
async function business(world: ReconcileWorld, seed: number, over: () => boolean): Promise<number> {
  const orders: string[] = [];
  for (let nth = 0; !over(); nth += 1) {
    const sellers = { [`acct_a${(nth + seed) % 5}`]: 700n, [`acct_b${nth % 3}`]: 300n };
    const { id } = await world.world.paidOrder(sellers);
    orders.push(id);
    if (nth % 3 === 2)
      await world.world.refund(orders[nth - 1] as never, nth % 2 === 0 ? 250n : null).catch(() => undefined);
  }
  return orders.length;
}

describe.each([1, 2, 3])('a busy marketplace, story %d', (seed) => {
  let world: ReconcileWorld;
  beforeAll(async () => {
    world = await openReconcileWorld(temporal, {
      youngMs: 1_500,
      settings: {
        TRANSFER_RETRY_BACKOFF_BASE: '1s',
        TRANSFER_RETRY_BACKOFF_MAX: '1s',
        REVERSAL_BACKOFF_BASE: '1s',
        REVERSAL_BACKOFF_MAX: '1s',
      },
    });
    world.stripe.setFaults(
      FAULTS.map((kind) => ({ kinds: [kind], on: ['transfers.create', 'reversals.create'], probability: 0.1 })),
      seed,
    );
  });
  afterAll(() => world.close());

  it('has no drift, while it is at work and when it is quiet', async () => {
    let stopped = false;
    const trade = business(world, seed, () => stopped);
    const since = new Date(world.test.clock.nowMs() - 3_600_000).toISOString();
    const found: Drift[] = [];
    for (let run = 0; run < 4; run += 1) found.push(...(await world.reconcile(since)));
    stopped = true;
    expect(await trade).toBeGreaterThan(3);
    expect(found).toEqual([]);
    world.stripe.setFaults([]);
    await until(
      'nothing is on its way',
      async () => {
        const [row] = await world.test.database.query<{ open: number }>(
          `SELECT (SELECT count(*) FROM seller_transfers WHERE next_check_at IS NOT NULL)::int
             + (SELECT count(*) FROM reversals WHERE next_check_at IS NOT NULL)::int AS open`,
        );
        return row?.open === 0;
      },
      { limitMs: 60_000 },
    );
    expect(await world.reconcile(since)).toEqual([]);
    const [seen] = await world.test.database.query<{ looked: number }>(
      'SELECT sum(looked_at)::int AS looked FROM reconciliation_parts',
    );
    expect(seen?.looked).toBeGreaterThan(20);
  }, 180_000);
});
