import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newBackfillId, newRefundId, newTransferId, type TransferId } from '../../../src/domain/ids.js';
import { createBackfillReader } from '../../../src/ledger/backfill-report.js';
import type { BackfillResult, HistoricalTransfer, ImportOutcome } from '../../../src/ledger/historical-types.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { beginRequest, force, putOrder, unique } from '../../support/marketplace-fixtures.js';
import { moneySteps } from '../../support/money-steps.js';
import { until } from '../../support/until.js';

let test: TestLedger;
beforeEach(async () => {
  test = await openTestLedger();
});
afterEach(() => test.dispose());

const aLine = (changes: Partial<HistoricalTransfer> = {}): HistoricalTransfer => ({
  order: 'order-42',
  currency: 'EUR',
  paid: 1_000n,
  hyperswitchPaymentId: 'pay_42',
  sellerAccount: 'acct_a',
  amount: 600n,
  stripeTransferId: 'tr_a',
  createdAt: '2025-03-01T12:00:00.000Z',
  ...changes,
});
const load = (changes: Partial<HistoricalTransfer> = {}) => test.ledger.importTransfer(aLine(changes));
const imported = async (changes: Partial<HistoricalTransfer> = {}) => {
  const outcome = await load(changes);
  if (outcome.kind === 'conflict') throw new Error(outcome.detail);
  return outcome;
};
const detailOf = (outcome: ImportOutcome) => (outcome.kind === 'conflict' ? outcome.detail : outcome.kind);
/** Everything that an import could write, to show that it wrote nothing. */
const everything = () =>
  test.database.query(
    `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM payments) AS payments,
       (SELECT count(*) FROM order_items) AS items, (SELECT count(*) FROM seller_transfers) AS transfers,
       (SELECT count(*) FROM operation_events) AS events`,
  );
const reportOf = (...page: Parameters<ReturnType<typeof createBackfillReader>['backfillLines']>) =>
  createBackfillReader(test.database).backfillLines(...page);
const eventsOf = async (kind: string, id: string) =>
  (
    await test.database.query<{ kind: string }>(
      'SELECT kind FROM operation_events WHERE item_kind = $1 AND item_id = $2 ORDER BY seq',
      [kind, id],
    )
  ).map((row) => row.kind);

