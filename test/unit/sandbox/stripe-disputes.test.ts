import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { SELLER, stripeSandboxForFile } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile({ funded: false });

let charge: string;
beforeEach(async () => {
  sandbox.setSettlementDays(0);
  charge = (await sandbox.createCapture({ amount: 1000, currency: 'usd', payment_intent: 'pi_own' })).charge.id;
});

const available = async () => (await api.get('/v1/balance')).json.available[0].amount;
const chargeNow = async () => (await api.get(`/v1/charges/${charge}`)).json;
const told = () =>
  sandbox
    .events()
    .map(({ event }) => event.type)
    .filter((type) => /refund|dispute/.test(type));
const post = async (path: string, body: object) => {
  const answer = await fetch(`${sandbox.url}/control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: answer.status, json: (await answer.json()) as any };
};

describe('a refund made in the dashboard', () => {
  it('takes the money from the platform’s balance, and can be read and listed', async () => {
    const { refund } = await sandbox.createRefund({ charge, amount: 400, metadata: { order_id: 'o1' } });
    expect(refund).toMatchObject({
      id: expect.stringMatching(/^re_/),
      amount: 400,
      charge,
      payment_intent: 'pi_own',
      status: 'succeeded',
      metadata: { order_id: 'o1' },
    });
    expect(await available()).toBe(600);
    expect(await chargeNow()).toMatchObject({ amount_refunded: 400, refunded: false });
    expect((await api.get(`/v1/refunds/${refund.id}`)).json).toEqual(refund);
    const ways: Record<string, string>[] = [{ charge }, { payment_intent: 'pi_own' }, {}];
    for (const params of ways) {
      expect((await api.get('/v1/refunds', params)).json.data).toEqual([refund]);
    }
    expect((await api.get('/v1/refunds', { charge: 'ch_other' })).json.data).toEqual([]);
    expect((await api.get(`/v1/balance_transactions/${refund.balance_transaction}`)).json).toMatchObject({
      type: 'refund',
      amount: -400,
      net: -400,
      source: refund.id,
    });
    expect(told()).toEqual(['charge.refunded', 'refund.created']);
    await sandbox.createRefund({ charge });
    expect(await chargeNow()).toMatchObject({ amount_refunded: 1000, refunded: true });
    expect(await available()).toBe(0);
  });

  it('is refused beyond what is left', async () => {
    await sandbox.createRefund({ charge, amount: 600 });
    await expect(sandbox.createRefund({ charge, amount: 401 })).rejects.toThrow(
      'Refund amount ($4.01) is greater than unrefunded amount on charge ($4.00)',
    );
    await sandbox.createRefund({ charge });
    await expect(sandbox.createRefund({ charge })).rejects.toThrow(/already been refunded/);
    await expect(sandbox.createRefund({ charge: 'ch_nothing' })).rejects.toThrow(/No such charge/);
  });

  it('brings the money back when it fails, however late', async () => {
    const { refund } = await sandbox.createRefund({ charge, amount: 400, status: 'pending' });
    expect([refund.status, await available()]).toEqual(['pending', 600]);
    await post(`refunds/${refund.id}`, { status: 'succeeded' });
    await post(`refunds/${refund.id}`, { status: 'failed' });
    expect(await available()).toBe(1000);
    expect(await chargeNow()).toMatchObject({ amount_refunded: 0, refunded: false });
    const { json } = await api.get(`/v1/refunds/${refund.id}`);
    expect(json).toMatchObject({ status: 'failed', failure_reason: expect.any(String) });
    expect((await api.get(`/v1/balance_transactions/${json.failure_balance_transaction}`)).json).toMatchObject({
      type: 'refund_failure',
      amount: 400,
    });
    expect(told()).toEqual([
      'charge.refunded',
      'refund.created',
      'refund.updated',
      'charge.refund.updated',
      'refund.failed',
      'refund.updated',
      'charge.refund.updated',
    ]);
    expect((await post(`refunds/${refund.id}`, { status: 'succeeded' })).status).toBe(400);
    expect((await sandbox.createRefund({ charge, status: 'failed' })).refund.status).toBe('failed');
    expect(await available()).toBe(1000);
  });

  it('may overdraw the platform', async () => {
    await sandbox.setBalance({ account: sandbox.platformAccount, currency: 'usd', available: 100 });
    expect((await post('refunds', { charge })).json.refund.status).toBe('succeeded');
    expect(await available()).toBe(-900);
  });
});

describe('a dispute', () => {
  it('withdraws amount and fee at once, and can be read and listed', async () => {
    const { dispute } = await sandbox.createDispute({ charge, fee: 15 });
    expect(dispute).toMatchObject({
      id: expect.stringMatching(/^dp_/),
      amount: 1000,
      status: 'needs_response',
      charge,
      payment_intent: 'pi_own',
      is_charge_refundable: false,
      balance_transactions: [
        { type: 'adjustment', reporting_category: 'dispute', amount: -1000, fee: 15, net: -1015, status: 'available' },
      ],
    });
    expect(await available()).toBe(-15);
    expect(await chargeNow()).toMatchObject({ disputed: true, refunded: false });
    expect((await api.get(`/v1/disputes/${dispute.id}`)).json).toEqual(dispute);
    const ways: Record<string, string>[] = [
      { charge },
      { payment_intent: 'pi_own' },
      { 'created[gte]': String(dispute.created) },
    ];
    for (const params of ways) {
      expect((await api.get('/v1/disputes', params)).json.data).toEqual([dispute]);
    }
    expect((await api.get('/v1/disputes', { charge: 'ch_other' })).json.data).toEqual([]);
    expect(told()).toEqual(['charge.dispute.created', 'charge.dispute.funds_withdrawn']);
    await expect(sandbox.createRefund({ charge })).rejects.toThrow(/charged back; cannot issue a refund/);
  });

  it('of a part, answered and lost, keeps what it withdrew', async () => {
    const { dispute } = await sandbox.createDispute({ charge, amount: 300 });
    await sandbox.moveDispute(dispute.id, { move: 'respond' });
    const { dispute: lost } = await sandbox.moveDispute(dispute.id, { move: 'lose' });
    expect(lost).toMatchObject({ status: 'lost', evidence_details: { submission_count: 1 } });
    expect(await available()).toBe(1000 - 300 - 1500);
    expect(told().slice(2)).toEqual(['charge.dispute.updated', 'charge.dispute.closed']);
  });

  it('won, gives back the amount, and of the fee what the switch says', async () => {
    const { dispute } = await sandbox.createDispute({ charge, fee: 15 });
    const { dispute: won } = await sandbox.moveDispute(dispute.id, { move: 'win', fee_back: 15 });
    expect(won).toMatchObject({
      status: 'won',
      is_charge_refundable: true,
      balance_transactions: [
        { amount: -1000, fee: 15 },
        { reporting_category: 'dispute_reversal', amount: 1000, fee: -15, net: 1015 },
      ],
    });
    expect(await available()).toBe(1000);
    expect(told().slice(2)).toEqual(['charge.dispute.closed', 'charge.dispute.funds_reinstated']);
    await sandbox.moveDispute(dispute.id, { move: 'lose' });
    expect(await available()).toBe(-15);
    await sandbox.moveDispute(dispute.id, { move: 'win' });
    expect(await available()).toBe(985);
  });

  it('that is only asked about withdraws nothing until it is a chargeback', async () => {
    const { dispute } = await sandbox.createDispute({ charge, inquiry: true });
    expect(dispute).toMatchObject({
      status: 'warning_needs_response',
      balance_transactions: [],
      is_charge_refundable: true,
      payment_method_details: { card: { case_type: 'inquiry' } },
    });
    expect(await available()).toBe(1000);
    await sandbox.moveDispute(dispute.id, { move: 'respond' });
    const { dispute: closed } = await sandbox.moveDispute(dispute.id, { move: 'close_inquiry' });
    expect([closed.status, await available()]).toEqual(['warning_closed', 1000]);
    const { dispute: after } = await sandbox.moveDispute(dispute.id, { move: 'escalate' });
    expect(after).toMatchObject({ status: 'needs_response', balance_transactions: [{ amount: -1000 }] });
    expect(told()).toEqual([
      'charge.dispute.created',
      'charge.dispute.updated',
      'charge.dispute.closed',
      'charge.dispute.updated',
      'charge.dispute.funds_withdrawn',
    ]);
  });

  it('escalated after everything was refunded withdraws nothing', async () => {
    const { dispute } = await sandbox.createDispute({ charge, inquiry: true });
    await sandbox.createRefund({ charge });
    const { dispute: after } = await sandbox.moveDispute(dispute.id, { move: 'escalate' });
    expect([after.status, after.balance_transactions, await available()]).toEqual(['needs_response', [], 0]);
  });

  it('may be withdrawn and reinstated in parts, never more than there is', async () => {
    const { dispute } = await sandbox.createDispute({ charge, fee: 0 });
    const move = (name: string, amount?: number) => post(`disputes/${dispute.id}`, { move: name, amount });
    expect((await move('reinstate', 400)).json.dispute.balance_transactions).toHaveLength(2);
    expect(await available()).toBe(400);
    expect((await move('reinstate', 601)).status).toBe(400);
    expect((await move('withdraw', 401)).status).toBe(400);
    await move('withdraw');
    expect(await available()).toBe(0);
    expect((await move('withdraw')).status).toBe(400);
    expect((await move('win')).json.dispute.status).toBe('won');
    expect(await available()).toBe(1000);
  });

  it('moves only where its status leads, and only where something was captured', async () => {
    const { dispute } = await sandbox.createDispute({ charge });
    await expect(sandbox.moveDispute(dispute.id, { move: 'close_inquiry' })).rejects.toThrow(/needs_response/);
    await expect(sandbox.moveDispute('dp_nothing', { move: 'win' })).rejects.toThrow(/No such dispute/);
    const { charge: unpaid } = await sandbox.createCapture({ amount: 1, currency: 'usd', status: 'uncaptured' });
    await expect(sandbox.createDispute({ charge: unpaid.id })).rejects.toThrow(/Nothing was captured/);
    expect((await post('disputes', { charge: 'ch_nothing' })).status).toBe(400);
    const { dispute: prevented } = await sandbox.moveDispute(dispute.id, { move: 'prevent' });
    expect(prevented.status).toBe('prevented');
  });

  it('is in the currency of the charge, its money in that of the balance', async () => {
    const { charge: foreign } = await sandbox.createCapture({
      amount: 800,
      currency: 'eur',
      settles_in: 'usd',
      exchange_rate: 1.25,
    });
    const { dispute } = await sandbox.createDispute({ charge: foreign.id, amount: 400, fee: 0 });
    expect(dispute).toMatchObject({
      amount: 400,
      currency: 'eur',
      balance_transactions: [{ amount: -500, currency: 'usd' }],
    });
    await sandbox.moveDispute(dispute.id, { move: 'win' });
    await sandbox.createRefund({ charge: foreign.id, amount: 80 });
    expect(await available()).toBe(1000 + 1000 - 100);
  });

  it('is seen by the platform in its mode alone', async () => {
    const { dispute } = await sandbox.createDispute({ charge });
    for (const options of [{ account: SELLER }, { secretKey: 'sk_live_sandbox' }]) {
      expect((await api.get(`/v1/disputes/${dispute.id}`, {}, options)).status).toBe(404);
      expect((await api.get('/v1/disputes', {}, options)).json.data).toEqual([]);
      expect((await api.get('/v1/refunds', {}, options)).json.data).toEqual([]);
    }
  });

  it('and refunds outlive a restart', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'stripe-disputes-'));
    const before = await startStripeSandbox({ stateDir });
    const { charge: kept } = await before.createCapture({ amount: 1000, currency: 'usd' });
    await before.createRefund({ charge: kept.id, amount: 100 });
    const { dispute } = await before.createDispute({ charge: kept.id, amount: 300 });
    await before.moveDispute(dispute.id, { move: 'win' });
    const ledger = before.ledger();
    await before.close();
    const after = await startStripeSandbox({ stateDir });
    onTestFinished(() => after.close());
    expect(after.ledger()).toEqual(ledger);
    expect(ledger.disputes).toMatchObject([{ id: dispute.id, status: 'won' }]);
    expect(ledger.refunds).toMatchObject([{ charge: kept.id, amount: 100 }]);
  });
});
