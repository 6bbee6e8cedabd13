import { beforeEach, describe, expect, it } from 'vitest';
import type { TransferFacts } from '../../../../src/domain/calls/provider-answers.js';
import { type BackfillId, newBackfillId, type TransferId } from '../../../../src/domain/ids.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { history, imported } from '../../../support/marketplace/backfill-world.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';

const test = await ledgerForFile();
let run: BackfillId;
let destination: string;
beforeEach(() => {
  destination = `acct_${unique('s')}`;
});

const line = (changes = {}) => history({ sellerAccount: destination, ...changes });

/** Begins a run about this test's seller, with its scope fixed; an earlier one is ended. */
async function planned(): Promise<void> {
  const { ledger, clock } = test;
  await test.database.query(
    `UPDATE backfills SET state = 'finished', finished_at = clock_now() WHERE state = 'running'`,
  );
  run = newBackfillId(clock.nowMs());
  await ledger.startBackfill({ id: run, apply: true, since: null, destination, requestedBy: 'nora' });
  for (let last = await ledger.planTransfers(run, null); last !== null; last = await ledger.planTransfers(run, last));
  await ledger.planDestinations(run);
}

const facts = (order: string | null, changes: Partial<TransferFacts> = {}): TransferFacts => ({
  stripeTransferId: unique('tr'),
  amount: 9_000n,
  amountReversed: 0n,
  currency: 'USD',
  destination,
  transferGroup: null,
  metadata: order === null ? {} : { order_id: order },
  livemode: false,
  createdAt: '2025-03-01T11:00:00Z',
  ...changes,
});

const save = (after: string | null, transfers: readonly TransferFacts[], hasMore = false) =>
  test.ledger.saveListedPage({ backfillId: run, destination, after, transfers, hasMore });
const toMatch = (limit = 100) => test.ledger.ordersToMatch(run, destination, limit);

describe('the progress of a backfill', () => {
  it('fixes what it is about: what is imported later is not asked for, and planning again changes nothing', async () => {
    const early = await imported(test, line());
    await planned();
    await imported(test, line());
    expect(await test.ledger.isPlanned(run)).toBe(true);
    await test.ledger.planDestinations(run);
    await save(null, []);
    expect((await toMatch()).waiting).toEqual([early]);
  });

  it('keeps a page once and together with its cursor, also when two workers read it at the same time', async () => {
    const one = line();
    await imported(test, one);
    await planned();
    const page = [facts(one.order), facts(one.order)];
    const places = await Promise.all([save(null, page, true), save(null, page, true)]);
    const last = page.at(-1)?.stripeTransferId;
    expect(places).toEqual([
      expect.objectContaining({ pages: 1, cursor: last, listed: false }),
      expect.objectContaining({ pages: 1, cursor: last, listed: false }),
    ]);
    expect((await toMatch()).candidates).toHaveLength(2);
    expect(await save('tr_before', [facts(one.order)])).toMatchObject({ pages: 1, listed: false });
    expect(await save(last ?? null, [facts(null)])).toMatchObject({ pages: 2, listed: true });
    expect(await save(last ?? null, [facts(one.order)])).toMatchObject({ pages: 2 });
    expect((await toMatch()).candidates).toHaveLength(2);
  });

  it('keeps only what may be one of the transfers in question', async () => {
    const one = line();
    const other = history({ sellerAccount: 'acct_other' });
    await imported(test, one);
    await imported(test, other);
    await planned();
    const ours = facts(one.order);
    await save(null, [
      ours,
      facts(null),
      facts('order_of_nobody'),
      facts(other.order),
      facts(one.order, { destination: 'acct_x' }),
    ]);
    const kept = await test.database.query(
      'SELECT stripe_transfer_id FROM backfill_candidates WHERE backfill_id = $1',
      [run],
    );
    expect(kept).toEqual([{ stripe_transfer_id: ours.stripeTransferId }]);
  });

  it('hands an order over whole: its transfers with and without ids, and who holds or is named by a candidate', async () => {
    const reference = unique('order');
    const { transfers } = await putOrder(test, {
      paid: 30_000,
      columns: { reference },
      transfers: [
        { amount: 9_000, seller: destination, stripeTransferId: null, columns: { origin: 'import' } },
        { amount: 9_000, seller: destination, stripeTransferId: 'tr_sibling', columns: { origin: 'import' } },
        { amount: 9_000, seller: 'acct_not_this', stripeTransferId: null },
        { amount: 500, seller: destination, status: 'pending', columns: { origin: 'import' } },
      ],
    });
    const [wanted, sibling] = transfers.map(({ id }) => id);
    await planned();
    const named = facts(reference, { metadata: { order_id: reference, seller_transfer_id: wanted! } });
    const strange = facts(reference, {
      metadata: { order_id: reference, seller_transfer_id: 'an id of somebody else' },
    });
    await save(null, [facts(reference, { stripeTransferId: 'tr_sibling' }), named, strange]);
    const { waiting, ours, candidates } = await toMatch();
    expect(waiting).toEqual([wanted]);
    expect(new Map(ours.map((one) => [one.id, one.stripeTransferId]))).toEqual(
      new Map<TransferId, string | null>([
        [wanted!, null],
        [sibling!, 'tr_sibling'],
      ]),
    );
    expect(new Map(candidates.map((one) => [one.stripeTransferId, [one.names, one.heldBy]]))).toEqual(
      new Map([
        ['tr_sibling', [null, sibling]],
        [named.stripeTransferId, [wanted, null]],
        [strange.stripeTransferId, [null, null]],
      ]),
    );
  });

  it('goes on with the orders that have no answer yet, and forgets candidates when a seller is finished', async () => {
    const two = line({ order: `a_${unique('order')}` });
    const lines = [two, { ...two, amount: 500n }, line({ order: `b_${unique('order')}` })];
    for (const one of lines) await imported(test, one);
    await planned();
    await save(
      null,
      lines.map((one) => facts(one.order)),
    );
    const [first] = (await toMatch(1)).waiting;
    const nothing = { stripeTransferId: null, candidates: [], detail: '' };
    await test.ledger.recordBackfill({ backfillId: run, transferId: first!, outcome: 'not_found', ...nothing }, false);
    expect((await toMatch()).waiting).toHaveLength(2);
    expect((await toMatch()).waiting).not.toContain(first);
    expect(await test.ledger.unanswered(run, destination, 100)).toHaveLength(2);
    await test.ledger.closeDestination(run, destination);
    expect(await test.ledger.nextDestination(run)).toBeUndefined();
    expect(await test.ledger.openDestination(run, destination)).toBeUndefined();
    expect((await toMatch()).candidates).toEqual([]);
  });

  it('a workflow that belongs to another database is told so', async () => {
    await expect(test.ledger.isPlanned(newBackfillId(1))).rejects.toThrow(/is not in the ledger/);
  });
});
