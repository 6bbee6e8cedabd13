import { describe, expect, it, onTestFinished } from 'vitest';
import { startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { SELLER, stripeApi, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile();

describe('a key', () => {
  it.each([
    ['none', null],
    ['of an unknown kind', 'xx_test_sandbox'],
    ['without a mode', 'sk_sandbox'],
    ['that is publishable', 'pk_test_sandbox'],
  ])('%s is 401 in Stripe’s shape', async (_what, secretKey) => {
    const { status, json } = await api.get('/v1/balance', {}, { secretKey });
    expect(status).toBe(401);
    expect(json.error).toMatchObject({ type: 'invalid_request_error', message: expect.any(String) });
  });

  it.each([
    ['sk_test_a', false],
    ['rk_test_a', false],
    ['sk_live_a', true],
    ['rk_live_a', true],
  ])('%s says by itself whether money is real: livemode %s', async (secretKey, livemode) => {
    expect((await api.get('/v1/balance', {}, { secretKey })).json.livemode).toBe(livemode);
    const { json } = await api.post('/v1/transfers', transferOf(), { secretKey });
    expect(json.livemode).toBe(livemode);
  });

  it('comes as Basic authentication as well', async () => {
    const headers = { Authorization: `Basic ${Buffer.from('sk_test_sandbox:').toString('base64')}` };
    expect((await api.get('/v1/balance', {}, { secretKey: null, headers })).status).toBe(200);
  });

  it('that is not the configured one is refused, and the refusal does not repeat it', async () => {
    const configured = await startStripeSandbox({ secretKey: 'sk_test_right' });
    onTestFinished(() => configured.close());
    const itsApi = stripeApi(configured.url);
    expect((await itsApi.get('/v1/balance', {}, { secretKey: 'sk_test_right' })).status).toBe(200);
    const wrong = await itsApi.get('/v1/balance', {}, { secretKey: 'sk_test_wrong_secret_1234' });
    expect(wrong.status).toBe(401);
    expect(wrong.text).not.toContain('sk_test_wrong_secret_1234');
  });

  it('revoked in the middle of a run is 401 until it is rotated, and nothing moves meanwhile', async () => {
    expect((await api.post('/v1/transfers', transferOf())).status).toBe(200);
    sandbox.setApiKeys({ revoked: ['sk_test_sandbox'] });
    const { status, json } = await api.post('/v1/transfers', transferOf());
    expect([status, json.error.code]).toEqual([401, 'api_key_expired']);
    expect(sandbox.ledger().transfers.length).toBe(1);
    expect((await api.post('/v1/transfers', transferOf(), { secretKey: 'sk_test_rotated' })).status).toBe(200);
  });

  it('opens the platform it belongs to', async () => {
    expect((await api.get('/v1/account')).json).toMatchObject({ object: 'account', id: sandbox.platformAccount });
    sandbox.setApiKeys({ accepted: { sk_test_other: 'acct_other' } });
    expect((await api.get('/v1/account', {}, { secretKey: 'sk_test_other' })).json.id).toBe('acct_other');
    expect((await api.get('/v1/account')).status).toBe(401);
  });
});

describe('an account', () => {
  it('is read by its id, or by the header Stripe-Account, which is echoed', async () => {
    const byPath = await api.get(`/v1/accounts/${SELLER}`);
    expect(byPath.json).toMatchObject({ id: SELLER, object: 'account', capabilities: { transfers: 'active' } });
    const byHeader = await api.get('/v1/account', {}, { account: SELLER });
    expect(byHeader.json).toEqual(byPath.json);
    expect(byHeader.headers['stripe-account']).toBe(SELLER);
  });

  it.each(['revoked', 'missing'] as const)('whose access is %s is 403 account_invalid and named', async (access) => {
    await sandbox.setAccount(SELLER, { access });
    for (const answer of [
      await api.get(`/v1/accounts/${SELLER}`),
      await api.get('/v1/balance', {}, { account: SELLER }),
    ]) {
      expect([answer.status, answer.json.error.code]).toEqual([403, 'account_invalid']);
      expect(answer.json.error.message).toContain(SELLER);
    }
    expect((await api.get('/v1/accounts/acct_1Other')).status).toBe(200);
  });

  it('of the other mode has its own balance and its own access', async () => {
    await sandbox.setAccount(SELLER, { access: 'revoked' }, true);
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 5 }, true);
    expect((await api.get('/v1/balance', {}, { account: SELLER })).json.available[0].amount).toBe(0);
    const live = await api.get('/v1/balance', {}, { account: SELLER, secretKey: 'sk_live_a' });
    expect(live.status).toBe(403);
  });

  it('cannot transfer to others itself', async () => {
    const { status, json } = await api.post('/v1/transfers', transferOf({ destination: 'acct_1Other' }), {
      account: SELLER,
    });
    expect([status, json.error.code]).toEqual([403, 'platform_account_required']);
  });
});

describe('a balance', () => {
  it('lists every currency with what is available and what is pending', async () => {
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 5, pending: 7 });
    await sandbox.setBalance({ account: SELLER, currency: 'eur', available: -3 });
    expect((await api.get('/v1/balance', {}, { account: SELLER })).json).toEqual({
      object: 'balance',
      available: [
        { amount: -3, currency: 'eur', source_types: { card: -3 } },
        { amount: 5, currency: 'usd', source_types: { card: 5 } },
      ],
      livemode: false,
      pending: [
        { amount: 0, currency: 'eur', source_types: { card: 0 } },
        { amount: 7, currency: 'usd', source_types: { card: 7 } },
      ],
    });
  });
});

describe('a payout', () => {
  const payout = (amount: number) =>
    sandbox.createPayout({ account: SELLER, amount, currency: 'usd', status: 'pending' });
  const available = async () => (await api.get('/v1/balance', {}, { account: SELLER })).json.available[0].amount;

  it('takes from the balance, and brings it back when it fails', async () => {
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 900 });
    const { id } = await payout(600);
    expect(await available()).toBe(300);
    await sandbox.updatePayout(id, 'paid');
    expect(await available()).toBe(300);
    await sandbox.updatePayout(id, 'failed');
    expect(await available()).toBe(900);
    const { json } = await api.get(`/v1/payouts/${id}`, {}, { account: SELLER });
    expect(json).toMatchObject({ object: 'payout', status: 'failed', failure_code: 'could_not_process', amount: 600 });
    await expect(sandbox.updatePayout(id, 'paid')).rejects.toThrow(/failed for good/);
  });

  it('never exceeds the balance', async () => {
    await expect(payout(1)).rejects.toThrow(/Insufficient funds/);
  });

  it('belongs to its account alone, and is listed there by status', async () => {
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 900 });
    const first = await payout(1);
    const second = await payout(2);
    await sandbox.updatePayout(first.id, 'paid');
    expect((await api.get(`/v1/payouts/${first.id}`)).status).toBe(404);
    expect((await api.get('/v1/payouts')).json.data).toEqual([]);
    const listed = await api.get('/v1/payouts', {}, { account: SELLER });
    expect(listed.json.data.map(({ id }: { id: string }) => id)).toEqual([second.id, first.id]);
    const paid = await api.get('/v1/payouts', { status: 'paid' }, { account: SELLER });
    expect(paid.json.data).toMatchObject([{ id: first.id, status: 'paid' }]);
  });
});
