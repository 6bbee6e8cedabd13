import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { marketplaceLedgerForFile, REFUSED, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

const seller = () => unique('acct');

it('a share found taken after it was written off is put on record and before a person, whatever its transfer is', async () => {
  for (const amount of [300, 1_000]) {
    const order = await steps.sentShare();
    await steps.refunded(order.id, amount);
    const id = (await steps.reversalsOf(order.id))[0]!.id;
    await steps.reverse(id, UNKNOWN);
    for (let retry = 0; retry < 5; retry += 1) {
      steps.pass(MINUTE_MS);
      await steps.reverse(id, UNKNOWN);
    }
    await steps.longAbsent({ kind: 'reversal', id });
    await steps.decide({ kind: 'reversal', itemId: id, action: 'write_off', verified: { kind: 'absent' } });
    expect(await steps.transfer(order.transferId)).toMatchObject({ status: 'completed' });
    await test.ledger.adoptReversal(id, unique('trr'));
    expect(await steps.reversal(id)).toMatchObject({ status: 'reversed', attention: { reason: 'late_success' } });
    expect(await steps.transfer(order.transferId)).toMatchObject({
      status: amount === 1_000 ? 'reversed' : 'partially_reversed',
    });
  }
});

it('a share found taken after it was voided counts again, and the seller is owed it', async () => {
  const order = await steps.sentShare();
  const refund = await steps.refunded(order.id, 300);
  const { id } = (await steps.reversalsOf(order.id))[0]!;
  await steps.refundSays(refund, 'failed');
  await test.ledger.adoptReversal(id, unique('trr'));
  expect(await steps.reversal(id)).toMatchObject({ status: 'reversed', attention: { reason: 'late_success' } });
  expect(await steps.refund(refund)).toMatchObject({ attention: { reason: 'refund_failed_after_reversal' } });
});

it('a share found taken after the rest of its transfer was demanded is put before a person, and nothing crashes', async () => {
  const order = await steps.sentShare();
  const refund = await steps.refunded(order.id, 300);
  const { id } = (await steps.reversalsOf(order.id))[0]!;
  await steps.refundSays(refund, 'failed');
  await steps.refunded(order.id);
  const stripeId = unique('trr');
  expect(await test.ledger.adoptReversal(id, stripeId)).toEqual({ status: 'written_off', started: [] });
  expect(await steps.reversal(id)).toMatchObject({
    status: 'written_off',
    attention: { reason: 'conflict', detail: expect.stringContaining(stripeId) },
  });
  expect(await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' })).toMatchObject({ kind: 'refused' });
  expect(await steps.decide({ kind: 'reversal', itemId: id, action: 'adopt' })).toMatchObject({ kind: 'applied' });
  expect(await steps.reversal(id)).toMatchObject({ status: 'written_off', attention: null });
});

it('a transfer found sent after all of it was withheld is put before a person, whatever had become of it', async () => {
  const cancelled = await steps.paid({ [seller()]: 1_000 });
  await steps.refunded(cancelled.id);
  const failed = await steps.paid({ [seller()]: 1_000 });
  const [failedId] = Object.values(failed.transfers);
  for (let attempt = 0; attempt <= 5; attempt += 1) {
    await steps.send(failedId!, REFUSED, { provedAbsent: true });
    steps.pass(MINUTE_MS);
  }
  await steps.refunded(failed.id);
  for (const { id, transfers } of [cancelled, failed]) {
    const [transferId] = Object.values(transfers);
    const { status } = await steps.transfer(transferId!);
    expect(await test.ledger.adoptTransfer(transferId!, unique('tr'))).toEqual({ status, started: [] });
    expect(await steps.find(id)).toMatchObject({
      transfers: [{ status, amount: 0n, stripeTransferId: null, attention: { reason: 'conflict' } }],
    });
    expect(await steps.decide({ kind: 'transfer', itemId: transferId!, action: 'retry' })).toMatchObject({
      kind: 'refused',
    });
    expect(await steps.decide({ kind: 'transfer', itemId: transferId!, action: 'adopt' })).toMatchObject({
      kind: 'applied',
    });
    expect(await steps.transfer(transferId!)).toMatchObject({ status, attention: null });
  }
});

describe('a transfer that a person gave up', () => {
  it('has nothing demanded of it any more', async () => {
    const { id, order } = await givenUp(400);
    expect((await steps.reversalsOf(order.id)).map((one) => one.status)).toEqual(['written_off']);
    expect(await steps.transfer(id)).toMatchObject({ status: 'permanently_failed', amount: 1_000n, attention: null });
    await steps.refunded(order.id, 100);
    expect(await steps.reversalsOf(order.id)).toHaveLength(1);
  });

  it('owes what was refunded when Stripe turns out to hold it after all', async () => {
    const { id, order } = await givenUp(400);
    await steps.refunded(order.id, 100);
    const { status, started } = await test.ledger.adoptTransfer(id, unique('tr'));
    expect(status).toBe('reversal_pending');
    expect(await steps.transfer(id)).toMatchObject({ amount: 1_000n, attention: { reason: 'late_success' } });
    const due = (await steps.reversalsOf(order.id)).filter((one) => one.status === 'pending');
    expect(due.map(({ amount }) => amount)).toEqual([400n, 100n]);
    expect(new Set(started.map((item) => item.id))).toEqual(new Set(due.map((one) => one.id)));
  });

  /** Nobody knows whether it was sent; this much is refunded; then a person gives it up. */
  async function givenUp(refund: number) {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const id = order.transfers[ada]!;
    await steps.send(id, UNKNOWN);
    await steps.refunded(order.id, refund);
    for (let retry = 0; retry < 5; retry += 1) {
      steps.pass(MINUTE_MS);
      await steps.send(id, UNKNOWN);
    }
    expect(await steps.transfer(id)).toMatchObject({ status: 'pending', attention: { reason: 'retries_exhausted' } });
    await steps.longAbsent({ kind: 'transfer', id });
    expect(
      await steps.decide({ kind: 'transfer', itemId: id, action: 'write_off', verified: { kind: 'absent' } }),
    ).toMatchObject({ kind: 'applied', status: 'permanently_failed' });
    return { order, id };
  }
});
