import { describe, expect, it } from 'vitest';
import { newOrderId, newRefundId, newTransferId } from '../../../../src/domain/ids.js';
import { reversalId } from '../../../../src/domain/marketplace/reversal-id.js';
import type { MarketplaceFilter } from '../../../../src/ledger/marketplace/marketplace-types.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { anOrder, beginRequest, forceColumns, putOrder } from '../../../support/marketplace/fixtures.js';

const test = await ledgerForFile();

/** Refunded in part: one seller is asked for his share, one paid it back, one was not paid yet. */
const refundedInPart = () =>
  putOrder(test, {
    currency: 'EUR',
    transfers: [{ amount: 600 }, { amount: 300 }, { amount: 100, status: 'pending' }],
    refunds: [
      {
        amount: 500,
        reversals: [
          { transfer: 0, amount: 300 },
          { transfer: 1, amount: 150, status: 'reversed' },
        ],
      },
      { amount: 100, status: 'failed' },
    ],
  });

describe('an order', () => {
  it('shows everything that came of it', async () => {
    const put = await refundedInPart();
    const [toA, toB, toC] = put.transfers;
    const order = await test.ledger.findOrder(put.id);
    expect(order).toMatchObject({
      id: put.id,
      status: 'partially_refunded',
      currency: 'EUR',
      amount: 1_000n,
      items: [{ sellerAccount: 'acct_a', amount: 600n }, { amount: 300n }, { amount: 100n }],
      payment: { id: put.paymentId, status: 'succeeded', hyperswitchPaymentId: put.hyperswitchPaymentId },
    });
    const transfers = new Map(order?.transfers.map((transfer) => [transfer.id, transfer]));
    expect(transfers.get(toA!.id)).toMatchObject({ status: 'reversal_pending', amountReversed: 0n });
    expect(transfers.get(toB!.id)).toMatchObject({ status: 'partially_reversed', amountReversed: 150n });
    expect(transfers.get(toC!.id)).toMatchObject({ status: 'pending', stripeTransferId: null });
    expect(order?.refunds.map(({ id }) => id).sort()).toEqual(put.refunds.map(({ id }) => id).sort());
    expect(order?.reversals).toMatchObject([
      { transferId: toA!.id, stripeTransferId: toA!.stripeTransferId, status: 'pending', stripeReversalId: null },
      { transferId: toB!.id, stripeTransferId: toB!.stripeTransferId, status: 'reversed', amount: 150n },
    ]);
  });

  it('is never mixed with another one', async () => {
    const [one, other] = [await refundedInPart(), await refundedInPart()];
    const listed = await test.ledger.listOrders({ limit: 2 });
    expect(listed.map(({ id }) => id)).toEqual([one.id, other.id].sort().reverse());
    for (const order of listed) {
      expect(order).toEqual(await test.ledger.findOrder(order.id));
      for (const { orderId } of [...order.transfers, ...order.refunds, ...order.reversals])
        expect(orderId).toBe(order.id);
    }
  });
});

