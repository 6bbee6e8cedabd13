import { Client } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StripeSandbox, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import type { BackfillId, TransferId } from '../../../src/domain/ids.js';
import { backfillWorkflowId } from '../../../src/domain/workflow-ids.js';
import type { HistoricalTransfer } from '../../../src/ledger/historical/historical-types.js';
import type { Stripe } from '../../../src/providers/stripe/client.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import {
  atStripe,
  type BackfillWorld,
  history,
  imported,
  startBackfillWorld,
} from '../../support/marketplace/backfill-world.js';
import { unique } from '../../support/marketplace/fixtures.js';
import { stripeApi } from '../../support/marketplace/stripe-api.js';
import { openTimeSkippingEnvironment } from '../../support/time-skipping-environment.js';
import { until } from '../../support/until.js';

let env: TestWorkflowEnvironment;
let test: TestLedger;
let stripe: StripeSandbox;
let world: BackfillWorld;
/** Changed by a test to see or disturb what a backfill asks of Stripe. */
let between: (filter: { destination: string; startingAfter?: string }) => Promise<void>;

beforeEach(async () => {
  env = await openTimeSkippingEnvironment();
  test = await openTestLedger();
  stripe = await startStripeSandbox();
  between = () => Promise.resolve();
  world = await startBackfillWorld({
    connection: env.nativeConnection,
    client: new Client({ connection: env.connection }),
    test,
    stripe,
    decorate: listening,
  });
});
afterEach(async () => {
  await world.stop();
  await stripe.close();
  await test.dispose();
  await env.teardown();
});

const listening = (client: Stripe): Stripe => ({
  inLane(lane) {
    const calls = client.inLane(lane);
    return {
      ...calls,
      listTransfers: async (filter) => {
        await between(filter);
        return await calls.listTransfers(filter);
      },
    };
  },
});

/** Waits for the end on the skipped clock. */
const ended = (id: BackfillId): Promise<void> => env.client.workflow.getHandle(backfillWorkflowId(id)).result();

async function ours(...lines: readonly HistoricalTransfer[]): Promise<TransferId[]> {
  const ids: TransferId[] = [];
  for (const line of lines) ids.push(await imported(test, line));
  return ids;
}

const both = async (line: HistoricalTransfer, stripeTransferId: string): Promise<TransferId> => {
  const [id] = await ours(line);
  await stripe.seed({ transfers: [atStripe(line, { id: stripeTransferId })] });
  return id!;
};

const listed = () => stripe.calls().endpoints['transfers.list']?.calls ?? 0;
const idOf = async (id: TransferId) => (await test.ledger.findTransfer(id))?.stripeTransferId;

