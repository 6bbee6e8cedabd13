import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FaultKind } from '../../../sandbox/hyperswitch/faults.js';
import { startHyperswitchSandbox } from '../../../sandbox/hyperswitch/start.js';
import { createBook } from '../../../sandbox/hyperswitch/state/book.js';
import { createWriter } from '../../../sandbox/hyperswitch/state/writer.js';
import { systemClock } from '../../../src/domain/clock.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { hyperswitchSandbox } from '../../support/marketplace/hyperswitch-sandbox.js';

const PAY = hyperswitchPaymentId('order-1');

describe('a fault of the sandbox', () => {
  it.each<[FaultKind, string, number]>([
    ['server_error', 'unclear', 0],
    ['server_error_after_commit', 'unclear', 1],
    ['http_500', 'unclear', 0],
    ['http_503', 'unclear', 0],
    ['http_401', 'misdirected', 0],
    ['http_403', 'misdirected', 0],
    ['rate_limited', 'busy', 0],
    ['locked', 'busy', 0],
    ['connector_failed', 'refused', 0],
    ['hang_before_commit', 'unclear', 0],
    ['hang_after_commit', 'unclear', 1],
    ['reset_before_commit', 'unclear', 0],
    ['reset_after_commit', 'unclear', 1],
    ['html_200', 'unclear', 0],
    ['html_404', 'misdirected', 0],
    ['redirect', 'misdirected', 0],
    ['invalid_json', 'unclear', 1],
    ['slow', 'done', 1],
  ])('%s is %s to the client and leaves %d payment; after it the same call is done, once', async (kind, seen, left) => {
    const { sandbox, createPayment } = await hyperswitchSandbox();
    sandbox.setFaults([{ kinds: [kind], times: 1, ms: 20 }]);
    expect(await createPayment('order-1')).toMatchObject({ kind: seen });
    expect(sandbox.ledger().payments).toHaveLength(left);
    expect(await createPayment('order-1')).toMatchObject({ kind: 'done', replayed: left === 1 });
    expect(sandbox.ledger().payments).toHaveLength(1);
    expect(sandbox.faults()).toEqual([]);
    expect(sandbox.calls().totals.idsWithDifferingBodies).toBe(0);
  });

  it('strikes only the endpoints it names, as often as it says', async () => {
    const { sandbox, client, createPayment } = await hyperswitchSandbox();
    sandbox.setFaults([{ kinds: ['http_500'], on: ['payments.read', 'refunds.list'], times: 2 }]);
    expect(await createPayment('order-1')).toMatchObject({ kind: 'done' });
    expect(await client.readPayment(PAY)).toMatchObject({ kind: 'unclear' });
    expect(await client.readRefund('ref_x')).toMatchObject({ kind: 'missing' });
    expect(await client.refundsOf(PAY)).toMatchObject({ kind: 'unclear' });
    expect(await client.refundsOf(PAY)).toMatchObject({ kind: 'found' });
  });

  it('that throttles says when to come back', async () => {
    const { sandbox, createPayment } = await hyperswitchSandbox();
    sandbox.setFaults([{ kinds: ['rate_limited'], retryAfterSeconds: 7 }]);
    expect(await createPayment('order-1')).toMatchObject({ kind: 'busy', executed: 'no', retryAfterMs: 7_000 });
  });

  it('of the same seed strikes the same calls', async () => {
    const { sandbox, call } = await hyperswitchSandbox();
    const drawn = async () => {
      sandbox.setFaults([{ kinds: ['http_500', 'http_503'], probability: 0.5, on: ['payments.read'] }], 7);
      return Promise.all(Array.from({ length: 30 }, async () => (await call('GET', '/payments/x')).status));
    };
    const first = await drawn();
    expect(new Set(first)).toEqual(new Set([404, 500, 503]));
    expect(await drawn()).toEqual(first);
  });
});

describe('the whole sandbox', () => {
  it('down answers 503 to everything and creates nothing, and its switches still work', async () => {
    const { sandbox, client, createPayment, call } = await hyperswitchSandbox();
    expect((await call('PUT', '/control/down', { down: true })).json).toEqual({ ok: true });
    expect(await createPayment('order-1')).toMatchObject({ kind: 'unclear', why: 'server_error' });
    expect(await client.readPayment(PAY)).toMatchObject({ kind: 'unclear' });
    expect(sandbox.ledger().payments).toEqual([]);
    expect((await call('DELETE', '/control/faults')).json).toEqual({ ok: true });
    expect(await createPayment('order-1')).toMatchObject({ kind: 'done' });
  });

  it('dead is not connected at all, and comes back with its books on the same port', async () => {
    const { sandbox, client, createPayment } = await hyperswitchSandbox();
    await createPayment('order-1');
    await sandbox.die();
    expect(await createPayment('order-2')).toMatchObject({ kind: 'unclear', why: 'not_connected' });
    await sandbox.revive();
    expect(await client.readPayment(PAY)).toMatchObject({ kind: 'found' });
  });
});

