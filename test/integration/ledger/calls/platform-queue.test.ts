import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import { thatFit } from '../../../../src/domain/marketplace/platform-queue.js';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { DONE, marketplaceLedgerForFile, marketplaceLedgerForTest, SHORT } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

type Move =
  | { readonly kind: 'pay'; readonly amount: number }
  | { readonly kind: 'money'; readonly amount: number; readonly told: boolean }
  | { readonly kind: 'hours'; readonly hours: number };

const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pay' as const), amount: fc.integer({ min: 1, max: 900 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('money' as const),
      amount: fc.integer({ min: 1, max: 1_500 }),
      told: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 3 }) }) },
);

/** A platform whose balance only its transfers lower, and the workers that send them: one after the other, until nothing moves. */
async function platform() {
  const world = await marketplaceLedgerForTest();
  let available = 0n;
  const refusals: string[] = [];
  const open: TransferId[] = [];

  async function waiting() {
    const rows = await world.test.database.query<{ id: TransferId; amount: string }>(
      `SELECT id, amount FROM seller_transfers WHERE status = 'waiting_platform_balance'
         AND coalesce(admitted_until <= clock_now(), true) ORDER BY id`,
    );
    return rows.map(({ id, amount }) => ({ id, amount: BigInt(amount) }));
  }

  /** The same picture gives the same choice as the pure rule, and what goes fits together. */
  async function read(told: boolean): Promise<void> {
    const before = await waiting();
    const go = await world.test.ledger.balanceShows(new Map([['USD', available]]), told);
    expect(go.map(({ id }) => id)).toEqual(thatFit(before, available, 1_000).map(({ id }) => id));
  }

  async function attempt(id: TransferId): Promise<boolean> {
    let claim = await world.steps.claimTransfer(id);
    if (claim.kind === 'read') {
      await read(false);
      claim = await world.steps.claimTransfer(id);
    }
    if (claim.kind !== 'claimed') return false;
    const held = claim.claim;
    if (held.gated && (await world.test.ledger.admitTransfer(id, held.runner))) return true;
    const amount = (await world.steps.transfer(id)).amount;
    const fits = amount <= available;
    if (fits) available -= amount;
    else refusals.push(id);
    await world.steps.attempt(held, fits ? DONE : SHORT, fits ? {} : { provedAbsent: true });
    return true;
  }

  return {
    ...world,
    refusals,
    available: () => available,
    waiting,
    async pay(amount: number) {
      const seller = unique('acct');
      open.push((await world.steps.paid({ [seller]: amount })).transfers[seller]!);
    },
    async money(amount: number, told: boolean) {
      available += BigInt(amount);
      if (told) await read(true);
    },
    async work() {
      for (let moved = true; moved; ) {
        moved = false;
        for (const id of open) if (await attempt(id)) moved = true;
      }
    },
  };
}

