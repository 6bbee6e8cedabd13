import { beforeEach, describe, expect, it } from 'vitest';
import type { MarketplaceKind } from '../../../../src/domain/marketplace/marketplace.js';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../support/durations.js';
import { type TestLedger } from '../../../support/ledger-fixtures.js';
import { finishEvent } from '../../../support/marketplace/finish-event.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';
import {
  HOLD_MS,
  type MarketplaceSteps,
  marketplaceLedgerForTest,
  REFUSED,
  SHORT,
} from '../../../support/marketplace/steps.js';

let test: TestLedger;
let steps: MarketplaceSteps;
beforeEach(async () => {
  ({ test, steps } = await marketplaceLedgerForTest());
});

const due = async (kind: MarketplaceKind, limit = 100) => await test.ledger.dueItems(kind, limit);
const dueIds = async (kind: MarketplaceKind, limit = 100) => (await due(kind, limit)).map(({ id }) => id);

describe('what nobody took further', () => {
  it('is found, of every kind, with all that a start needs', async () => {
    const order = await steps.paid({ acct_a: 1_000 });
    const transfer = order.transfers.acct_a!;
    const [found] = await due('transfer');
    const { dueAt, ...item } = found!;
    expect(Date.parse(dueAt)).toBeLessThanOrEqual(test.clock.nowMs());
    expect([item]).toEqual([
      { kind: 'transfer', id: transfer, orderId: order.id, sellerAccount: 'acct_a', amount: 1_000n, currency: 'USD' },
    ]);
    expect(await test.ledger.describeItem({ kind: 'transfer', id: transfer })).toEqual(item);
    await steps.send(transfer);
    expect(await due('transfer')).toEqual([]);
    const refund = await steps.askRefund(order.id, 400);
    steps.pass(MINUTE_MS);
    expect(await due('refund')).toMatchObject([
      { kind: 'refund', id: refund, orderId: order.id, sellerAccount: null, amount: 400n, currency: 'USD' },
    ]);
    await steps.refundSays(refund, 'succeeded');
    expect(await due('refund')).toEqual([]);
    expect(await due('reversal')).toMatchObject([{ kind: 'reversal', sellerAccount: 'acct_a', amount: 400n }]);
    const open = await putOrder(test, { status: 'pending', transfers: [], paid: 5 });
    expect(await dueIds('payment')).toEqual([open.paymentId]);
  });

  it('is found again a minute after it was started, if nothing has taken it further', async () => {
    const order = await steps.paid({ acct_a: 1_000 });
    const item = { kind: 'transfer', id: order.transfers.acct_a! } as const;
    await test.ledger.markItemsStarted([item]);
    expect(await dueIds('transfer')).toEqual([]);
    steps.pass(MINUTE_MS + SECOND_MS);
    expect(await dueIds('transfer')).toEqual([item.id]);
    await steps.holdTransfer(order.transfers.acct_a!);
    await test.ledger.markItemsStarted([item]);
    expect(await dueIds('transfer')).toEqual([]);
    steps.pass(MINUTE_MS + SECOND_MS);
    // The claim holds for this long; its process is given as much.
    expect(await dueIds('transfer')).toEqual([]);
    steps.pass(HOLD_MS);
    expect(await dueIds('transfer')).toEqual([item.id]);
  });

  it('comes from sellers in turn: a busy one never fills the page', async () => {
    const busy = await putOrder(test, {
      transfers: Array.from({ length: 40 }, () => ({
        amount: 10,
        status: 'pending' as const,
        seller: 'acct_busy',
        columns: { origin: 'import' },
      })),
    });
    steps.pass(SECOND_MS);
    const others = await putOrder(test, {
      transfers: ['acct_b', 'acct_c'].map((seller) => ({ amount: 10, status: 'pending' as const, seller })),
    });
    const page = await due('transfer', 5);
    const sellers = page.map(({ sellerAccount }) => sellerAccount);
    expect(sellers[0]).toBe('acct_busy');
    expect(new Set(sellers.slice(1, 3))).toEqual(new Set(['acct_b', 'acct_c']));
    expect(sellers.slice(3)).toEqual(['acct_busy', 'acct_busy']);
    expect(page.map(({ id }) => id)).toEqual(expect.arrayContaining(others.transfers.map(({ id }) => id)));
    expect(busy.transfers.map(({ id }) => id)).toContain(page[0]!.id);
  });

  it('never shows what is final', async () => {
    const orders = await putOrder(test, {
      transfers: [{ amount: 500 }, { amount: 500, status: 'cancelled' }],
      refunds: [{ amount: 500, reversals: [{ transfer: 0, amount: 500, status: 'reversed' }] }],
    });
    steps.pass(1_000 * HOUR_MS);
    for (const kind of ['payment', 'refund', 'transfer', 'reversal'] as const) expect(await dueIds(kind)).toEqual([]);
    expect(orders.reversals).toHaveLength(1);
  });

  it('leaves those alone that only a person can take further', async () => {
    const order = await steps.paid({ acct_a: 1_000 });
    await steps.send(order.transfers.acct_a!);
    await steps.refunded(order.id);
    const { id } = (await steps.find(order.id)).reversals[0]!;
    await steps.reverse(id, REFUSED, { provedAbsent: true });
    steps.pass(1_000 * HOUR_MS);
    expect(await dueIds('reversal')).toEqual([]);
  });

  it('shows a parked seller once when a probe is due, and everybody else as ever', async () => {
    const mine = await steps.paid({ acct_a: 600, acct_b: 400 });
    const also = await steps.paid({ acct_a: 600 });
    await test.ledger.parkProvider('stripe:acct_a', 'revoked');
    expect(await dueIds('transfer')).toEqual([mine.transfers.acct_b]);
    steps.pass(2 * SECOND_MS);
    expect(await dueIds('transfer')).toHaveLength(2);
    await test.ledger.unparkProvider('stripe:acct_a');
    expect(await dueIds('transfer')).toHaveLength(3);
    expect(also.id).not.toBe(mine.id);
  });

  it('is found again at once where a decision has dated it anew while its workflow was started', async () => {
    const order = await steps.paid({ acct_a: 1_000 });
    const found = await due('transfer');
    steps.pass(SECOND_MS);
    await test.database.query('UPDATE seller_transfers SET next_check_at = clock_now() WHERE id = $1', [
      order.transfers.acct_a,
    ]);
    await test.ledger.markItemsStarted(found);
    expect(await dueIds('transfer')).toEqual([order.transfers.acct_a]);
  });

  it('asks no more often about what waits for a balance than it may be asked for', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      const order = await steps.paid({ acct_a: 1_000 });
      await steps.send(order.transfers.acct_a!);
      await steps.refunded(order.id);
      ids.push((await steps.find(order.id)).reversals[0]!.id);
    }
    await steps.reverse(ids[0] as never, SHORT, { provedAbsent: true });
    // A day of sweeps, each of which starts what it finds.
    const looks = new Map<string, number>();
    for (let minute = 0; minute < 24 * 60; minute += 15) {
      for (const { kind, id } of await due('reversal')) {
        looks.set(id, (looks.get(id) ?? 0) + 1);
        await test.ledger.markItemsStarted([{ kind, id }]);
        const claim = await steps.claimReversal(id as never);
        if (claim.kind === 'claimed') await steps.attempt(claim.claim, SHORT, { provedAbsent: true });
      }
      steps.pass(15 * MINUTE_MS);
    }
    expect(looks.get(ids[0]!)).toBeLessThan(40);
    for (const id of ids.slice(1)) expect(looks.get(id)).toBeLessThan(3);
  });
});

