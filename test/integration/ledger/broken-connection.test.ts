import { expect, it, onTestFinished, vi } from 'vitest';
import { createDatabase } from '../../../src/ledger/database.js';
import { createTestDatabase } from '../../support/database.js';

it('a connection that breaks between two statements fails their transaction, and neither the process nor the next one', async () => {
  const { url, drop } = await createTestDatabase();
  const database = createDatabase({ url, maxConnections: 1 });
  const operator = createDatabase({ url });
  onTestFinished(async () => {
    await Promise.all([database.close(), operator.close()]);
    await drop();
  });
  const alive = async (pid: number) =>
    (await operator.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid])).length > 0;

  const transaction = database.transaction(async (query) => {
    const [row] = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const pid = row?.pid ?? 0;
    expect(await alive(pid)).toBe(true);
    await operator.query('SELECT pg_terminate_backend($1)', [pid]);
    await vi.waitFor(async () => expect(await alive(pid)).toBe(false));
    await query('SELECT 1');
  });

  await expect(transaction).rejects.toThrow(/not queryable|terminat/i);
  expect(await database.query('SELECT 1 AS fine')).toEqual([{ fine: 1 }]);
});
