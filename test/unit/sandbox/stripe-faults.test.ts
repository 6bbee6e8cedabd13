import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { SELLER, stripeApi, stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile();

const create = (idempotencyKey: string, params = {}) =>
  api.post('/v1/transfers', transferOf(params), { idempotencyKey });
const transfers = () => sandbox.ledger().transfers.length;

describe('a fault that hides what happened', () => {
  it.each([
    ['reset_before_commit', 0],
    ['hang_before_commit', 0],
    ['reset_after_commit', 1],
    ['hang_after_commit', 1],
  ] as const)('%s gives no answer and leaves %d transfers; the same key makes it one', async (kind, moved) => {
    sandbox.setFaults([{ kinds: [kind], times: 1, ms: 20 }]);
    await expect(create('k1')).rejects.toThrow(/ECONNRESET|socket hang up|aborted/);
    expect(transfers()).toBe(moved);
    const again = await create('k1');
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([200, moved === 1 ? 'true' : undefined]);
    expect(transfers()).toBe(1);
  });

  it.each([
    ['truncated_json', 200, 1],
    ['html_502_after_commit', 502, 1],
    ['html_502', 502, 0],
  ] as const)('%s is unreadable and leaves %d %d', async (kind, status, moved) => {
    sandbox.setFaults([{ kinds: [kind], times: 1 }]);
    const answer = await create('k1');
    expect([answer.status, answer.json]).toEqual([status, undefined]);
    expect(transfers()).toBe(moved);
    await create('k1');
    expect(transfers()).toBe(1);
  });

  it('may lose the answer of a replay as well', async () => {
    await create('k1');
    sandbox.setFaults([{ kinds: ['reset_after_commit'], times: 1 }]);
    await expect(create('k1')).rejects.toThrow();
    expect((await create('k1')).status).toBe(200);
    expect(transfers()).toBe(1);
  });

  it('a caller who gave up on a slow answer does not undo it', async () => {
    sandbox.setFaults([{ kinds: ['slow'], ms: 60, times: 1 }]);
    const controller = new AbortController();
    const call = fetch(`${sandbox.url}/v1/transfers`, {
      method: 'POST',
      headers: { Authorization: 'Bearer sk_test_sandbox', 'Idempotency-Key': 'k1' },
      body: new URLSearchParams(transferOf()),
      signal: controller.signal,
    }).catch((error: Error) => error);
    await expect.poll(() => sandbox.calls().totals.calls).toBe(1);
    controller.abort();
    expect(await call).toBeInstanceOf(Error);
    expect(transfers()).toBe(0);
    await expect.poll(transfers).toBe(1);
  });
});

describe('a fault that answers', () => {
  it.each([
    [{ kinds: ['unavailable'] }, 503, 'api_error', undefined],
    [{ kinds: ['unavailable'], status: 504 }, 504, 'api_error', undefined],
    [{ kinds: ['server_error'] }, 500, 'api_error', undefined],
    [{ kinds: ['server_error'], status: 502 }, 502, 'api_error', undefined],
    [{ kinds: ['refused'] }, 400, 'invalid_request_error', undefined],
    [{ kinds: ['refused'], status: 402, code: 'approval_required' }, 402, 'invalid_request_error', 'approval_required'],
    [{ kinds: ['http_401'] }, 401, 'invalid_request_error', 'api_key_expired'],
    [{ kinds: ['http_403'] }, 403, 'invalid_request_error', 'account_invalid'],
    [{ kinds: ['rate_limited'] }, 429, 'invalid_request_error', 'rate_limit'],
    [{ kinds: ['lock_timeout'] }, 429, 'invalid_request_error', 'lock_timeout'],
    [{ kinds: ['key_in_use'] }, 409, 'invalid_request_error', 'idempotency_key_in_use'],
  ] as const)('%o is %d %s and moves nothing', async (rule, status, type, code) => {
    sandbox.setFaults([{ ...rule, kinds: [...rule.kinds], times: 1 }]);
    const answer = await create('k1');
    expect([answer.status, answer.json.error.type, answer.json.error.code]).toEqual([status, type, code]);
    expect(answer.headers['request-id']).toMatch(/^req_/);
    expect(transfers()).toBe(0);
    expect((await create('k2')).status).toBe(200);
  });

  it('rate_limited says when to come back if it is told to', async () => {
    sandbox.setFaults([{ kinds: ['rate_limited'], retryAfterSeconds: 7 }]);
    expect((await create('k1')).headers['retry-after']).toBe('7');
  });

  it('http_403 names the seller', async () => {
    sandbox.setFaults([{ kinds: ['http_403'] }]);
    expect((await create('k1')).json.error.message).toContain(SELLER);
  });
});

describe('a call that is answered 500 and finished later', () => {
  const finishLater = (ms?: number) =>
    sandbox.setFaults([{ kinds: ['finish_later'], times: 1, ...(ms === undefined ? {} : { ms }) }]);

  it('has moved nothing until it is told to, and then moves the money once', async () => {
    finishLater();
    expect((await create('k1', { 'metadata[order_id]': 'o1' })).status).toBe(500);
    expect(transfers()).toBe(0);
    expect(await sandbox.finishLater()).toBe(1);
    expect(await sandbox.finishLater()).toBe(0);
    expect(sandbox.ledger().transfers).toMatchObject([{ amount: 1000, metadata: { order_id: 'o1' } }]);
    expect(sandbox.ledger().deferred).toMatchObject([{ idempotencyKey: 'k1', status: 200 }]);
  });

  it('still replays the 500 when it is finished', async () => {
    finishLater();
    await create('k1');
    await sandbox.finishLater();
    expect((await create('k1')).status).toBe(500);
    expect(transfers()).toBe(1);
  });

  it('is finished when the clock reaches it, and not before', async () => {
    finishLater(3_600_000);
    await create('k1');
    await sandbox.advanceClock(3_599_000);
    expect(transfers()).toBe(0);
    await sandbox.advanceClock(1_000);
    expect(transfers()).toBe(1);
    expect(await sandbox.finishLater()).toBe(0);
  });

  it('is finished once, though it was told to first and the clock reaches it then', async () => {
    finishLater(3_600_000);
    await create('k1');
    expect(await sandbox.finishLater()).toBe(1);
    await sandbox.advanceClock(3_600_000);
    expect(transfers()).toBe(1);
  });

  it('is finished by itself where nobody moves a clock', async () => {
    finishLater(30);
    await create('k1');
    await expect.poll(transfers).toBe(1);
  });

  it('may find that it can no longer be done', async () => {
    const { json } = await create('k1');
    sandbox.setFaults([{ kinds: ['finish_later'], times: 1 }]);
    const path = `/v1/transfers/${json.id}/reversals`;
    expect((await api.post(path, { amount: '600' }, { idempotencyKey: 'r1' })).status).toBe(500);
    await sandbox.reverse(json.id, { amount: 500 });
    await sandbox.finishLater();
    expect((await api.get(`/v1/transfers/${json.id}`)).json.amount_reversed).toBe(500);
    expect(sandbox.ledger().deferred).toMatchObject([{ status: 400 }]);
  });
});

describe('a rule', () => {
  it('strikes as often as it was asked to', async () => {
    sandbox.setFaults([{ kinds: ['unavailable'], times: 2 }]);
    expect(sandbox.faults()).toMatchObject([{ times: 2 }]);
    const statuses = [];
    for (const key of ['a', 'b', 'c']) statuses.push((await create(key)).status);
    expect(statuses).toEqual([503, 503, 200]);
    expect(sandbox.faults()).toEqual([]);
  });

  it('strikes only the calls that move money unless it says which', async () => {
    sandbox.setFaults([{ kinds: ['unavailable'] }]);
    expect((await api.get('/v1/balance')).status).toBe(200);
    sandbox.setFaults([{ kinds: ['unavailable'], on: ['balance'] }]);
    expect((await api.get('/v1/balance')).status).toBe(503);
    expect((await create('k1')).status).toBe(200);
  });

  it('strikes one transfer or one seller and spares the others', async () => {
    const poison = (await create('k1')).json.id;
    const good = (await create('k2', { destination: 'acct_1Good' })).json.id;
    const reverse = async (id: string) => (await api.post(`/v1/transfers/${id}/reversals`, { amount: '1' })).status;
    sandbox.setFaults([{ kinds: ['unavailable'], transfers: [poison] }]);
    expect([await reverse(poison), await reverse(good)]).toEqual([503, 200]);
    sandbox.setFaults([{ kinds: ['unavailable'], sellers: ['acct_1Good'] }]);
    expect([await reverse(poison), await reverse(good)]).toEqual([200, 503]);
    expect((await create('k3', { destination: 'acct_1Good' })).status).toBe(503);
    expect((await create('k4')).status).toBe(200);
  });

  it('that disturbs only the work waits for a call that does some: a replay uses nothing up', async () => {
    await create('k1');
    sandbox.setFaults([{ kinds: ['server_error'], times: 1 }]);
    expect((await create('k1')).status).toBe(200);
    expect((await create('k2')).status).toBe(500);
  });

  it('draws the same faults for the same calls from the same seed', async () => {
    const draws = async () => {
      sandbox.setFaults([{ kinds: ['unavailable', 'rate_limited'], probability: 0.5 }], 7);
      const statuses = [];
      for (let call = 0; call < 12; call += 1) statuses.push((await create('k1')).status);
      return statuses;
    };
    const drawn = await draws();
    expect(new Set(drawn)).toEqual(new Set([200, 429, 503]));
    expect(await draws()).toEqual(drawn);
  });

  it('that does not read changes nothing', () => {
    sandbox.setFaults([{ kinds: ['unavailable'], times: 3 }]);
    expect(() => sandbox.setFaults([{ kinds: [] }])).toThrow();
    expect(sandbox.faults()).toMatchObject([{ times: 3 }]);
  });
});

describe('the whole service', () => {
  it('down answers 503 to everything, and commits nothing', async () => {
    sandbox.setDown(true);
    expect((await create('k1')).status).toBe(503);
    expect((await api.get('/v1/transfers')).status).toBe(503);
    sandbox.setDown(false);
    expect((await create('k1')).status).toBe(200);
    expect(transfers()).toBe(1);
  });

  it('dead refuses connections and comes back on the same port', async () => {
    await sandbox.die();
    await expect(create('k1')).rejects.toThrow(/ECONNREFUSED/);
    await sandbox.revive();
    expect((await create('k1')).status).toBe(200);
  });

  it('that is closed during a slow answer commits nothing behind its own back', async () => {
    const closed = await startStripeSandbox();
    closed.setFaults([{ kinds: ['slow'], ms: 50 }]);
    const call = stripeApi(closed.url)
      .post('/v1/transfers', transferOf())
      .catch((error: Error) => error);
    await expect.poll(() => closed.calls().totals.calls).toBe(1);
    await closed.close();
    expect(await call).toBeInstanceOf(Error);
    // Longer than the answer would have taken; a timer that is gone cannot be watched.
    await wait(100);
    expect(closed.ledger().transfers).toEqual([]);
  });
});
