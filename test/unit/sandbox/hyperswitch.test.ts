import { describe, expect, it } from 'vitest';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../../src/providers/hyperswitch/ids.js';
import { hyperswitchSandbox } from '../../support/marketplace/hyperswitch-sandbox.js';

const PAY = hyperswitchPaymentId('order-1');

describe('a payment at the sandbox', () => {
  it('waits for its buyer, and is paid, refused, given up or expired when the buyer says so', async () => {
    const { sandbox, client, createPayment } = await hyperswitchSandbox();
    expect(await createPayment('order-1')).toMatchObject({
      kind: 'done',
      replayed: false,
      value: {
        hyperswitchPaymentId: PAY,
        status: 'pending',
        amountReceived: 0n,
        clientSecret: expect.stringMatching(/^pay_\w+_secret_\w{20}$/),
      },
    });
    for (const [to, status, amountReceived] of [
      ['processing', 'processing', 0n],
      ['failed', 'failed', 0n],
      ['cancelled', 'cancelled', 0n],
      ['expired', 'cancelled', 0n],
      ['succeeded', 'succeeded', 6540n],
    ] as const) {
      await sandbox.movePayment(PAY, { to });
      expect(await client.readPayment(PAY)).toMatchObject({ kind: 'found', value: { status, amountReceived } });
    }
  });

  it('exists once: the second create is HE_01, whatever its Idempotency-Key, and the client finds its own', async () => {
    const { sandbox, call, createPayment } = await hyperswitchSandbox();
    await createPayment('order-1');
    const again = { payment_id: PAY, amount: 6540, currency: 'USD' };
    const answer = await call('POST', '/payments', again, { 'idempotency-key': 'order-1' });
    expect(answer).toMatchObject({
      status: 400,
      json: {
        error: {
          type: 'invalid_request',
          code: 'HE_01',
          message: 'The payment with the specified payment_id already exists in our records',
          reason: `${PAY} already exists`,
        },
      },
    });
    expect(await createPayment('order-1')).toMatchObject({ kind: 'done', replayed: true });
    expect(await createPayment('order-1', 6541n)).toMatchObject({ kind: 'refused', why: 'conflict' });
    expect(sandbox.ledger().payments).toHaveLength(1);
  });

  it('gets an id from the sandbox where the caller gives none', async () => {
    const { call } = await hyperswitchSandbox();
    const { status, json } = await call('POST', '/payments', { amount: 100, currency: 'JPY' });
    expect(status).toBe(200);
    expect(json.payment_id).toMatch(/^pay_[0-9a-z]{26}$/);
  });

  it('that is unknown is missing', async () => {
    const { client } = await hyperswitchSandbox();
    expect(await client.readPayment(PAY)).toMatchObject({ kind: 'missing' });
    expect(await client.readRefund('ref_unknown')).toMatchObject({ kind: 'missing' });
    expect(await client.refundsOf(PAY)).toEqual({ kind: 'found', value: [] });
  });
});

