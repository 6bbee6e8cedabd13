import { describe, expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import type { Database } from '../../../../src/ledger/database.js';
import { HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';
import {
  DONE,
  LOCKED_OUT,
  marketplaceLedgerForFile,
  type Paid,
  SHORT,
  UNKNOWN,
} from '../../../support/marketplace/steps.js';

const { test, steps } = await marketplaceLedgerForFile();

const NOT_ABLE = { kind: 'not_able' } as const;
const GONE = { kind: 'refused', why: 'gone' } as const;
const CANNOT = { state: 'waiting', reason: 'transfers_pending' } as const;
const ABLE = { state: 'able', reason: null } as const;

/** One seller's share of an order of its own. */
async function share(amount = 500, currency = 'USD') {
  const seller = unique('acct');
  const order = await steps.paid({ [seller]: amount }, currency);
  return { ...order, seller, transfer: order.transfers[seller]! };
}

async function refusedFor(answer: typeof SHORT | typeof NOT_ABLE | typeof GONE, amount?: number, currency?: string) {
  const one = await share(amount, currency);
  await steps.send(one.transfer, answer, { provedAbsent: true });
  return one;
}

/** The order is drawn from the buyer's own charge. */
async function charged({ paymentId, hyperswitchPaymentId }: Paid, amount = 500n): Promise<void> {
  await test.ledger.pinStripeAccount({ accountId: 'acct_platform', livemode: false });
  const facts = paymentAt({
    hyperswitchPaymentId,
    amount,
    currency: 'USD',
    connector: 'stripe',
    connectorTransactionId: 'pi_1',
  });
  await test.ledger.applyPayment({ paymentId, runner: null, facts });
  await test.ledger.noteCharge(paymentId, 'pi_1', {
    kind: 'charge',
    chargeId: 'ch_1',
    currency: 'USD',
    livemode: false,
  });
}

/** DISPUTE_POLICY=hold, and its funds are out. */
async function disputed({ id, paymentId }: Paid): Promise<string> {
  const [row] = await test.database.query<{ id: string }>(
    `INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, amount, currency, holds)
     VALUES (gen_random_uuid(), $1, $2, 'stripe', $3, 1, 'USD', true) RETURNING id`,
    [id, paymentId, unique('dp')],
  );
  return row!.id;
}
const disputeEnds = (id: string) => test.database.query('UPDATE disputes SET holds = false WHERE id = $1', [id]);
const questioned = ({ paymentId }: Paid) =>
  test.database.query(
    `UPDATE payments SET attention_reason = 'conflict', attention_since = clock_now(), attention_detail = 'x' WHERE id = $1`,
    [paymentId],
  );
const posts = async (id: TransferId) => (await steps.row<{ attempts: number }>('seller_transfers', id)).attempts;

describe('what is learned between a claim and its send', () => {
  it('a dispute that holds the order: nothing leaves, and what is unsent is held', async () => {
    const one = await share();
    const held = await steps.holdTransfer(one.transfer);
    const dispute = await disputed(one);
    expect(await steps.permit(held)).toMatchObject({ kind: 'stop' });
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'held' });
    expect(await posts(one.transfer)).toBe(0);
    await disputeEnds(dispute);
    await steps.send(one.transfer);
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'completed' });
  });

  it('what may have been sent before the dispute goes on under its key', async () => {
    const one = await share();
    await steps.send(one.transfer, UNKNOWN);
    steps.pass(HOUR_MS);
    const held = await steps.holdTransfer(one.transfer);
    await disputed(one);
    expect(await steps.permit(held)).toMatchObject({ kind: 'send', key: one.transfer });
  });

  it('a question whether the payment is there: nothing leaves', async () => {
    const one = await share();
    const held = await steps.holdTransfer(one.transfer);
    await questioned(one);
    expect(await steps.permit(held)).toMatchObject({ kind: 'stop' });
    expect(await posts(one.transfer)).toBe(0);
  });
});

describe('what was held', () => {
  it('waits for a seller who cannot receive when the dispute has ended', async () => {
    const one = await share();
    const dispute = await disputed(one);
    await steps.claimTransfer(one.transfer);
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'held' });
    await test.ledger.sellerShows(one.seller, CANNOT);
    await disputeEnds(dispute);
    expect(await steps.claimTransfer(one.transfer)).toMatchObject({ kind: 'waiting' });
    expect(await steps.transfer(one.transfer)).toMatchObject({ status: 'waiting_seller' });
    await test.ledger.sellerShows(one.seller, ABLE);
    await steps.send(one.transfer);
  });
});

describe('a share that is drawn from the charge', () => {
  it('still is where Stripe could not be read before the next attempt', async () => {
    const one = await share();
    await charged(one);
    await steps.send(one.transfer, NOT_ABLE, { provedAbsent: true });
    await test.ledger.sellerShows(one.seller, CANNOT);
    await test.ledger.sellerShows(one.seller, ABLE);
    const held = await steps.holdTransfer(one.transfer);
    // The look before the send: a failure of Stripe's own.
    await test.ledger.recordTransfer({
      id: held.id,
      runner: held.runner,
      decision: { do: 'retry', certainty: 'absent', afterMs: 1_000, counts: true },
      detail: 'stripe 500',
      requestId: null,
      stripeId: null,
      source: 'answer',
      parks: null,
    });
    steps.pass(MINUTE_MS);
    const again = await steps.holdTransfer(one.transfer);
    await steps.noteAbsent(again);
    expect((await steps.leave(again)).params).toMatchObject({ source_transaction: 'ch_1' });
  });

  it('still is for a seller who was gone and is back', async () => {
    const one = await share();
    await charged(one);
    await steps.send(one.transfer, GONE, { provedAbsent: true });
    await test.ledger.sellerShows(one.seller, { state: 'gone', reason: 'deauthorised' });
    await test.ledger.sellerShows(one.seller, ABLE);
    const again = await steps.holdTransfer(one.transfer);
    await steps.noteAbsent(again);
    expect((await steps.leave(again)).params).toMatchObject({ source_transaction: 'ch_1' });
  });
});
