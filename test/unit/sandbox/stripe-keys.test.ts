import { beforeEach, describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../support/durations.js';
import { SELLER, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const clock = { at: Date.UTC(2026, 10, 21), nowMs: () => clock.at };
const { sandbox, api } = await stripeSandboxForFile({ clock });
beforeEach(() => {
  clock.at = Date.UTC(2026, 10, 21);
});

const create = (key: string, params = {}) => api.post('/v1/transfers', transferOf(params), { idempotencyKey: key });
const reverse = (id: string, key: string, params = {}) =>
  api.post(`/v1/transfers/${id}/reversals`, params, { idempotencyKey: key });
const transfers = () => sandbox.ledger().transfers.length;

describe('a repeated key', () => {
  it('gets the first answer, byte by byte, says so in headers, and moves nothing', async () => {
    const first = await create('k1');
    const again = await create('k1');
    expect(again.text).toBe(first.text);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(first.headers).toMatchObject({ 'idempotency-key': 'k1', 'original-request': first.headers['request-id'] });
    expect(again.headers).toMatchObject({
      'idempotent-replayed': 'true',
      'idempotency-key': 'k1',
      'original-request': first.headers['request-id'],
    });
    expect(again.headers['request-id']).not.toBe(first.headers['request-id']);
    expect(transfers()).toBe(1);
  });

  it('gets the first answer also where the order of the parameters differs', async () => {
    const first = await create('k1');
    const again = await api.post(
      '/v1/transfers',
      { destination: SELLER, currency: 'usd', amount: '1000' },
      { idempotencyKey: 'k1' },
    );
    expect(again.text).toBe(first.text);
  });

  it('replays a transfer as it was, though it was reversed since', async () => {
    const { json } = await create('k1');
    await reverse(json.id, 'r1');
    expect((await create('k1')).json).toMatchObject({ id: json.id, amount_reversed: 0 });
  });

  it('replays a 500 for a day, though the money moved and the service is well again', async () => {
    sandbox.setFaults([{ kinds: ['server_error_after_commit'], times: 1 }]);
    const first = await create('k1');
    expect([first.status, first.json.error.type]).toEqual([500, 'api_error']);
    clock.at += 24 * HOUR_MS - 1;
    const again = await create('k1');
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([500, first.text, 'true']);
    expect(transfers()).toBe(1);
  });

  it('replays a 500 behind which nothing happened', async () => {
    sandbox.setFaults([{ kinds: ['server_error'], times: 1 }]);
    expect((await create('k1')).status).toBe(500);
    expect((await create('k1')).status).toBe(500);
    expect(transfers()).toBe(0);
  });

  it('replays balance_insufficient though the balance has recovered, and another key gets through', async () => {
    const { json } = await create('k1');
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 0 });
    expect((await reverse(json.id, 'r1')).json.error.code).toBe('balance_insufficient');
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 5000 });
    const again = await reverse(json.id, 'r1');
    expect([again.json.error.code, again.headers['idempotent-replayed']]).toEqual(['balance_insufficient', 'true']);
    expect((await reverse(json.id, 'r1:g2')).status).toBe(200);
  });

  it('replays a 404', async () => {
    expect((await reverse('tr_nothing', 'r1')).status).toBe(404);
    await sandbox.seed({ transfers: [{ id: 'tr_nothing', destination: SELLER, amount: 5 }] });
    expect((await reverse('tr_nothing', 'r1')).status).toBe(404);
    expect((await reverse('tr_nothing', 'r2')).status).toBe(200);
  });

  it('with other parameters is an idempotency_error, and the first answer stays', async () => {
    const first = await create('k1');
    const other = await create('k1', { amount: '1001' });
    expect([other.status, other.json.error.type]).toEqual([400, 'idempotency_error']);
    expect((await create('k1')).text).toBe(first.text);
    expect(transfers()).toBe(1);
  });

  it('on another endpoint is an idempotency_error', async () => {
    const { json } = await create('k1');
    const other = await reverse(json.id, 'k1');
    expect([other.status, other.json.error.type]).toEqual([400, 'idempotency_error']);
    expect(other.json.error.message).toContain('POST /v1/transfers');
  });

  it('of another mode, platform or account is another key', async () => {
    const first = await create('k1');
    const live = await api.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1', secretKey: 'sk_live_sandbox' });
    expect(live.status).toBe(200);
    expect(live.json).toMatchObject({ livemode: true, id: expect.not.stringMatching(first.json.id) });
  });
});

