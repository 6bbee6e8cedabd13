import { describe, expect, it } from 'vitest';
import { reversalId } from '../../../../src/domain/marketplace/reversal-id.js';
import { MINUTE_MS } from '../../../support/durations.js';
import { putOrder, unique } from '../../../support/marketplace/fixtures.js';
import { dashboardRefund } from '../../../support/marketplace/hyperswitch-facts.js';
import { DONE, marketplaceLedgerForFile, REFUSED, THROTTLED, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

const seller = () => unique('acct');
const bySeller = (items: readonly { sellerAccount: string; status: string; amount: bigint }[]) =>
  Object.fromEntries(items.map(({ sellerAccount, status, amount }) => [sellerAccount, [status, amount]]));

describe('a refund that succeeds', () => {
  it('is complete for the buyer at that moment, and leaves each seller’s share to be taken back at once', async () => {
    const [ada, bob] = [seller(), seller()];
    const order = await steps.paid({ [ada]: 600, [bob]: 400 });
    for (const id of Object.values(order.transfers)) await steps.send(id);
    const refund = await steps.askRefund(order.id);
    const started = await steps.refundSays(refund, 'succeeded');

    const found = await steps.find(order.id);
    expect(found).toMatchObject({ status: 'refunded', refunds: [{ status: 'succeeded' }] });
    expect(found.transfers.map(({ status }) => status)).toEqual(['reversal_pending', 'reversal_pending']);
    expect(bySeller(found.reversals)).toEqual({ [ada]: ['pending', 600n], [bob]: ['pending', 400n] });
    for (const { nextRetryAt } of [...found.transfers, ...found.reversals])
      expect(new Date(nextRetryAt!).getTime()).toBeLessThanOrEqual(test.clock.nowMs());
    expect(started).toEqual(found.reversals.map(({ id }) => ({ kind: 'reversal', id })));
    expect(started.map(({ id }) => id).sort()).toEqual(
      Object.values(order.transfers)
        .map((id) => reversalId(refund, id))
        .sort(),
    );
  });

  it('told twice, and read again, takes each share back once', async () => {
    const order = await steps.sentShare();
    const refund = await steps.refunded(order.id, 300);
    expect(await steps.refundSays(refund, 'succeeded')).toEqual([]);
    expect(await steps.refundSays(refund, 'pending')).toEqual([]);
    expect(await steps.reversalsOf(order.id)).toHaveLength(1);
    expect(await steps.refund(refund)).toMatchObject({ status: 'succeeded' });
  });

  it('twice of the same amount is two refunds and two reversals', async () => {
    const order = await steps.sentShare();
    await steps.refunded(order.id, 300);
    await steps.refunded(order.id, 300);
    expect((await steps.reversalsOf(order.id)).map(({ amount }) => amount)).toEqual([300n, 300n]);
    expect(await steps.find(order.id)).toMatchObject({ status: 'partially_refunded' });
  });

  it('takes nothing of a seller whose share rounds to nothing, and the last one sweeps the rest', async () => {
    const [ada, bob] = [seller(), seller()];
    const order = await steps.paid({ [ada]: 1, [bob]: 999 });
    for (const id of Object.values(order.transfers)) await steps.send(id);
    await steps.refunded(order.id, 500);
    expect((await steps.reversalsOf(order.id)).map(({ sellerAccount, amount }) => [sellerAccount, amount])).toEqual([
      [bob, 499n],
    ]);
    await steps.refunded(order.id);
    const taken = (await steps.reversalsOf(order.id)).reduce((sum, { amount }) => sum + amount, 0n);
    expect(taken).toBe(1_000n);
  });

  it('made in the provider’s dashboard is found once and handled like one of ours', async () => {
    const order = await steps.sentShare();
    const facts = dashboardRefund(order, 400n);
    const ids = await Promise.all(
      [1, 2, 3].map(() => test.ledger.adoptRefund(order.paymentId, crypto.randomUUID() as never, facts)),
    );
    expect(new Set(ids.map(({ refundId }) => refundId)).size).toBe(1);
    expect(await steps.find(order.id)).toMatchObject({
      status: 'partially_refunded',
      refunds: [{ origin: 'provider', status: 'succeeded', amount: 400n }],
      reversals: [{ amount: 400n, status: 'pending' }],
    });
  });

  it.each([
    ['KWD', 10n, 1_233n],
    ['ISK', 100n, 12_345n],
  ])(
    'in the dashboard, of an odd sum of %s, takes whole steps, and the last one the rest',
    async (currency, step, odd) => {
      const [ada, bob] = [seller(), seller()];
      const order = await steps.paid({ [ada]: 33_400, [bob]: 66_600 }, currency);
      await steps.send(order.transfers[ada]!);
      const facts = dashboardRefund(order, odd, currency);
      await test.ledger.adoptRefund(order.paymentId, crypto.randomUUID() as never, facts);
      const due = (promised: bigint) => ((promised * odd) / 100_000n / step) * step;
      expect(await steps.reversalsOf(order.id)).toMatchObject([{ sellerAccount: ada, amount: due(33_400n) }]);
      expect(await steps.transfer(order.transfers[bob]!)).toMatchObject({ amount: 66_600n - due(66_600n) });

      await steps.refunded(order.id);
      const taken = (await steps.reversalsOf(order.id)).map(({ amount }) => amount);
      expect(taken).toEqual([due(33_400n), 33_400n - due(33_400n)]);
      for (const amount of taken) expect(amount % step).toBe(0n);
      expect(await steps.transfer(order.transfers[bob]!)).toMatchObject({ status: 'cancelled', amount: 0n });
    },
  );

  it('from the dashboard is stored although nothing is left for it yet, and counts once an earlier one has failed', async () => {
    const order = await steps.sentShare();
    const ours = await steps.refunded(order.id);
    const facts = dashboardRefund(order, 1_000n);
    const { refundId, status } = await test.ledger.adoptRefund(order.paymentId, crypto.randomUUID() as never, facts);
    expect(status).toBe('pending');
    expect(await steps.refund(refundId)).toMatchObject({ attention: { reason: 'conflict' } });
    await steps.refundSays(ours, 'failed');
    await steps.refundSays(refundId, 'succeeded');
    expect(await steps.refund(refundId)).toMatchObject({ status: 'succeeded', attention: null });
    expect(await steps.find(order.id)).toMatchObject({ status: 'refunded' });
    const due = (await steps.reversalsOf(order.id)).filter(({ status: is }) => is === 'pending');
    expect(due.map(({ amount }) => amount)).toEqual([1_000n]);
  });

  it('of another amount than ours is a question for a person, and moves nothing', async () => {
    const order = await steps.sentShare();
    const refund = await steps.askRefund(order.id, 300);
    const facts = { ...(await steps.factsOf(refund, 'succeeded')), amount: 301n };
    expect(await test.ledger.applyRefund({ refundId: refund, runner: null, facts })).toEqual({
      status: 'pending',
      started: [],
    });
    expect(await steps.refund(refund)).toMatchObject({ status: 'pending', attention: { reason: 'conflict' } });
    expect(await steps.reversalsOf(order.id)).toEqual([]);
    await steps.refundSays(refund, 'succeeded');
    expect(await steps.refund(refund)).toMatchObject({ status: 'succeeded', attention: null });
  });
});

describe('a refund before the seller was paid', () => {
  it('makes the transfer smaller, or cancels it, and reverses nothing', async () => {
    const [ada, bob] = [seller(), seller()];
    const order = await steps.paid({ [ada]: 600, [bob]: 400 });
    await steps.refunded(order.id, 500);
    const { transfers } = await steps.find(order.id);
    expect(bySeller(transfers)).toEqual({ [ada]: ['pending', 300n], [bob]: ['pending', 200n] });
    await steps.refunded(order.id);
    expect(await steps.find(order.id)).toMatchObject({
      transfers: [
        { status: 'cancelled', amount: 0n },
        { status: 'cancelled', amount: 0n },
      ],
      reversals: [],
    });
    for (const id of Object.values(order.transfers))
      expect(await steps.claimTransfer(id)).toEqual({ kind: 'final', status: 'cancelled' });
  });

  it('reaches a transfer that is claimed: it is sent with what is left', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const claim = await steps.holdTransfer(order.transfers[ada]!);
    await steps.refunded(order.id, 250);
    expect((await steps.leave(claim)).params).toMatchObject({ amount: 750 });
    await steps.answered(claim, DONE);
    expect(await steps.find(order.id)).toMatchObject({
      transfers: [{ status: 'completed', amount: 750n }],
      reversals: [],
    });
  });

  it('stops a transfer that is claimed and of which nothing is left', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const claim = await steps.holdTransfer(order.transfers[ada]!);
    await steps.refunded(order.id);
    expect(await steps.permit(claim)).toEqual({ kind: 'stop', why: 'the transfer is cancelled' });
  });

  it('gives a transfer that was turned away a new key with the smaller amount', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const id = order.transfers[ada]!;
    const first = await steps.holdTransfer(id);
    const sentFirst = await steps.leave(first);
    await steps.answered(first, THROTTLED);
    await steps.refunded(order.id, 100);
    steps.pass(MINUTE_MS);
    const second = await steps.leave(await steps.holdTransfer(id));
    expect(sentFirst).toMatchObject({ key: id, generation: 1, params: { amount: 1_000 } });
    expect(second).toMatchObject({
      key: `${id}:g2`,
      generation: 2,
      params: { amount: 900, metadata: { generation: '2' } },
    });
  });
});

