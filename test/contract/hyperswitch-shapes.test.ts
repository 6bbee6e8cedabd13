import fc from 'fast-check';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DISPUTE_STAGES, DISPUTE_STATUSES } from '../../sandbox/hyperswitch/http/dispute-objects.js';
import { INTENT_STATUSES, REFUND_STATUSES } from '../../sandbox/hyperswitch/http/objects.js';
import { type HyperswitchSandbox, startHyperswitchSandbox } from '../../sandbox/hyperswitch/start.js';
import { PAYMENT_EVENTS, REFUND_EVENTS } from '../../sandbox/hyperswitch/webhooks/webhooks.js';
import { hyperswitchUnit } from '../../src/domain/marketplace/currencies.js';
import { hyperswitchPaymentId, hyperswitchRefundId } from '../../src/providers/hyperswitch/ids.js';
import { type Received, raw } from '../support/answering-server.js';
import { CONSTRAINTS, violations } from '../support/marketplace/hyperswitch-constraints.js';
import { answering } from '../support/marketplace/hyperswitch-server.js';

// Hyperswitch's API document is the independent source: nothing of ours wrote it.

/** The operation of the document that a request belongs to, with everything about it that the document does not allow. */
function judge({ method, path, headers, body }: Received): { operation: string; wrong: readonly string[] } {
  const url = new URL(path, 'http://host');
  const [, pattern, action = ''] =
    /^\/(payments|refunds|disputes)\/(?!list$)[^/]+(\/(?:capture|cancel))?$/.exec(url.pathname) ?? [];
  const operation = `${method} ${pattern ? `/${pattern}/{${pattern.slice(0, -1)}_id}${action}` : url.pathname}`;
  const known = CONSTRAINTS.operations[operation];
  if (known === undefined) return { operation, wrong: ['not in the document'] };
  const wrong = Array.from(url.searchParams.keys())
    .filter((name) => !(known.query && name in known.query) && !(`${operation} ${name}` in CONSTRAINTS.waived))
    .map((name) => `query ${name}`);
  if (!headers[CONSTRAINTS.header]) wrong.push('no key');
  if (known.request) wrong.push(...violations(JSON.parse(body), known.request));
  else if (body !== '') wrong.push('a body');
  return { operation, wrong };
}

const SINCE = new Date('2026-11-01T00:00:00Z');

