import { afterAll, describe, expect, it } from 'vitest';
import type { IntentParams, StripeRefundParams } from '../../src/domain/calls/made-at-stripe.js';
import type { ReversalParams, TransferParams } from '../../src/domain/calls/provider-answers.js';
import { createStripe, type StripeCalls } from '../../src/providers/stripe/client.js';
import { shapeOf, startRecordedStripeMock } from '../support/marketplace/recorded-stripe-mock.js';

// Stripe's own stripe-mock is the independent source: it judges our requests by Stripe's published description.

const oracle = await startRecordedStripeMock();
afterAll(() => oracle.close());

/** The one transfer that reversals of stripe-mock's examples belong to. */
const EXAMPLE = 'tr_1Pgc7BB7WZ01zgkWVJfE40RX';
const TRANSFER: TransferParams = {
  amount: 600,
  currency: 'usd',
  destination: 'acct_1PgafTB7WZ01zgkW',
  transfer_group: '0199c0de-0000-7000-8000-000000000001',
  metadata: {
    order_id: '0199c0de-0000-7000-8000-000000000001',
    seller_transfer_id: '0199c0de-0000-7000-8000-000000000002',
    generation: '1',
  },
};
const REVERSAL: ReversalParams = {
  amount: 200,
  metadata: {
    operation_id: '0199c0de-0000-8000-8000-000000000003',
    refund_id: '0199c0de-0000-7000-8000-000000000004',
    order_id: '0199c0de-0000-7000-8000-000000000001',
    generation: '2',
    reason: 'too small & "damaged", 3 × returned',
  },
};

/** The key of a payment is its order. */
const ORDER = '0199c0de-0000-7000-8000-000000000001';
const MARK = '0199c0de-0000-7000-8000-000000000005';
const INTENT: IntentParams = {
  amount: 1_000,
  currency: 'usd',
  capture_method: 'automatic',
  transfer_group: ORDER,
  metadata: { order_id: ORDER, payment_id: MARK, generation: '1' },
};
const PAYMENT = 'pi_1PgafyB7WZ01zgkWtXsVSlC7';
const GIVEN_BACK: StripeRefundParams = {
  payment_intent: PAYMENT,
  amount: 300,
  metadata: { refund_id: '0199c0de-0000-7000-8000-000000000004', generation: '1' },
};
/** The example bears no mark. */
const marked = (body: Record<string, unknown>) => ({
  ...body,
  data: (body['data'] as object[]).map((item) => ({ ...item, metadata: { payment_id: MARK } })),
});
/** That of stripe-mock's disputes and refunds. */
const CHARGE = 'ch_1PgafuB7WZ01zgkWXYmPNZs8';
const PAGE = { createdSince: new Date('2026-11-01T00:00:00Z'), startingAfter: 'xx_last' };

/** @param each what of an item the examples do not show */
const altering = (each: (item: Record<string, unknown>) => object) => (list: Record<string, unknown>) => ({
  ...list,
  data: (list['data'] as Record<string, unknown>[]).map((item) => ({ ...item, ...each(item) })),
});
/** The examples are of a charge that no PaymentIntent made. */
const ofThePayment = altering(() => ({ payment_intent: PAYMENT }));
/** The example is of an application fee. */
const aboutAReversal = altering(({ amount, currency, created }) => ({
  source: { object: 'transfer_reversal', id: 'trr_1', amount, currency, created, transfer: EXAMPLE, metadata: {} },
}));
/** So that the source is the payment that a transfer is in the seller's account. */
const ofATransfer = altering(() => ({
  type: 'payment',
  source: { object: 'charge', id: 'py_1', source_transfer: EXAMPLE },
}));

interface Case {
  readonly call: (calls: StripeCalls) => Promise<{ readonly kind: string }>;
  readonly answer: Record<string, unknown>;
  readonly requests: readonly string[];
  /** What stripe-mock's examples do not show. */
  readonly alter?: (body: Record<string, unknown>) => unknown;
}