describe('a refund at the sandbox', () => {
  it('is pending until its bank decides, and can turn failed after it succeeded', async () => {
    const { sandbox, client, paid, createRefund } = await hyperswitchSandbox();
    const pay = await paid('order-1');
    const ref = hyperswitchRefundId('refund-1');
    expect(await createRefund('refund-1', pay, 600n)).toMatchObject({ kind: 'done', value: { status: 'pending' } });
    for (const to of ['review', 'pending', 'succeeded', 'failed'] as const) {
      await sandbox.moveRefund(ref, { to });
      expect(await client.readRefund(ref)).toMatchObject({ kind: 'found', value: { status: to, amount: 600n } });
    }
  });

  it('exists once: the second create is HE_01, and the client finds its own, at another payment too', async () => {
    const { sandbox, call, paid, createRefund } = await hyperswitchSandbox();
    const [pay, other] = [await paid('order-1'), await paid('order-2')];
    await createRefund('refund-1', pay, 600n);
    expect(await createRefund('refund-1', pay, 600n)).toMatchObject({ kind: 'done', replayed: true });
    expect(await createRefund('refund-1', other, 600n)).toMatchObject({ kind: 'refused', why: 'conflict' });
    const again = { refund_id: hyperswitchRefundId('refund-1'), payment_id: pay, amount: 600 };
    expect((await call('POST', '/refunds', again)).json.error).toMatchObject({
      code: 'HE_01',
      message: 'Duplicate refund request. Refund already attempted with the refund ID',
    });
    expect(sandbox.ledger().refunds).toHaveLength(1);
  });

  it('never gives back more than was captured, and a failed one gives its part free again', async () => {
    const { sandbox, paid, createRefund } = await hyperswitchSandbox();
    const pay = await paid('order-1', 1000n);
    await createRefund('refund-1', pay, 600n);
    expect(await createRefund('refund-2', pay, 401n)).toMatchObject({ kind: 'refused', why: 'other', code: 'IR_13' });
    expect(await createRefund('refund-3', pay, 400n)).toMatchObject({ kind: 'done' });
    expect(await createRefund('refund-4', pay, 1n)).toMatchObject({ kind: 'refused', code: 'IR_13' });
    await sandbox.moveRefund(hyperswitchRefundId('refund-1'), { to: 'failed' });
    expect(await createRefund('refund-5', pay, 600n)).toMatchObject({ kind: 'done' });
  });

  it('never outgrows what was captured of a payment', async () => {
    const { sandbox, createPayment, createRefund } = await hyperswitchSandbox();
    await createPayment('order-1', 1000n);
    await sandbox.movePayment(PAY, { to: 'partially_captured', received: 300 });
    expect(await createRefund('refund-1', PAY, 301n)).toMatchObject({ kind: 'refused', code: 'IR_13' });
    expect(await createRefund('refund-2', PAY, 300n)).toMatchObject({ kind: 'done' });
  });

  it.each(['requires_payment_method', 'processing', 'failed', 'cancelled', 'expired', 'requires_capture'] as const)(
    'of a payment that is %s is HE_03',
    async (to) => {
      const { sandbox, createPayment, createRefund } = await hyperswitchSandbox();
      await createPayment('order-1');
      await sandbox.movePayment(PAY, { to });
      expect(await createRefund('refund-1', PAY, 600n)).toMatchObject({
        kind: 'refused',
        why: 'other',
        code: 'HE_03',
        detail: expect.stringMatching(/The payment has not succeeded yet/),
      });
      expect(sandbox.ledger().refunds).toEqual([]);
    },
  );

  it('of an unknown payment is missing, and one too many is IR_12', async () => {
    const { sandbox, paid, createRefund } = await hyperswitchSandbox();
    expect(await createRefund('refund-1', PAY, 600n)).toMatchObject({ kind: 'refused', why: 'missing', code: 'HE_02' });
    const pay = await paid('order-1');
    sandbox.setAuto({ maxRefunds: 1 });
    expect(await createRefund('refund-1', pay, 100n)).toMatchObject({ kind: 'done' });
    expect(await createRefund('refund-2', pay, 100n)).toMatchObject({ kind: 'refused', code: 'IR_12' });
  });

  it('without an amount is the whole payment, without a type scheduled, and nobody carries that out', async () => {
    const { sandbox, call, paid } = await hyperswitchSandbox({ auto: { refund: { to: 'succeeded', afterMs: 0 } } });
    const pay = await paid('order-1');
    const { json } = await call('POST', '/refunds', { payment_id: pay });
    expect(json).toMatchObject({ amount: 6540, status: 'pending' });
    expect(sandbox.ledger().refunds).toMatchObject([{ type: 'scheduled', origin: 'api' }]);
  });

  it('made in the dashboard has an id of its own and nothing of ours, and the client finds it', async () => {
    const { sandbox, client, paid, createRefund } = await hyperswitchSandbox();
    const pay = await paid('order-1');
    await createRefund('refund-1', pay, 600n);
    await sandbox.refundInDashboard({ payment_id: pay, amount: 250, reason: 'called us' });
    await sandbox.refundInDashboard({ payment_id: pay, amount: 100, status: 'pending' });
    const answer = await client.refundsOf(pay);
    const found = answer.kind === 'found' ? answer.value : [];
    expect(found.map(({ amount, status }) => [amount, status])).toEqual(
      expect.arrayContaining([
        [600n, 'pending'],
        [250n, 'succeeded'],
        [100n, 'pending'],
      ]),
    );
    const foreign = found.filter(({ hyperswitchRefundId: id }) => id !== hyperswitchRefundId('refund-1'));
    expect(foreign).toHaveLength(2);
    expect(sandbox.ledger().refunds.filter(({ origin }) => origin === 'dashboard')).toMatchObject([
      { metadata: null },
      { metadata: null },
    ]);
    expect(await sandbox.refundInDashboard({ payment_id: pay })).toMatchObject({ problem: { code: 'IR_13' } });
  });

  it('is listed with the others of its payment only, newest change first, page by page', async () => {
    let nowMs = 1_000;
    const { sandbox, client, call, paid } = await hyperswitchSandbox({ clock: { nowMs: () => (nowMs += 1) } });
    sandbox.setAuto({ maxRefunds: 1_000 });
    const [pay, other] = [await paid('order-1', 1_000_000n), await paid('order-2')];
    for (let n = 0; n < 230; n += 1) await sandbox.refundInDashboard({ payment_id: pay, amount: 100 + n });
    await sandbox.refundInDashboard({ payment_id: other, amount: 7 });
    const amounts = async (body: object) => {
      const { json } = await call('POST', '/refunds/list', { payment_id: pay, ...body });
      const data = json.data as { amount: number }[];
      expect(json).toMatchObject({ total_count: 230, count: data.length });
      return data.map(({ amount }) => amount);
    };
    expect(await amounts({})).toEqual([329, 328, 327, 326, 325, 324, 323, 322, 321, 320]);
    expect(await amounts({ limit: 2, offset: 229 })).toEqual([100]);
    expect(await amounts({ limit: 2, offset: 500 })).toEqual([]);
    expect(await client.refundsOf(pay)).toMatchObject({ kind: 'found', value: { length: 230 } });
    expect(await client.refundsOf(other)).toMatchObject({ kind: 'found', value: [{ amount: 7n }] });
    expect((await call('POST', '/refunds/list', { limit: 101 })).json.error).toMatchObject({ code: 'IR_06' });
    const pending = await call('POST', '/refunds/list', { payment_id: pay, refund_status: ['pending'] });
    expect(pending.json).toMatchObject({ count: 0, total_count: 0 });
  });
});

