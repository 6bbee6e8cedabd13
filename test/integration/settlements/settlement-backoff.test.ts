import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SettlementId } from '../../../src/domain/ids.js';
import { resolveSignal, stateQuery } from '../../../workflows/messages.js';
import { openReplayedSettlements, type ReplayedSettlements } from '../../support/settlements/replayed-settlements.js';
import { paidSettlement, workflowInput } from '../../support/settlements/settlement-world.js';
import { openTimeSkippingEnvironment } from '../../support/time-skipping-environment.js';

let env: TestWorkflowEnvironment;
let settlements: ReplayedSettlements;

beforeAll(async () => {
  env = await openTimeSkippingEnvironment();
});
afterAll(() => env.teardown());
beforeEach(async () => {
  settlements = await openReplayedSettlements(env);
});
afterEach(() => settlements.dispose());

async function accept(validForMs = 24 * 3_600_000, protocol: 'x402' | 'atxp' = 'x402'): Promise<SettlementId> {
  const settlement = await paidSettlement(protocol, { nowMs: settlements.test.clock.nowMs(), validForMs });
  await settlements.test.ledger.createSettlement(settlement);
  return settlement.id;
}
const start = (id: SettlementId, protocol: 'x402' | 'atxp' = 'x402') =>
  settlements.start(id, workflowInput(id, protocol));

/** Seconds decided between the sends of one settlement; each next send really waited for that long. */
async function waitsOf(id: SettlementId): Promise<number[]> {
  const rows = await settlements.test.database.query<{ kind: string; at: Date; after_ms: number | null }>(
    `SELECT kind, at, (detail ->> 'after_ms')::float8 AS after_ms FROM operation_events
     WHERE item_id = $1 AND kind IN ('sent', 'answered') ORDER BY seq`,
    [id],
  );
  const waits = rows.flatMap((row, index) => {
    const sent = rows[index + 1];
    if (row.kind !== 'answered' || row.after_ms === null || sent === undefined) return [];
    expect(sent.at.getTime() - row.at.getTime()).toBeGreaterThanOrEqual(row.after_ms - 50);
    return [Math.round(row.after_ms / 1000)];
  });
  return waits;
}

describe('the waits between attempts', () => {
  it('double from one second to five minutes, and the charge is collected once', async () => {
    const id = await accept();
    settlements.sandbox.setFaults([{ kinds: ['server_error'], times: 11 }]);
    const outcome = await (await start(id)).result();
    expect(outcome).toMatchObject({ kind: 'final', status: 'settled' });
    expect(await waitsOf(id)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(settlements.sandbox.ledger().totals).toEqual({ debits: 1, debited: '3000' });
    const [call] = settlements.sandbox.calls().keys;
    expect(call).toMatchObject({ calls: 12 });
  });

  it('follow the provider’s Retry-After when it is longer', async () => {
    const id = await accept();
    settlements.sandbox.setFaults([{ kinds: ['rate_limited'], times: 1, retryAfterSeconds: 40 }]);
    await (await start(id)).result();
    expect(await waitsOf(id)).toEqual([40]);
  });

  it('end at the expiry with one last attempt, and then a person is asked', async () => {
    const id = await accept(10 * 60_000);
    settlements.sandbox.setDown(true);
    const handle = await start(id);
    await settlements.untilAttention(id);
    expect(await settlements.test.ledger.findSettlement(id)).toMatchObject({
      certainty: 'unknown',
      attention: { reason: 'credential_expired' },
    });
    const waits = await waitsOf(id);
    const lastBefore = waits.slice(0, -1).reduce((sum, wait) => sum + wait, 0);
    expect(lastBefore).toBeGreaterThan(580);
    expect(lastBefore).toBeLessThan(600);
    expect(await handle.query(stateQuery)).toMatchObject({ phase: 'needs_attention', reason: 'credential_expired' });
    await handle.terminate();
  });

  it('go on after an operator’s retry, and the decision is recorded', async () => {
    const id = await accept();
    settlements.sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const handle = await start(id);
    await settlements.untilAttention(id);
    await handle.signal(resolveSignal, { action: 'retry', by: 'ann', note: 'the provider was mistaken' });
    expect(await handle.result()).toMatchObject({ kind: 'final', status: 'settled' });
    const decisions = await settlements.test.database.query(
      'SELECT action, by, authenticated, state FROM decisions WHERE item_id = $1',
      [id],
    );
    expect(decisions).toEqual([{ action: 'retry', by: 'ann', authenticated: false, state: 'applied' }]);
  });

  it('never log a failure when a slow provider answers within its time', async () => {
    const id = await accept(undefined, 'atxp');
    settlements.sandbox.setFaults([{ kinds: ['slow'], ms: 6_000, times: 1 }]);
    expect(await (await start(id, 'atxp')).result()).toMatchObject({ kind: 'final', status: 'settled' });
    expect(settlements.logger.lines.filter((line) => line.message.includes('settle_failed_at_close'))).toEqual([]);
    expect(await waitsOf(id)).toEqual([]);
  });
});
