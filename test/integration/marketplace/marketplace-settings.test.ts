import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MarketplaceKind } from '../../../src/domain/marketplace/marketplace.js';
import { marketplaceWorkflowId } from '../../../src/domain/workflow-ids.js';
import { type ConnectedTemporal, startConnectedTemporal } from '../../support/connected-temporal.js';
import {
  type MarketplaceSettingsTest,
  NO_REVERSALS,
  NO_TRANSFERS,
  openMarketplaceSettings,
  paidOut,
  takenBack,
} from '../../support/marketplace/settings.js';
import { until } from '../../support/until.js';

/** Switches, retries and waits of the marketplace: what each setting changes, seen from outside. */

let temporal: ConnectedTemporal;
let market: MarketplaceSettingsTest;
beforeAll(async () => {
  temporal = await startConnectedTemporal();
});
afterAll(() => temporal.dispose());
beforeEach(async () => {
  market = await openMarketplaceSettings(temporal);
});
afterEach(() => market.dispose());

describe('REVERSAL_WORKER_ENABLED=false', () => {
  it('starts no reversal: the buyer is refunded, the rows wait, and enabling it lets the sweep start them', async () => {
    const off = await market.with(NO_REVERSALS);
    const order = await off.paidOrder({ acct_1Ada: 6_000n, acct_1Bob: 4_000n });
    await market.untilOrder('both sellers are paid', order, paidOut);
    await off.refund(order.id);
    expect((await market.find(order.id)).status).toBe('refunded');
    await market.makeAllDue();
    await off.sweep();
    await off.sweep();
    const waiting = await market.find(order.id);
    expect(waiting.transfers.map(({ status }) => status)).toEqual(['reversal_pending', 'reversal_pending']);
    expect(await market.waitingRows('reversals')).toHaveLength(2);
    for (const { id } of waiting.reversals) expect(await market.wasStarted('reversal', id)).toBe(false);
    expect(market.postsTo('reversals.create')).toEqual([]);

    const on = await market.with({});
    await on.sweep();
    const done = await market.untilOrder('both shares are back', order, takenBack);
    expect(done.transfers.map(({ status }) => status)).toEqual(['reversed', 'reversed']);
    expect(market.postsTo('reversals.create')).toHaveLength(2);
  });
});

describe('TRANSFER_RETRY_ENABLED=false', () => {
  it('sends no transfer: orders are paid and refunded, the rows wait, and enabling it sends what is left', async () => {
    const off = await market.with(NO_TRANSFERS);
    const order = await off.paidOrder({ acct_1Ada: 6_000n, acct_1Bob: 4_000n });
    expect(order.status).toBe('paid');
    await off.refund(order.id, 5_000n);
    await market.makeAllDue();
    await off.sweep();
    await off.sweep();
    const waiting = await market.find(order.id);
    expect(waiting.status).toBe('partially_refunded');
    expect(waiting.transfers.map(({ status, amount }) => [status, amount])).toEqual([
      ['pending', 3_000n],
      ['pending', 2_000n],
    ]);
    expect(await market.waitingRows('seller_transfers')).toHaveLength(2);
    for (const { id } of waiting.transfers) expect(await market.wasStarted('transfer', id)).toBe(false);
    expect(market.postsTo('transfers.create')).toEqual([]);

    const on = await market.with({});
    await on.sweep();
    await market.untilOrder('both sellers are paid', order, paidOut);
    expect(new Set(market.stripe.ledger().transfers.map(({ amount }) => amount))).toEqual(new Set([2_000, 3_000]));
    expect(market.stripe.ledger().transfers).toHaveLength(2);
  });

  it('does not stop reversals of what was sent before', async () => {
    const before = await market.with({});
    const order = await before.paidOrder({ acct_1Ada: 6_000n });
    await market.untilOrder('the seller is paid', order, paidOut);
    const off = await market.with(NO_TRANSFERS);
    await off.refund(order.id);
    const { transfers } = await market.untilOrder('the share is back', order, takenBack);
    expect(transfers.map(({ status }) => status)).toEqual(['reversed']);
  });
});

/**
 * The retry policy that Temporal was given for this activity, and how often it ran. Temporal writes the attempts of an
 * activity down when it has ended, which may be after the ledger asks a person.
 */
async function scheduleOf(kind: MarketplaceKind, id: string, activity: string) {
  return until(
    `${activity} has ended`,
    async () => {
      const seen = await seenSchedule(kind, id, activity);
      return seen.attempts.length === seen.scheduled && seen;
    },
    { limitMs: 10_000 },
  );
}