describe('what the processor knows and Hyperswitch does not', () => {
  it('shows only to a read that asks it (force_sync), as the client’s do', async () => {
    const { sandbox, client, call, paid, createRefund } = await hyperswitchSandbox();
    const pay = await paid('order-1');
    await createRefund('refund-1', pay, 600n);
    const ref = hyperswitchRefundId('refund-1');
    await sandbox.moveRefund(ref, { to: 'succeeded', seen: false });
    await sandbox.movePayment(pay, { to: 'cancelled_post_capture', seen: false });
    expect((await call('GET', `/refunds/${ref}`)).json.status).toBe('pending');
    expect((await call('GET', `/payments/${pay}?force_sync=false`)).json.status).toBe('succeeded');
    expect(await client.readRefund(ref)).toMatchObject({ value: { status: 'succeeded' } });
    expect(await client.readPayment(pay)).toMatchObject({ value: { providerStatus: 'cancelled_post_capture' } });
    expect((await call('GET', `/refunds/${ref}?force_sync=yes`)).status).toBe(400);
  });

  it('never shows for a refund that is decided, as with the real one since its issue 13680', async () => {
    const { sandbox, client, paid, createRefund } = await hyperswitchSandbox();
    await createRefund('refund-1', await paid('order-1'), 600n);
    const ref = hyperswitchRefundId('refund-1');
    await sandbox.moveRefund(ref, { to: 'succeeded' });
    await sandbox.moveRefund(ref, { to: 'failed', seen: false });
    expect(await client.readRefund(ref)).toMatchObject({ value: { status: 'succeeded' } });
  });
});

