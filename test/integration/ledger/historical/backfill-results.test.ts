import { beforeEach, describe, expect, it } from 'vitest';
import { newBackfillId, newTransferId, type TransferId } from '../../../../src/domain/ids.js';
import { createBackfillReader } from '../../../../src/ledger/historical/backfill-report.js';
import type { BackfillResult } from '../../../../src/ledger/historical/historical-types.js';
import { ledgerForTest, type TestLedger } from '../../../support/ledger-fixtures.js';
import { forceColumns, putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { importLine } from '../../../support/marketplace/historical-lines.js';
import { eventsOf } from '../../../support/operation-events.js';
import { until } from '../../../support/until.js';

let test: TestLedger;
beforeEach(async () => {
  test = await ledgerForTest();
});

const reportOf = (...page: Parameters<ReturnType<typeof createBackfillReader>['backfillLines']>) =>
  createBackfillReader(test.database).backfillLines(...page);

describe('a backfill', () => {
  const aRun = (changes = {}) => ({
    id: newBackfillId(test.clock.nowMs()),
    apply: true,
    since: null,
    destination: null,
    requestedBy: 'ann',
    ...changes,
  });
  const started = async (changes = {}) => {
    const run = aRun(changes);
    expect(await test.ledger.startBackfill(run)).toEqual({ kind: 'started', id: run.id });
    return run;
  };
  const aResult = (backfillId: BackfillResult['backfillId'], transferId: TransferId, changes = {}): BackfillResult => ({
    backfillId,
    transferId,
    outcome: 'matched',
    stripeTransferId: 'tr_found',
    candidates: ['tr_found'],
    detail: 'the only one',
    ...changes,
  });
  const withoutId = async (count = 1): Promise<TransferId[]> => {
    const found: TransferId[] = [];
    for (let index = 0; index < count; index += 1)
      found.push(
        (
          await importLine(test, {
            order: unique('order'),
            hyperswitchPaymentId: unique('pay'),
            stripeTransferId: null,
          })
        ).transferId,
      );
    return found;
  };
  const idOf = async (id: TransferId) => (await test.ledger.findTransfer(id))?.stripeTransferId;

  it('runs alone, is started once under its id, and is finished once', async () => {
    const run = await started({ since: '2025-01-01T00:00:00.000Z', destination: 'acct_a', apply: false });
    expect(await test.ledger.findBackfill(run.id)).toEqual({ ...run, state: 'running' });
    expect(await test.ledger.startBackfill(run)).toEqual({ kind: 'started', id: run.id });
    const other = aRun();
    expect(await test.ledger.startBackfill(other)).toEqual({ kind: 'running', id: run.id });
    expect(await test.ledger.findBackfill(other.id)).toBeUndefined();
    await test.ledger.finishBackfill(run.id);
    await test.ledger.finishBackfill(run.id);
    expect(await test.ledger.findBackfill(run.id)).toMatchObject({ state: 'finished' });
    expect(await test.ledger.startBackfill(other)).toEqual({ kind: 'started', id: other.id });
    expect(await eventsOf(test, 'backfill', run.id)).toEqual(['started', 'finished']);
  });

  it('is about completed transfers without an id, seller by seller, from a date on', async () => {
    const old = await importLine(test, { stripeTransferId: null, createdAt: '2024-01-01T00:00:00.000Z' });
    const other = await importLine(test, { stripeTransferId: null, sellerAccount: 'acct_b', amount: 200n });
    const late = await importLine(test, {
      stripeTransferId: null,
      amount: 100n,
      createdAt: '2025-06-01T00:00:00.000Z',
    });
    await importLine(test, { order: 'known', hyperswitchPaymentId: 'pay_known' });
    await putOrder(test, { transfers: [{ amount: 5, status: 'pending' }] });
    const scope = async (changes: Parameters<typeof started>[0] = {}) => {
      const { id } = await started(changes);
      expect(await test.ledger.planTransfers(id, null)).not.toBeNull();
      await test.ledger.finishBackfill(id);
      const rows = await test.database.query<{ id: string; order_mark: string }>(
        'SELECT transfer_id AS id, order_mark FROM backfill_scope WHERE backfill_id = $1 ORDER BY destination, transfer_id',
        [id],
      );
      expect(rows.map((row) => row.order_mark)).toEqual(rows.map(() => 'order-42'));
      return rows.map((row) => row.id);
    };
    expect(await scope()).toEqual([old.transferId, late.transferId, other.transferId]);
    expect(await scope({ destination: 'acct_b' })).toEqual([other.transferId]);
    expect(await scope({ since: '2025-01-01T00:00:00.000Z' })).toEqual([late.transferId, other.transferId]);
    expect(await test.ledger.countTransfersWithoutId()).toBe(3);
  });

  it('writes a match once, whatever is repeated after a crash, and keeps the first answer', async () => {
    const run = await started();
    const [id] = await withoutId();
    await test.ledger.planTransfers(run.id, null);
    const written = aResult(run.id, id!, { outcome: 'written' });
    const same = await Promise.all(
      Array.from({ length: 6 }, () => test.ledger.recordBackfill(aResult(run.id, id!), true)),
    );
    for (const outcome of same) expect(outcome).toEqual(written);
    expect(await test.ledger.recordBackfill(aResult(run.id, id!, { outcome: 'not_found' }), true)).toEqual(written);
    expect(await idOf(id!)).toBe('tr_found');
    expect(await reportOf(run.id, null, 9)).toMatchObject([written]);
    expect(await eventsOf(test, 'transfer', id!)).toEqual(['imported', 'id_found']);
    expect(await test.ledger.countTransfersWithoutId()).toBe(0);
  });

  it('writes no id in a dry run', async () => {
    const run = await started({ apply: false });
    const [id] = await withoutId();
    expect(await test.ledger.recordBackfill(aResult(run.id, id!), false)).toEqual(aResult(run.id, id!));
    expect(await idOf(id!)).toBeNull();
    expect(await eventsOf(test, 'transfer', id!)).toEqual(['imported', 'id_looked_for']);
  });

  it.each(['not_found', 'ambiguous', 'mismatch', 'taken'] as const)('writes no id for %s', async (outcome) => {
    const run = await started();
    const [id] = await withoutId();
    const result = aResult(run.id, id!, { outcome, stripeTransferId: null, candidates: ['tr_1', 'tr_2'] });
    expect(await test.ledger.recordBackfill(result, true)).toEqual(result);
    expect(await idOf(id!)).toBeNull();
  });

  it.each([true, false])('never gives one id to two transfers (apply: %s)', async (apply) => {
    const run = await started({ apply });
    const ids = await withoutId(4);
    const holder = await putOrder(test, { transfers: [{ amount: 9, stripeTransferId: 'tr_held' }] });
    expect(
      await test.ledger.recordBackfill(aResult(run.id, ids[0]!, { stripeTransferId: 'tr_held' }), apply),
    ).toMatchObject({
      outcome: 'taken',
      detail: expect.stringContaining(holder.transfers[0]!.id),
    });
    const rivals = await Promise.all(ids.slice(1).map((id) => test.ledger.recordBackfill(aResult(run.id, id), apply)));
    const outcomes = rivals.map(({ outcome }) => outcome);
    if (apply) expect(outcomes.sort()).toEqual(['taken', 'taken', 'written']);
    else expect(outcomes).toContain('taken');
    const [{ held } = { held: 0 }] = await test.database.query<{ held: number }>(
      `SELECT count(*)::int AS held FROM seller_transfers WHERE stripe_transfer_id = 'tr_found'`,
    );
    expect(held).toBe(apply ? 1 : 0);
  });

  it('takes no id that another transfer is being given in this very moment', async () => {
    const run = await started();
    const [id, rival] = await withoutId(2);
    const { recorded } = await test.database.transaction(async (query) => {
      await query(`UPDATE seller_transfers SET stripe_transfer_id = 'tr_found' WHERE id = $1`, [rival]);
      // In an object, because this transaction must end before it can.
      const waiting = { recorded: test.ledger.recordBackfill(aResult(run.id, id!), true) };
      await until(
        'it waits for the other transaction',
        async () => {
          const [row] = await test.database.query<{ waiting: boolean }>(
            `SELECT count(*) > 0 AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          return row?.waiting;
        },
        { limitMs: 5_000 },
      );
      return waiting;
    });
    expect(await recorded).toMatchObject({ outcome: 'taken' });
    expect(await idOf(id!)).toBeNull();
    expect(await idOf(rival!)).toBe('tr_found');
  });

  it('leaves an id alone that somebody found meanwhile', async () => {
    const run = await started();
    const [same, other] = await withoutId(2);
    await forceColumns(test.database, 'seller_transfers', same!, { stripe_transfer_id: 'tr_found' });
    await forceColumns(test.database, 'seller_transfers', other!, { stripe_transfer_id: 'tr_by_hand' });
    expect(await test.ledger.recordBackfill(aResult(run.id, same!), true)).toMatchObject({ outcome: 'written' });
    expect(
      await test.ledger.recordBackfill(aResult(run.id, other!, { stripeTransferId: 'tr_new' }), true),
    ).toMatchObject({
      outcome: 'mismatch',
      detail: expect.stringContaining('tr_by_hand'),
    });
    expect(await idOf(other!)).toBe('tr_by_hand');
  });

  it('never gives an id to a transfer that is not completed', async () => {
    const run = await started();
    const order = await putOrder(test, { transfers: [{ amount: 9, status: 'pending' }] });
    expect(await test.ledger.recordBackfill(aResult(run.id, order.transfers[0]!.id), true)).toMatchObject({
      outcome: 'mismatch',
    });
    expect(await idOf(order.transfers[0]!.id)).toBeNull();
  });

  it('reports page by page', async () => {
    const run = await started();
    const ids = (await withoutId(5)).sort();
    await test.ledger.planTransfers(run.id, null);
    for (const id of ids) await test.ledger.recordBackfill(aResult(run.id, id, { outcome: 'not_found' }), true);
    const page = async (after: TransferId | null) =>
      (await reportOf(run.id, after, 2)).map(({ transferId }) => transferId);
    expect(await page(null)).toEqual(ids.slice(0, 2));
    expect(await page(ids[1]!)).toEqual(ids.slice(2, 4));
    expect(await page(ids[3]!)).toEqual(ids.slice(4));
    expect(await reportOf(newBackfillId(0), newTransferId(0), 2)).toEqual([]);
  });
});
