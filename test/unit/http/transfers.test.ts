import { afterEach, describe, expect, it } from 'vitest';
import { aReversal, aTransfer, id, ORDER_ID, REVERSAL_ID, TRANSFER_ID } from './marketplace-objects.js';
import { openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

const ATTENTION = {
  reason: 'retries_exhausted',
  since: '2026-11-21T11:00:00.000Z',
  detail: 'every attempt failed',
} as const;

describe('transfers', () => {
  it('tell all that the contract names', async () => {
    const transfer = aTransfer({ status: 'permanently_failed', amountReversed: 100n, attention: ATTENTION });
    shop = await openShop(() => ({
      ledger: {
        findTransfer: (asked) => Promise.resolve(asked === TRANSFER_ID ? transfer : undefined),
        reversalsOfTransfer: () => Promise.resolve([aReversal()]),
      },
    }));
    const { status, body } = await shop.read(`/api/v1/transfers/${TRANSFER_ID}`);
    expect([status, body]).toEqual([
      200,
      {
        id: TRANSFER_ID,
        order_id: ORDER_ID,
        seller_account: 'acct_a',
        amount: 600,
        offset: 0,
        amount_reversed: 100,
        currency: 'USD',
        status: 'permanently_failed',
        certainty: 'done',
        stripe_transfer_id: 'tr_1',
        conversion: null,
        retry_count: 0,
        next_retry_at: null,
        waiting: null,
        release: { kind: 'immediately', at: null, released_at: null },
        held: null,
        payout: null,
        reversals: [expect.objectContaining({ id: REVERSAL_ID, amount: 300 })],
        attention: ATTENTION,
        workflow_id: `transfer/${TRANSFER_ID}`,
        created_at: expect.any(String),
      },
    ]);
    expect(problemOf(await shop.read(`/api/v1/transfers/${id(9)}`))).toEqual([404, 'not_found']);
    expect(problemOf(await shop.read('/api/v1/transfers/x'))).toEqual([404, 'not_found']);
  });

  it('are listed each with its own reversals, which are asked for once', async () => {
    const other = id(44) as never;
    const questions: unknown[] = [];
    shop = await openShop(() => ({
      ledger: {
        listTransfers: () => Promise.resolve([aTransfer(), aTransfer({ id: other })]),
        reversalsOfTransfers: (ids) => {
          questions.push(ids);
          return Promise.resolve([aReversal(), aReversal({ id: id(55) as never }), aReversal({ transferId: other })]);
        },
      },
    }));
    const { body } = await shop.read('/api/v1/transfers?status=failed&needs_attention=true&limit=200');
    expect(body.items.map(({ reversals }: { reversals: unknown[] }) => reversals.length)).toEqual([2, 1]);
    expect(questions).toEqual([[TRANSFER_ID, other]]);
    expect(shop.filters).toMatchObject([{ status: 'failed', needsAttention: true, limit: 201 }]);
  });
});

describe('reversals', () => {
  it('tell all that the contract names, under an id that is derived', async () => {
    shop = await openShop(() => ({
      ledger: {
        findReversal: (asked) =>
          Promise.resolve(
            asked === REVERSAL_ID ? aReversal({ status: 'waiting_balance', nextRetryAt: null }) : undefined,
          ),
      },
    }));
    const { status, body } = await shop.read(`/api/v1/reversals/${REVERSAL_ID}`);
    expect([status, Object.keys(body).filter((name) => name !== 'created_at')]).toEqual([
      200,
      [
        'id',
        'refund_id',
        'dispute_id',
        'transfer_id',
        'order_id',
        'seller_account',
        'amount',
        'counted',
        'currency',
        'status',
        'certainty',
        'retry_count',
        'next_retry_at',
        'stripe_transfer_id',
        'stripe_reversal_id',
        'debt',
        'conversion',
        'seller',
        'attention',
        'workflow_id',
      ],
    ]);
    expect(problemOf(await shop.read(`/api/v1/reversals/${id(9)}`))).toEqual([404, 'not_found']);
  });

  it('go on after the last one of the page before', async () => {
    shop = await openShop(() => ({
      ledger: { listReversals: ({ before }) => Promise.resolve(before ? [] : [aReversal(), aReversal()]) },
    }));
    const { body } = await shop.read('/api/v1/reversals?limit=1');
    expect(body.items).toHaveLength(1);
    expect((await shop.read(`/api/v1/reversals?limit=1&cursor=${body.next_cursor}`)).body).toEqual({
      items: [],
      next_cursor: null,
    });
    expect(shop.filters[1]?.before).toBe(REVERSAL_ID);
  });
});