describe('transfers that wait for the platform’s balance', () => {
  it('go as Stripe shows that they fit, the oldest that fits first, and are refused at most where nobody waited yet', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moves, { minLength: 4, maxLength: 14 }), async (story) => {
        const world = await platform();
        for (const move of story) {
          const waited = (await world.waiting()).length > 0;
          const refused = world.refusals.length;
          if (move.kind === 'pay') await world.pay(move.amount);
          else if (move.kind === 'money') await world.money(move.amount, move.told);
          else world.test.clock.advance(move.hours * HOUR_MS);
          await world.work();
          // One refusal makes the queue; from then on nothing is sent that does not fit.
          expect(world.refusals.length - refused).toBeLessThanOrEqual(waited ? 0 : 1);
        }
        world.test.clock.advance(2 * HOUR_MS);
        await world.work();
        const left = await world.waiting();
        expect(thatFit(left, world.available(), 1_000)).toEqual([]);
        for (const { id } of left)
          expect(await world.steps.transfer(id)).toMatchObject({ retryCount: 0, attention: null });
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  it('never go twice: each is sent anew only under a new key, after a look that found nothing', async () => {
    const seller = unique('acct');
    const id = (await steps.paid({ [seller]: 500 }, 'EUR')).transfers[seller]!;
    await steps.send(id, SHORT, { provedAbsent: true });
    await test.ledger.balanceShows(new Map([['EUR', 500n]]), true);
    const held = await steps.holdTransfer(id);
    expect(held).toMatchObject({ looksFirst: true, certainty: 'absent', retryCount: 0 });
    await steps.noteAbsent(held);
    expect(await steps.leave(held)).toMatchObject({ key: `${id}:g2`, generation: 2 });
    await steps.answered(held, DONE);
    expect(await steps.transfer(id)).toMatchObject({ status: 'completed', waiting: null });
  });

  it('lose their place in a picture after ten minutes, and are judged by the next one', async () => {
    const seller = unique('acct');
    const id = (await steps.paid({ [seller]: 500 }, 'CHF')).transfers[seller]!;
    await steps.send(id, SHORT, { provedAbsent: true });
    expect(await test.ledger.balanceShows(new Map([['CHF', 500n]]), true)).toEqual([{ kind: 'transfer', id }]);
    steps.pass(11 * MINUTE_MS);
    expect(await steps.claimTransfer(id)).toMatchObject({ kind: 'waiting' });
    expect(await test.ledger.balanceShows(new Map([['CHF', 499n]]), true)).toEqual([]);
    expect(await steps.transfer(id)).toMatchObject({ waiting: { missing: 1n } });
  });
});

describe('a charge that a transfer is drawn from', () => {
  async function charged(columns: Record<string, unknown>) {
    const seller = unique('acct');
    const order = await steps.paid({ [seller]: 500 });
    const intent = unique('pi');
    const facts = paymentAt({
      hyperswitchPaymentId: order.hyperswitchPaymentId,
      amount: 500n,
      currency: 'USD',
      connector: 'stripe',
      connectorTransactionId: intent,
      ...columns,
    });
    await test.ledger.applyPayment({ paymentId: order.paymentId, runner: null, facts });
    return { order: order.id, paymentId: order.paymentId, intent, id: order.transfers[seller]! };
  }
  const charge = { kind: 'charge', chargeId: 'ch_1', currency: 'USD', rate: null, livemode: false } as const;
  const sent = async (id: TransferId) => (await steps.leave(await steps.holdTransfer(id))).params;

  it('is read once, and frozen with the parameters', async () => {
    await test.ledger.pinStripeAccount({ accountId: 'acct_platform', livemode: false });
    const { id, paymentId, intent } = await charged({});
    const held = await steps.holdTransfer(id);
    expect(held.paymentToRead).toEqual({ id: paymentId, paymentIntent: intent, isElsewhere: false });
    await test.ledger.noteCharge(paymentId, intent, charge);
    expect((await steps.leave(held)).params).toMatchObject({ source_transaction: 'ch_1' });
    await expect(
      test.database.query(`UPDATE seller_transfers SET params = '{"amount":500}' WHERE id = $1`, [id]),
    ).rejects.toThrow('frozen');
  });

  it.each([
    ['of another connector', { connector: 'adyen' }, charge],
    ['that is no PaymentIntent', { connectorTransactionId: 'ch_9' }, charge],
    ['of another mode', {}, { ...charge, livemode: true }],
    ['that does not fit', {}, { kind: 'unfit', why: 'not by card' } as const],
  ] as const)('%s is not: it comes from the balance, and its story says why', async (_, columns, reading) => {
    const { id, paymentId, intent } = await charged(columns);
    await test.ledger.noteCharge(paymentId, intent, reading);
    const params = await sent(id);
    expect(params).not.toHaveProperty('source_transaction');
    expect(params).toHaveProperty('transfer_group');
    const [told] = await test.database.query<{ detail: Record<string, unknown> }>(
      `SELECT detail FROM operation_events WHERE item_id = $1 AND kind = 'sent'`,
      [id],
    );
    expect(told?.detail['no_source']).toEqual(expect.any(String));
  });

  it('changes nothing of what an older build has frozen', async () => {
    const { id, paymentId, intent } = await charged({});
    const older = `{"amount":500,"currency":"usd","destination":"acct_a","transfer_group":"order","metadata":{}}`;
    await test.database.query(
      `UPDATE seller_transfers SET params = $2, certainty = 'unknown', key_first_sent_at = clock_now(), attempts = 1 WHERE id = $1`,
      [id, older],
    );
    await test.ledger.noteCharge(paymentId, intent, charge);
    const held = await steps.holdTransfer(id);
    expect(held.paymentToRead).toBeNull();
    expect((await steps.leave(held)).params).toEqual(JSON.parse(older));
  });

  it('is never that of a compensation', async () => {
    const { order, paymentId, intent, id } = await charged({});
    await test.ledger.noteCharge(paymentId, intent, charge);
    await steps.send(id);
    const refund = await steps.refunded(order);
    for (const reversal of await steps.reversalsOf(order)) await steps.reverse(reversal.id);
    await steps.refundSays(refund, 'failed');
    const compensate = { kind: 'refund', itemId: refund, action: 'compensate' } as const;
    const asked = await steps.decide(compensate);
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    await test.ledger.approve({
      decisionId: asked.decisionId,
      by: 'otto',
      note: 'yes',
      verified: { kind: 'not_needed' },
    });
    const compensation = (await steps.find(order)).transfers.find(({ origin }) => origin === 'compensation');
    expect(await sent(compensation!.id)).not.toHaveProperty('source_transaction');
    await expect(
      test.database.query(
        `UPDATE seller_transfers SET generation = generation + 1, idempotency_key = 'x', certainty = 'not_sent', key_first_sent_at = NULL,
           params = '{"amount":500,"source_transaction":"ch_1"}' WHERE id = $1`,
        [compensation!.id],
      ),
    ).rejects.toThrow();
  });
});