async function seenSchedule(kind: MarketplaceKind, id: string, activity: string) {
  const { events } = await temporal.client.workflow.getHandle(marketplaceWorkflowId(kind, id)).fetchHistory();
  const scheduled = (events ?? []).filter(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
  );
  const ids = new Set(scheduled.map(({ eventId }) => String(eventId)));
  const attempts = (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    started && ids.has(String(started.scheduledEventId)) ? [started.attempt] : [],
  );
  const { retryPolicy } = scheduled[0]?.activityTaskScheduledEventAttributes ?? {};
  return {
    scheduled: scheduled.length,
    attempts,
    maximumAttempts: retryPolicy?.maximumAttempts,
    backoffCoefficient: retryPolicy?.backoffCoefficient,
    initialMs: inMs(retryPolicy?.initialInterval),
    maximumMs: inMs(retryPolicy?.maximumInterval),
  };
}

const inMs = (duration: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(duration?.seconds ?? 0) * 1_000 + (duration?.nanos ?? 0) / 1e6;

/** Milliseconds between calls of one kind, as Stripe saw them. */
const waitsOf = (endpoint: string): number[] =>
  market
    .postsTo(endpoint)
    .slice(1)
    .map(({ at }, index) => at - (market.postsTo(endpoint)[index]?.at ?? 0));

/** Never sooner than wanted; later only by what a busy machine takes. */
function expectWaits(waits: readonly number[], wanted: readonly number[]): void {
  expect(waits).toHaveLength(wanted.length);
  for (const [index, ms] of wanted.entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(ms);
    expect(waits[index]).toBeLessThan(ms + 1_500);
  }
}

const RETRIES = {
  REVERSAL_MAX_RETRIES: '3',
  REVERSAL_BACKOFF_BASE: '300ms',
  REVERSAL_BACKOFF_MAX: '900ms',
  TRANSFER_RETRY_MAX: '2',
  TRANSFER_RETRY_BACKOFF_BASE: '200ms',
  TRANSFER_RETRY_BACKOFF_MAX: '250ms',
};

describe('retries and waits', () => {
  it('of reversals are the policy that Temporal is given and the decision of the ledger', async () => {
    const world = await market.with(RETRIES);
    const order = await world.paidOrder({ acct_1Ada: 6_000n });
    await market.untilOrder('the seller is paid', order, paidOut);
    market.stripe.setFaults([{ kinds: ['unavailable'], on: ['reversals.create'] }]);
    await world.refund(order.id);
    const { reversals } = await market.untilOrder('a person is asked', order, (now) =>
      now.reversals.every(({ attention }) => attention !== null),
    );
    expect(reversals).toMatchObject([
      { status: 'permanently_failed', certainty: 'unknown', retryCount: 3, attention: { reason: 'retries_exhausted' } },
    ]);
    expectWaits(waitsOf('reversals.create'), [300, 600, 900]);
    expect(await scheduleOf('reversal', reversals[0]?.id ?? '', 'reverseTransfer')).toMatchObject({
      attempts: [4],
      maximumAttempts: 4,
      backoffCoefficient: 2,
      initialMs: 300,
      maximumMs: 900,
    });
  });

  it('of seller transfers are their own', async () => {
    const world = await market.with(RETRIES);
    market.stripe.setFaults([{ kinds: ['unavailable'], on: ['transfers.create'] }]);
    const order = await world.paidOrder({ acct_1Ada: 6_000n });
    const { transfers } = await market.untilOrder('a person is asked', order, (now) =>
      now.transfers.every(({ attention }) => attention !== null),
    );
    expect(transfers).toMatchObject([
      { certainty: 'unknown', retryCount: 2, attention: { reason: 'retries_exhausted' } },
    ]);
    expectWaits(waitsOf('transfers.create'), [200, 250]);
    expect(await scheduleOf('transfer', transfers[0]?.id ?? '', 'sendTransfer')).toMatchObject({
      attempts: [3],
      maximumAttempts: 3,
      backoffCoefficient: 2,
      initialMs: 200,
      maximumMs: 250,
    });
  });

  it('of nought mean one attempt and then a person', async () => {
    const world = await market.with({ ...RETRIES, REVERSAL_MAX_RETRIES: '0' });
    const order = await world.paidOrder({ acct_1Ada: 6_000n });
    await market.untilOrder('the seller is paid', order, paidOut);
    market.stripe.setFaults([{ kinds: ['unavailable'], on: ['reversals.create'] }]);
    await world.refund(order.id);
    const { reversals } = await market.untilOrder('a person is asked', order, (now) =>
      now.reversals.every(({ attention }) => attention !== null),
    );
    expect(reversals).toMatchObject([{ retryCount: 0, attention: { reason: 'retries_exhausted' } }]);
    expect(market.postsTo('reversals.create')).toHaveLength(1);
  });
});