describe('a key that was pruned', () => {
  it('is carried out anew 24 hours after its first use, and not a millisecond before', async () => {
    const first = await create('k1');
    clock.at += 24 * HOUR_MS - 1;
    expect((await create('k1')).json.id).toBe(first.json.id);
    clock.at += 1;
    const anew = await create('k1');
    expect(anew.json.id).not.toBe(first.json.id);
    expect(anew.headers['idempotent-replayed']).toBeUndefined();
    expect(transfers()).toBe(2);
  });

  it('may be pruned later or sooner, because Stripe only promises at least a day', async () => {
    sandbox.setKeyLifetime(26 * HOUR_MS);
    const first = await create('k1');
    await sandbox.advanceClock(25 * HOUR_MS);
    expect((await create('k1')).json.id).toBe(first.json.id);
    sandbox.setKeyLifetime(0);
    expect((await create('k1')).json.id).not.toBe(first.json.id);
  });

  it('takes other parameters and another endpoint as any new key', async () => {
    const { json } = await create('k1');
    await sandbox.advanceClock(24 * HOUR_MS);
    expect((await reverse(json.id, 'k1', { amount: '1' })).status).toBe(200);
  });
});

describe('a key in use', () => {
  it('is 409 idempotency_key_in_use while the first request is at work, which is not kept', async () => {
    sandbox.setFaults([{ kinds: ['slow'], ms: 150, times: 1 }]);
    const first = create('k1');
    await expect.poll(() => sandbox.calls().calls.length).toBe(1);
    const second = await create('k1');
    expect([second.status, second.json.error.code]).toEqual([409, 'idempotency_key_in_use']);
    const { json } = await first;
    expect((await create('k1')).json.id).toBe(json.id);
    expect(transfers()).toBe(1);
    expect(sandbox.calls().keys).toMatchObject([{ key: 'k1', calls: 3, overlaps: 1 }]);
  });

  it('is free again when the caller of a request that did nothing hung up', async () => {
    sandbox.setFaults([{ kinds: ['hang_before_commit'], ms: 20, times: 1 }]);
    await expect(create('k1')).rejects.toThrow();
    expect((await create('k1')).status).toBe(200);
    expect(transfers()).toBe(1);
  });
});

describe('what a key never keeps', () => {
  it.each([
    ['an unknown parameter', { colour: 'red' }, 'parameter_unknown'],
    ['an amount of zero', { amount: '0' }, 'parameter_invalid_integer'],
    ['an amount below zero', { amount: '-1' }, 'parameter_invalid_integer'],
    ['an amount that is no integer', { amount: '1.5' }, 'parameter_invalid_integer'],
  ])('%s', async (_what, params, code) => {
    expect((await create('k1', params)).json.error.code).toBe(code);
    const right = await create('k1');
    expect([right.status, right.headers['idempotent-replayed']]).toEqual([200, undefined]);
  });

  it.each([
    ['rate_limited', 429, 'rate_limit'],
    ['lock_timeout', 429, 'lock_timeout'],
    ['key_in_use', 409, 'idempotency_key_in_use'],
    ['http_401', 401, 'api_key_expired'],
    ['http_403', 403, 'account_invalid'],
    ['unavailable', 503, undefined],
  ] as const)('%s', async (kind, status, code) => {
    sandbox.setFaults([{ kinds: [kind], times: 1 }]);
    const first = await create('k1');
    expect([first.status, first.json.error.code]).toEqual([status, code]);
    expect(first.headers['retry-after']).toBeUndefined();
    expect((await create('k1')).status).toBe(200);
    expect(transfers()).toBe(1);
  });

  it('a seller who revoked access', async () => {
    await sandbox.setAccount(SELLER, { access: 'revoked' });
    expect((await create('k1')).status).toBe(403);
    await sandbox.setAccount(SELLER, { access: 'granted' });
    expect((await create('k1')).status).toBe(200);
  });
});

describe('a key itself', () => {
  it.each([
    ['empty', ' '],
    ['longer than 255 characters', 'k'.repeat(256)],
  ])('that is %s is refused, and nothing moves', async (_what, key) => {
    const { status, json } = await create(key);
    expect([status, json.error.type]).toEqual([400, 'invalid_request_error']);
    expect(transfers()).toBe(0);
  });

  it('of 255 characters is good', async () => {
    expect((await create('k'.repeat(255))).status).toBe(200);
  });

  it('is not needed, but its absence is counted', async () => {
    await api.post('/v1/transfers', transferOf());
    await api.post('/v1/transfers', transferOf());
    expect(transfers()).toBe(2);
    expect(sandbox.calls().totals.writesWithoutKey).toBe(2);
  });

  it('is in the ledger with what was answered, for auditors', async () => {
    const { headers } = await create('k1');
    await sandbox.advanceClock(24 * HOUR_MS);
    expect(sandbox.ledger().keys).toEqual([
      {
        scope: `${sandbox.platformAccount} ${sandbox.platformAccount} test`,
        key: 'k1',
        endpoint: 'POST /v1/transfers',
        firstAtMs: Date.UTC(2026, 10, 21),
        status: 200,
        requestId: headers['request-id'],
        forgotten: true,
      },
    ]);
  });
});