describe('a request that the sandbox does not take', () => {
  it.each([
    ['no key', {}],
    ['another key', { 'api-key': 'other' }],
  ])('with %s gets 401 IR_01', async (_what, headers) => {
    const { sandbox } = await hyperswitchSandbox();
    for (const path of ['/payments/x', '/refunds/x', '/nowhere']) {
      const response = await fetch(sandbox.url + path, { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: 'IR_01' } });
    }
  });

  it.each([
    ['/payments', 'not json', 'IR_06'],
    ['/payments', { currency: 'USD' }, 'IR_04'],
    ['/payments', { amount: '100', currency: 'USD' }, 'IR_06'],
    ['/payments', { amount: 100, currency: 'usd' }, 'IR_06'],
    ['/payments', { amount: 100, currency: 'USD', payment_id: 'short' }, 'IR_06'],
    ['/refunds', {}, 'IR_04'],
    ['/refunds', { payment_id: PAY, amount: 0 }, 'IR_06'],
    ['/refunds', { payment_id: PAY, currency: 'USD' }, 'IR_06'],
    ['/refunds', { payment_id: PAY, refund_id: 'short' }, 'IR_06'],
    ['/refunds', { payment_id: PAY, refund_type: 'Instant' }, 'IR_06'],
    ['/refunds', { payment_id: PAY, reason: 'x'.repeat(256) }, 'IR_06'],
  ])('POST %s %j gets 400 %s and creates nothing', async (path, body, code) => {
    const { sandbox, call } = await hyperswitchSandbox();
    expect(await call('POST', path, body)).toMatchObject({ status: 400, json: { error: { code } } });
    expect(sandbox.ledger()).toMatchObject({ payments: [], refunds: [] });
  });

  it('to an unknown address gets 404 IR_02, and every answer names itself', async () => {
    const { call } = await hyperswitchSandbox();
    const { status, json, headers } = await call('GET', '/customers/x');
    expect({ status, json }).toMatchObject({ status: 404, json: { error: { code: 'IR_02' } } });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what happens by itself', () => {
  it('pays and refunds at once, so that the answer already says so', async () => {
    const auto = { pay: { to: 'succeeded', afterMs: 0 }, refund: { to: 'review', afterMs: 0 } } as const;
    const { createPayment, createRefund } = await hyperswitchSandbox({ auto });
    expect(await createPayment('order-1')).toMatchObject({ value: { status: 'succeeded', amountReceived: 6540n } });
    expect(await createRefund('refund-1', PAY, 600n)).toMatchObject({ value: { status: 'review' } });
  });

  it('pays and refunds a little later, unless it was moved meanwhile', async () => {
    const { sandbox, createPayment, paid, createRefund } = await hyperswitchSandbox();
    const pay = await paid('order-2');
    sandbox.setAuto({ pay: { to: 'succeeded', afterMs: 30 }, refund: { to: 'succeeded', afterMs: 30 } });
    expect(await createPayment('order-1')).toMatchObject({ value: { status: 'pending' } });
    await createPayment('order-3');
    await sandbox.movePayment(hyperswitchPaymentId('order-3'), { to: 'cancelled' });
    await createRefund('refund-1', pay, 600n);
    await expect
      .poll(() => sandbox.ledger().payments.map(({ status }) => status))
      .toEqual(['succeeded', 'succeeded', 'cancelled']);
    await expect.poll(() => sandbox.ledger().refunds).toMatchObject([{ status: 'succeeded' }]);
    expect(sandbox.ledger().totals).toEqual({ USD: { received: 13_080, refunded: 600 } });
  });
});

describe('the call log', () => {
  it('shows the Idempotency-Key of every call, though the sandbox does not go by it', async () => {
    const { sandbox, client, paid, createRefund } = await hyperswitchSandbox();
    const pay = await paid('order-1');
    await createRefund('refund-1', pay, 600n);
    await client.refundsOf(pay);
    expect(sandbox.calls().calls).toMatchObject([
      { endpoint: 'payments.create', id: pay, idempotencyKey: 'order-1' },
      { endpoint: 'refunds.create', id: hyperswitchRefundId('refund-1'), idempotencyKey: 'refund-1' },
      { endpoint: 'refunds.list', id: pay, idempotencyKey: null },
    ]);
    expect(sandbox.calls().totals).toMatchObject({
      byEndpoint: { 'payments.create': 1, 'refunds.create': 1, 'refunds.list': 1, 'payments.read': 0 },
      withoutKey: 0,
      idsWithDifferingBodies: 0,
      idsWithDifferingKeys: 0,
    });
  });

  it('shows broken promises: no key, another key, another body, two calls at once', async () => {
    const { sandbox, call, createPayment } = await hyperswitchSandbox();
    const body = { payment_id: PAY, amount: 6540, currency: 'USD' };
    sandbox.setFaults([{ kinds: ['slow'], ms: 40, times: 1 }]);
    await Promise.all([call('POST', '/payments', body), createPayment('order-1')]);
    expect(sandbox.calls().totals).toMatchObject({
      withoutKey: 1,
      idsWithDifferingBodies: 1,
      idsWithDifferingKeys: 1,
      overlaps: 1,
    });
    expect(sandbox.calls().created).toMatchObject([{ id: PAY, calls: 2, overlaps: 1 }]);
  });
});