const CASES: Readonly<Record<string, Case>> = {
  'a transfer is made': {
    call: (calls) => calls.createTransfer('0199c0de-0000-7000-8000-000000000002', TRANSFER),
    answer: { kind: 'done', value: { amount: 600n, currency: 'USD', destination: TRANSFER.destination } },
    requests: ['POST /v1/transfers'],
  },
  'a transfer is reversed in part': {
    call: (calls) => calls.reverseTransfer('0199c0de-0000-8000-8000-000000000003:g2', EXAMPLE, REVERSAL),
    answer: { kind: 'done', value: { amount: 200n, currency: 'USD', stripeTransferId: EXAMPLE, state: 'done' } },
    requests: [`POST /v1/transfers/${EXAMPLE}/reversals`],
  },
  'a transfer is read': {
    call: (calls) => calls.readTransfer(EXAMPLE),
    answer: { kind: 'found', value: { transfer: { stripeTransferId: EXAMPLE, amount: 1100n } } },
    requests: [`GET /v1/transfers/${EXAMPLE}`],
  },
  'all reversals of a transfer are read': {
    call: (calls) => calls.readTransfer(EXAMPLE),
    answer: { kind: 'found', value: { reversals: [{ stripeTransferId: EXAMPLE, amount: 1100n }] } },
    requests: [`GET /v1/transfers/${EXAMPLE}`, `GET /v1/transfers/${EXAMPLE}/reversals?limit=100`],
    alter: (body) => (body['object'] === 'transfer' ? withMoreReversals(body) : body),
  },
  'the transfers to a seller are read': {
    call: (calls) => calls.transfersTo(TRANSFER.destination, new Date(1_700_000_000_000)),
    answer: { kind: 'found', value: [{ stripeTransferId: EXAMPLE }] },
    requests: [`GET /v1/transfers?destination=${TRANSFER.destination}&created[gte]=1700000000&limit=100`],
  },
  'a page of a seller’s transfers is read': {
    call: (calls) =>
      calls.listTransfers({
        destination: TRANSFER.destination,
        createdSince: new Date('2026-11-01T00:00:00Z'),
        startingAfter: 'tr_last',
        limit: 50,
      }),
    answer: { kind: 'found', value: { hasMore: false, transfers: [{ stripeTransferId: EXAMPLE }] } },
    requests: [
      `GET /v1/transfers?destination=${TRANSFER.destination}&limit=50&created[gte]=1793491200&starting_after=tr_last`,
    ],
  },
  'the account and its mode are read': {
    call: (calls) => calls.readAccount(),
    answer: { kind: 'found', value: { accountId: expect.stringMatching(/^acct_/), livemode: false } },
    requests: ['GET /v1/account', 'GET /v1/balance'],
  },
  'the balance of a seller is read': {
    call: (calls) => calls.readBalance(TRANSFER.destination),
    answer: { kind: 'found', value: new Map([['USD', 0n]]) },
    requests: ['GET /v1/balance'],
  },
  'what is available to ourselves is read': {
    call: (calls) => calls.readPlatformBalance(),
    answer: { kind: 'found', value: new Map([['USD', 0n]]) },
    requests: ['GET /v1/balance'],
  },
  'whether a seller may receive is read': {
    call: (calls) => calls.readSeller(TRANSFER.destination),
    answer: { kind: 'found', value: { sellerAccount: TRANSFER.destination } },
    requests: [`GET /v1/accounts/${TRANSFER.destination}`],
  },
  'the charge of a payment is read': {
    call: (calls) => calls.readLatestCharge(PAYMENT),
    answer: { kind: 'found', value: { chargeId: null } },
    requests: [`GET /v1/payment_intents/${PAYMENT}`],
  },
  'a payment that another checkout took is read': {
    call: (calls) => calls.readPayment(PAYMENT),
    answer: { kind: 'found', value: { name: PAYMENT, currency: 'USD', captured: 0n } },
    requests: [`GET /v1/payment_intents/${PAYMENT}`],
  },
  'a payment is made': {
    call: (calls) => calls.createIntent(ORDER, INTENT),
    answer: { kind: 'done', value: { mark: MARK, amount: 1_000n, currency: 'USD', status: 'pending' } },
    requests: ['POST /v1/payment_intents'],
    alter: (body) => ({ ...body, metadata: INTENT.metadata }),
  },
  'a payment that is made from here is read': {
    call: (calls) => calls.readIntent(PAYMENT),
    answer: { kind: 'found', value: { stripePaymentId: PAYMENT, amountReceived: 0n, status: 'pending' } },
    requests: [`GET /v1/payment_intents/${PAYMENT}`],
  },
  'a payment is found by our mark': {
    call: (calls) => calls.findIntent(MARK),
    answer: { kind: 'found', value: { mark: MARK } },
    requests: [`GET /v1/payment_intents/search?query=metadata[%22payment_id%22]%3A%22${MARK}%22&limit=100`],
    alter: marked,
  },
  'a payment is cancelled': {
    call: (calls) => calls.cancelIntent(`${ORDER}:cancel:1`, PAYMENT),
    answer: { kind: 'done', value: { stripePaymentId: PAYMENT } },
    requests: [`POST /v1/payment_intents/${PAYMENT}/cancel`],
  },
  'a payment of a customer, to be captured by hand, is made': {
    call: (calls) =>
      calls.createIntent(ORDER, {
        ...INTENT,
        capture_method: 'manual',
        customer: 'cus_42',
        metadata: { basket: '7', ...INTENT.metadata },
      }),
    answer: { kind: 'done', value: { mark: MARK, amount: 1_000n } },
    requests: ['POST /v1/payment_intents'],
    alter: (body) => ({ ...body, metadata: INTENT.metadata }),
  },
  'a payment is captured in part': {
    call: (calls) => calls.captureIntent('0199c0de-0000-7000-8000-000000000006', PAYMENT, 300),
    answer: { kind: 'done', value: { stripePaymentId: PAYMENT } },
    requests: [`POST /v1/payment_intents/${PAYMENT}/capture`],
  },
  'a refund is made': {
    call: (calls) => calls.createRefund(GIVEN_BACK.metadata.refund_id, GIVEN_BACK),
    answer: { kind: 'done', value: { mark: GIVEN_BACK.metadata.refund_id, amount: 300n, paymentIntent: PAYMENT } },
    requests: ['POST /v1/refunds'],
    alter: (body) => ({ ...body, payment_intent: PAYMENT, metadata: GIVEN_BACK.metadata }),
  },
  'a payment that no PaymentIntent made is read by its charge': {
    call: (calls) => calls.readPayment(CHARGE),
    answer: { kind: 'found', value: { name: CHARGE, currency: 'USD', captured: 0n } },
    requests: [`GET /v1/charges/${CHARGE}`],
  },
  'the transfers of a payment are read': {
    call: (calls) => calls.transfersInGroup('group_pi_1'),
    answer: { kind: 'found', value: [{ stripeTransferId: EXAMPLE }] },
    requests: ['GET /v1/transfers?transfer_group=group_pi_1&limit=100'],
  },
  'a charge is read': {
    call: (calls) => calls.readCharge(CHARGE),
    answer: { kind: 'found', value: { chargeId: CHARGE } },
    requests: [`GET /v1/charges/${CHARGE}`],
  },
  'in which balance a charge’s money is, is read': {
    call: (calls) => calls.readBalanceMovement('txn_1PgafTB7WZ01zgkWfN9ZEmXa'),
    answer: { kind: 'found', value: { amount: 100n, currency: 'USD', exchangeRate: null } },
    requests: ['GET /v1/balance_transactions/txn_1PgafTB7WZ01zgkWfN9ZEmXa'],
  },
  'what a refund of a transfer did to the balance of its seller is read': {
    call: (calls) => calls.movementOf('acct_1PgafTB7WZ01zgkW', 'pyr_1PgafTB7WZ01zgkW'),
    answer: { kind: 'found', value: { amount: 100n, currency: 'USD' } },
    requests: ['GET /v1/balance_transactions?source=pyr_1PgafTB7WZ01zgkW&limit=1'],
  },
  'a dispute is read': {
    call: (calls) => calls.readDispute('dp_1PgafTB7WZ01zgkWnrTZ3YXg'),
    answer: { kind: 'found', value: { stripeDisputeId: 'dp_1PgafTB7WZ01zgkWnrTZ3YXg' } },
    requests: ['GET /v1/disputes/dp_1PgafTB7WZ01zgkWnrTZ3YXg'],
  },
  'the disputes of a payment are read': {
    call: (calls) => calls.disputesOf(PAYMENT),
    answer: { kind: 'found', value: [{ paymentIntent: PAYMENT, charge: CHARGE }] },
    requests: [`GET /v1/disputes?payment_intent=${PAYMENT}&limit=100`],
    alter: ofThePayment,
  },
  'the disputes of a charge are read': {
    call: (calls) => calls.disputesOf(CHARGE),
    answer: { kind: 'found', value: [{ charge: CHARGE }] },
    requests: [`GET /v1/disputes?charge=${CHARGE}&limit=100`],
  },
  'the refunds of a payment are read': {
    call: (calls) => calls.refundsOf(PAYMENT),
    answer: { kind: 'found', value: [{ paymentIntent: PAYMENT, charge: CHARGE }] },
    requests: [`GET /v1/refunds?payment_intent=${PAYMENT}&limit=100`],
    alter: ofThePayment,
  },
  'the transfers of the account are listed': {
    call: (calls) => calls.transfersSince(PAGE),
    answer: { kind: 'found', value: { items: [{ stripeTransferId: EXAMPLE }] } },
    requests: ['GET /v1/transfers?created[gte]=1793491200&limit=100&starting_after=xx_last'],
  },
  'the reversals of the account are listed': {
    call: (calls) => calls.reversalsSince(PAGE),
    answer: { kind: 'found', value: { items: [{ stripeTransferId: EXAMPLE, amount: 100n }] } },
    requests: [
      'GET /v1/balance_transactions?created[gte]=1793491200&limit=100&starting_after=xx_last&type=transfer_refund&expand[0]=data.source',
    ],
    alter: aboutAReversal,
  },
  'the disputes of the account are listed': {
    call: (calls) => calls.disputesSince(PAGE),
    answer: { kind: 'found', value: { items: [{ charge: CHARGE }] } },
    requests: ['GET /v1/disputes?created[gte]=1793491200&limit=100&starting_after=xx_last'],
  },
  'the payments of the account are listed': {
    call: (calls) => calls.paymentsSince(PAGE),
    answer: { kind: 'found', value: { items: [{ amount: 1099n, captured: 0n, currency: 'USD' }] } },
    requests: ['GET /v1/payment_intents?created[gte]=1793491200&limit=100&starting_after=xx_last'],
  },
  'the refunds of the account are listed': {
    call: (calls) => calls.refundsSince(PAGE),
    answer: { kind: 'found', value: { items: [{ amount: 100n, status: 'succeeded' }] } },
    requests: ['GET /v1/refunds?created[gte]=1793491200&limit=100&starting_after=xx_last'],
  },
  'a payout of a seller is read': {
    call: (calls) => calls.readPayout('po_1', TRANSFER.destination),
    answer: { kind: 'found', value: { externalPayoutId: 'po_1', amount: 1100n, status: 'in_transit' } },
    requests: ['GET /v1/payouts/po_1'],
  },
  'what a payout of a seller contains is listed': {
    call: (calls) => calls.payoutContents('po_1', TRANSFER.destination, 'txn_last'),
    answer: {
      kind: 'found',
      value: { transfers: [{ stripeTransferId: EXAMPLE, currency: 'USD' }], others: 0, next: null },
    },
    requests: [
      'GET /v1/balance_transactions?payout=po_1&type=payment&expand[0]=data.source&limit=100&starting_after=txn_last',
    ],
    alter: ofATransfer,
  },
};