describe('one item', () => {
  it('is found by its id, with what belongs to it', async () => {
    const put = await refundedInPart();
    const [transfer, reversal, refund] = [put.transfers[1]!, put.reversals[1]!, put.refunds[0]!];
    expect(await test.ledger.findTransfer(transfer.id)).toMatchObject({
      id: transfer.id,
      orderId: put.id,
      sellerAccount: 'acct_b',
      amount: 300n,
      amountReversed: 150n,
      currency: 'EUR',
      certainty: 'done',
      origin: 'order',
      retryCount: 0,
      attention: null,
      workflowId: `transfer/${transfer.id}`,
    });
    expect(await test.ledger.findReversal(reversal.id)).toMatchObject({
      id: reversal.id,
      refundId: refund.id,
      transferId: transfer.id,
      orderId: put.id,
      sellerAccount: 'acct_b',
      amount: 150n,
      status: 'reversed',
      stripeReversalId: expect.stringMatching(/^trr_/),
    });
    expect((await test.ledger.reversalsOfTransfer(transfer.id)).map(({ id }) => id)).toEqual([reversal.id]);
    expect((await test.ledger.reversalsOfRefund(refund.id)).map(({ id }) => id)).toEqual(
      put.reversals.map(({ id }) => id),
    );
    expect(await test.ledger.reversalsOfRefund(put.refunds[1]!.id)).toEqual([]);
  });

  it('shows why it waits for a person', async () => {
    const put = await putOrder(test, {
      refunds: [{ reversals: [{ transfer: 0, amount: 1_000, status: 'permanently_failed' }] }],
    });
    expect(await test.ledger.findReversal(put.reversals[0]!.id)).toMatchObject({
      attention: {
        reason: 'retries_exhausted',
        since: expect.stringMatching(/Z$/),
        detail: 'every attempt failed',
      },
    });
    expect(await test.ledger.findTransfer(put.transfers[0]!.id)).toMatchObject({ status: 'permanently_failed' });
  });

  it('is unknown under an id that nobody made', async () => {
    const [refund, transfer] = [newRefundId(Date.now()), newTransferId(Date.now())];
    expect(await test.ledger.findTransfer(transfer)).toBeUndefined();
    expect(await test.ledger.findRefund(refund)).toBeUndefined();
    expect(await test.ledger.findReversal(reversalId(refund, transfer))).toBeUndefined();
  });
});

type Lists = 'listOrders' | 'listTransfers' | 'listReversals';
const idsOf = async (list: Lists, filter: Partial<MarketplaceFilter>): Promise<string[]> =>
  (await test.ledger[list]({ limit: 200, ...filter })).map(({ id }) => id);

