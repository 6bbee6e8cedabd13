import { describe, expect, it } from 'vitest';
import { SELLER, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile();

const transfer = async (params = {}) => (await api.post('/v1/transfers', transferOf(params))).json.id as string;
const reverse = (id: string, params = {}) => api.post(`/v1/transfers/${id}/reversals`, params);
const available = async (account?: string) => {
  const { json } = await api.get('/v1/balance', {}, account === undefined ? {} : { account });
  return Object.fromEntries(
    json.available.map(({ amount, currency }: { amount: number; currency: string }) => [currency, amount]),
  );
};

describe('a transfer', () => {
  it('moves the money from the platform to the seller, and says so in Stripe’s shape', async () => {
    const before = await available();
    const { status, json, headers } = await api.post(
      '/v1/transfers',
      transferOf({ transfer_group: 'order_1', 'metadata[order_id]': 'order_1', description: 'share' }),
    );
    expect(status).toBe(200);
    expect(headers['request-id']).toMatch(/^req_\w{14}$/);
    expect(json).toEqual({
      id: expect.stringMatching(/^tr_1\w{23}$/),
      object: 'transfer',
      amount: 1000,
      amount_reversed: 0,
      balance_transaction: expect.stringMatching(/^txn_/),
      created: expect.any(Number),
      currency: 'usd',
      description: 'share',
      destination: SELLER,
      destination_payment: expect.stringMatching(/^py_/),
      livemode: false,
      metadata: { order_id: 'order_1' },
      reversals: { object: 'list', data: [], has_more: false, url: `/v1/transfers/${json.id}/reversals` },
      reversed: false,
      source_transaction: null,
      source_type: 'card',
      transfer_group: 'order_1',
    });
    expect(await available()).toEqual({ ...before, usd: before.usd - 1000 });
    expect(await available(SELLER)).toEqual({ usd: 1000 });
    expect((await api.get(`/v1/transfers/${json.id}`)).json).toEqual(json);
  });

  it('keeps each currency apart', async () => {
    await transfer();
    await transfer({ currency: 'EUR', amount: '7' });
    expect(await available(SELLER)).toEqual({ usd: 1000, eur: 7 });
  });

  it('never overdraws the platform', async () => {
    await sandbox.setBalance({ account: sandbox.platformAccount, currency: 'usd', available: 999 });
    const { status, json } = await api.post('/v1/transfers', transferOf());
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ type: 'invalid_request_error', code: 'balance_insufficient' });
    expect(await available(SELLER)).toEqual({ usd: 0 });
    expect(sandbox.ledger().transfers).toEqual([]);
  });

  it.each([
    [{ transfers: 'inactive' }, 400, 'insufficient_capabilities_for_transfer'],
    [{ transfers: 'pending' }, 400, 'insufficient_capabilities_for_transfer'],
    [{ disabledReason: 'rejected.fraud' }, 400, 'transfers_not_allowed'],
    [{ access: 'revoked' }, 403, 'account_invalid'],
    [{ access: 'missing' }, 400, 'resource_missing'],
  ] as const)('to a seller with %o is refused with %d %s and moves nothing', async (change, status, code) => {
    await sandbox.setAccount(SELLER, change);
    const answer = await api.post('/v1/transfers', transferOf());
    expect([answer.status, answer.json.error.code]).toEqual([status, code]);
    expect(sandbox.ledger().transfers).toEqual([]);
    await sandbox.setAccount(SELLER, { transfers: 'active', access: 'granted', disabledReason: null });
    expect((await api.post('/v1/transfers', transferOf())).status).toBe(200);
  });

  it('to what is no account, or to the platform itself, is refused', async () => {
    const nobody = await api.post('/v1/transfers', transferOf({ destination: 'nobody' }));
    expect(nobody.json.error).toMatchObject({ code: 'resource_missing', param: 'destination' });
    const own = await api.post('/v1/transfers', transferOf({ destination: sandbox.platformAccount }));
    expect([own.status, own.json.error.param]).toEqual([400, 'destination']);
  });
});

