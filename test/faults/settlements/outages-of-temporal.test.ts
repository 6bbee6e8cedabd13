import { Client, Connection } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR_TOKEN, SERVICE_TOKEN } from '../../support/processes/start-process.js';
import { served } from '../../support/sessions/paying.js';
import { ourRows, sql } from '../../support/settlements/ledger-comparison.js';
import { FIXED, METERED, type OutageWorld, STREAM, startOutageWorld } from '../../support/settlements/outage-world.js';
import { until } from '../../support/until.js';

let world: OutageWorld;
beforeAll(async () => {
  world = await startOutageWorld({ TEST_PREPARE_EVERY_MS: '2000' });
}, 120_000);
afterAll(() => world.end());
afterEach(() => world.healAndCompare(), 80_000);

describe('Temporal', () => {
  it('down: paid routes stay 200, the figures stay right, and all is collected when it is back', async () => {
    await world.temporal.stop('kill');
    const crowd = [
      ...(await world.buyers(5, FIXED)),
      ...(await world.buyers(5, METERED)),
      ...(await world.buyers(2, STREAM)),
    ];
    const received = await Promise.all(crowd.map((who) => who.pay()));
    expect(received.map(served)).toEqual(crowd.map(() => true));
    const figures = await world.api('/metrics', OPERATOR_TOKEN);
    expect(figures.status).toBe(200);
    const unsettled = [...figures.body.matchAll(/^makegood_unsettled_amount\{.*\} (\S+)$/gm)].map(([, amount]) =>
      Number(amount),
    );
    expect(unsettled.reduce((sum, amount) => sum + amount, 0)).toBeCloseTo(5 * 0.01 + 5 * 0.003 + 2 * 0.01);
    expect((await ourRows(world.databaseUrl)).filter(({ status }) => status === 'pending')).toHaveLength(crowd.length);
    expect(await world.api('/readyz', SERVICE_TOKEN)).toMatchObject({
      status: 200,
      body: expect.stringContaining('degraded'),
    });
    await world.temporal.start();
    await world.finished(60_000);
    for (const who of crowd) expect(await who.settled()).toHaveLength(1);
  }, 120_000);

  it('wiped: it heals by itself, also for a charge that was waiting for a person', async () => {
    const asking = await world.buyer(FIXED);
    world.sandbox.setFaults([{ kinds: ['refused'] }]);
    expect(served(await asking.pay())).toBe(true);
    await until('a person is asked', async () => (await asking.rows())[0]?.status === 'needs_attention', {
      limitMs: 20_000,
    });
    world.sandbox.setFaults([{ kinds: ['server_error'] }]);
    const retrying = await world.buyers(3, FIXED);
    for (const who of retrying) expect(served(await who.pay())).toBe(true);
    await world.temporal.stop('kill');
    const meanwhile = await world.buyers(3, METERED);
    for (const who of meanwhile) expect(served(await who.pay())).toBe(true);
    world.sandbox.setFaults([]);
    await world.temporal.start('wiped');
    await world.finished(60_000);
    for (const who of [...retrying, ...meanwhile]) expect(await who.settled()).toHaveLength(1);

    // Instead of the minutes after which the sweep looks at it again.
    const [row] = await asking.rows();
    await sql(world.databaseUrl, 'UPDATE settlements SET next_check_at = clock_now() WHERE id = $1', [row?.id]);
    await resolveBySignal(`settlement/${row?.id}`);
    await until('the decision is carried out', async () => (await asking.settled()).length === 1, { limitMs: 20_000 });
  }, 180_000);
});

/** As an operator with the Temporal CLI would: there has to be a workflow that listens. */
async function resolveBySignal(workflowId: string): Promise<void> {
  const connection = await Connection.connect({ address: world.temporal.address });
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  try {
    await until(
      'its workflow waits for a person again',
      async () => {
        const state = await handle.query<{ phase: string }>('state');
        return state.phase === 'needs_attention';
      },
      { limitMs: 20_000 },
    );
    await handle.signal('resolve', { action: 'retry', by: 'olga', note: 'the provider was mistaken' });
  } finally {
    await connection.close();
  }
}
