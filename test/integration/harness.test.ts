import { Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Client } from 'pg';
import { afterAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { startDevServer, timeSkippingServer } from '../support/temporal.js';

const cleanup: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const end of cleanup.reverse()) await end();
});

it('gives every test a database of its own with the schema applied', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  cleanup.push(one.drop, other.drop);
  const client = new Client({ connectionString: one.url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY number');
  await client.end();
  expect(rows[0]?.name).toBe('0001-clock-and-events.sql');
  expect(other.url).not.toBe(one.url);
});

it('starts a Temporal server that keeps its memory over kill -9, on the same address', async () => {
  const server = await startDevServer();
  cleanup.push(server.dispose);
  const describe = async () => {
    const connection = await Connection.connect({ address: server.address });
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace: server.namespace });
    await connection.close();
    return namespaceInfo?.id;
  };
  const before = await describe();
  await server.stop('kill');
  await server.start();
  expect(await describe()).toBe(before);
  await server.stop();
  await server.start('wiped');
  expect(await describe()).not.toBe(before);
});

it('finds the server that skips time', async () => {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: timeSkippingServer() });
  cleanup.push(() => environment.teardown());
  const before = await environment.currentTimeMs();
  await environment.sleep('30 days');
  expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(30 * 24 * 3600 * 1000);
});
