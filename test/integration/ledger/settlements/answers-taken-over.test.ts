import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';
import { sql } from '../../../support/settlements/ledger-comparison.js';

/** Answers that a database of before holds for due. */

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase('empty');
  const names = (await knownMigrations()).map(({ name }) => name);
  await migrate(database.url, { to: names.findIndex((name) => name.endsWith('answers-are-paid-for.sql')) });
});
afterEach(() => database.drop());

async function settled(answer: string, spent: number, cap = 10_000): Promise<string> {
  const id = randomUUID();
  await sql(
    database.url,
    `INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, payer,
       sealed, sealed_kind, sealed_key_id, next_check_at)
     VALUES ($1, $2, $2, 'c', 'session', 'mpp', 'auth-server:mpp', 'pending', 'USDC', 6, $4, $3, 'p', 'x', 'body', 'k', now())`,
    [id, id, spent, cap],
  );
  await sql(
    database.url,
    `UPDATE settlements SET status = 'settled', certainty = 'done', settled_at = now(), next_check_at = NULL, answer = $2,
       answer_token = gen_random_uuid(), answer_until = now() WHERE id = $1`,
    [id, answer],
  );
  return id;
}

it('what was not paid for is not due any more, and what was paid for is', async () => {
  const [nothing, serving, paid] = [await settled('due', 0), await settled('serving', 0), await settled('due', 10_000)];
  const topUp = await settled('due', 0, 0);
  await sql(database.url, `UPDATE settlements SET lookup = '{"channelId": "0xc4"}' WHERE id = $1`, [topUp]);
  await sql(
    database.url,
    `INSERT INTO operation_events (item_kind, item_id, kind, certainty) VALUES ('settlement', $1, 'channel_top_up', 'not_sent')`,
    [topUp],
  );
  await migrate(database.url);
  const answers = await sql<{ id: string; answer: string | null }>(database.url, 'SELECT id, answer FROM settlements');
  expect(new Map(answers.map(({ id, answer }) => [id, answer]))).toEqual(
    new Map([
      [nothing, null],
      [serving, null],
      [paid, 'due'],
      [topUp, null],
    ]),
  );
  const toppedUp = await sql(database.url, 'SELECT id, tops_up FROM settlements WHERE tops_up IS NOT NULL');
  expect(toppedUp).toEqual([{ id: topUp, tops_up: '0xc4' }]);
  const due = sql(database.url, `UPDATE settlements SET answer = 'due' WHERE id = $1`, [nothing]);
  await expect(due).rejects.toThrow('answer_is_paid_for');
});
