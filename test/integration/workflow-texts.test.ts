import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../sandbox/auth-server/start.js';
import type { SettlementId } from '../../src/domain/ids.js';
import { sweepIntervals } from '../../src/domain/sweep-lanes.js';
import { backfillWorkflowId, settlementWorkflowId } from '../../src/domain/workflow-ids.js';
import { prepareTemporal } from '../../src/orchestration/prepare-temporal.js';
import { hyperswitchPaymentId } from '../../src/providers/hyperswitch/ids.js';
import { HOUR_MS } from '../support/durations.js';
import { atStripe, history, imported, startBackfillWorld } from '../support/marketplace/backfill-world.js';
import { openRealTimeMarketplace, type RealTimeMarketplace } from '../support/marketplace/real-time.js';
import { openMarketplaceTest, reversalOf } from '../support/marketplace/time-skipping.js';
import { paidSettlement, type SettlementWorld, startWorld } from '../support/settlements/settlement-world.js';
import { until } from '../support/until.js';
import { type Shown, shownOf } from '../support/workflow-shown.js';

/** Whoever looks into the Temporal Web UI reads there, in words, what each workflow is for, what it waits for and why. */

const LIMIT = { limitMs: 20_000 };
const SECRETS = ['sk_test', 'whsec_', '_secret_', 'shop-token', 'signature', 'sandbox-hyperswitch', 'Bearer'];
/** "2026-01-31 12:00:00 UTC" */
const A_TIME = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;

let market: RealTimeMarketplace;
let sandbox: AuthServerSandbox;
let charges: SettlementWorld;
const seen: Shown[] = [];

beforeAll(async () => {
  [market, sandbox] = await Promise.all([
    openRealTimeMarketplace({
      TRANSFER_RETRY_BACKOFF_BASE: '1h',
      TRANSFER_RETRY_BACKOFF_MAX: '1h',
      REVERSAL_MAX_RETRIES: '0',
    }),
    startAuthServerSandbox(),
  ]);
  charges = await startWorld({
    connection: market.temporal.native,
    client: market.temporal.client,
    ledger: market.test.ledger,
    authServerUrl: sandbox.url,
    taskQueue: `q-${crypto.randomUUID()}`,
  });
});
afterAll(async () => {
  await charges.stop();
  await sandbox.close();
  await market.dispose();
});

