import { beforeEach, describe, expect, it } from 'vitest';
import type { OrderId, PaymentId, TransferId } from '../../../../src/domain/ids.js';
import type { ChargeReading } from '../../../../src/ledger/calls/payment-charges.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { aLine, importLine } from '../../../support/marketplace/historical-lines.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import { looked } from '../../../support/marketplace/looked.js';
import { DONE, marketplaceLedgerForFile, REFUSED, SHORT, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

beforeEach(() => test.ledger.pinStripeAccount({ accountId: 'acct_platform', livemode: false }));

const inEuros = (charge: string, change: object = {}): ChargeReading => ({
  kind: 'charge',
  chargeId: charge,
  currency: 'EUR',
  rate: { paidIn: 'USD', captured: 1_000n, became: 920n, exchangeRate: '0.92' },
  livemode: false,
  ...change,
});

interface Charged {
  readonly order: OrderId;
  readonly paymentId: PaymentId;
  readonly intent: string;
  readonly charge: string;
  readonly id: TransferId;
}

/** An order of 10 dollars of which one seller has this much, paid at this Stripe account. */
async function charged(amount = 1_000): Promise<Charged> {
  const seller = unique('acct');
  const made = await steps.paid({ [seller]: amount, ...(amount < 1_000 && { [unique('acct')]: 1_000 - amount }) });
  const intent = unique('pi');
  const facts = paymentAt({
    hyperswitchPaymentId: made.hyperswitchPaymentId,
    amount: 1_000n,
    currency: 'USD',
    connector: 'stripe',
    connectorTransactionId: intent,
  });
  await test.ledger.applyPayment({ paymentId: made.paymentId, runner: null, facts });
  return { order: made.id, paymentId: made.paymentId, intent, charge: unique('ch'), id: made.transfers[seller]! };
}

async function converted(amount = 1_000): Promise<Charged> {
  const made = await charged(amount);
  await test.ledger.noteCharge(made.paymentId, made.intent, inEuros(made.charge));
  return made;
}

const params = (change: object) => JSON.stringify({ amount: 920, currency: 'eur', destination: 'acct_1', ...change });

describe('nothing is sent in a currency it was not read in, whoever writes it', () => {
  it.each([
    ['in a currency that nobody read', { currency: 'gbp' }],
    ['in that of the balance, but of another charge', { source_transaction: 'ch_other' }],
    ['in that of the balance, but from no charge', { source_transaction: undefined }],
    ['of more than its share of what the charge became', { amount: 921 }],
  ])('%s', async (_, change) => {
    const { id, charge } = await converted();
    const written = params({ source_transaction: charge, ...change });
    const sent = test.database.query(
      `UPDATE seller_transfers SET params = $2, attempts = attempts + 1, certainty = 'in_flight', key_first_sent_at = clock_now() WHERE id = $1`,
      [id, written],
    );
    await expect(sent).rejects.toThrow(/nothing is sent in|more than its share/);
  });

  it('but as it was read, with its rate', async () => {
    const { id } = await converted(333);
    expect((await steps.leave(await steps.holdTransfer(id))).params).toMatchObject({ amount: 306, currency: 'eur' });
    expect((await steps.transfer(id)).conversion).toEqual({ currency: 'EUR', amount: 306n, exchangeRate: '0.92' });
  });

  it('and once it was sent neither changes', async () => {
    const { id } = await converted();
    await steps.send(id);
    for (const change of [
      `sent_amount = 919`,
      `sent_currency = 'GBP'`,
      'sent_currency = NULL, sent_amount = NULL, exchange_rate = NULL',
    ])
      await expect(test.database.query(`UPDATE seller_transfers SET ${change} WHERE id = $1`, [id])).rejects.toThrow(
        'never changes',
      );
  });
});

describe('a transfer whose money is in a balance of another currency', () => {
  it('is read anew where an earlier build did not ask what it became, and waits for that', async () => {
    const { id, paymentId, intent, charge } = await charged();
    await test.database.query(
      `UPDATE payments SET charge_of = $2, charge_id = $3, charge_currency = 'EUR' WHERE id = $1`,
      [paymentId, intent, charge],
    );
    const held = await steps.holdTransfer(id);
    expect(held.paymentToRead).toMatchObject({ paymentIntent: intent, isElsewhere: true });
    await test.ledger.releaseTransfer(id, held.runner, 1);
    test.clock.advance(10);
    await test.ledger.noteCharge(paymentId, intent, inEuros(charge));
    expect((await steps.leave(await steps.holdTransfer(id))).params).toMatchObject({ amount: 920, currency: 'eur' });
  });

  it('waits for no balance any more where an earlier build had it wait for one in the currency of its order', async () => {
    const { id, paymentId, intent, charge } = await charged();
    await steps.send(id, SHORT, { provedAbsent: true });
    expect(await steps.transfer(id)).toMatchObject({ status: 'waiting_platform_balance' });
    await test.database.query(
      `UPDATE payments SET charge_of = $2, charge_id = $3, charge_currency = 'EUR' WHERE id = $1`,
      [paymentId, intent, charge],
    );
    const held = await steps.holdTransfer(id);
    expect(held.paymentToRead).toMatchObject({ isElsewhere: true });
    await test.ledger.releaseTransfer(id, held.runner, 1);
    test.clock.advance(10);
    await test.ledger.noteCharge(paymentId, intent, inEuros(charge));
    const again = await steps.holdTransfer(id);
    expect(again.atStripe).toMatchObject({ amount: 920n, currency: 'EUR' });
    await steps.attempt(again, DONE);
    expect(await steps.transfer(id)).toMatchObject({
      status: 'completed',
      conversion: { currency: 'EUR', amount: 920n },
    });
  });

  it('that was refused with its own money as the source has no other: it is never sent from the balance', async () => {
    const { id } = await converted();
    await steps.send(id, REFUSED, { provedAbsent: true });
    test.clock.advance(60_000);
    expect((await steps.leave(await steps.holdTransfer(id))).params).toMatchObject({
      currency: 'eur',
      source_transaction: expect.any(String),
    });
  });

  it.each([
    [
      'the buyer paid in a third currency',
      { rate: { paidIn: 'GBP', captured: 800n, became: 920n, exchangeRate: null } },
    ],
    ['a share comes to nothing', { rate: { paidIn: 'USD', captured: 1_000n, became: 1n, exchangeRate: null } }],
  ])('has no amount that can be sent where %s, and says so', async (_, change) => {
    const { id, paymentId, intent, charge } = await charged(333);
    await test.ledger.noteCharge(paymentId, intent, inEuros(charge, change));
    const held = await steps.holdTransfer(id);
    expect(held.unsendable).toMatchObject({ as: 'conflict', why: expect.stringContaining('write_off') });
    expect(await test.ledger.permitTransfer(id, held.runner, 60_000)).toMatchObject({ kind: 'stop' });
  });

  it('that is made smaller before it was sent is converted anew; once it may have moved it stays as it was', async () => {
    const small = await converted();
    await steps.refunded(small.order, 500);
    expect((await steps.holdTransfer(small.id)).atStripe).toMatchObject({ amount: 460n, currency: 'EUR' });
    const sent = await converted();
    await steps.send(sent.id, UNKNOWN);
    await steps.refunded(sent.order, 500);
    test.clock.advance(60_000);
    expect((await steps.holdTransfer(sent.id)).atStripe).toMatchObject({ amount: 920n, currency: 'EUR' });
  });
});

describe('what is taken back of it', () => {
  it('is never more than was sent, whoever writes it', async () => {
    const { order, id } = await converted();
    await steps.send(id);
    await steps.refunded(order);
    const [reversal] = await steps.reversalsOf(order);
    const sent = test.database.query(
      `UPDATE reversals SET params = '{"amount": 921}', attempts = 1, certainty = 'in_flight', key_first_sent_at = clock_now() WHERE id = $1`,
      [reversal!.id],
    );
    await expect(sent).rejects.toThrow('exceeds the 920 that were sent');
    expect((await steps.leave(await steps.holdReversal(reversal!.id))).params.amount).toBe(920);
  });

  it('is not counted against what somebody else took: that is in another currency than the share', async () => {
    const { order, id } = await converted();
    await steps.send(id);
    await steps.refunded(order);
    const [reversal] = await steps.reversalsOf(order);
    await expect(
      test.database.query('UPDATE reversals SET counted = 100 WHERE id = $1', [reversal!.id]),
    ).rejects.toThrow('never counted for one another');
  });

  it('is paid again by a person alone, because what was read for it is gone', async () => {
    const { order, id } = await converted();
    await steps.send(id);
    const refund = await steps.refunded(order);
    for (const { id: reversal } of await steps.reversalsOf(order)) await steps.reverse(reversal);
    await steps.refundSays(refund, 'failed');
    const asked = await steps.decide({ kind: 'refund', itemId: refund, action: 'compensate' });
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    await test.ledger.approve({
      decisionId: asked.decisionId,
      by: 'otto',
      note: 'yes',
      verified: { kind: 'not_needed' },
    });
    const again = (await steps.find(order)).transfers.find(({ origin }) => origin === 'compensation');
    expect((await steps.holdTransfer(again!.id)).unsendable?.why).toContain('pay the seller in EUR at Stripe');
  });
});

describe('the reconciler', () => {
  it('compares what Stripe holds with what was sent there, not with the share of the order', async () => {
    const { order, id } = await converted();
    await steps.send(id);
    await steps.refunded(order, 500);
    const [reversal] = await steps.reversalsOf(order);
    await steps.reverse(reversal!.id);
    const { stripeTransferId } = await steps.transfer(id);
    const { stripeReversalId } = await steps.reversal(reversal!.id);
    expect(await test.ledger.heldTransfers([stripeTransferId ?? ''], [])).toMatchObject([
      { amount: 920n, currency: 'EUR' },
    ]);
    expect(await test.ledger.heldReversals([stripeReversalId ?? ''], [])).toMatchObject([
      { amount: 460n, currency: 'EUR' },
    ]);
  });
});

describe('reversals that others made', () => {
  it('in another currency than the transfer has at Stripe ask a person, and are added to nothing', async () => {
    const { transferId } = await steps.sentShare(1_000);
    await test.ledger.noteReversed(
      transferId,
      looked([
        { amount: 400n, currency: 'EUR' },
        { amount: 1_000n, currency: 'USD' },
      ]),
    );
    expect((await steps.transfer(transferId)).attention).toMatchObject({
      reason: 'conflict',
      detail: expect.stringMatching(/in another currency than USD: trr_\w+ \(400 EUR\)/),
    });
  });

  it('of a converted transfer are weighed in its currency there', async () => {
    const { id } = await converted();
    await steps.send(id);
    await test.ledger.noteReversed(id, looked([{ amount: 919n, currency: 'EUR' }]));
    expect((await steps.transfer(id)).attention).toMatchObject({
      reason: 'partly_foreign_reversal',
      detail: expect.stringContaining('took 919 EUR of it'),
    });
  });
});

describe('a currency that is none any more', () => {
  it('is imported, and nothing is sent in it: a reversal asks a person with a reason of its own', async () => {
    const line = {
      order: unique('order'),
      currency: 'BGN',
      hyperswitchPaymentId: unique('pay'),
      stripeTransferId: unique('tr'),
    };
    const { orderId } = await importLine(test, line);
    expect(await test.ledger.importTransfer(aLine(line))).toMatchObject({ kind: 'same' });
    await steps.refunded(orderId);
    const [reversal] = await steps.reversalsOf(orderId);
    expect(await steps.claimReversal(reversal!.id)).toMatchObject({ kind: 'attention', reason: 'retired_currency' });
    expect((await steps.reversal(reversal!.id)).attention?.detail).toContain('BGN is no currency any more');
    await steps.decide({ kind: 'reversal', itemId: reversal!.id, action: 'retry' });
    expect(await steps.claimReversal(reversal!.id)).toMatchObject({ kind: 'attention', reason: 'retired_currency' });
  });

  it('stops a transfer that was still to be sent in it', async () => {
    const seller = unique('acct');
    const { transfers } = await steps.paid({ [seller]: 500 }, 'BGN');
    const held = await steps.holdTransfer(transfers[seller]!);
    expect(held.unsendable).toMatchObject({ as: 'retired' });
    expect(await test.ledger.permitTransfer(held.id, held.runner, 60_000)).toMatchObject({ kind: 'stop' });
  });
});
