import { afterEach, describe, expect, it } from 'vitest';
import type { PaymentSent } from '../../../src/calls/marketplace/send-payment.js';
import { paymentKey } from '../../../src/domain/calls/idempotency-keys.js';
import type { PaymentId } from '../../../src/domain/ids.js';
import type { Payment } from '../../../src/domain/marketplace/marketplace.js';
import { PLAIN_TERMS } from '../../../src/domain/marketplace/payment-capture.js';
import type { MarketplaceRouteDependencies } from '../../../src/http/marketplace/marketplace-dependencies.js';
import type { NewPayment, NewPaymentOutcome } from '../../../src/ledger/marketplace/marketplace-types.js';
import { type Answered, TOKENS } from '../../support/api.js';
import { aPayment, ORDER_ID, PAYMENT_ID } from './marketplace-objects.js';
import { HYPERSWITCH, openShop, problemOf, type Shop } from './shop.js';

let shop: Shop;
afterEach(() => shop.close());

const SENT: PaymentSent = { kind: 'sent' };
const UNKNOWN: PaymentSent = { kind: 'unknown', detail: 'no answer within 20 s' };
const SECRET = 'pay_1_secret_canary';

/** An order's one payment, as the ledger would keep it, and a provider that answers as it is told. */
interface Till {
  payment: Payment | undefined;
  answer: PaymentSent;
  /** What the provider's answer makes of the payment. */
  becomes: Partial<Payment>;
  secret: string | null;
  readonly sent: PaymentId[];
  readonly asked: NewPayment[];
}

async function openTill(change: Partial<Till> = {}, routes: Partial<MarketplaceRouteDependencies> = {}): Promise<Till> {
  const till: Till = {
    payment: undefined,
    answer: SENT,
    becomes: { certainty: 'done' },
    secret: SECRET,
    sent: [],
    asked: [],
    ...change,
  };
  const { ledger: _ledger, ...others } = routes;
  shop = await openShop(({ tie }) => ({
    sendPayment: (id) => {
      till.sent.push(id);
      if (till.answer.kind !== 'unknown' && till.payment) till.payment = { ...till.payment, ...till.becomes };
      return Promise.resolve(till.answer);
    },
    ...others,
    ledger: {
      createPayment: (asked, request): Promise<NewPaymentOutcome> => {
        till.asked.push(asked);
        const known = till.payment;
        till.payment ??= aPayment({ orderId: asked.orderId });
        tie(request, till.payment.id);
        if (known?.status === 'failed' || known?.status === 'cancelled')
          return Promise.resolve({ kind: 'closed', payment: known });
        return Promise.resolve({ kind: known ? 'existing' : 'created', payment: till.payment });
      },
      findPayment: () => Promise.resolve(till.payment),
      clientSecret: () => Promise.resolve(till.secret),
    },
  }));
  return till;
}

const pay = (key: string, json: unknown = { order_id: ORDER_ID }): Promise<Answered> =>
  shop.send('/api/v1/payments', { token: TOKENS.service, json, headers: { 'Idempotency-Key': key } });

