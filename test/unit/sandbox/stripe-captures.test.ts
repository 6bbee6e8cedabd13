import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { SELLER, stripeApi, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile({ funded: false });

const DAY = 86_400_000;
const fundsOf = async (account?: string, of = api) => {
  const { json } = await of.get('/v1/balance', {}, account === undefined ? {} : { account });
  const [available, pending] = ['available', 'pending'].map(
    (which) => json[which].find(({ currency }: { currency: string }) => currency === 'usd')?.amount,
  );
  return { available, pending };
};
const balancesTold = () =>
  sandbox
    .events()
    .map(({ event }) => event)
    .filter(({ type }) => type === 'balance.available')
    .map((event) => ('account' in event ? (event.account ?? '') : 'platform'));
const emptyPlatform = () =>
  sandbox.setBalance({ account: sandbox.platformAccount, currency: 'usd', available: 0, pending: 0 });
const draw = (charge: string, params = {}) =>
  api.post('/v1/transfers', transferOf({ source_transaction: charge, ...params }));

describe('a captured payment', () => {
  it('is a PaymentIntent and a charge that can be read and listed, with a balance transaction', async () => {
    const { payment_intent, charge } = await sandbox.createCapture({
      amount: 1000,
      currency: 'usd',
      payment_intent: 'pi_own',
      transfer_group: 'order_1',
      metadata: { order_id: 'o1' },
      fee: 59,
    });
    expect(payment_intent).toMatchObject({
      id: 'pi_own',
      status: 'succeeded',
      latest_charge: charge.id,
      amount_received: 1000,
    });
    expect(charge).toMatchObject({
      id: expect.stringMatching(/^ch_1\w{23}$/),
      amount: 1000,
      amount_captured: 1000,
      captured: true,
      paid: true,
      status: 'succeeded',
      payment_intent: 'pi_own',
      payment_method_details: { type: 'card' },
      transfer_group: 'order_1',
      metadata: { order_id: 'o1' },
    });
    expect((await api.get('/v1/payment_intents/pi_own')).json).toEqual(payment_intent);
    expect((await api.get(`/v1/charges/${charge.id}`)).json).toEqual(charge);
    expect((await api.get('/v1/charges', { payment_intent: 'pi_own' })).json.data).toEqual([charge]);
    expect((await api.get('/v1/charges', { payment_intent: 'pi_other' })).json.data).toEqual([]);
    const { json } = await api.get(`/v1/balance_transactions/${charge.balance_transaction}`);
    expect(json).toMatchObject({
      type: 'charge',
      reporting_category: 'charge',
      amount: 1000,
      fee: 59,
      net: 941,
      currency: 'usd',
      status: 'pending',
      source: charge.id,
      available_on: charge.created + (2 * DAY) / 1000,
    });
    expect((await api.get('/v1/balance_transactions', { source: charge.id })).json.data).toEqual([json]);
    expect(sandbox.events().map(({ event }) => event.type)).toEqual(['charge.succeeded', 'payment_intent.succeeded']);
  });

  it('is made once for each PaymentIntent, and over HTTP too', async () => {
    const capture = { amount: 5, currency: 'usd', payment_intent: 'pi_own' };
    const post = () =>
      fetch(`${sandbox.url}/control/captures`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(capture),
      });
    const first = await post();
    expect([first.status, await first.json()]).toMatchObject([200, { charge: { payment_intent: 'pi_own' } }]);
    expect((await post()).status).toBe(400);
    await expect(sandbox.createCapture(capture)).rejects.toThrow(/charged already/);
  });

  it('belongs to the platform and its mode alone', async () => {
    const { charge, payment_intent } = await sandbox.createCapture({ amount: 5, currency: 'usd' });
    for (const options of [{ account: SELLER }, { secretKey: 'sk_live_sandbox' }]) {
      for (const path of [
        `charges/${charge.id}`,
        `payment_intents/${payment_intent.id}`,
        `balance_transactions/${charge.balance_transaction}`,
      ]) {
        const { status, json } = await api.get(`/v1/${path}`, {}, options);
        expect([status, json.error.code]).toEqual([404, 'resource_missing']);
      }
      expect((await api.get('/v1/charges', {}, options)).json.data).toEqual([]);
    }
  });

  it('is pending for two days of the clock, then available, and only that is told', async () => {
    await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    expect(await fundsOf()).toEqual({ available: 0, pending: 1000 });
    const early = await api.post('/v1/transfers', transferOf());
    expect([early.status, early.json.error.code]).toEqual([400, 'balance_insufficient']);
    expect(early.json.error.message).toMatch(/^You have insufficient available funds in your Stripe account\./);
    await sandbox.advanceClock(2 * DAY - 1000);
    expect(await fundsOf()).toEqual({ available: 0, pending: 1000 });
    expect(balancesTold()).toEqual([]);
    await sandbox.advanceClock(1000);
    expect(await fundsOf()).toEqual({ available: 1000, pending: 0 });
    expect(balancesTold()).toEqual(['platform']);
    expect(sandbox.events().at(-1)?.event).not.toHaveProperty('account');
    expect((await api.post('/v1/transfers', transferOf())).status).toBe(200);
  });

  it('is pending for as many days as the switch says, none included', async () => {
    sandbox.setSettlementDays(7);
    await sandbox.createCapture({ amount: 1, currency: 'usd' });
    sandbox.setSettlementDays(0);
    const { charge } = await sandbox.createCapture({ amount: 2, currency: 'usd' });
    expect(await fundsOf()).toEqual({ available: 2, pending: 1 });
    const { json } = await api.get(`/v1/balance_transactions/${charge.balance_transaction}`);
    expect(json.status).toBe('available');
    await sandbox.advanceClock(7 * DAY);
    expect(await fundsOf()).toEqual({ available: 3, pending: 0 });
    await sandbox.reset();
    expect(sandbox.settlementDays()).toBe(2);
  });

  it('is still pending after a restart, and available when its day has come', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'stripe-captures-'));
    const before = await startStripeSandbox({ stateDir });
    await before.setBalance({ account: before.platformAccount, currency: 'usd', available: 0 });
    const { charge } = await before.createCapture({ amount: 1000, currency: 'usd' });
    await stripeApi(before.url).post('/v1/transfers', transferOf({ amount: '400', source_transaction: charge.id }));
    await before.close();
    const after = await startStripeSandbox({ stateDir });
    onTestFinished(() => after.close());
    const itsApi = stripeApi(after.url);
    expect((await itsApi.get(`/v1/charges/${charge.id}`)).json).toMatchObject({
      transfer_group: `group_${charge.payment_intent}`,
    });
    expect(await fundsOf(undefined, itsApi)).toEqual({ available: 0, pending: 600 });
    await after.advanceClock(2 * DAY);
    expect(await fundsOf(undefined, itsApi)).toEqual({ available: 600, pending: 0 });
    expect(await fundsOf(SELLER, itsApi)).toEqual({ available: 400, pending: 0 });
  });
});