describe('a refund while nobody knows whether the seller was paid', () => {
  it.each(['in_flight', 'unknown'] as const)(
    'demands its share of a transfer that is %s, and takes it only once it arrived',
    async (certainty) => {
      const ada = seller();
      const order = await steps.paid({ [ada]: 1_000 });
      const id = order.transfers[ada]!;
      const claim = await steps.holdTransfer(id);
      await steps.leave(claim);
      if (certainty === 'unknown') await steps.answered(claim, UNKNOWN);
      await steps.refunded(order.id, 400);
      const [demanded] = await steps.reversalsOf(order.id);
      expect(demanded).toMatchObject({ status: 'pending', amount: 400n });
      expect(await steps.transfer(id)).toMatchObject({ status: 'pending', amount: 1_000n });
      expect(await steps.claimReversal(demanded!.id)).toMatchObject({
        kind: 'later',
        why: 'its transfer is still on its way',
      });

      steps.pass(MINUTE_MS);
      const again = certainty === 'unknown' ? await steps.holdTransfer(id) : claim;
      const { started } = await steps.answered(again, DONE);
      expect(started).toEqual([{ kind: 'reversal', id: demanded!.id }]);
      expect(await steps.transfer(id)).toMatchObject({ status: 'reversal_pending' });
      await steps.reverse(demanded!.id);
      expect(await steps.transfer(id)).toMatchObject({ status: 'partially_reversed', amountReversed: 400n });
    },
  );

  it.each([
    ['refused', REFUSED, { provedAbsent: true }, 'failed'],
    ['turned away', THROTTLED, {}, 'pending'],
  ] as const)('withholds what it demanded when the transfer turns out %s', async (_, answer, given, status) => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const id = order.transfers[ada]!;
    const claim = await steps.holdTransfer(id);
    await steps.leave(claim);
    await steps.refunded(order.id, 400);
    await steps.refunded(order.id, 100);
    await steps.answered(claim, answer, given);
    expect(await steps.transfer(id)).toMatchObject({ status, amount: 500n });
    expect((await steps.reversalsOf(order.id)).map((one) => one.status)).toEqual(['written_off', 'written_off']);
    steps.pass(MINUTE_MS);
    const permitted = await steps.leave(await steps.holdTransfer(id));
    expect(permitted).toMatchObject({ generation: 2, params: { amount: 500 } });
  });

  it('cancels a transfer that turns out absent when all of it is demanded', async () => {
    const ada = seller();
    const order = await steps.paid({ [ada]: 1_000 });
    const id = order.transfers[ada]!;
    const claim = await steps.holdTransfer(id);
    await steps.leave(claim);
    await steps.refunded(order.id);
    const recorded = await steps.answered(claim, REFUSED, { provedAbsent: true });
    expect(recorded.status).toBe('cancelled');
    expect(await steps.transfer(id)).toMatchObject({ status: 'cancelled', amount: 0n, nextRetryAt: null });
    expect((await steps.reversalsOf(order.id)).map((one) => one.status)).toEqual(['written_off']);
  });
});