describe('a reversal', () => {
  it('takes the money back from the seller, and says so in Stripe’s shape', async () => {
    const id = await transfer();
    const before = await available();
    const { status, json } = await reverse(id, { amount: '400', 'metadata[refund_id]': 'r1', description: 'why' });
    expect(status).toBe(200);
    expect(json).toEqual({
      id: expect.stringMatching(/^trr_1\w{23}$/),
      object: 'transfer_reversal',
      amount: 400,
      balance_transaction: expect.stringMatching(/^txn_/),
      created: expect.any(Number),
      currency: 'usd',
      destination_payment_refund: expect.stringMatching(/^pyr_/),
      metadata: { refund_id: 'r1' },
      source_refund: null,
      transfer: id,
    });
    expect((await api.get(`/v1/transfers/${id}`)).json).toMatchObject({
      amount_reversed: 400,
      reversed: false,
      reversals: { data: [json], has_more: false },
    });
    expect((await api.get(`/v1/transfers/${id}/reversals/${json.id}`)).json).toEqual(json);
    expect(await available(SELLER)).toEqual({ usd: 600 });
    expect(await available()).toEqual({ ...before, usd: before.usd + 400 });
  });

  it('without an amount takes all that is left', async () => {
    const id = await transfer();
    await reverse(id, { amount: '1' });
    expect((await reverse(id, { refund_application_fee: 'true' })).json.amount).toBe(999);
    expect((await api.get(`/v1/transfers/${id}`)).json).toMatchObject({ amount_reversed: 1000, reversed: true });
  });

  it('of a fully reversed transfer is refused with Stripe’s words and without a code', async () => {
    const id = await transfer();
    await reverse(id);
    for (const params of [{}, { amount: '1' }]) {
      const { status, json } = await reverse(id, params);
      expect(status).toBe(400);
      expect(json.error).toEqual({
        type: 'invalid_request_error',
        message: `The transfer ${id} is already fully reversed.`,
      });
    }
  });

  it('never exceeds what is left', async () => {
    const id = await transfer();
    await reverse(id, { amount: '600' });
    const { status, json } = await reverse(id, { amount: '401' });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ type: 'invalid_request_error', param: 'amount' });
    expect(json.error.code).toBeUndefined();
    expect((await reverse(id, { amount: '400' })).status).toBe(200);
  });

  it('of an unknown transfer is 404 resource_missing', async () => {
    const { status, json } = await reverse('tr_nothing');
    expect(status).toBe(404);
    expect(json.error).toMatchObject({ type: 'invalid_request_error', code: 'resource_missing', param: 'id' });
  });

  it('waits for the seller’s balance, unless the platform answers for it', async () => {
    const id = await transfer();
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 399 });
    const short = await reverse(id, { amount: '400' });
    expect([short.status, short.json.error.code]).toEqual([400, 'balance_insufficient']);
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 400 });
    expect((await reverse(id, { amount: '400' })).status).toBe(200);
    await sandbox.setAccount(SELLER, { liable: true });
    expect((await reverse(id, { amount: '600' })).status).toBe(200);
    expect(await available(SELLER)).toEqual({ usd: -600 });
  });

  it('from a seller who revoked access is 403 account_invalid and names the account', async () => {
    const id = await transfer();
    await sandbox.setAccount(SELLER, { access: 'revoked' });
    const { status, json } = await reverse(id);
    expect([status, json.error.code]).toEqual([403, 'account_invalid']);
    expect(json.error.message).toContain(SELLER);
  });

  it('made in the dashboard is like any other, but carries nothing of ours', async () => {
    const id = await transfer();
    const foreign = await sandbox.reverse(id, { amount: 300 });
    expect((await api.get(`/v1/transfers/${id}/reversals`)).json.data).toEqual([foreign]);
    expect(foreign.metadata).toEqual({});
    await sandbox.reverse(id);
    await expect(sandbox.reverse(id)).rejects.toThrow(/already fully reversed/);
    await expect(sandbox.reverse('tr_nothing')).rejects.toThrow(/No such transfer/);
  });
});

describe('a transfer of somebody else', () => {
  it.each([
    ['in the other mode', { secretKey: 'sk_live_sandbox' }],
    ['seen by a connected account', { account: SELLER }],
    ['of another platform', { secretKey: 'sk_test_other' }],
  ])('%s is not found', async (_who, options) => {
    sandbox.setApiKeys({
      accepted: {
        sk_test_sandbox: sandbox.platformAccount,
        sk_live_sandbox: sandbox.platformAccount,
        sk_test_other: 'acct_other',
      },
    });
    const id = await transfer();
    expect((await api.get(`/v1/transfers/${id}`, {}, options)).status).toBe(404);
    expect((await api.get('/v1/transfers', {}, options)).json.data).toEqual([]);
    expect((await api.get(`/v1/transfers/${id}/reversals`, {}, options)).status).toBe(404);
    expect((await api.post(`/v1/transfers/${id}/reversals`, {}, options)).status).toBe(404);
    expect((await api.get(`/v1/transfers/${id}`)).json.amount_reversed).toBe(0);
  });
});