describe('a transfer that draws on a charge', () => {
  it('goes through while the money is pending, and the seller’s part is pending for as long', async () => {
    const { charge } = await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    const first = await draw(charge.id, { amount: '600' });
    expect([first.status, first.json.source_transaction]).toEqual([200, charge.id]);
    expect((await draw(charge.id, { amount: '300', destination: 'acct_1Other' })).status).toBe(200);
    expect(await fundsOf()).toEqual({ available: 0, pending: 100 });
    expect(await fundsOf(SELLER)).toEqual({ available: 0, pending: 600 });
    expect(balancesTold()).toEqual([]);
    const short = await api.post(`/v1/transfers/${first.json.id}/reversals`);
    expect(short.json.error.code).toBe('balance_insufficient');

    await sandbox.advanceClock(2 * DAY);
    expect(await fundsOf()).toEqual({ available: 100, pending: 0 });
    expect(await fundsOf(SELLER)).toEqual({ available: 600, pending: 0 });
    expect(new Set(balancesTold())).toEqual(new Set(['acct_1Other', SELLER, 'platform']));
    const { json } = await api.get('/v1/balance_transactions', { type: 'transfer' });
    expect(json.data).toMatchObject([
      { amount: -300, status: 'available' },
      { amount: -600, status: 'available', id: first.json.balance_transaction },
    ]);
    expect((await api.post(`/v1/transfers/${first.json.id}/reversals`)).status).toBe(200);
  });

  it('has the group that Stripe assigns, of the PaymentIntent, and so has the charge', async () => {
    const { charge, payment_intent } = await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    const group = `group_${payment_intent.id}`;
    const { json } = await draw(charge.id, { amount: '1', transfer_group: 'ours' });
    expect(json.transfer_group).toBe(group);
    expect((await api.get(`/v1/charges/${charge.id}`)).json.transfer_group).toBe(group);
    expect((await api.get(`/v1/payment_intents/${payment_intent.id}`)).json.transfer_group).toBeNull();
    expect((await api.get('/v1/transfers', { transfer_group: 'ours' })).json.data).toEqual([]);
    expect((await draw(charge.id, { amount: '2' })).json.transfer_group).toBe(group);
    const told = sandbox.events().filter(({ event }) => event.type === 'charge.updated');
    expect(told).toMatchObject([{ event: { data: { object: { transfer_group: group } } } }]);
  });

  it('has the group of its charge; another one is refused', async () => {
    const { charge } = await sandbox.createCapture({ amount: 1000, currency: 'usd', transfer_group: 'order_1' });
    expect((await draw(charge.id, { amount: '1' })).json.transfer_group).toBe('order_1');
    expect((await draw(charge.id, { amount: '1', transfer_group: 'order_1' })).status).toBe(200);
    const other = await draw(charge.id, { amount: '1', transfer_group: 'order_2' });
    expect([other.status, other.json.error.param]).toEqual([400, 'transfer_group']);
  });

  it('never exceeds the charge together with those before it, whatever was reversed', async () => {
    const { charge } = await sandbox.createCapture({ amount: 1000, currency: 'usd', fee: 59 });
    const alone = await draw(charge.id, { amount: '1001' });
    expect([alone.status, alone.json.error]).toEqual([
      400,
      {
        type: 'invalid_request_error',
        param: 'source_transaction',
        message: 'Transfers using this transaction as a source must not exceed the source amount of $10.00.',
      },
    ]);
    const { json } = await draw(charge.id, { amount: '600' });
    await sandbox.setAccount(SELLER, { liable: true });
    await api.post(`/v1/transfers/${json.id}/reversals`);
    expect((await draw(charge.id, { amount: '401' })).json.error.message).toBe(
      'Transfers using this transaction as a source must not exceed the source amount of $10.00. (There is already a transfer using this source, amounting to $6.00.)',
    );
    expect((await draw(charge.id, { amount: '400' })).status).toBe(200);
    expect((await draw(charge.id, { amount: '1' })).json.error.message).toContain('There are already 2 transfers');
  });

  it('is in the currency of the balance that the charge went to', async () => {
    const { charge } = await sandbox.createCapture({
      amount: 1000,
      currency: 'eur',
      settles_in: 'usd',
      exchange_rate: 1.25,
    });
    const { json } = await api.get(`/v1/balance_transactions/${charge.balance_transaction}`);
    expect(json).toMatchObject({ amount: 1250, currency: 'usd', exchange_rate: 1.25 });
    expect((await draw(charge.id, { currency: 'eur' })).json.error).toMatchObject({
      message:
        "The currency of source_transaction's balance transaction (usd) must be the same as the transfer currency (eur)",
      param: 'source_transaction',
    });
    expect((await draw(charge.id, { amount: '1250' })).status).toBe(200);
  });

  it.each([
    ['uncaptured', /^Cannot use an uncaptured charge/],
    ['failed', /^Cannot use a failed charge/],
  ] as const)('is refused where the charge is %s', async (status, words) => {
    const { charge, payment_intent } = await sandbox.createCapture({ amount: 1000, currency: 'usd', status });
    expect(payment_intent.status).not.toBe('succeeded');
    const { status: answered, json } = await draw(charge.id);
    expect([answered, json.error.message]).toEqual([400, expect.stringMatching(words)]);
    expect(sandbox.ledger().transfers).toEqual([]);
  });

  it('names a charge that is there, not its PaymentIntent', async () => {
    const { payment_intent } = await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    for (const id of ['ch_nothing', payment_intent.id]) {
      expect((await draw(id)).json.error).toMatchObject({
        code: 'resource_missing',
        param: 'source_transaction',
        message: `No such charge: '${id}'`,
      });
    }
  });

  it('goes through after the charge’s day at once, whatever became of the platform’s balance', async () => {
    const { charge } = await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    await sandbox.advanceClock(3 * DAY);
    await emptyPlatform();
    expect((await draw(charge.id)).status).toBe(200);
    expect(await fundsOf(SELLER)).toEqual({ available: 1000, pending: 0 });
    expect(await fundsOf()).toEqual({ available: -1000, pending: 0 });
  });
});

