import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';

/**
 * Ends the sweeps that died with their worker. Temporal finds such a sweep by itself when its heartbeat is missed; a test
 * that has proved this once need not wait for it every time.
 */
export async function endOrphanedSweeps(
  address: string,
  namespace: string,
  kinds: readonly string[] = ['settlement'],
): Promise<void> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  try {
    for (const kind of kinds) {
      const { info } = await client.schedule.getHandle(`makegood-${kind}-sweep`).describe();
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