describe('a backfill', () => {
  it('as a dry run reports what it would write and writes nothing; with apply it writes just that', async () => {
    const found = await both(history(), 'tr_found');
    const [lost] = await ours(history());
    const dry = await world.start();
    await ended(dry);
    expect((await world.report(dry)).get(found)).toMatchObject({ outcome: 'matched', stripeTransferId: 'tr_found' });
    expect((await world.report(dry)).get(lost!)).toMatchObject({ outcome: 'not_found', stripeTransferId: null });
    expect(await idOf(found)).toBeNull();

    const applied = await world.start({ apply: true });
    await ended(applied);
    expect((await world.report(applied)).get(found)).toMatchObject({ outcome: 'written' });
    expect([await idOf(found), await idOf(lost!)]).toEqual(['tr_found', null]);
    expect((await world.progress(applied)).state).toBe('finished');
  });

  it('lists a seller once, whatever number of orders, and sees a rival on the last page', async () => {
    const lines = Array.from({ length: 120 }, () => history());
    const ids = await ours(...lines);
    const old = Date.parse('2025-03-01T10:00:00Z') / 1000;
    // Newest first: the second one of the first order comes after two full pages of other transfers.
    await stripe.seed({
      transfers: [
        ...lines.map((line) => atStripe(line)),
        ...Array.from({ length: 130 }, () => atStripe(history(), { metadata: {} })),
        atStripe(lines[0]!, { id: 'tr_rival', created: old }),
      ],
    });
    const run = await world.start({ apply: true });
    await ended(run);
    expect(listed()).toBe(3);
    const report = await world.report(run);
    expect(report.get(ids[0]!)).toMatchObject({
      outcome: 'ambiguous',
      candidates: expect.arrayContaining(['tr_rival']),
    });
    expect([...report.values()].filter(({ outcome }) => outcome === 'written')).toHaveLength(119);
  });

  it('asks for no transfers from long before its oldest', async () => {
    const line = history();
    await ours(line);
    await stripe.seed({
      transfers: Array.from({ length: 150 }, () => atStripe(line, { created: 1_500_000_000, metadata: {} })),
    });
    await ended(await world.start());
    expect(listed()).toBe(1);
  });

  it('is about what it was asked for: one seller, or what was completed since', async () => {
    const [before, after, other] = await ours(
      history({ createdAt: '2025-02-28T23:59:59Z' }),
      history({ createdAt: '2025-03-01T00:00:00Z' }),
      history({ createdAt: '2025-04-01T00:00:00Z', sellerAccount: 'acct_2' }),
    );
    const since = await world.start({ since: '2025-03-01T00:00:00Z' });
    await ended(since);
    expect(new Set((await world.report(since)).keys())).toEqual(new Set([after, other]));
    const one = await world.start({ destination: 'acct_1' });
    await ended(one);
    expect(new Set((await world.report(one)).keys())).toEqual(new Set([before, after]));
  });

  it('finds none of the other mode, though everything else agrees', async () => {
    const line = history();
    const [id] = await ours(line);
    await stripe.seed({ livemode: true, transfers: [atStripe(line)] });
    const run = await world.start({ apply: true });
    await ended(run);
    expect((await world.report(run)).get(id!)).toMatchObject({ outcome: 'not_found' });
  });

  it('reports an id that came in by another way while it ran, and changes nothing of it', async () => {
    const id = await both(history(), 'tr_seen');
    between = async () => {
      await test.database.query(`UPDATE seller_transfers SET stripe_transfer_id = 'tr_other' WHERE id = $1`, [id]);
    };
    const run = await world.start({ apply: true });
    await ended(run);
    expect((await world.report(run)).get(id)).toMatchObject({ outcome: 'taken', stripeTransferId: 'tr_other' });
    expect(await idOf(id)).toBe('tr_other');
  });

  it('finds what a person has marked at Stripe: which of two it is, and what had lost its metadata', async () => {
    const twice = history();
    const bare = history({ amount: 500n });
    const [ambiguous, lost] = await ours(twice, bare);
    await stripe.seed({
      transfers: [
        atStripe(twice, { id: 'tr_one' }),
        atStripe(twice, { id: 'tr_other' }),
        atStripe(bare, { id: 'tr_bare', metadata: {} }),
      ],
    });
    await ended(await world.start({ apply: true }));
    expect([await idOf(ambiguous!), await idOf(lost!)]).toEqual([null, null]);

    const api = stripeApi(stripe.url);
    await api.post('/v1/transfers/tr_other', { 'metadata[seller_transfer_id]': ambiguous! });
    await api.post('/v1/transfers/tr_bare', { 'metadata[order_id]': bare.order });
    await ended(await world.start({ apply: true }));
    expect([await idOf(ambiguous!), await idOf(lost!)]).toEqual(['tr_other', 'tr_bare']);
  });

  it('a second one is refused while one runs, and may begin when it was cancelled', async () => {
    await both(history(), 'tr_1');
    stripe.setDown(true);
    const run = await world.start();
    await expect(world.start()).rejects.toThrow(`backfill ${run} is at work`);
    await until('Stripe was asked', () => stripe.calls().totals.calls > 0, { limitMs: 10_000 });
    await env.client.workflow.getHandle(backfillWorkflowId(run)).cancel();
    await expect(ended(run)).rejects.toThrow('Workflow execution cancelled');
    expect((await world.progress(run)).state).toBe('finished');
    stripe.setDown(false);
    await ended(await world.start());
  });
});

