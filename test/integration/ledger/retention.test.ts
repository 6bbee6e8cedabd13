import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PAYMENT_TRANSITIONS,
  type PaymentStatus,
  REFUND_TRANSITIONS,
  REVERSAL_TRANSITIONS,
  type RefundStatus,
  type ReversalStatus,
  TRANSFER_TRANSITIONS,
  type TransferStatus,
} from '../../../src/domain/marketplace/marketplace-status.js';
import { brokenLink, type ChainedEvent, itemName } from '../../../src/domain/proof/chain.js';
import { createEventChains } from '../../../src/ledger/proof/event-chains.js';
import { aSettlement, DONE, ledgerForFile } from '../../support/ledger-fixtures.js';
import { forceColumns, putOrder } from '../../support/marketplace/fixtures.js';
import { marketplaceSteps } from '../../support/marketplace/steps.js';

const DAY_MS = 86_400_000;
const QUIET_MS = 90 * DAY_MS;
const TABLES = ['orders', 'payments', 'refunds', 'seller_transfers', 'reversals', 'disputes'] as const;

const test = await ledgerForFile();
const { clock, database, ledger } = test;
const steps = marketplaceSteps(test);

/** As the sweep does it: batch after batch, until all was looked at. */
async function archiveAll(limit = 200): Promise<number> {
  let archived = 0;
  for (const archive of [ledger.archiveSettlements, ledger.archiveOrders])
    for (let more = true; more; ) {
      const found = await archive(QUIET_MS, limit);
      archived += found.archived;
      more = found.more;
    }
  return archived;
}

/** Of each row of an order whether it is put aside. */
async function asideOf(order: string): Promise<readonly boolean[]> {
  const rows = await database.query<{ aside: boolean }>(
    TABLES.map(
      (table) =>
        `SELECT archived_at IS NOT NULL AS aside FROM ${table} WHERE ${table === 'orders' ? 'id' : 'order_id'} = $1`,
    ).join(' UNION ALL '),
    [order],
  );
  return rows.map(({ aside }) => aside);
}
const isAside = async (order: string) => {
  const all = new Set(await asideOf(order));
  expect(all.size).toBe(1);
  return all.has(true);
};

const keysOf = <Status extends string>(table: Readonly<Record<Status, unknown>>) =>
  fc.constantFrom(...(Object.keys(table) as Status[]));
const ENDED: {
  readonly payment: readonly PaymentStatus[];
  readonly refund: readonly RefundStatus[];
  readonly transfer: readonly TransferStatus[];
  readonly reversal: readonly ReversalStatus[];
} = {
  payment: ['succeeded', 'failed', 'cancelled'],
  refund: ['succeeded', 'failed'],
  transfer: ['completed', 'partially_reversed', 'reversed', 'cancelled'],
  reversal: ['reversed', 'written_off'],
};
const asks = fc.constantFrom(false, false, false, true);

