import { beforeEach, describe, expect, it } from 'vitest';
import type { PayoutFacts } from '../../../../src/domain/calls/payout-answers.js';
import type { NewWebhookEvent } from '../../../../src/ledger/marketplace/marketplace-types.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { ledgerForTest, type TestLedger } from '../../../support/ledger-fixtures.js';
import { finishEvent } from '../../../support/marketplace/finish-event.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';

let test: TestLedger;
beforeEach(async () => {
  test = await ledgerForTest();
});

const anEvent = (changes: Partial<NewWebhookEvent> = {}): NewWebhookEvent => ({
  provider: 'hyperswitch',
  eventId: unique('evt'),
  type: 'payment_succeeded',
  objectId: 'pay_1',
  parentId: null,
  account: null,
  bodySha256: 'body',
  ...changes,
});
const store = (changes: Partial<NewWebhookEvent> = {}) => {
  const event = anEvent(changes);
  return test.ledger.storeWebhook(event).then((outcome) => ({ event, outcome }));
};
const storyOf = async ({ provider, eventId }: NewWebhookEvent) =>
  (
    await test.database.query<{ kind: string }>(
      `SELECT kind FROM operation_events WHERE item_kind = 'webhook' AND item_id = $1 ORDER BY seq`,
      [`${provider}/${eventId}`],
    )
  ).map(({ kind }) => kind);
const rowOf = async ({ eventId }: NewWebhookEvent) =>
  (
    await test.database.query<{
      deliveries: number;
      body_sha256: string;
      outcome: string | null;
      next_check_at: Date | null;
    }>('SELECT deliveries, body_sha256, outcome, next_check_at FROM webhook_events WHERE event_id = $1', [eventId])
  )[0];
const due = async (limit = 100) =>
  (await test.ledger.dueWebhooks('hyperswitch-event', limit)).map(({ eventId }) => eventId);

describe('an event', () => {
  it('is stored once, however often and at once it is delivered', async () => {
    const event = anEvent();
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => test.ledger.storeWebhook(event)));
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'duplicate')).toHaveLength(11);
    expect(await rowOf(event)).toMatchObject({ deliveries: 12 });
    expect(await storyOf(event)).toEqual(['received']);
  });

  it('is its provider’s own: the same id of another provider is another event', async () => {
    const { event } = await store();
    expect(await test.ledger.storeWebhook({ ...event, provider: 'stripe' })).toBe('stored');
  });

  it('keeps what it said first: another body under its id is counted and put on record', async () => {
    const { event } = await store();
    expect(
      await test.ledger.storeWebhook({ ...event, bodySha256: 'other', type: 'refund_failed', objectId: 'x' }),
    ).toBe('duplicate');
    expect(await rowOf(event)).toMatchObject({ deliveries: 2, body_sha256: 'body' });
    expect(await storyOf(event)).toEqual(['received', 'other_body']);
    test.clock.advance(MINUTE_MS);
    expect(await test.ledger.dueWebhooks('hyperswitch-event', 1)).toMatchObject([
      { type: 'payment_succeeded', objectId: 'pay_1', bodySha256: 'body' },
    ]);
  });

  it('is due half a minute later unless it is finished, and never again after', async () => {
    const [{ event: open }, { event: finished }] = [await store(), await store()];
    await finishEvent(test.ledger, finished, 'reread');
    expect(await due()).toEqual([]);
    test.clock.advance(31_000);
    expect(await due()).toEqual([open.eventId]);
    await finishEvent(test.ledger, open, 'reread');
    await finishEvent(test.ledger, open, 'something else');
    expect(await rowOf(open)).toMatchObject({ outcome: 'reread', next_check_at: null });
    expect(await test.ledger.storeWebhook(open)).toBe('duplicate');
    test.clock.advance(30 * 24 * 60 * MINUTE_MS);
    expect(await due()).toEqual([]);
    expect(await storyOf(open)).toEqual(['received', 'processed']);
  });

  it('that nobody can process is given again ever later, and never stands before the others', async () => {
    const poison = await Promise.all(Array.from({ length: 3 }, () => store()));
    test.clock.advance(MINUTE_MS);
    const { event: good } = await store();
    test.clock.advance(31_000);
    expect(new Set(await due(3))).toEqual(new Set(poison.map(({ event }) => event.eventId)));
    expect(await due(3)).toEqual([good.eventId]);
    expect(await due(3)).toEqual([]);
    await finishEvent(test.ledger, good, 'reread');
    let given = 0;
    for (let minute = 0; minute < 4 * 60; minute += 2) {
      test.clock.advance(2 * MINUTE_MS);
      given += (await due()).length;
    }
    // twice as late each time, and hourly at last
    expect(given / poison.length).toBeGreaterThanOrEqual(7);
    expect(given / poison.length).toBeLessThanOrEqual(11);
  });

  it('is given to one of two sweeps that ask at the same time, and neither waits for the other', async () => {
    await Promise.all(Array.from({ length: 20 }, () => store()));
    test.clock.advance(MINUTE_MS);
    const pages = await Promise.all([due(10), due(10), due(10)]);
    expect(new Set(pages.flat()).size).toBe(pages.flat().length);

    const [{ event: held }, { event: free }] = [await store(), await store()];
    test.clock.advance(31_000);
    await test.database.transaction(async (query) => {
      await query('SELECT 1 FROM webhook_events WHERE event_id = $1 FOR UPDATE', [held.eventId]);
      expect(await due()).toEqual([free.eventId]);
    });
  });
});