/** Once its current details say so. */
async function shown(workflowId: string, says: string): Promise<Shown> {
  let last: Shown | undefined;
  const found = await until(
    `${workflowId} says "${says}"`,
    async () => {
      last = await shownOf(market.temporal.client, workflowId).catch(() => undefined);
      return last?.current.includes(says) && last;
    },
    LIMIT,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; it says: ${JSON.stringify(last)}`);
  });
  seen.push(found);
  return found;
}

async function accept(): Promise<SettlementId> {
  const settlement = await paidSettlement('x402', { payer: `p${Math.random()}` });
  await market.test.ledger.createSettlement(settlement);
  return settlement.id;
}
const found = async (id: SettlementId) => (await market.test.ledger.findSettlement(id))!;

describe('the workflow of', () => {
  it('a settlement says which attempt failed, until when it waits, and what a person can decide', async () => {
    sandbox.setFaults([
      { kinds: ['server_error'], times: 1 },
      { kinds: ['refused'], times: 1 },
    ]);
    const id = await accept();
    await charges.orchestration.startSettlement(await found(id));
    const settlement = await shown(settlementWorkflowId(id), 'needs a person');
    expect(settlement).toMatchObject({
      type: 'closeTimeSettlement',
      summary: expect.stringMatching(/^x402 settlement of \d+ \(6 decimals\) /),
      details: expect.stringContaining(`\`makegood explain ${id}\``),
      current: expect.stringMatching(
        /^needs a person: credential_refused: .+\n\nWaits until a person decides: retry, settled, write_off\. `makegood explain/s,
      ),
      localActivities: ['first attempt, within 4 s, at auth-server:x402'],
      activities: ['attempts until auth-server:x402 has answered'],
    });
    expect(settlement.timers).toEqual(['until the next attempt', 'waits for a person, until it is looked at again']);
  });

  it('many settlements says how many, and one that leaves it says where it came from', async () => {
    sandbox.setFaults([{ kinds: ['refused'], times: 1 }]);
    const ids = [await accept(), await accept()];
    const batch = await charges.orchestration.startBatch(await Promise.all(ids.map(found)));
    expect(await shown(batch, 'go on in workflows of their own')).toMatchObject({
      type: 'settleBatch',
      summary: '2 settlements in one workflow',
      details: expect.stringContaining('One attempt at each'),
      current: '1 settled at the first attempt, 1 go on in workflows of their own',
      localActivities: ['one attempt at 2 settlements'],
    });
    const statuses = await Promise.all(ids.map(async (id) => [id, (await found(id)).status] as const));
    const left = statuses.find(([, status]) => status !== 'settled')?.[0] ?? '';
    expect(await shown(`settlement/${left}`, 'needs a person')).toMatchObject({
      summary: 'x402 settlement that a shared workflow could not finish',
      details: expect.stringContaining(left),
    });
  });

  it('a payment and a transfer says what it waits for, and when it goes on', async () => {
    market.stripe.setFaults([{ kinds: ['rate_limited'], on: ['transfers.create'], times: 1, retryAfterSeconds: 3600 }]);
    const order = await market.world.paidOrder({ acct_1Ada: 6_000n });
    const transfer = await shown(`transfer/${order.transfers[0]?.id}`, 'Goes on by itself');
    expect(transfer).toMatchObject({
      type: 'sellerTransfer',
      summary: 'transfer of 6000 USD (minor units) to acct_1Ada',
      details: expect.stringMatching(/^Sends one seller's share of a paid order, exactly once\./),
      current: expect.stringMatching(new RegExp(`^.+\\n\\nGoes on by itself at ${A_TIME}, or earlier: .+\\.$`, 's')),
      localActivities: ["asks for the seller's turn"],
      activities: ['sends the share of acct_1Ada: looks at Stripe first, then calls'],
      timers: ['until the next attempt'],
    });
    expect(await shown(`payment/${order.payment?.id}`, 'succeeded')).toMatchObject({
      type: 'payment',
      summary: 'payment of 6000 USD (minor units)',
      activities: ['looks at the payment at Hyperswitch, and takes it one step further'],
    });
  });

  it('a refund and a reversal says that the balance is too low, or that a person is needed', async () => {
    const order = await market.world.paidOrder({ acct_1Bob: 4_000n, acct_1Cyd: 4_000n });
    await until(
      'both are paid',
      async () => (await market.world.find(order.id)).transfers.every(({ status }) => status === 'completed'),
      LIMIT,
    );
    await market.stripe.setBalance({ account: 'acct_1Bob', currency: 'usd', available: 0 });
    market.stripe.setFaults([{ kinds: ['refused'], on: ['reversals.create'], sellers: ['acct_1Cyd'], times: 9 }]);
    const refund = await market.world.refund(order.id);
    const { reversals } = await until(
      'both are demanded',
      async () => {
        const now = await market.world.find(order.id);
        return now.reversals.length === 2 && now;
      },
      LIMIT,
    );
    const of = (seller: string) => `reversal/${reversals.find(({ sellerAccount }) => sellerAccount === seller)?.id}`;
    expect(await shown(of('acct_1Bob'), "the seller's balance is too low")).toMatchObject({
      type: 'refundReversal',
      summary: 'reversal of 4000 USD (minor units) from acct_1Bob',
      current: expect.stringMatching(
        new RegExp(`Goes on by itself at ${A_TIME}, or earlier: Stripe tells of money\\.$`),
      ),
      activities: ['takes the share back from acct_1Bob: looks at Stripe first, then calls'],
      timers: ["until the seller's balance is probed again"],
    });
    expect((await shown(of('acct_1Cyd'), 'needs a person')).current).toMatch(
      /Waits until a person decides: retry, adopt, .*write_off\./,
    );
    expect(await shown(`refund/${refund}`, 'succeeded')).toMatchObject({
      type: 'refund',
      summary: 'refund of 8000 USD (minor units)',
      details: expect.stringContaining(refund),
    });
  });

  it('a dispute says why a person is asked', async () => {
    const order = await market.world.paidOrder({ acct_1Dan: 3_000n });
    await market.hyperswitch.openDispute({ payment_id: hyperswitchPaymentId(order.id), amount: 400 });
    await market.world.calls?.searchPayment(order.payment!.id);
    const { disputes } = await market.world.find(order.id);
    expect(await shown(`dispute/${disputes[0]?.id}`, 'needs a person')).toMatchObject({
      type: 'dispute',
      summary: 'dispute of 400 USD (minor units)',
      activities: ['reads where the funds of the dispute are'],
    });
  });

  it('a backfill says whose transfers it looks through', async () => {
    const { test, stripe, temporal } = market;
    const line = history({ sellerAccount: 'acct_1Eve' });
    await imported(test, line);
    await stripe.seed({ transfers: [atStripe(line)] });
    stripe.setFaults([{ kinds: ['rate_limited'], on: ['transfers.list'], times: 1, retryAfterSeconds: 2 }]);
    const world = await startBackfillWorld({ connection: temporal.native, client: temporal.client, test, stripe });
    try {
      const id = await world.start();
      expect(await shown(backfillWorkflowId(id), 'every seller was worked through')).toMatchObject({
        type: 'backfillTransferIds',
        summary: 'looks for ids of historical transfers, asked for by nora',
        activities: expect.arrayContaining([
          'takes the transfers that have no id into this backfill',
          'lists and matches transfers to acct_1Eve',
        ]),
        timers: [expect.stringMatching(/^waits: /)],
      });
    } finally {
      await world.stop();
    }
  });

  it('a sweep says which lane it passes, and what it found', async () => {
    const { client } = market.temporal;
    const every = { sweepIntervalMs: 3_600_000, checkIntervalMs: 3_600_000 };
    await prepareTemporal({
      client,
      namespace: 'default',
      taskQueue: charges.taskQueue,
      sweeps: sweepIntervals({ settlement: every, transferRetry: every, reversal: every }),
      reconcileEveryMs: 3_600_000,
    });
    await client.schedule.getHandle('makegood-settlement-x402-sweep').trigger();
    const query = `WorkflowType = 'sweep' AND TemporalScheduledById = 'makegood-settlement-x402-sweep'`;
    const id = await until(
      'it is listed',
      async () => {
        for await (const { workflowId } of client.workflow.list({ query })) return workflowId;
        return undefined;
      },
      LIMIT,
    );
    expect(await shown(id, 'is over')).toMatchObject({
      type: 'sweep',
      summary: 'looks for what nobody takes further: settlement-x402',
      current: expect.stringMatching(/^the pass of settlement-x402 is over: \d+ \w+/),
      activities: ['one pass of the lane settlement-x402'],
    });
  });
});

it('a run that continues another one says of what: the words that the first one began with are gone', async () => {
  const skipping = await openMarketplaceTest();
  try {
    const order = await skipping.sold({ acct_1Fay: 1_000n });
    await skipping.stripe.setBalance({ account: 'acct_1Fay', currency: 'usd', available: 0 });
    const id = reversalOf(await skipping.refund(order), order);
    await skipping.untilIn('waiting', 'reversal', id);
    const first = await skipping.handle('reversal', id).describe();
    await skipping.sleep(25 * HOUR_MS);
    const again = await shownOf(skipping.client, `reversal/${id}`);
    expect((await skipping.handle('reversal', id).describe()).runId).not.toBe(first.runId);
    expect(again.current).toMatch(
      /^reversal of 1000 USD \(minor units\), acct_1Fay\n\nthe seller's balance is too low/,
    );
  } finally {
    await skipping.dispose();
  }
});

it('none of them is without words, and none holds a secret', () => {
  expect(new Set(seen.map(({ type }) => type))).toEqual(
    new Set([
      'backfillTransferIds',
      'closeTimeSettlement',
      'dispute',
      'payment',
      'refund',
      'refundReversal',
      'sellerTransfer',
      'settleBatch',
      'sweep',
    ]),
  );
  for (const { type, summary, details, current, activities, localActivities, timers } of seen) {
    for (const text of [summary, details, current, ...activities, ...localActivities, ...timers]) {
      expect(text, type).not.toBe('');
      expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
    }
  }
});