describe('an imported line', () => {
  it('becomes a paid order with its payment and a completed transfer, as old as they are', async () => {
    const { orderId, transferId } = await imported();
    const order = await test.ledger.findOrder(orderId);
    expect(order).toMatchObject({
      reference: 'order-42',
      status: 'paid',
      currency: 'EUR',
      amount: 1_000n,
      items: [{ sellerAccount: 'acct_a', amount: 600n }],
      payment: { status: 'succeeded', certainty: 'done', hyperswitchPaymentId: 'pay_42', amount: 1_000n },
      transfers: [
        {
          id: transferId,
          status: 'completed',
          certainty: 'done',
          origin: 'import',
          amount: 600n,
          stripeTransferId: 'tr_a',
          createdAt: '2025-03-01T12:00:00.000Z',
        },
      ],
      createdAt: '2025-03-01T12:00:00.000Z',
    });
    const [row] = await test.database.query(
      `SELECT t.completed_at, t.idempotency_key, p.origin, p.next_check_at FROM seller_transfers t
       JOIN payments p USING (order_id) WHERE t.id = $1`,
      [transferId],
    );
    expect(row).toEqual({
      completed_at: new Date('2025-03-01T12:00:00.000Z'),
      idempotency_key: transferId,
      origin: 'import',
      next_check_at: null,
    });
    expect(await eventsOf('order', orderId)).toEqual(['imported']);
    expect(await eventsOf('transfer', transferId)).toEqual(['imported']);
    expect(await eventsOf('payment', order?.payment?.id ?? '')).toEqual(['imported']);
  });

  it('stands behind newer orders in every list, and is found by what the order was called', async () => {
    const newer = await putOrder(test);
    const { orderId, transferId } = await imported();
    expect((await test.ledger.listOrders({ limit: 9 })).map(({ id }) => id)).toEqual([newer.id, orderId]);
    expect((await test.ledger.listTransfers({ limit: 9 })).map(({ id }) => id)).toEqual([
      newer.transfers[0]!.id,
      transferId,
    ]);
    expect((await test.ledger.listOrders({ key: 'order-42', limit: 9 })).map(({ id }) => id)).toEqual([orderId]);
  });

  it('is taken once, however often and at once it comes', async () => {
    for (const stripeTransferId of ['tr_a', null]) {
      const line = { order: `order ${stripeTransferId}`, hyperswitchPaymentId: unique('pay'), stripeTransferId };
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => imported(line)));
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['imported', ...Array.from({ length: 7 }, () => 'same')]);
      expect(new Set(outcomes.map(({ transferId }) => transferId)).size).toBe(1);
      expect((await test.ledger.findOrder(outcomes[0]!.orderId))?.transfers).toHaveLength(1);
    }
  });

  it('of the same order adds its transfer, also a second one to the same seller', async () => {
    const first = await imported();
    const second = await imported({ stripeTransferId: 'tr_b', amount: 100n });
    const third = await imported({ stripeTransferId: null, amount: 300n, sellerAccount: 'acct_b' });
    expect([second.orderId, third.orderId]).toEqual([first.orderId, first.orderId]);
    const order = await test.ledger.findOrder(first.orderId);
    expect(order?.items.map(({ amount }) => amount)).toEqual([600n, 100n, 300n]);
    expect(order?.transfers).toHaveLength(3);
    expect(await test.ledger.countTransfersWithoutId()).toBe(1);
  });

  it('of odd fils gives back whole steps, and all of it as it was sent with the last refund', async () => {
    const steps = moneySteps(test);
    const { orderId } = await imported({ currency: 'KWD', paid: 10_007n, amount: 6_003n });
    await steps.refunded(orderId, 5_000);
    await steps.refunded(orderId);
    expect((await steps.find(orderId)).reversals.map(({ amount }) => amount)).toEqual([2_990n, 3_013n]);
    expect(await steps.find(orderId)).toMatchObject({ status: 'refunded' });
  });

  it('can be refunded like any other order', async () => {
    const { orderId } = await imported();
    const refund = await test.ledger.createRefund(
      { id: newRefundId(test.clock.nowMs()), orderId, amount: 500n, reason: 'r', hyperswitchRefundId: 'ref_1' },
      await beginRequest(test, 'refunds'),
    );
    expect(refund).toMatchObject({ kind: 'created', refund: { amount: 500n } });
  });

  it.each<[string, Partial<HistoricalTransfer>, string]>([
    [
      'another currency',
      { stripeTransferId: 'tr_b', amount: 1n, currency: 'USD' },
      'was imported in EUR, this line says USD',
    ],
    [
      'another sum paid',
      { stripeTransferId: 'tr_b', amount: 1n, paid: 1_001n },
      'imported with 1000 paid, this line says 1001',
    ],
    [
      'another payment',
      { stripeTransferId: 'tr_b', amount: 1n, hyperswitchPaymentId: 'pay_9' },
      'with payment pay_42, this line says pay_9',
    ],
    ['a payment of another order', { order: 'order-43', stripeTransferId: 'tr_b' }, 'pay_42 belongs to order order-42'],
    [
      'an id of another order’s transfer',
      { order: 'order-43', hyperswitchPaymentId: 'pay_43' },
      'tr_a is the transfer of 600 to acct_a for order order-42',
    ],
    ['an id of another seller’s transfer', { sellerAccount: 'acct_b' }, 'tr_a is the transfer of 600 to acct_a'],
    ['an id of a transfer of another amount', { amount: 599n }, 'tr_a is the transfer of 600'],
    ['more than was paid, with the others', { stripeTransferId: 'tr_b', amount: 401n }, 'come to 1001 of 1000 paid'],
    [
      'more than was paid, alone',
      { order: 'order-43', hyperswitchPaymentId: 'pay_43', stripeTransferId: 'tr_b', amount: 1_001n },
      'more than the 1000 that were paid',
    ],
    [
      'no id where a like transfer has one',
      { stripeTransferId: null },
      'give its line its id at Stripe, else leave it out',
    ],
  ])('with %s is refused, says what to do, and writes nothing', async (_, changes, detail) => {
    await imported();
    const before = await everything();
    expect(detailOf(await load(changes))).toContain(detail);
    expect(await everything()).toEqual(before);
  });

  it('with an id, where a like one came without, waits for the backfill to say whether they are one', async () => {
    const { transferId } = await imported({ stripeTransferId: null });
    expect(detailOf(await load())).toContain('run makegood backfill-transfer-ids --apply');
    await test.database.query(`UPDATE seller_transfers SET stripe_transfer_id = 'tr_a' WHERE id = $1`, [transferId]);
    expect(await load()).toMatchObject({ kind: 'same', transferId });
    expect(await load({ stripeTransferId: null })).toMatchObject({ kind: 'same', transferId });
    expect(await load({ stripeTransferId: 'tr_b', amount: 400n })).toMatchObject({ kind: 'imported' });
  });

  it('of an order that was made here is refused', async () => {
    const order = await putOrder(test);
    expect(detailOf(await load({ order: order.id }))).toContain('was made here');
  });

  it('of an order that was refunded meanwhile is refused: its share would never be taken back', async () => {
    const { orderId } = await imported();
    const [payment] = await test.database.query<{ id: string }>('SELECT id FROM payments WHERE order_id = $1', [
      orderId,
    ]);
    await test.database.query(
      `INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, status, certainty, succeeded_at, idempotency_key)
       VALUES (gen_random_uuid(), $1, $2, 100, 'EUR', 'r', 'succeeded', 'done', now(), 'k')`,
      [orderId, payment?.id],
    );
    expect(detailOf(await load({ stripeTransferId: 'tr_b', amount: 1n }))).toContain('reverse it at Stripe by hand');
    expect(await load()).toMatchObject({ kind: 'same' });
  });

  it('never takes an id twice when two orders come at once with the same one', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) => load({ order: `order-${index}`, hyperswitchPaymentId: `pay_${index}` })),
    );
    expect(outcomes.filter(({ kind }) => kind === 'imported')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'conflict')).toHaveLength(5);
    expect(await test.ledger.listOrders({ limit: 9 })).toHaveLength(1);
  });
});

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
        (await imported({ order: unique('order'), hyperswitchPaymentId: unique('pay'), stripeTransferId: null }))
          .transferId,
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
    expect(await eventsOf('backfill', run.id)).toEqual(['started', 'finished']);
  });

  it('is about completed transfers without an id, seller by seller, from a date on', async () => {
    const old = await imported({ stripeTransferId: null, createdAt: '2024-01-01T00:00:00.000Z' });
    const other = await imported({ stripeTransferId: null, sellerAccount: 'acct_b', amount: 200n });
    const late = await imported({ stripeTransferId: null, amount: 100n, createdAt: '2025-06-01T00:00:00.000Z' });
    await imported({ order: 'known', hyperswitchPaymentId: 'pay_known' });
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
    expect(await eventsOf('transfer', id!)).toEqual(['imported', 'id_found']);
    expect(await test.ledger.countTransfersWithoutId()).toBe(0);
  });

  it('writes no id in a dry run', async () => {
    const run = await started({ apply: false });
    const [id] = await withoutId();
    expect(await test.ledger.recordBackfill(aResult(run.id, id!), false)).toEqual(aResult(run.id, id!));
    expect(await idOf(id!)).toBeNull();
    expect(await eventsOf('transfer', id!)).toEqual(['imported', 'id_looked_for']);
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
    await force(test.database, 'seller_transfers', same!, { stripe_transfer_id: 'tr_found' });
    await force(test.database, 'seller_transfers', other!, { stripe_transfer_id: 'tr_by_hand' });
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
