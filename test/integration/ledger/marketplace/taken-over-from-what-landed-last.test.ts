import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DisputeId, DriftId, OrderId } from '../../../../src/domain/ids.js';
import { SETTLEMENT_PROVIDERS } from '../../../../src/domain/settlements/settlement-providers.js';
import { createDatabase, type Database } from '../../../../src/ledger/database.js';
import { createLedger, type Ledger } from '../../../../src/ledger/ledger.js';
import { migrate } from '../../../../src/ledger/migrate.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { createTestDatabase, type TestDatabase } from '../../../support/database.js';
import { attempt, DONE as COLLECTED, movableClock, testKey } from '../../../support/ledger-fixtures.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { type OpenItems, putOpenItems } from '../../../support/marketplace/open-items-of-before.js';
import { type MarketplaceSteps, marketplaceSteps } from '../../../support/marketplace/steps.js';

/**
 * The database of the build before releases, payments of other checkouts, debts and contents of payouts, with something open of every
 * kind: after the migration all of it is still due, asked for or under way, and goes on to its right end.
 */
const LANDED_LAST = 65;

const clock = movableClock();
let empty: TestDatabase;
let database: Database;
let ledger: Ledger;
let steps: MarketplaceSteps;
let open: OpenItems;
let before: Awaited<ReturnType<typeof due>>;

beforeAll(async () => {
  empty = await createTestDatabase('empty');
  await migrate(empty.url, { to: LANDED_LAST });
  database = createDatabase({ url: empty.url, clock });
  ledger = createLedger({ database, sealer: createSealer([testKey()]), clock, approvalThreshold: 10_000n });
  steps = marketplaceSteps({ ledger, clock, database });
  open = await putOpenItems({ database, clock, ledger });
  before = await due();
  await migrate(empty.url);
});
afterAll(async () => {
  await database.close();
  await empty.drop();
});

const TABLES = ['payments', 'refunds', 'seller_transfers', 'reversals', 'disputes', 'settlements', 'channels'] as const;
const ids = async (sql: string) => (await database.query<{ id: string }>(sql)).map(({ id }) => id).sort();

/** By the dates in the rows and the words of their statuses, which every build has read the same. */
async function due() {
  const found: Record<string, readonly string[]> = {};
  for (const table of TABLES)
    found[table] = await ids(
      `SELECT ${table === 'channels' ? 'channel_id' : 'id'}::text AS id FROM ${table} WHERE next_check_at <= clock_now()`,
    );
  return {
    ...found,
    events: await ids('SELECT event_id AS id FROM webhook_events WHERE next_check_at <= clock_now()'),
    searched: await ids('SELECT id::text FROM payments WHERE disputes_look_at <= clock_now()'),
    asked: await ids(`SELECT kind || '/' || id || '/' || reason AS id FROM items_asked`),
    told: await ids('SELECT item_id::text AS id FROM notices WHERE ended_at IS NULL'),
    decisions: await ids(`SELECT id::text FROM decisions WHERE state = 'pending_approval'`),
    sessions: await ids(`SELECT id::text FROM settlements WHERE status = 'open'`),
    runs: await ids(`SELECT id::text FROM reconciliations WHERE state = 'running'`),
  };
}

const find = (id: OrderId) => steps.find(id);
const owed = async (id: OrderId) => {
  const [row] = await database.query<{ wrong: number }>(
    'SELECT count(*)::int AS wrong FROM order_shares WHERE order_id = $1 AND due_back < 0',
    [id],
  );
  return row?.wrong;
};

describe('after the migration', () => {
  it('the same is due, asked, told and under way as before it, and something of every kind', async () => {
    const after = await due();
    expect(after).toEqual(before);
    for (const [kind, found] of Object.entries(after)) expect([kind, found.length > 0]).toEqual([kind, true]);
  });

  it('the sweeps of this build find it', async () => {
    const { unpaid, doubted, unsent, refunding, reversing } = open.money;
    const dueIds = async (kind: Parameters<Ledger['dueItems']>[0]) =>
      (await ledger.dueItems(kind, 100)).map(({ id }) => id).sort();
    expect(await dueIds('payment')).toEqual([unpaid.paymentId, doubted.paymentId].sort());
    expect(await dueIds('refund')).toEqual([refunding.refunds[0]!.id]);
    expect(await dueIds('transfer')).toEqual(unsent.transfers.map(({ id }) => id).sort());
    expect(await dueIds('reversal')).toEqual(
      reversing.reversals
        .slice(0, 2)
        .map(({ id }) => id)
        .sort(),
    );
    expect(await dueIds('dispute')).toEqual([open.disputed.dispute]);
    const charges = await Promise.all(SETTLEMENT_PROVIDERS.map(({ provider }) => ledger.dueSettlements(provider, 100)));
    expect(charges.flat().map(({ id }) => id)).toEqual(expect.arrayContaining([...open.charges]));
    expect((await ledger.channelsToLookAt(10)).map(({ channel }) => channel.id)).toContain(open.channel);
  });

  it('every event that nobody had acted on is given out, each in its lane', async () => {
    const lanes = ['stripe-read', 'hyperswitch-event', 'stripe-event'] as const;
    const given = await Promise.all(lanes.map((lane) => ledger.dueWebhooks(lane, 10)));
    expect(given.map((events) => events.map(({ eventId }) => eventId))).toEqual([['evt_1'], ['evt_2'], ['evt_3']]);
  });
});