describe('a payment that is not sure', () => {
  it('authorised only, brings money when it is captured', async () => {
    const { charge, payment_intent } = await sandbox.createCapture({
      amount: 1000,
      currency: 'usd',
      status: 'uncaptured',
    });
    expect([charge.captured, charge.balance_transaction, payment_intent.status]).toEqual([
      false,
      null,
      'requires_capture',
    ]);
    expect(await fundsOf()).toEqual({ available: 0, pending: 0 });
    await sandbox.updateCharge(charge.id, 'captured');
    expect(await fundsOf()).toEqual({ available: 0, pending: 1000 });
    expect((await draw(charge.id)).status).toBe(200);
    await expect(sandbox.updateCharge(charge.id, 'failed')).rejects.toThrow(/cannot become failed/);
  });

  it('of a bank account, is taken back from the platform when it fails, and what was transferred stays', async () => {
    const { charge, payment_intent } = await sandbox.createCapture({
      amount: 1000,
      currency: 'usd',
      method: 'us_bank_account',
      status: 'pending',
    });
    expect(charge).toMatchObject({
      id: expect.stringMatching(/^py_/),
      status: 'pending',
      paid: false,
      payment_method_details: { type: 'us_bank_account' },
    });
    expect(payment_intent.status).toBe('processing');
    expect((await draw(charge.id)).status).toBe(200);
    await sandbox.updateCharge(charge.id, 'failed');
    expect((await api.get(`/v1/charges/${charge.id}`)).json).toMatchObject({
      status: 'failed',
      failure_balance_transaction: expect.stringMatching(/^txn_/),
    });
    await sandbox.advanceClock(2 * DAY);
    expect(await fundsOf()).toEqual({ available: -1000, pending: 0 });
    expect(await fundsOf(SELLER)).toEqual({ available: 1000, pending: 0 });
    expect(balancesTold()).toEqual([SELLER]);
  });
});