describe('lists', () => {
  /** Thirty of one seller's, made in transactions that share their date with others. */
  const manyReversals = async () => {
    const orders = [];
    for (let batch = 0; batch < 6; batch += 1) {
      test.clock.advance(1);
      orders.push(
        await putOrder(test, {
          transfers: Array.from({ length: 5 }, () => ({ amount: 100 })),
          refunds: [{ amount: 500, reversals: [0, 1, 2, 3, 4].map((transfer) => ({ transfer, amount: 100 })) }],
        }),
      );
    }
    return orders;
  };

  it.each(['listOrders', 'listTransfers', 'listReversals'] as const)(
    '%s gives every item once, newest first, also while new ones are made',
    async (list) => {
      const before = await idsOf(list, {});
      const orders = await manyReversals();
      const expected = new Set<string>(
        orders.flatMap(({ id, transfers, reversals }): string[] => {
          if (list === 'listOrders') return [id];
          return (list === 'listTransfers' ? transfers : reversals).map((item) => item.id);
        }),
      );
      const seen: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < 30 && seen.length < expected.size; page += 1) {
        const ids = await idsOf(list, { before: cursor, limit: 4 });
        seen.push(...ids);
        cursor = ids.at(-1);
        test.clock.advance(1);
        await putOrder(test, { refunds: [{ amount: 1, reversals: [{ transfer: 0, amount: 1 }] }] });
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(new Set(seen.slice(0, expected.size))).toEqual(expected);
      const rest = await idsOf(list, { before: seen[expected.size - 1] });
      expect(rest).toEqual(before.slice(0, 200));
    },
  );

  it('are in the order in which things were made', async () => {
    const first = await putOrder(test, { refunds: [{ reversals: [{ transfer: 0, amount: 1_000 }] }] });
    test.clock.advance(1_000);
    const second = await putOrder(test, { refunds: [{ reversals: [{ transfer: 0, amount: 1_000 }] }] });
    expect(await idsOf('listOrders', { limit: 2 })).toEqual([second.id, first.id]);
    expect(await idsOf('listTransfers', { limit: 2 })).toEqual([second.transfers[0]!.id, first.transfers[0]!.id]);
    expect(await idsOf('listReversals', { limit: 2 })).toEqual([second.reversals[0]!.id, first.reversals[0]!.id]);
  });

  it('end at a cursor that nobody was given', async () => {
    await putOrder(test, { refunds: [{ reversals: [{ transfer: 0, amount: 1_000 }] }] });
    const unknown = reversalId(newRefundId(0), newTransferId(0));
    expect(await idsOf('listReversals', { before: unknown })).toEqual([]);
  });

  it('can be of one status', async () => {
    const put = await refundedInPart();
    const [toA, toB, toC] = put.transfers.map(({ id }) => id);
    const orderId = put.id;
    expect(await idsOf('listOrders', { orderId, status: 'partially_refunded' })).toEqual([put.id]);
    expect(await idsOf('listOrders', { orderId, status: 'paid' })).toEqual([]);
    expect(await idsOf('listTransfers', { orderId, status: 'pending' })).toEqual([toC]);
    expect(await idsOf('listTransfers', { orderId, status: 'partially_reversed' })).toEqual([toB]);
    expect(await idsOf('listTransfers', { orderId, status: 'reversal_pending' })).toEqual([toA]);
    expect(await idsOf('listReversals', { orderId, status: 'reversed' })).toEqual([put.reversals[1]!.id]);
    expect(await idsOf('listReversals', { orderId, status: 'no_such_status' })).toEqual([]);
  });

  it('can be of one order', async () => {
    const put = await refundedInPart();
    await refundedInPart();
    const orderId = put.id;
    expect(await idsOf('listOrders', { orderId })).toEqual([put.id]);
    expect((await idsOf('listTransfers', { orderId })).sort()).toEqual(put.transfers.map(({ id }) => id).sort());
    expect((await idsOf('listReversals', { orderId })).sort()).toEqual(put.reversals.map(({ id }) => id).sort());
    expect(await idsOf('listTransfers', { orderId: newOrderId(Date.now()) })).toEqual([]);
  });

  it.each([
    ['a reversal', 'reversals', (put: Put) => put.reversals[0]!.id],
    ['a transfer', 'seller_transfers', (put: Put) => put.transfers[0]!.id],
    ['a refund', 'refunds', (put: Put) => put.refunds[0]!.id],
  ] as const)('can be of what waits for a person: %s makes its order wait too', async (_, table, idOf) => {
    const put = await refundedInPart();
    const orderId = put.id;
    const waiting = async (needsAttention: boolean) => ({
      orders: await idsOf('listOrders', { orderId, needsAttention }),
      items: [
        ...(await idsOf('listTransfers', { orderId, needsAttention })),
        ...(await idsOf('listReversals', { orderId, needsAttention })),
      ],
    });
    expect(await waiting(true)).toEqual({ orders: [], items: [] });
    expect((await waiting(false)).items).toHaveLength(5);
    const columns = { attention_reason: 'conflict', attention_since: new Date(), attention_detail: 'x' };
    await forceColumns(test.database, table, idOf(put), columns);
    const items = table === 'refunds' ? [] : [idOf(put)];
    expect(await waiting(true)).toEqual({ orders: [orderId], items });
    expect((await waiting(false)).orders).toEqual([]);
    expect((await waiting(false)).items).toHaveLength(5 - items.length);
  });

  it('can be of one key: an order’s by our client’s, a transfer’s and a reversal’s of any generation', async () => {
    const request = await beginRequest(test, 'orders');
    const order = await test.ledger.createOrder(anOrder(test), request);
    expect(await idsOf('listOrders', { key: request.key })).toEqual([order.id]);
    const other = await beginRequest(test, 'refunds');
    expect(await idsOf('listOrders', { key: other.key })).toEqual([]);

    const put = await refundedInPart();
    const [transfer, reversal] = [put.transfers[0]!.id, put.reversals[0]!.id];
    for (const suffix of ['', ':g1', ':g2', ':g12']) {
      expect(await idsOf('listTransfers', { key: `${transfer}${suffix}` })).toEqual([transfer]);
      expect(await idsOf('listReversals', { key: `${reversal}${suffix}` })).toEqual([reversal]);
    }
    for (const key of ['', 'nobody', `${transfer}:g`, `${transfer}g2`, reversal])
      expect(await idsOf('listTransfers', { key })).toEqual([]);
    expect(await idsOf('listReversals', { key: transfer })).toEqual([]);
  });
});

type Put = Awaited<ReturnType<typeof putOrder>>;