describe('the switches under /control', () => {
  it('move money, events and faults as the functions do', async () => {
    const { sandbox, call, createPayment, createRefund } = await hyperswitchSandbox();
    await createPayment('order-1');
    expect(await call('PUT', `/control/payments/${PAY}`, { to: 'succeeded' })).toMatchObject({
      status: 200,
      json: { id: PAY, status: 'succeeded', received: 6540 },
    });
    await createRefund('refund-1', PAY, 600n);
    const ref = hyperswitchRefundId('refund-1');
    expect((await call('PUT', `/control/refunds/${ref}`, { to: 'review' })).json).toMatchObject({ status: 'review' });
    const dashboard = { payment_id: PAY, amount: 100 };
    expect((await call('POST', '/control/dashboard/refunds', dashboard)).json).toMatchObject({
      refund: { origin: 'dashboard', status: 'succeeded' },
    });
    expect(await call('POST', '/control/dashboard/refunds', { payment_id: PAY, amount: 6540 })).toMatchObject({
      status: 409,
      json: { problem: { code: 'IR_13' } },
    });
    await call('PUT', '/control/auto', { pay: { to: 'succeeded', afterMs: 0 }, maxRefunds: 2 });
    expect(await createPayment('order-2')).toMatchObject({ value: { status: 'succeeded' } });
    expect(await createRefund('refund-2', PAY, 1n)).toMatchObject({ code: 'IR_12' });
    await call('PUT', '/control/faults', { rules: [{ kinds: ['http_500'], times: 3 }], seed: 4 });
    expect((await call('GET', '/control/faults')).json).toMatchObject({ rules: [{ times: 3 }], down: false });
    expect((await call('GET', '/control/ledger')).json).toMatchObject(JSON.parse(JSON.stringify(sandbox.ledger())));
    expect((await call('GET', '/control/calls')).json).toMatchObject({ totals: { withoutKey: 0 } });
    expect((await call('GET', '/control/webhooks')).json).toMatchObject({ events: { length: 3 } });
    await call('POST', '/control/reset');
    expect(sandbox.ledger()).toEqual({ payments: [], refunds: [], disputes: [], totals: {} });
    expect(sandbox.faults()).toEqual([]);
  });

  it.each([
    ['PUT', '/control/faults', { rules: [{ kinds: ['explode'] }] }, 400],
    ['PUT', '/control/down', { down: 'yes' }, 400],
    ['PUT', `/control/payments/${PAY}`, { to: 'teleported' }, 400],
    ['PUT', `/control/payments/${PAY}`, { to: 'succeeded' }, 404],
    ['PUT', '/control/refunds/ref_x', { to: 'failed' }, 404],
    ['PUT', '/control/webhooks', { rules: [{ what: 'eaten' }] }, 400],
    ['POST', '/control/webhooks/redeliver', { event_id: 'evt_x' }, 404],
  ])('%s %s %j that makes no sense gets %d and changes nothing', async (method, path, body, status) => {
    const { call } = await hyperswitchSandbox();
    expect((await call(method, path, body)).status).toBe(status);
  });
});

describe('what the sandbox remembers', () => {
  async function directory() {
    const path = await mkdtemp(join(tmpdir(), 'makegood-hyperswitch-'));
    onTestFinished(() => rm(path, { recursive: true }));
    return path;
  }

  it('is all there after a restart: money, calls, events; but no faults', async () => {
    const stateDir = await directory();
    const first = await hyperswitchSandbox({ stateDir });
    const pay = await first.paid('order-1');
    await first.createRefund('refund-1', pay, 600n);
    await first.sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'succeeded' });
    first.sandbox.setFaults([{ kinds: ['http_500'] }]);
    const before = { ledger: first.sandbox.ledger(), created: first.sandbox.calls().created };
    const events = first.sandbox.webhooks().map(({ eventId, body }) => ({ eventId, body }));
    await first.sandbox.close();

    const second = await startHyperswitchSandbox({ stateDir });
    onTestFinished(() => second.close());
    expect({ ledger: second.ledger(), created: second.calls().created }).toEqual(before);
    expect(second.webhooks().map(({ eventId, body }) => ({ eventId, body }))).toEqual(events);
    expect(events).toHaveLength(2);
    expect(second.faults()).toEqual([]);
    await second.reset();
    await second.close();
    const third = await startHyperswitchSandbox({ stateDir });
    onTestFinished(() => third.close());
    expect(third.ledger()).toEqual({ payments: [], refunds: [], disputes: [], totals: {} });
  });

  it('drops a last line that was cut off, and never starts on a damaged one', async () => {
    const stateDir = await directory();
    const first = await hyperswitchSandbox({ stateDir });
    await first.createPayment('order-1');
    await first.sandbox.close();
    const file = join(stateDir, 'hyperswitch.jsonl');
    const whole = await readFile(file, 'utf8');
    await writeFile(file, `${whole}{"t":"payment","id":"pay`);
    const second = await startHyperswitchSandbox({ stateDir });
    expect(second.ledger().payments).toHaveLength(1);
    await second.close();
    await writeFile(file, `{"t":\n${whole}`);
    await expect(startHyperswitchSandbox({ stateDir })).rejects.toThrow(/line 1 is not JSON/);
  });

  it('is on disk before anything is told: no answer, no webhook, earlier', async () => {
    let reachDisk = (): void => undefined;
    const disk = new Promise<void>((resolve) => {
      reachDisk = resolve;
    });
    const told: string[] = [];
    const writer = createWriter({ append: () => disk, close: () => disk });
    const book = createBook(systemClock, writer, ({ kind }) => told.push(kind));
    book.createPayment({ payment_id: PAY, amount: 100, currency: 'USD' }, { merchantId: 'm', profileId: 'p' });
    const moved = book.movePayment(PAY, { to: 'succeeded' })?.then(() => told.push('moved'));
    void writer.onDisk().then(() => told.push('answered'));
    await new Promise((later) => setImmediate(later));
    expect(told).toEqual([]);
    reachDisk();
    await moved;
    expect(told).toEqual(expect.arrayContaining(['payment', 'moved', 'answered']));
  });
});