describe('a historical transfer whose id nobody knows', () => {
  it('is never claimed for Stripe: a person is asked for the id, and a retry waits until there is one', async () => {
    const order = await putOrder(test, {
      transfers: [{ amount: 1_000, stripeTransferId: null, columns: { origin: 'import' } }],
    });
    const refund = await steps.refunded(order.id);
    const id = reversalId(refund, order.transfers[0]!.id);
    expect(await steps.claimReversal(id)).toMatchObject({
      kind: 'attention',
      reason: 'missing_transfer_id',
      unknown: false,
    });
    expect(await steps.reversal(id)).toMatchObject({ status: 'permanently_failed', certainty: 'not_sent' });
    expect(await steps.row('reversals', id)).toMatchObject({ attempts: 0, runner: null, next_check_at: null });
    expect(await steps.transfer(order.transfers[0]!.id)).toMatchObject({ status: 'permanently_failed' });
    expect(await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' })).toMatchObject({ kind: 'refused' });

    await test.database.query('UPDATE seller_transfers SET stripe_transfer_id = $2 WHERE id = $1', [
      order.transfers[0]!.id,
      unique('tr'),
    ]);
    expect(await steps.decide({ kind: 'reversal', itemId: id, action: 'retry' })).toMatchObject({
      kind: 'applied',
      status: 'pending',
    });
    await steps.reverse(id);
    expect(await steps.transfer(order.transfers[0]!.id)).toMatchObject({ status: 'reversed' });
  });
});

describe('a second refund of a transfer that needs a person', () => {
  it('only adds its row, and is taken back without waiting for the first', async () => {
    const order = await steps.sentShare();
    await steps.refunded(order.id, 300);
    const first = (await steps.reversalsOf(order.id))[0]!;
    await steps.reverse(first.id, REFUSED, { provedAbsent: true });
    expect(await steps.transfer(order.transferId)).toMatchObject({ status: 'permanently_failed' });
    await steps.refunded(order.id, 200);
    expect(await steps.transfer(order.transferId)).toMatchObject({ status: 'permanently_failed' });
    const [, second] = await steps.reversalsOf(order.id);
    await steps.reverse(second!.id);
    expect(await steps.transfer(order.transferId)).toMatchObject({
      status: 'permanently_failed',
      amountReversed: 200n,
    });
    await steps.decide({ kind: 'reversal', itemId: first.id, action: 'write_off', verified: { kind: 'absent' } });
    expect(await steps.transfer(order.transferId)).toMatchObject({
      status: 'partially_reversed',
      amountReversed: 200n,
    });
  });

  it('does not take again what a person has written off', async () => {
    const order = await steps.sentShare();
    await steps.refunded(order.id, 300);
    const first = (await steps.reversalsOf(order.id))[0]!;
    await steps.reverse(first.id, REFUSED, { provedAbsent: true });
    await steps.decide({ kind: 'reversal', itemId: first.id, action: 'write_off', verified: { kind: 'absent' } });
    await steps.refunded(order.id);
    const taken = (await steps.reversalsOf(order.id)).filter(({ status }) => status !== 'written_off');
    expect(taken.map(({ amount }) => amount)).toEqual([700n]);
  });
});
