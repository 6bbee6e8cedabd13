import { expect, it, onTestFinished } from 'vitest';
import { createDatabase } from '../../../../src/ledger/database.js';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { knownMigrations, migrate } from '../../../../src/ledger/migrate.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { createTestDatabase } from '../../../support/database.js';
import { movableClock, testKey } from '../../../support/ledger-fixtures.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { marketplaceModelWorld } from '../../../support/marketplace/model-world.js';

/** What waited, was asked about or was over before anybody could owe anything goes on as it was, and can be decided about in the new ways. */

it('reversals of before, in whatever status, are asked of Stripe as before, and may be kept of transfers from now on', async () => {
  const clock = movableClock();
  const empty = await createTestDatabase('empty');
  onTestFinished(() => empty.drop());
  const number = (await knownMigrations()).findIndex(({ name }) => name.includes('debts-that-are-offset'));
  await migrate(empty.url, { to: number });
  const database = createDatabase({ url: empty.url, clock });
  onTestFinished(() => database.close());
  const seller = unique('acct');
  const order = await putOrder(
    { database, clock },
    {
      status: 'partially_refunded',
      transfers: [{ amount: 1_000, seller, status: 'reversal_pending' }],
      refunds: [
        { amount: 100, reversals: [{ transfer: 0, amount: 100, status: 'waiting_balance' }] },
        { amount: 200, reversals: [{ transfer: 0, amount: 200, status: 'permanently_failed' }] },
        { amount: 300, reversals: [{ transfer: 0, amount: 300, status: 'reversed' }] },
      ],
    },
  );
  const next = await putOrder({ database, clock }, { transfers: [{ amount: 500, seller, status: 'pending' }] });
  await migrate(empty.url);

  const offsets = { on: true, limitPercent: 100 };
  const ledger = createLedger({
    database,
    sealer: createSealer([testKey()]),
    clock,
    approvalThreshold: 10_000n,
    offsets,
  });
  expect((await ledger.findOrder(order.id))?.reversals.map(({ status, debt }) => [status, debt])).toEqual([
    ['waiting_balance', null],
    ['permanently_failed', null],
    ['reversed', null],
  ]);
  expect(await ledger.sellerBalances(seller)).toMatchObject([{ owed: 300n, toOffset: 0n, taken: 300n }]);

  const world = marketplaceModelWorld(
    { ledger, clock, database, url: empty.url, dispose: () => Promise.resolve() },
    'USD',
  );
  await database.query('UPDATE reversals SET next_check_at = clock_now() WHERE id = $1', [order.reversals[0]!.id]);
  const outcome = await ledger.decide({
    id: crypto.randomUUID() as never,
    kind: 'reversal',
    itemId: order.reversals[0]!.id,
    action: 'offset',
    by: 'olga',
    authenticated: true,
    note: 'kept of the next',
    evidence: null,
    verified: { kind: 'taken_by_others', reversals: [], left: '700' },
  });
  expect(outcome).toMatchObject({ kind: 'applied', status: 'waiting_balance' });
  await world.advance({ kind: 'transfer', id: next.transfers[0]!.id });
  expect(world.failures).toEqual([]);
  expect(await ledger.findTransfer(next.transfers[0]!.id)).toMatchObject({
    status: 'completed',
    amount: 400n,
    offset: 100n,
  });
});