describe('while Stripe is ill', () => {
  it('one seller that cannot be listed delays no other, and is finished when it can', async () => {
    const bad = await both(history({ sellerAccount: 'acct_bad' }), 'tr_bad');
    const good = await both(history({ sellerAccount: 'acct_good' }), 'tr_good');
    stripe.setFaults([
      { kinds: ['server_error', 'reset_before_commit'], on: ['transfers.list'], sellers: ['acct_bad'] },
    ]);
    const run = await world.start({ apply: true });
    const end = ended(run);
    await until('the good one is written', async () => (await idOf(good)) === 'tr_good', { limitMs: 30_000 });
    expect((await world.report(run)).get(bad)).toBeUndefined();
    stripe.setFaults([]);
    await end;
    expect(await idOf(bad)).toBe('tr_bad');
  });

  it('a failure in the middle of a list repeats that page and no other', async () => {
    const lines = Array.from({ length: 3 }, () => history());
    await ours(...lines);
    await stripe.seed({
      transfers: [
        ...Array.from({ length: 250 }, () => atStripe(history(), { metadata: {} })),
        ...lines.map((line) => atStripe(line, { created: 1_740_800_000 })),
      ],
    });
    const asked: (string | undefined)[] = [];
    between = ({ startingAfter }) => {
      asked.push(startingAfter);
      if (asked.length === 2) stripe.setFaults([{ kinds: ['server_error'], on: ['transfers.list'], times: 1 }]);
      return Promise.resolve();
    };
    const run = await world.start();
    await ended(run);
    expect(asked).toHaveLength(4);
    expect(asked[2]).toBe(asked[1]);
    expect((await world.progress(run)).outcomes).toEqual({ matched: 3 });
  });

  it('a revoked key says nothing about any transfer: it waits, and goes on with the key that is mended', async () => {
    const id = await both(history(), 'tr_1');
    stripe.setApiKeys({ revoked: ['sk_test_sandbox'] });
    const run = await world.start({ apply: true });
    const end = ended(run);
    await until('it has asked again', () => stripe.calls().totals.calls > 10, { limitMs: 30_000 });
    expect((await world.report(run)).size).toBe(0);
    stripe.setApiKeys({ revoked: [] });
    await end;
    expect(await idOf(id)).toBe('tr_1');
  });

  it('with a key of another account it lists nothing at all', async () => {
    await test.ledger.pinStripeAccount({ accountId: 'acct_another', livemode: false });
    await both(history(), 'tr_1');
    const run = await world.start({ apply: true });
    await env.sleep('5 minutes');
    expect(stripe.calls().endpoints.account?.calls).toBeGreaterThanOrEqual(3);
    expect([listed(), (await world.report(run)).size]).toEqual([0, 0]);
    await env.client.workflow.getHandle(backfillWorkflowId(run)).cancel();
    await expect(ended(run)).rejects.toThrow('Workflow execution cancelled');
  });

  it('a seller that Stripe does not show is reported as such, also where half of the list was read', async () => {
    const line = history({ sellerAccount: 'acct_gone' });
    const id = await both(line, unique('tr'));
    await stripe.seed({ transfers: Array.from({ length: 150 }, () => atStripe(line, { metadata: {} })) });
    between = ({ startingAfter }) => {
      if (startingAfter !== undefined)
        stripe.setFaults([{ kinds: ['refused'], status: 400, code: 'resource_missing', on: ['transfers.list'] }]);
      return Promise.resolve();
    };
    const run = await world.start({ apply: true });
    await ended(run);
    expect((await world.report(run)).get(id)).toMatchObject({
      outcome: 'not_found',
      detail: expect.stringMatching(/^Stripe does not list transfers to acct_gone, so nothing is known/),
    });
    expect(await idOf(id)).toBeNull();
  });

  it('throttled, it waits as long as Stripe asks and tries no other seller meanwhile', async () => {
    await both(history({ sellerAccount: 'acct_1' }), 'tr_1');
    await both(history({ sellerAccount: 'acct_2' }), 'tr_2');
    const askedOf: string[] = [];
    const at: number[] = [];
    between = async ({ destination }) => {
      askedOf.push(destination);
      at.push(await env.currentTimeMs());
    };
    stripe.setFaults([{ kinds: ['rate_limited'], on: ['transfers.list'], times: 1, retryAfterSeconds: 90 }]);
    await ended(await world.start());
    expect(askedOf).toHaveLength(3);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(90_000);
  });
});