describe('POST /api/v1/payments', () => {
  it('answers 201 with all that the contract names, after one call to the provider', async () => {
    const till = await openTill();
    const { status, body } = await pay('a');
    expect([status, body]).toEqual([
      201,
      {
        id: PAYMENT_ID,
        order_id: ORDER_ID,
        status: 'pending',
        amount: 1_000,
        currency: 'USD',
        client_secret: SECRET,
      },
    ]);
    expect(till.sent).toEqual([PAYMENT_ID]);
    expect(shop.nudged).toEqual([{ kind: 'payment', id: PAYMENT_ID }]);
  });

  it('names the payment at the provider after its order, whoever asks', async () => {
    const till = await openTill();
    await pay('a');
    expect(till.asked[0]?.hyperswitchPaymentId).toBe(HYPERSWITCH.paymentIdFor(paymentKey(ORDER_ID)));
  });

  it('again under another key is 200, the same payment, and no second call', async () => {
    const till = await openTill();
    const [first, again] = [await pay('a'), await pay('b')];
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect(till.sent).toHaveLength(1);
  });

  it('again under the same key is the first answer, with the secret of now', async () => {
    const till = await openTill();
    const first = await pay('a');
    till.secret = null;
    const again = await pay('a');
    expect([again.status, again.body]).toEqual([201, { ...first.body, client_secret: null }]);
  });

  it('never keeps the secret with the answer, and never logs it', async () => {
    await openTill();
    await pay('a');
    expect(JSON.stringify([shop.kept(), shop.logged])).not.toContain(SECRET);
    expect(shop.kept()).toMatchObject([{ status: 201 }]);
  });

  it('of an order that is paid is 200 and has no secret any more', async () => {
    const till = await openTill({ payment: aPayment({ status: 'succeeded', certainty: 'done' }), secret: null });
    const { status, body } = await pay('a');
    expect([status, body.status, body.client_secret]).toEqual([200, 'succeeded', null]);
    expect(till.sent).toEqual([]);
  });

  it.each([
    ['x', 404, 'not_found'],
    ['', 400, 'invalid_request'],
    [7, 400, 'invalid_request'],
    [undefined, 400, 'invalid_request'],
  ])('with the order %j: %i %s, and nothing is made', async (order, ...expected) => {
    const till = await openTill();
    expect(problemOf(await pay('a', { order_id: order }))).toEqual(expected);
    expect([till.asked, till.sent]).toEqual([[], []]);
  });

  it('of an order that nobody knows is 404, and the key is free again', async () => {
    shop = await openShop();
    for (let turn = 0; turn < 2; turn += 1) expect(problemOf(await pay('a'))).toEqual([404, 'not_found']);
  });

  it('with anything beside the order is refused', async () => {
    const till = await openTill();
    const answer = await pay('a', { order_id: ORDER_ID, amount: 5 });
    expect([problemOf(answer), answer.body.errors[0].pointer]).toEqual([[400, 'invalid_request'], '/amount']);
    expect(till.asked).toEqual([]);
  });
});

describe('a payment whose outcome is unknown', () => {
  it('is 503 with Retry-After, and its workflow is started', async () => {
    await openTill({ answer: UNKNOWN });
    const answer = await pay('a');
    expect(problemOf(answer)).toEqual([503, 'payment_unknown']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.body.detail).toMatch(/no answer within 20 s.*never made twice/);
    expect(shop.nudged).toEqual([{ kind: 'payment', id: PAYMENT_ID }]);
  });

  it('goes on with the same request: read again, and made once', async () => {
    const till = await openTill({ answer: UNKNOWN });
    await pay('a');
    expect(problemOf(await pay('a'))).toEqual([503, 'payment_unknown']);
    till.answer = SENT;
    const answer = await pay('a');
    expect([answer.status, answer.body.id, answer.body.client_secret]).toEqual([201, PAYMENT_ID, SECRET]);
    expect(till.sent).toEqual([PAYMENT_ID, PAYMENT_ID, PAYMENT_ID]);
    expect((await pay('a')).status).toBe(201);
    expect(till.sent).toHaveLength(3);
  });

  it('is not called again once its workflow has found out', async () => {
    const till = await openTill({ answer: UNKNOWN });
    await pay('a');
    till.payment = aPayment({ status: 'processing', certainty: 'done' });
    const answer = await pay('a');
    expect([answer.status, answer.body.status, till.sent.length]).toEqual([201, 'processing', 1]);
  });

  it('may also be gone on with under another key', async () => {
    const till = await openTill({ answer: UNKNOWN });
    await pay('a');
    till.answer = SENT;
    expect((await pay('b')).status).toBe(200);
    expect(till.asked).toHaveLength(2);
  });

  it('is told as 503 of the ledger when the row cannot be read or written, and nudged all the same', async () => {
    await openTill({}, { sendPayment: () => Promise.reject(new Error('connection terminated')) });
    expect(problemOf(await pay('a'))).toEqual([503, 'ledger_unavailable']);
    expect(shop.nudged).toHaveLength(1);
  });
});