describe('retention', () => {
  it('puts an order aside with all that came of it, and never one of which anything is unfinished or asks', async () => {
    const order = fc.record({
      payment: keysOf(PAYMENT_TRANSITIONS),
      refund: keysOf(REFUND_TRANSITIONS),
      transfer: keysOf(TRANSFER_TRANSITIONS),
      reversal: keysOf(REVERSAL_TRANSITIONS),
      asks: fc.tuple(asks, asks, asks),
      drift: fc.constantFrom<'open' | 'closed' | undefined>(undefined, undefined, 'open', 'closed'),
      old: fc.constantFrom(true, true, false),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(order, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (orders, limit) => {
          const expected: [string, boolean][] = [];
          let moved = false;
          for (const {
            payment,
            refund,
            transfer,
            reversal,
            asks: [one, two, three],
            drift,
            old,
          } of orders.sort((a, b) => Number(b.old) - Number(a.old))) {
            if (!old && !moved) clock.advance(100 * DAY_MS);
            moved ||= !old;
            const put = await putOrder(test, {
              status: 'paid',
              payment: { status: payment },
              transfers: [{ amount: 600, status: transfer }],
              refunds: [{ amount: 100, status: refund, reversals: [{ transfer: 0, amount: 100, status: reversal }] }],
            });
            const question = {
              attention_reason: 'conflict',
              attention_since: new Date(clock.nowMs()),
              attention_detail: 'who knows',
            };
            if (one) await forceColumns(database, 'payments', put.paymentId, question);
            if (two) await forceColumns(database, 'seller_transfers', put.transfers[0]?.id ?? '', question);
            if (three) await forceColumns(database, 'refunds', put.refunds[0]?.id ?? '', question);
            if (drift) await putDrift(put.transfers[0]?.id ?? '', drift);
            expected.push([
              put.id,
              old &&
                !one &&
                !two &&
                !three &&
                drift !== 'open' &&
                ENDED.payment.includes(payment) &&
                ENDED.refund.includes(refund) &&
                ENDED.transfer.includes(transfer) &&
                ENDED.reversal.includes(reversal),
            ]);
          }
          if (!moved) clock.advance(100 * DAY_MS);
          await archiveAll(limit);
          const found: [string, boolean][] = [];
          for (const [id] of expected) found.push([id, await isAside(id)]);
          expect(found).toEqual(expected);
          const listed = new Set((await ledger.listOrders({ limit: 10_000 })).map(({ id }) => id as string));
          for (const [id, aside] of expected) expect([id, listed.has(id)]).toEqual([id, !aside]);
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  async function putDrift(item: string, state: 'open' | 'closed'): Promise<void> {
    await database.transaction(async (query) => {
      await query('SET LOCAL session_replication_role = replica');
      await query(
        `INSERT INTO drifts (id, kind, provider, provider_id, item_kind, item_id, ledger_says, provider_says, state, run_id, opened_at, closed_at, closed_why)
         VALUES (gen_random_uuid(), 'transfer_differs', 'stripe', $1, 'transfer', $2, 'one', 'two', $3, gen_random_uuid(), clock_now(),
           CASE WHEN $3 = 'closed' THEN clock_now() END, CASE WHEN $3 = 'closed' THEN 'agrees' END)`,
        [`tr_${item}`, item, state],
      );
    });
  }

  it('is undone by what happens late: a refund of an order that was put aside works as of any', async () => {
    const share = await steps.sentShare(1_000);
    clock.advance(100 * DAY_MS);
    await archiveAll();
    expect(await isAside(share.id)).toBe(true);
    expect((await ledger.listOrders({ limit: 10_000 })).some(({ id }) => id === share.id)).toBe(false);
    expect((await ledger.listOrders({ limit: 10_000, archived: true })).some(({ id }) => id === share.id)).toBe(true);
    expect(await ledger.listTransfers({ limit: 10, orderId: share.id })).toHaveLength(1);
    expect(await ledger.findItems(share.id)).toHaveLength(1);

    const refund = await steps.askRefund(share.id, 400);
    expect(await isAside(share.id)).toBe(false);
    await archiveAll();
    expect(await isAside(share.id)).toBe(false);
    expect((await steps.refund(refund)).status).toBe('pending');
    await expectWholeChains();
  });

  it('is undone by a dispute, a drift and a decision that waits for a second person', async () => {
    for (const happens of [
      (order: string, payment: string) =>
        database.query(
          `INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, amount, currency)
           VALUES (gen_random_uuid(), $1, $2, 'stripe', $3, 100, 'USD')`,
          [order, payment, `dp_${order}`],
        ),
      async (_: string, payment: string) => {
        await database.query(
          `WITH run AS (INSERT INTO reconciliations (id, requested_by, state, finished_at) VALUES (gen_random_uuid(), 'me', 'finished', clock_now()) RETURNING id)
           INSERT INTO drifts (id, kind, provider, provider_id, item_kind, item_id, ledger_says, provider_says, run_id)
           SELECT gen_random_uuid(), 'payment_differs', 'hyperswitch', $1, 'payment', $2, 'one', 'two', id FROM run`,
          [`pay_${payment}`, payment],
        );
      },
      (_: string, payment: string) =>
        database.query(
          `INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, rests_on)
           VALUES (gen_random_uuid(), 'payment', $1, 'write_off', 'pending_approval', 'olga', true, 'gone', 'two')`,
          [payment],
        ),
    ]) {
      const share = await steps.sentShare(1_000);
      clock.advance(100 * DAY_MS);
      await archiveAll();
      expect(await isAside(share.id)).toBe(true);
      await happens(share.id, share.paymentId);
      expect(await isAside(share.id)).toBe(false);
      await archiveAll();
      expect(await isAside(share.id)).toBe(false);
    }
  });

  it('leaves a settlement its names: the credential that it was charged by is refused as before', async () => {
    const settlement = aSettlement();
    const waiting = aSettlement();
    await ledger.createSettlement(settlement);
    await ledger.createSettlement(waiting);
    await settle(settlement.id);
    clock.advance(100 * DAY_MS);
    await archiveAll();
    const listed = async (archived?: boolean) =>
      (await ledger.listSettlements({ limit: 10_000, archived }))
        .map(({ id }) => id)
        .filter((id) => id === settlement.id || id === waiting.id);
    expect(await listed()).toEqual([waiting.id]);
    expect(await listed(true)).toEqual([settlement.id]);
    expect(await ledger.listSettlements({ limit: 10, key: settlement.key })).toHaveLength(1);
    expect((await ledger.findItems(settlement.key)).map(({ id }) => id)).toEqual([settlement.id]);
    const again = await ledger.createSettlement(aSettlement({ identity: settlement.identity, key: 'another' }));
    expect(again.kind).not.toBe('created');
    expect(await listed(true)).toEqual([settlement.id]);
    await expectWholeChains();
  });

  async function settle(id: string): Promise<void> {
    await forceColumns(database, 'settlements', id, {
      status: 'settled',
      certainty: DONE.kind,
      settled_at: new Date(clock.nowMs()),
      next_check_at: null,
      sealed: null,
      sealed_kind: null,
      sealed_key_id: null,
    });
  }

  /** As `verify --database` walks them. */
  async function expectWholeChains(): Promise<void> {
    const broken: unknown[] = [];
    let last: ChainedEvent | undefined;
    await createEventChains(database).walkChains({
      onPage: (events) => {
        for (const event of events) {
          const goesOn = last !== undefined && itemName(last) === itemName(event);
          broken.push(...[brokenLink(event, goesOn ? last : undefined)].filter((found) => found !== undefined));
          last = event;
        }
        return Promise.resolve();
      },
      onBegin: () => Promise.resolve(),
    });
    expect(last).toBeDefined();
    expect(broken).toEqual([]);
  }
});