describe('the item of an event', () => {
  const itemOf = (changes: Partial<NewWebhookEvent>) => test.ledger.itemOfWebhook(anEvent(changes));

  it('is the refund, or the payment, that it names', async () => {
    const order = await putOrder(test, { refunds: [{ amount: 100 }] });
    const { hyperswitchPaymentId, paymentId } = order;
    const refund = order.refunds[0]!;
    expect(await itemOf({ objectId: hyperswitchPaymentId })).toEqual({ kind: 'payment', id: paymentId });
    expect(
      await itemOf({ type: 'refund_succeeded', objectId: refund.hyperswitchRefundId, parentId: hyperswitchPaymentId }),
    ).toEqual({ kind: 'refund', id: refund.id });
  });

  it('is the payment of a refund that only the provider knows so far', async () => {
    const { hyperswitchPaymentId, paymentId } = await putOrder(test);
    expect(
      await itemOf({ type: 'refund_succeeded', objectId: 'ref_of_the_dashboard', parentId: hyperswitchPaymentId }),
    ).toEqual({ kind: 'payment', id: paymentId });
  });

  it('is the transfer that Stripe names', async () => {
    const [transfer] = (await putOrder(test)).transfers;
    const event = { provider: 'stripe', objectId: transfer!.stripeTransferId } as const;
    for (const type of ['transfer.reversed', 'transfer.updated', 'transfer.created'])
      expect(await itemOf({ ...event, type })).toEqual({ kind: 'transfer', id: transfer!.id });
    for (const type of ['balance.available', 'payout.paid']) expect(await itemOf({ ...event, type })).toBeUndefined();
  });

  it('is nothing when the id is unknown, missing, or another provider’s', async () => {
    const order = await putOrder(test);
    expect(await itemOf({ objectId: 'pay_nobody' })).toBeUndefined();
    expect(await itemOf({ objectId: null })).toBeUndefined();
    expect(await itemOf({ objectId: order.transfers[0]!.stripeTransferId })).toBeUndefined();
    expect(
      await itemOf({ provider: 'stripe', type: 'transfer.created', objectId: order.hyperswitchPaymentId }),
    ).toBeUndefined();
  });
});

describe('a payout', () => {
  const aPayout = (changes: Partial<PayoutFacts> = {}): PayoutFacts => ({
    externalPayoutId: 'po_1',
    sellerAccount: 'acct_a',
    amount: 5_000n,
    currency: 'USD',
    status: 'pending',
    arrivalAt: '2026-11-25T00:00:00.000Z',
    failureCode: null,
    automatic: true,
    list: 'growing',
    madeAt: '2026-11-23T00:00:00.000Z',
    ...changes,
  });
  const payouts = () =>
    test.database.query(
      'SELECT external_payout_id, seller_account, amount, status, failure_code FROM payouts ORDER BY 1',
    );
  const story = async () =>
    (
      await test.database.query<{ status: string }>(
        `SELECT detail ->> 'status' AS status FROM operation_events WHERE item_kind = 'seller' AND item_id = 'acct_a' ORDER BY seq`,
      )
    ).map(({ status }) => status);

  it('is one row under its id at Stripe, with what was read last', async () => {
    await test.ledger.savePayout(aPayout());
    await test.ledger.savePayout(aPayout({ externalPayoutId: 'po_2' }));
    await test.ledger.savePayout(aPayout({ status: 'paid' }));
    await test.ledger.savePayout(aPayout({ status: 'failed', failureCode: 'account_closed' }));
    expect(await payouts()).toEqual([
      {
        external_payout_id: 'po_1',
        seller_account: 'acct_a',
        amount: '5000',
        status: 'failed',
        failure_code: 'account_closed',
      },
      { external_payout_id: 'po_2', seller_account: 'acct_a', amount: '5000', status: 'pending', failure_code: null },
    ]);
    expect(await story()).toEqual(['pending', 'pending', 'paid', 'failed', null]);
  });

  it('never goes back to what an overtaken reading said, and a repeated one tells no story', async () => {
    for (const status of ['paid', 'in_transit', 'pending', 'paid'] as const)
      await test.ledger.savePayout(aPayout({ status }));
    expect(await payouts()).toMatchObject([{ status: 'paid' }]);
    expect(await story()).toEqual(['paid']);
  });
});