describe('what was open', () => {
  it('a payment that succeeds pays its order, and its sellers are promised and sent their shares', async () => {
    const { id, paymentId, hyperswitchPaymentId } = open.money.unpaid;
    await ledger.claimPayment(paymentId, 'r', 60_000);
    await ledger.paymentLeaves({ id: paymentId, runner: 'r', params: '{}' });
    const facts = paymentAt({ hyperswitchPaymentId, amount: 900n, currency: 'USD' });
    await ledger.applyPayment({ paymentId, runner: 'r', facts });
    const { status, transfers } = await find(id);
    expect([status, transfers.map(({ amount, release }) => [amount, release.kind])]).toEqual([
      'paid',
      [[900n, 'immediately']],
    ]);
    await steps.send(transfers[0]!.id);
    expect((await steps.transfer(transfers[0]!.id)).status).toBe('completed');
    expect(await ledger.findPayment(open.money.doubted.paymentId)).toMatchObject({
      attention: { reason: 'unknown_status' },
      provider: 'hyperswitch',
    });
  });

  it('transfers are sent once, each when what it waits for is there; one whose answer was lost under the same key', async () => {
    const { id, transfers } = open.money.unsent;
    const [pending, failed, unknown, short, unable] = transfers.map((one) => one.id);
    const keyBefore = (await steps.row<{ idempotency_key: string }>('seller_transfers', unknown!)).idempotency_key;
    for (const one of [pending!, failed!, unknown!]) await steps.send(one);
    expect(await ledger.balanceShows(new Map([['USD', 10_000n]]), true)).toEqual([{ kind: 'transfer', id: short }]);
    await steps.send(short!);
    await ledger.sellerShows('acct_new', { state: 'able', reason: null });
    await steps.send(unable!);
    const sent = await Promise.all(transfers.map((one) => steps.transfer(one.id)));
    expect(sent.map(({ status, amount }) => [status, amount])).toEqual(
      [100n, 200n, 300n, 400n, 500n].map((amount) => ['completed', amount]),
    );
    const row = await steps.row<{ idempotency_key: string; generation: number }>('seller_transfers', unknown!);
    expect([row.idempotency_key, row.generation]).toEqual([keyBefore, 1]);
    expect((await find(id)).transfers.map(({ release }) => release.kind)).toEqual(transfers.map(() => 'immediately'));
  });

  it('a refund under way succeeds, and takes the seller’s share back', async () => {
    const { id, refunds } = open.money.refunding;
    await steps.refundSays(refunds[0]!.id, 'succeeded');
    const [demanded] = (await find(id)).reversals;
    expect(demanded).toMatchObject({ amount: 250n, status: 'pending' });
    await steps.reverse(demanded!.id);
    expect(await find(id)).toMatchObject({
      status: 'partially_refunded',
      transfers: [{ status: 'partially_reversed', amountReversed: 250n }],
    });
    expect(await owed(id)).toBe(0);
  });

  it('reversals that were due, short or with a person are made', async () => {
    const { id, reversals } = open.money.reversing;
    const [first, short, asked] = reversals.map((one) => one.id);
    await steps.reverse(first!);
    await steps.reverse(short!);
    expect(await steps.reversal(asked!)).toMatchObject({ attention: { reason: 'retries_exhausted' } });
    expect(await steps.decide({ kind: 'reversal', itemId: asked!, action: 'retry' })).toMatchObject({
      kind: 'applied',
    });
    await steps.reverse(asked!);
    expect((await find(id)).transfers.map(({ status }) => status)).toEqual(['reversed', 'reversed', 'reversed']);
  });

  it('a dispute takes the shares when its funds are out, and gives them back when they are back', async () => {
    const { order, dispute } = open.disputed;
    const at = (seconds: number) => new Date(clock.nowMs() + seconds * 1_000).toISOString();
    const record = {
      stripeDisputeId: (await steps.row<{ provider_dispute_id: string }>('disputes', dispute)).provider_dispute_id,
      charge: 'ch_1',
      paymentIntent: null,
      amount: 1_000n,
      currency: 'USD',
      reason: null,
      createdAt: at(-10),
    };
    const out = { id: 'txn_out', amount: -1_000n, currency: 'USD', at: at(-5) };
    const back = { id: 'txn_back', amount: 1_000n, currency: 'USD', at: at(5) };
    await ledger.applyDispute(dispute as DisputeId, { ...record, status: 'needs_response', movements: [out] }, null);
    const [taken, untaken] = (await find(order.id)).reversals;
    await steps.reverse(taken!.id);
    const after = (await ledger.disputeToFollow(dispute as DisputeId))!.lastReading;
    await ledger.applyDispute(dispute as DisputeId, { ...record, status: 'won', movements: [out, back] }, after);
    const now = await find(order.id);
    expect(now.reversals.find(({ id }) => id === untaken!.id)).toMatchObject({ status: 'written_off' });
    const again = now.transfers.filter(({ origin }) => origin === 'compensation');
    expect(again.map(({ amount, sellerAccount }) => [amount, sellerAccount])).toEqual([
      [taken!.amount, taken!.sellerAccount],
    ]);
    await steps.send(again[0]!.id);
    expect(await owed(order.id)).toBe(0);
  });

  it('charges are collected, and one of two persons’ decisions is confirmed by the other', async () => {
    const { claimed } = await ledger.claimSettlements([...open.charges], 'r', 35_000);
    await ledger.recordAttempts(claimed.map((one) => attempt(one, COLLECTED, 'r')));
    for (const id of open.charges) expect((await ledger.findSettlement(id))?.status).toBe('settled');
    const approved = await ledger.approve({
      decisionId: open.decision,
      by: 'anna',
      note: 'yes',
      verified: { kind: 'absent' },
    });
    expect(approved).toMatchObject({ kind: 'applied' });
    expect((await ledger.findSettlement(open.decidedAbout))?.status).toBe('written_off');
  });

  it('drift is accepted as it was seen, and the run that was at work is taken up', async () => {
    const accepted = await ledger.acceptDrift({
      id: open.drift as DriftId,
      by: 'olga',
      authenticated: true,
      approves: false,
      note: 'made by hand',
      version: 1,
    });
    expect(accepted).toMatchObject({ kind: 'accepted' });
    expect(await ledger.findReconciliation(open.run)).toMatchObject({ state: 'running' });
    await ledger.noteWhoIsAsked(100);
    const told = await ids('SELECT item_id::text AS id FROM notices WHERE ended_at IS NULL');
    expect(told).not.toContain(open.drift);
  });

  it('payouts of before are read once more: what one contains is linked, and one that failed asks', async () => {
    clock.advance(3_600_000);
    expect((await ledger.duePayouts(10)).map(({ externalPayoutId }) => externalPayoutId).sort()).toEqual(
      open.told.payouts,
    );
    const facts = { amount: 70n, currency: 'USD', automatic: true, arrivalAt: null, list: 'complete' } as const;
    const madeAt = new Date(clock.nowMs()).toISOString();
    const paid = { ...facts, externalPayoutId: 'po_paid', sellerAccount: 'acct_s', status: 'paid', madeAt } as const;
    await ledger.savePayout({ ...paid, failureCode: null });
    const line = { balanceTransactionId: 'txn_1', stripeTransferId: 'tr_of_before', amount: 70n, currency: 'USD' };
    await ledger.savePayoutContents(paid, null, { transfers: [line], others: 0, next: null });
    expect((await find(open.money.sent.id)).transfers[0]?.payout).toMatchObject({ id: 'po_paid', status: 'paid' });
    const failed = {
      ...facts,
      externalPayoutId: 'po_failed',
      sellerAccount: 'acct_r',
      status: 'failed',
      madeAt,
    } as const;
    await ledger.savePayout({ ...failed, amount: 50n, failureCode: 'no_account' });
    expect(await ledger.findPayout('po_failed')).toMatchObject({ attention: { reason: 'payout_failed' } });
  });
});
