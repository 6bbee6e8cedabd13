import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { SETTLEMENT_LANES, type SweepLane } from '../../src/domain/sweep-lanes.js';
import type { sweep } from '../../workflows/index.js';

/** Those that find charges, the one that closes abandoned sessions first. */
export const CHARGE_LANES: readonly SweepLane[] = ['session', ...SETTLEMENT_LANES, 'upkeep'];
/** Those that find orders' money. */
export const ORDER_LANES: readonly SweepLane[] = [
  'hyperswitch-event',
  'stripe-event',
  'stripe-read',
  'payment',
  'refund',
  'transfer',
  'reversal',
  'dispute',
];

/** One pass of each lane, one after the other. @returns what they did, added up by name */
export async function sweepThrough(
  client: Client,
  taskQueue: string,
  lanes: readonly SweepLane[],
): Promise<Readonly<Record<string, number>>> {
  const sums: Record<string, number> = {};
  for (const lane of lanes) {
    const report = await client.workflow.execute<typeof sweep>('sweep', {
      taskQueue,
      workflowId: `sweep-${lane}-${crypto.randomUUID()}`,
      args: [lane],
    });
    for (const [name, count] of Object.entries(report)) sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}

/**
 * Ends the sweeps that died with their worker. Temporal finds such a sweep by itself when its heartbeat is missed; a test
 * that has proved this once need not wait for it every time.
 */
export async function endOrphanedSweeps(
  address: string,
  namespace: string,
  lanes: readonly SweepLane[] = CHARGE_LANES,
): Promise<void> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  try {
    for (const lane of lanes) {
      const schedule = client.schedule.getHandle(`makegood-${lane}-sweep`);
      // On two processors that worlds of dying processes share Temporal has taken longer than its client waits by itself.
      const { info } = await connection.withDeadline(Date.now() + 60_000, () => schedule.describe());
      for (const { workflow } of info.runningActions) {
        await client.workflow
          .getHandle(workflow.workflowId)
          .terminate('its worker was killed by a test')
          .catch(hasEndedByItself);
      }
    }
  } finally {
    await connection.close();
  }
}

function hasEndedByItself(error: unknown): void {
  if (!(error instanceof WorkflowNotFoundError)) throw error;
}
