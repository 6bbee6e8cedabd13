import { expect, it } from 'vitest';
import { SWEEP_LANES } from '../../../../src/domain/sweep-lanes.js';
import { HOUR_MS } from '../../../support/durations.js';
import { ledgerForFile } from '../../../support/ledger-fixtures.js';
import { finishEvent } from '../../../support/marketplace/finish-event.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';

const world = await ledgerForFile();

const hoursAgo = (hours: number) => new Date(world.clock.nowMs() - hours * HOUR_MS);
const near = (seconds: number) => expect.closeTo(seconds, -2);

it('count what is open by kind, status and currency, and how old it is', async () => {
  await putOrder(world, { status: 'pending', payment: { columns: { created_at: hoursAgo(1) } }, paid: 700 });
  await putOrder(world, {
    currency: 'JPY',
    transfers: [{ amount: 600, status: 'failed', columns: { created_at: hoursAgo(3) } }],
    refunds: [{ amount: 100, status: 'review', columns: { created_at: hoursAgo(2) } }],
  });
  await putOrder(world, {
    transfers: [{ amount: 600 }, { amount: 400 }],
    refunds: [
      {
        amount: 900,
        reversals: [
          { transfer: 0, amount: 500, columns: { created_at: hoursAgo(5) } },
          {
            transfer: 1,
            amount: 300,
            status: 'waiting_balance',
            columns: { created_at: hoursAgo(9), waiting_since: hoursAgo(4) },
          },
        ],
      },
    ],
  });
  const { marketplace } = await world.ledger.figures();
  expect(marketplace.open).toEqual([
    { kind: 'payment', status: 'pending', currency: 'USD', count: 1, amount: '700', oldestSeconds: near(3_600) },
    { kind: 'refund', status: 'review', currency: 'JPY', count: 1, amount: '100', oldestSeconds: near(7_200) },
    {
      kind: 'reversal',
      status: 'pending',
      currency: 'USD',
      count: 1,
      amount: '500',
      oldestSeconds: near(18_000),
    },
    {
      kind: 'reversal',
      status: 'waiting_balance',
      currency: 'USD',
      count: 1,
      amount: '300',
      oldestSeconds: near(14_400),
    },
    { kind: 'transfer', status: 'failed', currency: 'JPY', count: 1, amount: '600', oldestSeconds: near(10_800) },
  ]);
});

it('count as unknown what nobody holds and nobody knows of, and not a call that is at work', async () => {
  const [held, lapsed] = [hoursAgo(-1), hoursAgo(1)];
  const reversal = (columns: Readonly<Record<string, unknown>>) => ({
    transfers: [{ amount: 600 }],
    refunds: [{ reversals: [{ transfer: 0, amount: 600, columns }] }],
  });
  await putOrder(world, reversal({ certainty: 'in_flight', runner: 'a', runner_until: held }));
  const before = await world.ledger.figures();
  expect(before.marketplace.unknown.every(({ count }) => count === 0)).toBe(true);
  await putOrder(world, reversal({ certainty: 'in_flight', runner: 'a', runner_until: lapsed }));
  await putOrder(world, reversal({ certainty: 'unknown', created_at: hoursAgo(2) }));
  await putOrder(world, {
    ...reversal({
      status: 'permanently_failed',
      certainty: 'unknown',
      attention_reason: 'retries_exhausted',
      attention_since: hoursAgo(1),
      attention_detail: 'x',
    }),
  });
  const { marketplace } = await world.ledger.figures();
  expect(marketplace.unknown).toEqual([
    { kind: 'payment', count: 0, oldestSeconds: 0 },
    { kind: 'refund', count: 0, oldestSeconds: 0 },
    { kind: 'transfer', count: 0, oldestSeconds: 0 },
    { kind: 'reversal', count: 3, oldestSeconds: near(7_200) },
  ]);
});

it('count what needs a person by kind and reason', async () => {
  await putOrder(world, {
    transfers: [{ amount: 600 }],
    refunds: [
      {
        columns: { attention_reason: 'conflict', attention_since: hoursAgo(6), attention_detail: 'x' },
        reversals: [{ transfer: 0, amount: 600, status: 'permanently_failed' }],
      },
    ],
  });
  const { needsAttention } = await world.ledger.figures();
  expect(needsAttention).toContainEqual({ kind: 'refund', reason: 'conflict', count: 1, oldestSeconds: near(21_600) });
  expect(needsAttention).toContainEqual(
    expect.objectContaining({ kind: 'reversal', reason: 'retries_exhausted', count: expect.any(Number) }),
  );
});

it('count events until somebody has acted on them', async () => {
  const event = (provider: 'stripe' | 'hyperswitch') => ({
    provider,
    eventId: unique('evt'),
    type: 'transfer.reversed',
    objectId: null,
    parentId: null,
    account: null,
    bodySha256: 'x',
  });
  const [first, second] = [event('stripe'), event('hyperswitch')];
  for (const one of [first, second, first]) await world.ledger.storeWebhook(one);
  world.clock.advance(HOUR_MS);
  await finishEvent(world.ledger, second, 'noted');
  expect((await world.ledger.figures()).marketplace.webhooks).toEqual([
    { provider: 'stripe', count: 1, oldestSeconds: near(3_600) },
  ]);
});

it('tell when each lane of sweeps last succeeded, even before it has ever begun, and of no other', async () => {
  const { ledger, clock } = world;
  const told = async () => new Map((await ledger.figures()).sweeps.map(({ name, lastSuccess }) => [name, lastSuccess]));
  expect(await told()).toEqual(new Map(SWEEP_LANES.map((lane) => [lane, null])));
  await ledger.sweepStarted('reversal');
  await ledger.sweepStarted('payment');
  await ledger.sweepSucceeded('payment', {});
  // Of an older build, whose worker still runs.
  await ledger.sweepStarted('settlements');
  const after = await told();
  expect(after.size).toBe(SWEEP_LANES.length);
  expect(after.get('payment')).toBeCloseTo(clock.nowMs() / 1000, -1);
  expect(after.get('reversal')).toBeNull();
});

it('tell which providers do not let us in: one seller alone stops nobody else', async () => {
  expect(await world.ledger.unavailableProviders()).toEqual([]);
  await world.ledger.parkProvider('stripe:acct_a', 'revoked');
  expect(await world.ledger.unavailableProviders()).toEqual([]);
  await world.ledger.parkProvider('stripe', '401');
  expect(await world.ledger.unavailableProviders()).toEqual(['stripe']);
  await world.ledger.unparkProvider('stripe');
  expect(await world.ledger.unavailableProviders()).toEqual([]);
});
