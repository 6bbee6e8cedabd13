import { expect, it, onTestFinished } from 'vitest';
import { createDatabase } from '../../../../src/ledger/database.js';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { createTestDatabase } from '../../../support/database.js';
import { movableClock, testKey } from '../../../support/ledger-fixtures.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { marketplaceSteps } from '../../../support/marketplace/steps.js';

/** Transfers of a database that knew no releases, in whatever status, need none, and go on as they were. */

it('transfers of before are released at once, also those that are held for a dispute, waiting or under way', async () => {
  const clock = movableClock();
  const empty = await createTestDatabase('empty');
  onTestFinished(() => empty.drop());
  const number = (await knownMigrations()).findIndex(({ name }) => name.includes('wait-for-their-release'));
  await migrate(empty.url, { to: number });
  const database = createDatabase({ url: empty.url, clock });
  onTestFinished(() => database.close());
  const sent = {
    certainty: 'in_flight',
    attempts: 1,
    params: '{"amount":300}',
    key_first_sent_at: new Date(),
    runner: 'x',
    runner_until: new Date(),
  };
  const order = await putOrder(
    { database, clock },
    {
      transfers: [
        { amount: 100, status: 'completed' },
        { amount: 200, status: 'pending' },
        { amount: 300, status: 'pending', columns: sent },
        { amount: 400, status: 'held' },
        { amount: 500, status: 'waiting_seller' },
        { amount: 600, status: 'failed' },
        { amount: 700, status: 'cancelled' },
      ],
    },
  );
  await migrate(empty.url);
  const ledger = createLedger({ database, sealer: createSealer([testKey()]), clock, approvalThreshold: 10_000n });
  const steps = marketplaceSteps({ ledger, clock, database });
  const { transfers, items } = await steps.find(order.id);
  const atOnce = { kind: 'immediately', at: null, releasedAt: null };
  expect(transfers.map(({ release }) => release)).toEqual(order.transfers.map(() => atOnce));
  expect(items.map(({ release }) => release)).toEqual(order.transfers.map(() => ({ kind: 'immediately' })));
  // Nothing stops them that did not stop them before: a refund that is on its way, for one.
  await steps.askRefund(order.id, 10);
  for (const nth of [1, 3]) {
    await steps.send(order.transfers[nth]!.id);
    expect(await steps.transfer(order.transfers[nth]!.id)).toMatchObject({ status: 'completed' });
  }
  expect(await ledger.releaseHeld(order.transfers[5]!.id, unique('shop'))).toBe('as_it_was');
});
