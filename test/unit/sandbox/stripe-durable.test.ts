import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal } from '../../../sandbox/stand-in/journal.js';
import { fundPlatform } from '../../../sandbox/stripe/fund-platform.js';
import { apiHandler } from '../../../sandbox/stripe/http/api.js';
import { assemble } from '../../../sandbox/stripe/parts.js';
import { type StripeSandbox, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { createStore } from '../../../sandbox/stripe/state/store.js';
import { SELLER, type StripeApi, stripeApi, transferOf } from '../../support/marketplace/stripe-api.js';

let stateDir: string;
let sandbox: StripeSandbox;
let api: StripeApi;
const start = async () => {
  sandbox = await startStripeSandbox({ stateDir });
  api = stripeApi(sandbox.url);
};
const restart = async () => {
  await sandbox.close();
  await start();
};
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'makegood-sandbox-'));
  await start();
  await fundPlatform(sandbox.url);
});
afterEach(async () => {
  await sandbox.close();
  await rm(stateDir, { recursive: true });
});

const create = (idempotencyKey: string) => api.post('/v1/transfers', transferOf(), { idempotencyKey });

describe('a restart', () => {
  it('keeps transfers, reversals, payouts, balances, sellers, keys and the clock', async () => {
    const { json } = await create('k1');
    await api.post(`/v1/transfers/${json.id}/reversals`, { amount: '400' }, { idempotencyKey: 'r1' });
    await sandbox.createPayout({ account: SELLER, amount: 100, currency: 'usd', status: 'paid' });
    await sandbox.setAccount('acct_1Gone', { access: 'revoked' });
    await sandbox.advanceClock(5_000_000);
    const before = sandbox.ledger();
    await restart();
    expect(sandbox.ledger()).toEqual(before);
    expect(sandbox.nowMs() - Date.now()).toBeGreaterThan(4_900_000);
    const again = await create('k1');
    expect([again.json.id, again.headers['idempotent-replayed']]).toEqual([json.id, 'true']);
  });

  it('heals faults, limits and revoked keys, and forgets calls', async () => {
    sandbox.setFaults([{ kinds: ['unavailable'] }]);
    sandbox.setLimits({ perEndpoint: 1 });
    sandbox.setApiKeys({ revoked: ['sk_test_sandbox'] });
    await restart();
    expect((await create('k1')).status).toBe(200);
    expect(sandbox.calls().totals.calls).toBe(1);
  });

  it('finishes later what was to be finished later', async () => {
    sandbox.setFaults([{ kinds: ['finish_later'], times: 1, ms: 3_600_000 }]);
    expect((await create('k1')).status).toBe(500);
    await restart();
    expect(sandbox.ledger().transfers).toEqual([]);
    await sandbox.advanceClock(3_600_000);
    expect(sandbox.ledger().transfers.length).toBe(1);
    await restart();
    expect(sandbox.ledger().transfers.length).toBe(1);
    expect(await sandbox.finishLater()).toBe(0);
  });

  it('after a reset starts from nothing', async () => {
    await create('k1');
    await sandbox.reset();
    await restart();
    expect(sandbox.ledger()).toMatchObject({ transfers: [], keys: [], accounts: [] });
  });

  it('keeps nothing of a secret', async () => {
    await api.post('/v1/transfers', transferOf(), { secretKey: 'sk_test_very_secret' });
    expect(await readFile(join(stateDir, 'stripe.jsonl'), 'utf8')).not.toContain('very_secret');
  });
});

it('money and the key’s answer are one line: no crash can part them', async () => {
  await create('k1');
  const lines = (await readFile(join(stateDir, 'stripe.jsonl'), 'utf8')).trim().split('\n');
  expect(
    lines.map((line) => (JSON.parse(line) as { puts: { table: string }[] }).puts.map(({ table }) => table)),
  ).toEqual([
    ['account', 'transaction'],
    ['transfer', 'account', 'account', 'transaction', 'transaction', 'key'],
  ]);
});

describe('while the disk is slow', () => {
  let reachDisk: () => void;
  let failDisk: () => void;
  let slow: StripeApi;
  let parts: ReturnType<typeof assemble>;
  let close: () => void;
  beforeEach(async () => {
    const disk = new Promise<void>((resolve, reject) => {
      reachDisk = resolve;
      failDisk = () => reject(new Error('no space left on device'));
    });
    const journal: Journal = { append: () => disk, close: () => Promise.resolve() };
    parts = assemble({ platformAccount: 'acct_platform' }, createStore(journal), new AbortController().signal);
    const funds = { usd: { available: 5_000, pending: 0 } };
    const rich = {
      id: 'acct_platform',
      livemode: false,
      access: 'granted',
      transfers: 'active',
      liable: false,
      funds,
    } as const;
    parts.store.commit([{ table: 'account', row: rich }]).catch(() => undefined);
    // In its test mode express keeps errors off the console.
    const app = express()
      .set('env', 'test')
      .use(express.raw({ type: () => true }), apiHandler(parts));
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    slow = stripeApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    close = () => server.close().closeAllConnections();
  });
  afterEach(() => close());

  it('nothing is answered for a transfer, written, repeated or read, before it is on disk', async () => {
    const answered: string[] = [];
    const ask = async (what: string, call: Promise<{ status: number }>) => {
      answered.push(`${what} ${(await call).status}`);
    };
    const write = ask('write', slow.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' }));
    const other = ask('other', slow.post('/v1/transfers', transferOf(), { idempotencyKey: 'k2' }));
    // Refused without waiting, because it says nothing about money; by then both writes have begun.
    await expect.poll(() => slow.get('/v1/topups').then(({ status }) => status)).toBe(404);
    const read = ask('read', slow.get('/v1/transfers'));
    await ask('again', slow.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' }));
    expect(answered).toEqual(['again 409']);
    reachDisk();
    await Promise.all([write, other, read]);
    expect(answered.toSorted()).toEqual(['again 409', 'other 200', 'read 200', 'write 200']);
    expect((await slow.get('/v1/transfers')).json.data.length).toBe(2);
  });

  it('nobody is kept from writing the same transfer: that is no second writer at work', async () => {
    const made = slow.post('/v1/transfers', transferOf());
    await expect.poll(() => parts.store.transfers().length).toBe(1);
    const path = `/v1/transfers/${parts.store.transfers()[0]?.id ?? ''}/reversals`;
    const reversals = [slow.post(path, { amount: '1' }), slow.post(path, { amount: '2' })];
    await expect.poll(() => parts.calls.view().totals.calls).toBe(3);
    reachDisk();
    const answers = await Promise.all([made, ...reversals]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('and fails, no transfer is answered for: not when it is written, nor repeated, nor read', async () => {
    const send = () => slow.post('/v1/transfers', transferOf(), { idempotencyKey: 'k1' });
    const first = send();
    await expect.poll(() => slow.get('/v1/topups').then(({ status }) => status)).toBe(404);
    failDisk();
    expect((await first).status).toBe(500);
    expect((await send()).status).toBe(500);
    expect((await slow.get('/v1/transfers')).status).toBe(500);
  });
});
