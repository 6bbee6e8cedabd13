import { beforeEach, describe, expect, it } from 'vitest';
import { stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const clock = { at: 1_800_000_000_000, nowMs: () => clock.at };
const { sandbox, api } = await stripeSandboxForFile({ clock });
beforeEach(() => {
  clock.at = 1_800_000_000_000;
});

const statuses = async (times: number, call: () => Promise<{ status: number }>) => {
  const answers = await Promise.all(Array.from({ length: times }, call));
  return answers.map(({ status }) => status);
};
const of = (list: readonly number[], status: number) => list.filter((each) => each === status).length;
const list = () => api.get('/v1/transfers');
const balance = () => api.get('/v1/balance');

describe('the limit of an endpoint', () => {
  it('is off unless it is switched on', async () => {
    expect(of(await statuses(60, list), 200)).toBe(60);
  });

  it('lets exactly 25 requests through in any 1000 ms, and no other endpoint pays for it', async () => {
    sandbox.setLimits({ perEndpoint: 25 });
    expect(of(await statuses(30, list), 200)).toBe(25);
    expect(of(await statuses(25, balance), 200)).toBe(25);
    clock.at += 999;
    expect(of(await statuses(1, list), 429)).toBe(1);
    clock.at += 1;
    expect(of(await statuses(26, list), 200)).toBe(25);
  });

  it('slides: what was used half a second ago comes back half a second later', async () => {
    sandbox.setLimits({ perEndpoint: 25 });
    await statuses(10, list);
    clock.at += 500;
    await statuses(15, list);
    clock.at += 500;
    expect(of(await statuses(25, list), 200)).toBe(10);
  });

  it('answers 429 rate_limit, with Retry-After only if asked to', async () => {
    sandbox.setLimits({ perEndpoint: 1 });
    await list();
    const plain = await list();
    expect([plain.status, plain.json.error.code]).toEqual([429, 'rate_limit']);
    expect(plain.headers['retry-after']).toBeUndefined();
    sandbox.setLimits({ retryAfterSeconds: 3 });
    await list();
    expect((await list()).headers['retry-after']).toBe('3');
  });

  it('stands before the key: a throttled call was not carried out and can be sent again', async () => {
    sandbox.setLimits({ perEndpoint: 1 });
    const create = () => api.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' });
    const first = await create();
    expect((await create()).status).toBe(429);
    clock.at += 1000;
    expect((await create()).json.id).toBe(first.json.id);
  });
});

it('the limit over all endpoints holds besides', async () => {
  sandbox.setLimits({ perEndpoint: 25, overall: 30 });
  expect(of(await statuses(25, list), 200)).toBe(25);
  expect(of(await statuses(25, balance), 200)).toBe(5);
});

describe('the counts', () => {
  it('say per endpoint and second how many came, how many were throttled and the most in any second', async () => {
    sandbox.setLimits({ perEndpoint: 4 });
    clock.at = 1_800_000_000_900;
    await statuses(3, list);
    clock.at = 1_800_000_001_100;
    await statuses(3, list);
    await balance();
    expect(sandbox.calls().endpoints).toEqual({
      'transfers.list': {
        calls: 6,
        throttled: 2,
        perSecond: { '1800000000': 3, '1800000001': 3 },
        mostInOneSecond: 6,
      },
      balance: { calls: 1, throttled: 0, perSecond: { '1800000001': 1 }, mostInOneSecond: 1 },
    });
  });

  it('call the most in one second what falls within 1000 ms, wherever they begin', async () => {
    await list();
    clock.at += 1000;
    await list();
    expect(sandbox.calls().endpoints['transfers.list']?.mostInOneSecond).toBe(1);
    clock.at += 999;
    await list();
    expect(sandbox.calls().endpoints['transfers.list']?.mostInOneSecond).toBe(2);
  });

  it('go by what a caller sees at once, also after the clock was set back', async () => {
    await statuses(3, list);
    await sandbox.advanceClock(-5_000);
    await statuses(2, list);
    expect(sandbox.calls().endpoints['transfers.list']?.mostInOneSecond).toBe(3);
  });
});

describe('two writes to one transfer', () => {
  it('get in each other’s way: the second is 429 lock_timeout and is not kept', async () => {
    const { json } = await api.post('/v1/transfers', transferOf());
    const other = await api.post('/v1/transfers', transferOf());
    sandbox.setFaults([{ kinds: ['slow'], ms: 150, times: 1, on: ['reversals.create'] }]);
    const reverse = (id: string, idempotencyKey: string) =>
      api.post(`/v1/transfers/${id}/reversals`, { amount: '1' }, { idempotencyKey });
    const slow = reverse(json.id, 'r1');
    await expect.poll(() => sandbox.calls().endpoints['reversals.create']?.calls).toBe(1);
    const second = await reverse(json.id, 'r2');
    expect([second.status, second.json.error.code]).toEqual([429, 'lock_timeout']);
    expect((await reverse(other.json.id, 'r3')).status).toBe(200);
    expect((await api.get(`/v1/transfers/${json.id}`)).status).toBe(200);
    expect((await slow).status).toBe(200);
    expect((await reverse(json.id, 'r2')).status).toBe(200);
  });
});

describe('two transfers out of one charge', () => {
  it('get in each other’s way, as two writes to one object do', async () => {
    const { charge } = await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    const { charge: other } = await sandbox.createCapture({ amount: 1000, currency: 'usd' });
    sandbox.setFaults([{ kinds: ['slow'], ms: 150, times: 1 }]);
    const draw = (source_transaction: string) =>
      api.post('/v1/transfers', transferOf({ amount: '1', source_transaction }));
    const slow = draw(charge.id);
    await expect.poll(() => sandbox.calls().endpoints['transfers.create']?.calls).toBe(1);
    const second = await draw(charge.id);
    expect([second.status, second.json.error.code]).toEqual([429, 'lock_timeout']);
    expect((await draw(other.id)).status).toBe(200);
    expect((await api.post('/v1/transfers', transferOf())).status).toBe(200);
    expect((await slow).status).toBe(200);
  });
});
