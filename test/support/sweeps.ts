import { Client, Connection } from '@temporalio/client';

/**
 * Ends the sweeps that died with their worker. Temporal finds such a sweep by itself when its heartbeat is missed; a test
 * that has proved this once need not wait for it every time.
 */
export async function endOrphanedSweeps(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  try {
    const { info } = await client.schedule.getHandle('makegood-settlement-sweep').describe();
    for (const { workflow } of info.runningActions) {
      await client.workflow.getHandle(workflow.workflowId).terminate('its worker was killed by a test');
    }
  } finally {
    await connection.close();
  }
}
