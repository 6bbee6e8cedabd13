import { expect, it } from 'vitest';
import { createLedger } from '../../../../src/ledger/ledger.js';
import { createSealer } from '../../../../src/ledger/sealer.js';
import { DAY_MS, HOUR_MS } from '../../../support/durations.js';
import { testKey } from '../../../support/ledger-fixtures.js';
import { debtWorld } from '../../../support/marketplace/debt-world.js';

it('what is owed by a seller who sells nothing any more asks a person at last', async () => {
  const world = await debtWorld();
  const { order, reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  for (let month = 0; month < 13; month += 1) {
    world.clock.advance(31 * DAY_MS);
    await world.sweep();
  }
  const { attention } = await world.reversal(reversal.id);
  expect(attention ?? (await world.only(order)).attention).not.toBeNull();
});

it('what is owed asks a person, or Stripe, once OFFSET is off', async () => {
  const world = await debtWorld();
  const { reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  const off = createLedger({
    database: world.database,
    sealer: createSealer([testKey()]),
    clock: world.clock,
    approvalThreshold: 1_000_000n,
  });
  world.clock.advance(400 * DAY_MS);
  const claim = await off.claimReversal(reversal.id, 'other', 60_000);
  expect(claim.kind).not.toBe('waiting');
});

it('a share of which all is owed does not wait for a balance of the platform that it does not need', async () => {
  const world = await debtWorld();
  const { reversal } = await world.short(1_000n, 800n);
  const calls = world.stripe.inLane();
  const createTransfer = calls.createTransfer.bind(calls);
  const short = { kind: 'short', detail: '400 balance_insufficient', replayed: false, requestId: null } as const;
  let empty = true;
  calls.createTransfer = (...given) => (empty ? Promise.resolve(short) : createTransfer(...given));
  calls.readPlatformBalance = () => Promise.resolve({ kind: 'found', value: new Map([['USD', 0n]]) });
  const next = await world.order(500n);
  await world.sweep();
  expect(await world.only(next)).toMatchObject({ status: 'waiting_platform_balance' });
  await world.decide(reversal, 'offset');
  for (let hour = 0; hour < 48; hour += 1) {
    world.clock.advance(HOUR_MS);
    for (const item of await world.due()) await world.advance(item);
    await world.ledger.balanceShows(new Map([['USD', 0n]]), true);
  }
  empty = false;
  expect(await world.only(next)).toMatchObject({ status: 'completed', offset: 500n, amount: 0n });
});