const withMoreReversals = (transfer: Record<string, unknown>) => ({
  ...transfer,
  reversals: { ...Object(transfer['reversals']), has_more: true },
});

const calls = createStripe({
  secretKey: 'sk_test_123',
  apiBase: oracle.url,
  takeToken: async () => () => undefined,
}).inLane('acct_1PgafTB7WZ01zgkW');

describe(`judged by ${oracle.witness === 'recording' ? 'what stripe-mock answered when it was recorded' : 'stripe-mock'}`, () => {
  it.each(Object.entries(CASES))('%s by requests that Stripe’s description admits', async (name, one) => {
    const { result, exchanges, recorded } = await oracle.during(name, () => one.call(calls), one.alter);
    expect(exchanges.map(({ request }) => `${request.method} ${request.path}`)).toEqual(one.requests);
    expect(exchanges.map(({ answer }) => answer.status)).toEqual(one.requests.map(() => 200));
    expect(result).toMatchObject(one.answer);
    // Byte for byte what was recorded, so that both witnesses judge the same requests.
    expect(exchanges.map(({ request }) => request)).toEqual(recorded.map(({ request }) => request));
    expect(exchanges.map(({ answer }) => shapeOf(answer.body))).toEqual(
      recorded.map(({ answer }) => shapeOf(answer.body)),
    );
  });

  it.each([
    [
      'a parameter that Stripe does not know',
      'POST',
      '/v1/transfers',
      'amount=1&currency=usd&destination=acct_1&why=x',
    ],
    ['a transfer to nobody', 'POST', '/v1/transfers', 'amount=1&currency=usd'],
    ['an amount in words', 'POST', `/v1/transfers/${EXAMPLE}/reversals`, 'amount=all'],
    ['a search by metadata', 'GET', '/v1/transfers?metadata[order_id]=1', ''],
  ])('%s is refused: the judge is awake', async (name, method, path, body) => {
    const headers = { authorization: 'Bearer sk_test_123', 'content-type': 'application/x-www-form-urlencoded' };
    const { result, exchanges, recorded } = await oracle.during(name, async () => {
      const answer = await fetch(oracle.url + path, { method, headers, ...(method === 'POST' && { body }) });
      return { status: answer.status, body: await answer.json() };
    });
    expect(result).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } });
    expect(exchanges.map(({ request }) => request)).toEqual(recorded.map(({ request }) => request));
  });
});
