import { beforeEach, describe, expect, it } from 'vitest';
import { newRefundId } from '../../../../src/domain/ids.js';
import type { HistoricalTransfer, ImportOutcome } from '../../../../src/ledger/historical/historical-types.js';
import { ledgerForTest, type TestLedger } from '../../../support/ledger-fixtures.js';
import { beginRequest, putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { aLine, importLine } from '../../../support/marketplace/historical-lines.js';
import { marketplaceSteps } from '../../../support/marketplace/steps.js';
import { eventsOf } from '../../../support/operation-events.js';

let test: TestLedger;
beforeEach(async () => {
  test = await ledgerForTest();
});

const load = (changes: Partial<HistoricalTransfer> = {}) => test.ledger.importTransfer(aLine(changes));
const detailOf = (outcome: ImportOutcome) => (outcome.kind === 'conflict' ? outcome.detail : outcome.kind);
/** Everything that an import could write, to show that it wrote nothing. */
const everything = () =>
  test.database.query(
    `SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM payments) AS payments,
       (SELECT count(*) FROM order_items) AS items, (SELECT count(*) FROM seller_transfers) AS transfers,
       (SELECT count(*) FROM operation_events) AS events`,
  );

describe('an imported line', () => {
  it('becomes a paid order with its payment and a completed transfer, as old as they are', async () => {
    const { orderId, transferId } = await importLine(test);
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
    expect(await eventsOf(test, 'order', orderId)).toEqual(['imported', 'platform_share']);
    expect(order?.platform).toEqual({ amount: 400n, fees: 0n, kept: 400n });
    expect(await eventsOf(test, 'transfer', transferId)).toEqual(['imported']);
    expect(await eventsOf(test, 'payment', order?.payment?.id ?? '')).toEqual(['imported']);
  });

  it('stands behind newer orders in every list, and is found by what the order was called', async () => {
    const newer = await putOrder(test);
    const { orderId, transferId } = await importLine(test);
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
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => importLine(test, line)));
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['imported', ...Array.from({ length: 7 }, () => 'same')]);
      expect(new Set(outcomes.map(({ transferId }) => transferId)).size).toBe(1);
      expect((await test.ledger.findOrder(outcomes[0]!.orderId))?.transfers).toHaveLength(1);
    }
  });

  it('of the same order adds its transfer, also a second one to the same seller', async () => {
    const first = await importLine(test);
    const second = await importLine(test, { stripeTransferId: 'tr_b', amount: 100n });
    const third = await importLine(test, { stripeTransferId: null, amount: 300n, sellerAccount: 'acct_b' });
    expect([second.orderId, third.orderId]).toEqual([first.orderId, first.orderId]);
    const order = await test.ledger.findOrder(first.orderId);
    expect(order?.items.map(({ amount }) => amount)).toEqual([600n, 100n, 300n]);
    expect(order?.transfers).toHaveLength(3);
    expect(await test.ledger.countTransfersWithoutId()).toBe(1);
  });

  it('of odd fils gives back whole steps, and all of it as it was sent with the last refund', async () => {
    const steps = marketplaceSteps(test);
    const { orderId } = await importLine(test, { currency: 'KWD', paid: 10_007n, amount: 6_003n });
    await steps.refunded(orderId, 5_000);
    await steps.refunded(orderId);
    expect((await steps.find(orderId)).reversals.map(({ amount }) => amount)).toEqual([2_990n, 3_013n]);
    expect(await steps.find(orderId)).toMatchObject({ status: 'refunded' });
  });

  it('can be refunded like any other order', async () => {
    const { orderId } = await importLine(test);
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
    await importLine(test);
    const before = await everything();
    expect(detailOf(await load(changes))).toContain(detail);
    expect(await everything()).toEqual(before);
  });

  it('with an id, where a like one came without, waits for the backfill to say whether they are one', async () => {
    const { transferId } = await importLine(test, { stripeTransferId: null });
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
    const { orderId } = await importLine(test);
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