describe('every request of the client', () => {
  const key = fc.uuid();
  const units = fc.bigInt({ min: 100n, max: BigInt(Number.MAX_SAFE_INTEGER) });
  const currency = fc.constantFrom(...(CONSTRAINTS.words.Currency ?? []));
  const text = (length: object) => fc.string({ unit: 'binary', ...length });
  const words = fc.oneof(text({}), text({ minLength: 250, maxLength: 300 }));
  const call = fc.record({
    key,
    other: key,
    units,
    currency,
    reason: words,
  });

  it('is one that the document allows, whatever is asked for', async () => {
    const { client, received } = await answering(raw(503, 'text/plain', ''));
    await fc.assert(
      fc.asyncProperty(call, async ({ key: id, other, units: theirs, currency: code, reason }) => {
        received.length = 0;
        const amount = theirs * hyperswitchUnit(code);
        const pay = hyperswitchPaymentId(other);
        await client.createPayment(id, { amount, currency: code, metadata: { order_id: id, payment_id: other } });
        await client.createPayment(id, {
          amount,
          currency: code,
          metadata: { cart: '7', order_id: id, payment_id: other },
          captureMethod: 'manual_multiple',
          profileId: 'pro_other',
          customer: { id: 'cus_42', name: 'Ada', email: 'ada@example.com' },
          returnUrl: 'https://shop.example/thanks',
        });
        await client.capturePayment(id, { hyperswitchPaymentId: pay, amount, currency: code });
        await client.cancelPayment(id, pay);
        await client.createRefund(id, {
          hyperswitchPaymentId: pay,
          amount,
          currency: code,
          reason,
          metadata: { order_id: other, refund_id: id },
        });
        await client.readPayment(pay);
        await client.readRefund(hyperswitchRefundId(id));
        await client.refundsOf(pay);
        await client.paymentsSince({ createdSince: SINCE, startingAfter: pay });
        await client.refundsSince({ createdSince: SINCE, startingAfter: '100' });
        const judged = received.map(judge);
        expect(judged.map(({ operation }) => operation)).toEqual([
          'POST /payments',
          'POST /payments',
          'POST /payments/{payment_id}/capture',
          'POST /payments/{payment_id}/cancel',
          'POST /refunds',
          'GET /payments/{payment_id}',
          'GET /refunds/{refund_id}',
          'POST /refunds/list',
          'GET /payments/list',
          'POST /refunds/list',
        ]);
        expect(judged.flatMap(({ wrong }) => wrong)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('every answer of the sandbox', () => {
  let sandbox: HyperswitchSandbox;
  beforeEach(async () => {
    sandbox = await startHyperswitchSandbox();
    onTestFinished(() => sandbox.close());
  });

  const call = async (operation: string, path: string, body?: unknown) => {
    const response = await fetch(sandbox.url + path, {
      method: operation.split(' ')[0],
      headers: { 'api-key': sandbox.apiKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    const name = CONSTRAINTS.operations[operation]?.answers[response.status];
    expect({ status: response.status, named: name !== undefined, answer }).toMatchObject({ status: 200, named: true });
    return { answer, wrong: violations(answer, name ?? '') };
  };
  const pay = async (more: object = {}) => {
    const created = await call('POST /payments', '/payments', { amount: 6540, currency: 'USD', ...more });
    expect(created.wrong).toEqual([]);
    return String(created.answer.payment_id);
  };

  it.each(INTENT_STATUSES)('about a payment that is %s has the shape of the document', async (to) => {
    const id = await pay({ metadata: { order_id: 'o' }, capture_method: 'manual' });
    await sandbox.movePayment(id, { to });
    const { answer, wrong } = await call('GET /payments/{payment_id}', `/payments/${id}?force_sync=true`);
    expect(answer.status).toBe(to);
    expect(wrong).toEqual([]);
  });

  it.each([
    ['manual', 6540, 'succeeded'],
    ['manual', 6000, 'partially_captured'],
    ['manual_multiple', 6000, 'partially_captured_and_capturable'],
  ])('about a capture has the shape of the document: %s, %s', async (method, amount, status) => {
    const id = await pay({ capture_method: method, customer: { id: 'cus_42' }, return_url: 'https://shop.example' });
    await sandbox.movePayment(id, { to: 'requires_capture' });
    const request = { amount_to_capture: amount };
    const { answer, wrong } = await call('POST /payments/{payment_id}/capture', `/payments/${id}/capture`, request);
    expect(answer).toMatchObject({ status, amount_received: amount, customer_id: 'cus_42' });
    expect(wrong).toEqual([]);
  });

  it('about a cancel has the shape of the document', async () => {
    const id = await pay({ capture_method: 'manual' });
    await sandbox.movePayment(id, { to: 'requires_capture' });
    const { answer, wrong } = await call('POST /payments/{payment_id}/cancel', `/payments/${id}/cancel`, {});
    expect([answer.status, wrong]).toEqual(['cancelled', []]);
  });

  it.each(REFUND_STATUSES)('about a refund that is %s has the shape of the document', async (to) => {
    const id = await pay();
    await sandbox.movePayment(id, { to: 'succeeded' });
    const request = { payment_id: id, amount: 600, refund_type: 'instant', metadata: { refund_id: 'r' } };
    const created = await call('POST /refunds', '/refunds', request);
    expect(created.wrong).toEqual([]);
    await sandbox.moveRefund(String(created.answer.refund_id), { to });
    await sandbox.refundInDashboard({ payment_id: id, amount: 100 });
    const read = await call('GET /refunds/{refund_id}', `/refunds/${String(created.answer.refund_id)}`);
    expect(read.answer.status).toBe(to);
    const listed = await call('POST /refunds/list', '/refunds/list', { payment_id: id });
    expect(listed.answer).toMatchObject({ count: 2, total_count: 2 });
    const withRefunds = await call('GET /payments/{payment_id}', `/payments/${id}`);
    expect(withRefunds.answer.refunds).toHaveLength(2);
    const all = await call('GET /payments/list', '/payments/list?limit=100&created.gte=2026-11-01T00:00:00Z');
    expect(all.answer).toMatchObject({ size: 1, data: [{ payment_id: id }] });
    expect([...read.wrong, ...listed.wrong, ...withRefunds.wrong, ...all.wrong]).toEqual([]);
  });

  it.each(DISPUTE_STATUSES)('about a dispute that is %s has the shape of the document', async (status) => {
    const id = await pay();
    await sandbox.movePayment(id, { to: 'succeeded' });
    for (const stage of DISPUTE_STAGES) await sandbox.openDispute({ payment_id: id, amount: 600, stage, status });
    await sandbox.openDispute({ payment_id: id });
    const listed = await call('GET /disputes/list', '/disputes/list?limit=100');
    const disputes = listed.answer as unknown as { dispute_id: string; dispute_stage: string; amount: string }[];
    expect(disputes.map(({ dispute_stage: stage }) => stage).sort()).toEqual([...DISPUTE_STAGES, 'dispute'].sort());
    const read = await call('GET /disputes/{dispute_id}', `/disputes/${disputes.at(-1)?.dispute_id}`);
    expect(read.answer).toMatchObject({ payment_id: id, connector: 'stripe' });
    const payment = await call('GET /payments/{payment_id}', `/payments/${id}`);
    expect(payment.answer.disputes).toHaveLength(6);
    expect([...listed.wrong, ...read.wrong, ...payment.wrong]).toEqual([]);
  });

  it('knows the same words as the document, no more and no fewer', () => {
    expect(Array.from(DISPUTE_STATUSES).sort()).toEqual(CONSTRAINTS.words.DisputeStatus?.toSorted());
    expect(Array.from(DISPUTE_STAGES).sort()).toEqual(CONSTRAINTS.words.DisputeStage?.toSorted());
    expect(Array.from(INTENT_STATUSES).sort()).toEqual(CONSTRAINTS.words.IntentStatus?.toSorted());
    expect(Array.from(REFUND_STATUSES).sort()).toEqual(CONSTRAINTS.words.RefundStatus?.toSorted());
  });
});

it('calls every event of the sandbox as the document does', () => {
  const told = [...Object.values(PAYMENT_EVENTS), ...Object.values(REFUND_EVENTS), ...DISPUTE_STATUSES];
  expect(CONSTRAINTS.words.EventType).toEqual(expect.arrayContaining(told.filter((type) => type !== null)));
});

describe('the judge of shapes', () => {
  const good = { refund_id: 'r'.repeat(30), payment_id: 'p'.repeat(30), amount: 100, refund_type: 'instant' };

  it.each([
    ['a missing member', { ...good, payment_id: undefined }, 'payment_id: missing'],
    ['a member too many', { ...good, currency: 'USD' }, 'currency: not allowed'],
    ['a word of its own', { ...good, refund_type: 'Instant' }, 'refund_type: no word of RefundType'],
    ['text where a number belongs', { ...good, amount: '100' }, 'amount: not of type integer'],
    ['a fraction', { ...good, amount: 100.5 }, 'amount: not of type integer'],
    ['less than the least', { ...good, amount: 99 }, 'amount: min'],
    ['too short an id', { ...good, refund_id: 'r' }, 'refund_id: minLength'],
    ['too long a reason', { ...good, reason: 'x'.repeat(256) }, 'reason: maxLength'],
    ['null where nothing may be null', { ...good, payment_id: null }, 'payment_id: null'],
    ['too long a metadata value', { ...good, metadata: { a: 'x'.repeat(501) } }, 'metadata: maxValueLength'],
  ])('sees %s', (_what, request, problem) => {
    expect(violations(good, 'RefundRequest')).toEqual([]);
    expect(violations(JSON.parse(JSON.stringify(request)), 'RefundRequest')).toEqual([`RefundRequest.${problem}`]);
  });

  it('sees an answer that is no list, and what is wrong in one that is', () => {
    expect(violations({}, 'DisputeResponse[]')).toEqual(['DisputeResponse[]: not a list']);
    expect(violations([{ amount: 5 }], 'DisputeResponse[]')).toContain('DisputeResponse[0].amount: not of type string');
  });

  it('sees what is wrong inside a list, and what nobody has looked up', () => {
    const page = { count: 1, total_count: 1, data: [{ refund_id: 'r' }], pages: 1 };
    expect(violations(page, 'RefundListResponse')).toContain('RefundListResponse.data[0].status: missing');
    expect(violations(page, 'RefundListResponse')).toContain('RefundListResponse.pages: not looked up');
  });
});
