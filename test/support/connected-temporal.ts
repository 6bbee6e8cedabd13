import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { addSearchAttributes } from '../../src/orchestration/prepare-temporal.js';
import { startDevServer } from './temporal.js';

export type ConnectedTemporal = Awaited<ReturnType<typeof startConnectedTemporal>>;

/** A real Temporal server for one test file, with our search attributes, and what clients and workers connect by. */
export async function startConnectedTemporal() {
  const server = await startDevServer();
  const connection = await Connection.connect({ address: server.address });
  const native = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection });
  await addSearchAttributes(client, 'default');
  return {
    address: server.address,
    native,
    client,
    async dispose() {
      await native.close();
      await connection.close();
      await server.dispose();
    },
  };
}