describe('a payment that is closed', () => {
  it.each(['failed', 'cancelled'] as const)('because it %s is 409, before any call', async (status) => {
    const till = await openTill({ payment: aPayment({ status, certainty: 'done' }) });
    expect(problemOf(await pay('a'))).toEqual([409, 'payment_closed']);
    expect(till.sent).toEqual([]);
  });

  it.each(['failed', 'cancelled'] as const)(
    'because the provider answered at once that it %s is 409',
    async (status) => {
      await openTill({ becomes: { status, certainty: 'done' } });
      expect(problemOf(await pay('a'))).toEqual([409, 'payment_closed']);
    },
  );

  it('because the provider refuses it is 409, with its words', async () => {
    await openTill({ answer: { kind: 'refused', detail: 'IR_06 amount too small' }, becomes: {} });
    const answer = await pay('a');
    expect([problemOf(answer), answer.body.detail]).toEqual([
      [409, 'payment_closed'],
      expect.stringContaining('IR_06 amount too small'),
    ]);
  });

  it('is not kept under the key: evidence that it succeeded after all is told', async () => {
    const till = await openTill({ payment: aPayment({ status: 'failed', certainty: 'done' }) });
    await pay('a');
    till.payment = aPayment({ status: 'succeeded', certainty: 'done' });
    expect((await pay('a')).body.status).toBe('succeeded');
  });
});

it('payments need Hyperswitch: without it 503, and nothing is stored', async () => {
  const till = await openTill({}, { hyperswitch: undefined });
  const answer = await pay('a');
  expect(problemOf(answer)).toEqual([503, 'not_configured']);
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect([till.asked, shop.kept()]).toEqual([[], []]);
});

describe('where payments are made at Stripe', () => {
  it('a payment has no name of ours there, and needs no Hyperswitch', async () => {
    const till = await openTill({}, { paymentProvider: 'stripe', paysByStripe: true, hyperswitch: undefined });
    expect((await pay('a')).status).toBe(201);
    expect(till.asked).toMatchObject([{ hyperswitchPaymentId: null }]);
  });

  it('the profile of Hyperswitch is none of theirs, and terms that only Hyperswitch takes are refused by their names', async () => {
    const till = await openTill(
      {},
      { paymentProvider: 'stripe', paysByStripe: true, hyperswitch: { ...HYPERSWITCH, profileId: 'pro_1' } },
    );
    await pay('a');
    expect(till.asked.map(({ terms }) => terms)).toEqual([PLAIN_TERMS]);
    await shop.close();
    shop = await openShop(() => ({
      paymentProvider: 'stripe',
      paysByStripe: true,
      ledger: { createPayment: () => Promise.resolve({ kind: 'not_made_so' }) },
    }));
    const answer = await pay('b', { order_id: ORDER_ID, capture: 'manual', profile_id: 'pro_1' });
    expect(problemOf(answer)).toEqual([400, 'invalid_request']);
    expect(answer.body['errors']).toEqual([{ pointer: '/profile_id', message: 'profiles are of Hyperswitch alone' }]);
  });

  it('without STRIPE_SECRET_KEY it is 503, whatever Hyperswitch could, and nothing is stored', async () => {
    const till = await openTill({}, { paymentProvider: 'stripe', paysByStripe: false });
    const answer = await pay('a');
    expect(problemOf(answer)).toEqual([503, 'not_configured']);
    expect(answer.body['detail']).toContain('STRIPE_SECRET_KEY');
    expect([till.asked, shop.kept()]).toEqual([[], []]);
  });
});
