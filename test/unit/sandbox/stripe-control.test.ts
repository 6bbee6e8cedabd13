import { describe, expect, it } from 'vitest';
import { SELLER, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile();

/** A switch over HTTP, as people and tests in other processes use it. */
async function control(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${sandbox.url}/control/${path}`, {
    method,
    ...(body === undefined
      ? {}
      : {
          headers: { 'Content-Type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
  });
  // oxlint-disable-next-line typescript/no-explicit-any
  return { status: answer.status, json: (await answer.json()) as any };
}

describe('the switches over HTTP', () => {
  it('switch faults on and heal them', async () => {
    await control('PUT', 'faults', { rules: [{ kinds: ['unavailable'], times: 2 }], seed: 3 });
    expect((await control('GET', 'faults')).json).toMatchObject({ rules: [{ times: 2 }], down: false });
    await control('PUT', 'down', { down: true });
    expect((await api.get('/v1/balance')).status).toBe(503);
    await control('DELETE', 'faults');
    expect((await control('GET', 'faults')).json).toEqual({ rules: [], down: false });
    expect((await api.post('/v1/transfers', transferOf())).status).toBe(200);
  });

  it('move the clock', async () => {
    const before = Date.parse((await control('GET', 'clock')).json.now);
    const moved = Date.parse((await control('PUT', 'clock', { advanceMs: 86_400_000 })).json.now);
    expect(moved - before).toBeGreaterThanOrEqual(86_400_000);
    expect((await control('PUT', 'clock', { to: '2030-01-01T00:00:00Z' })).json.now).toMatch(/^2030-01-01T00:00:0/);
    expect((await api.post('/v1/transfers', transferOf())).json.created).toBeGreaterThanOrEqual(1_893_456_000);
    await control('PUT', 'clock', { offsetMs: 0 });
    expect(Date.parse((await control('GET', 'clock')).json.now) - before).toBeLessThan(60_000);
  });

  it('set limits, keys and key lifetimes', async () => {
    await control('PUT', 'limits', { perEndpoint: 1 });
    expect((await control('GET', 'limits')).json).toEqual({ perEndpoint: 1, overall: null, retryAfterSeconds: null });
    await control('PUT', 'limits', { perEndpoint: null });
    await control('PUT', 'keys', { lifetimeMs: 0 });
    for (let times = 0; times < 2; times += 1) await api.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' });
    expect((await control('GET', 'ledger')).json.transfers.length).toBe(2);
    await control('PUT', 'api-keys', { accepted: { sk_test_new: 'acct_new' }, revoked: ['sk_test_old'] });
    expect((await api.get('/v1/balance')).status).toBe(401);
    await control('PUT', 'api-keys', { accepted: null });
    expect((await api.get('/v1/balance')).status).toBe(200);
  });

  it('change sellers and balances, pay out and reverse', async () => {
    const { json } = await api.post('/v1/transfers', transferOf());
    await control('PUT', 'accounts', { account: SELLER, transfers: 'inactive', liable: true });
    expect((await api.post('/v1/transfers', transferOf())).json.error.code).toBe(
      'insufficient_capabilities_for_transfer',
    );
    await control('PUT', 'balances', { account: SELLER, currency: 'usd', available: 700 });
    const payout = await control('POST', 'payouts', { account: SELLER, amount: 700, currency: 'usd' });
    expect(payout.json).toMatchObject({ object: 'payout', status: 'pending' });
    expect((await control('POST', `payouts/${payout.json.id}`, { status: 'paid' })).status).toBe(200);
    const reversal = await control('POST', 'reverse', {
      transfer: json.id,
      amount: 100,
      metadata: { by: 'dashboard' },
    });
    expect(reversal.json).toMatchObject({ object: 'transfer_reversal', amount: 100, metadata: { by: 'dashboard' } });
    expect((await api.get('/v1/balance', {}, { account: SELLER })).json.available[0].amount).toBe(-100);
  });

  it('finish what was answered 500', async () => {
    await control('PUT', 'faults', { rules: [{ kinds: ['finish_later'], times: 1 }] });
    await api.post('/v1/transfers', transferOf());
    expect((await control('POST', 'finish')).json).toEqual({ finished: 1 });
  });

  it('aim, spoil and repeat webhooks', async () => {
    await control('PUT', 'webhooks', { url: 'http://127.0.0.1:1/hook', secrets: ['whsec_a'] });
    await control('PUT', 'webhooks/faults', { rules: [{ kinds: ['lost'] }] });
    expect((await control('GET', 'webhooks')).json).toMatchObject({
      url: 'http://127.0.0.1:1/hook',
      faults: [{ kinds: ['lost'] }],
    });
    await control('POST', 'webhooks/send', { type: 'payout.paid', account: SELLER, object: { id: 'po_1' } });
    expect((await control('GET', 'events')).json.events).toMatchObject([
      { state: 'lost', event: { type: 'payout.paid', account: SELLER } },
    ]);
    expect((await control('POST', 'webhooks/redeliver', { states: ['lost'] })).json).toEqual({ redelivered: 1 });
    await control('POST', 'webhooks/idle');
    expect((await control('GET', 'events')).json.events[0]).toMatchObject({
      state: 'failed',
      deliveries: [{ status: null, ok: false }],
    });
    await control('PUT', 'webhooks', { url: null });
    expect((await control('GET', 'webhooks')).json.url).toBeNull();
  });

  it('kill the service and let it come back', async () => {
    expect((await control('PUT', 'dead', { forMs: 50 })).status).toBe(200);
    await expect.poll(() => api.get('/v1/balance').catch(() => 'refused')).toBe('refused');
    await expect.poll(async () => (await api.get('/v1/balance').catch(() => undefined))?.status).toBe(200);
  });

  it('forget everything but the address of the webhook', async () => {
    await control('PUT', 'webhooks', { url: 'http://127.0.0.1:1/hook', secrets: ['whsec_a'] });
    await control('PUT', 'clock', { advanceMs: 5_000_000 });
    await control('PUT', 'limits', { perEndpoint: 5 });
    await control('PUT', 'down', { down: true });
    sandbox.setApiKeys({ revoked: ['sk_test_sandbox'] });
    await control('POST', 'reset');
    await control('POST', 'seed', { topups: { usd: 1000 } });
    expect((await api.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' })).status).toBe(200);
    await control('POST', 'reset');
    const { transfers, keys, accounts, totals } = (await control('GET', 'ledger')).json;
    expect({ transfers, keys, accounts, totals }).toEqual({ transfers: [], keys: [], accounts: [], totals: {} });
    expect((await control('GET', 'calls')).json.totals.calls).toBe(0);
    expect((await control('GET', 'limits')).json.perEndpoint).toBeNull();
    expect(Math.abs(Date.parse((await control('GET', 'clock')).json.now) - Date.now())).toBeLessThan(60_000);
    expect((await control('GET', 'webhooks')).json.url).toBe('http://127.0.0.1:1/hook');
  });

  it.each([
    ['PUT', 'faults', { rules: [{ kinds: ['sabotage'] }] }, /kinds/],
    ['PUT', 'faults', '{', /not read/],
    ['PUT', 'clock', { to: 'tomorrow' }, /Invalid/],
    ['PUT', 'balances', { account: SELLER, currency: 'USD', available: 1 }, /currency/],
    ['POST', 'reverse', { transfer: 'tr_nothing' }, /No such transfer/],
    ['POST', 'seed', { transfers: [{ destination: SELLER, amount: 5, reversals: [{ amount: 6 }] }] }, /exceed/],
  ])('%s %s refuses %o in words and changes nothing', async (method, path, body, words) => {
    const before = sandbox.ledger();
    const { status, json } = await control(method, path, body);
    expect([status, json.error.code]).toEqual([400, 'invalid_request']);
    expect(json.error.message).toMatch(words);
    expect(sandbox.ledger()).toEqual(before);
  });
});

describe('what is seeded', () => {
  it('is history: chosen ids, dates, metadata and groups, in the balances and without events or keys', async () => {
    const { json } = await control('POST', 'seed', {
      transfers: [
        {
          id: 'tr_old',
          destination: SELLER,
          amount: 1000,
          currency: 'eur',
          created: 1_600_000_000,
          metadata: { order_id: 'o1' },
          transfer_group: 'o1',
          reversals: [{ amount: 250, metadata: { why: 'x' } }],
        },
        { destination: SELLER, amount: 40, currency: 'usd' },
      ],
    });
    expect(json.ids).toEqual(['tr_old', expect.stringMatching(/^tr_1/)]);
    expect((await api.get('/v1/transfers/tr_old')).json).toMatchObject({
      amount: 1000,
      amount_reversed: 250,
      created: 1_600_000_000,
      metadata: { order_id: 'o1' },
      transfer_group: 'o1',
      reversals: { data: [{ amount: 250, created: 1_600_000_001, metadata: { why: 'x' } }] },
    });
    const balance = await api.get('/v1/balance', {}, { account: SELLER });
    expect(balance.json.available).toMatchObject([
      { amount: 750, currency: 'eur' },
      { amount: 40, currency: 'usd' },
    ]);
    expect(sandbox.events()).toEqual([]);
    expect(sandbox.ledger()).toMatchObject({
      keys: [],
      totals: { eur: { transfers: 1, transferred: 1000, reversals: 1, reversed: 250 } },
    });
    expect(
      (await control('POST', 'seed', { transfers: [{ id: 'tr_old', destination: SELLER, amount: 1 }] })).status,
    ).toBe(400);
  });

  it('may be paid out long ago, or belong to the other mode or another platform', async () => {
    await sandbox.seed({ credit: false, transfers: [{ destination: SELLER, amount: 5 }] });
    await sandbox.seed({ livemode: true, transfers: [{ destination: SELLER, amount: 6 }] });
    await sandbox.seed({ platform: 'acct_other', transfers: [{ destination: SELLER, amount: 7 }] });
    expect((await api.get('/v1/transfers')).json.data).toMatchObject([{ amount: 5 }]);
    expect((await api.get('/v1/balance', {}, { account: SELLER })).json.available[0].amount).toBe(7);
    expect((await api.get('/v1/transfers', {}, { secretKey: 'sk_live_a' })).json.data).toMatchObject([{ amount: 6 }]);
  });

  it('may be two thousand at once', async () => {
    const transfers = Array.from({ length: 2_000 }, (_, index) => ({ destination: SELLER, amount: 1 + index }));
    expect((await control('POST', 'seed', { transfers })).json.ids.length).toBe(2_000);
  });
});

describe('the log of calls', () => {
  it('has what matters of each, and no credential', async () => {
    const { headers } = await api.post('/v1/transfers', transferOf(), {
      idempotencyKey: 'k1',
      secretKey: 'sk_test_very_secret',
      headers: { 'Stripe-Version': '2026-10-28.endive' },
    });
    const { json } = await control('GET', 'calls');
    expect(json.calls).toEqual([
      {
        at: expect.any(Number),
        method: 'POST',
        path: '/v1/transfers',
        endpoint: 'transfers.create',
        idempotencyKey: 'k1',
        stripeAccount: null,
        stripeVersion: '2026-10-28.endive',
        form: `amount=1000&currency=usd&destination=${SELLER}`,
        requestId: headers['request-id'],
        status: 200,
        replayed: false,
        fault: null,
      },
    ]);
    expect(JSON.stringify(json)).not.toContain('very_secret');
  });

  it('shows a key that came with two different requests, which no caller may do', async () => {
    for (const amount of ['1000', '1000', '1001']) {
      await api.post('/v1/transfers', transferOf({ amount }), { idempotencyKey: 'k1' });
    }
    await api.post('/v1/transfers', transferOf(), { idempotencyKey: 'k2' });
    const { keys, totals } = sandbox.calls();
    expect(totals).toEqual({ calls: 4, writesWithoutKey: 0, keysWithDifferingRequests: 1, overlaps: 0 });
    expect(keys.map(({ key, requests }) => [key, Object.values(requests)])).toEqual([
      ['k1', [2, 1]],
      ['k2', [1]],
    ]);
  });
});