describe('webhooks of an item', () => {
  const event = (changes: Partial<Parameters<TestLedger['ledger']['storeWebhook']>[0]>) => ({
    provider: 'hyperswitch' as const,
    eventId: unique('evt'),
    type: 'refund_succeeded',
    objectId: null,
    parentId: null,
    account: null,
    bodySha256: 'x',
    ...changes,
  });

  it('are open until they are finished, for the refund and for its payment', async () => {
    const order = await steps.paid({ acct_a: 1_000 });
    const refund = await steps.askRefund(order.id, 100);
    const { hyperswitchRefundId } = await steps.refund(refund);
    const told = event({ objectId: hyperswitchRefundId, parentId: order.hyperswitchPaymentId });
    await test.ledger.storeWebhook(told);
    const open = [{ provider: 'hyperswitch', eventId: told.eventId, type: told.type, round: expect.any(String) }];
    expect(await test.ledger.openWebhooks({ kind: 'refund', id: refund })).toEqual(open);
    expect(await test.ledger.openWebhooks({ kind: 'payment', id: order.paymentId })).toEqual(open);
    await finishEvent(test.ledger, told, 'read');
    expect(await test.ledger.openWebhooks({ kind: 'refund', id: refund })).toEqual([]);
  });

  it('of a transfer belong to its reversals too', async () => {
    const order = await steps.paid({ acct_a: 1_000 });
    await steps.send(order.transfers.acct_a!);
    await steps.refunded(order.id);
    const { transfers, reversals } = await steps.find(order.id);
    const told = event({ provider: 'stripe', type: 'transfer.reversed', objectId: transfers[0]!.stripeTransferId });
    await test.ledger.storeWebhook(told);
    for (const item of [
      { kind: 'transfer', id: transfers[0]!.id },
      { kind: 'reversal', id: reversals[0]!.id },
    ] as const)
      expect(await test.ledger.openWebhooks(item)).toEqual([
        { provider: 'stripe', eventId: told.eventId, type: told.type, round: expect.any(String) },
      ]);
  });
});
