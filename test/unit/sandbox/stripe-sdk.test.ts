import { Stripe } from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { startFundedStripe } from '../../support/marketplace/funded-stripe.js';
import { SELLER, transferOf } from '../../support/marketplace/stripe-api.js';

// Stripe's own library is the independent reader: what it makes of the answers is what every user of it will see.

let sandbox: StripeSandbox;
let stripe: Stripe;
beforeEach(async () => {
  sandbox = await startFundedStripe();
  stripe = new Stripe('sk_test_sandbox', {
    host: '127.0.0.1',
    port: sandbox.port,
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: 2_000,
  });
});
afterEach(() => sandbox.close());

const params = { ...transferOf(), amount: 1000, transfer_group: 'o1', metadata: { order_id: 'o1' } };
const create = (idempotencyKey: string) => stripe.transfers.create(params, { idempotencyKey });
const errorOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: Stripe.errors.StripeError) => error,
  );

describe('with the library of Stripe', () => {
  it('a transfer and its reversals come and go', async () => {
    const made = await create('k1');
    expect(made.metadata).toEqual({ order_id: 'o1' });
    const reversal = await stripe.transfers.createReversal(
      made.id,
      { amount: 400, metadata: { refund_id: 'r1' } },
      { idempotencyKey: 'r1' },
    );
    const read = await stripe.transfers.retrieve(made.id);
    expect(read).toMatchObject({ amount_reversed: 400, reversals: { data: [{ id: reversal.id }] } });
    expect((await stripe.transfers.retrieveReversal(made.id, reversal.id)).metadata).toEqual({ refund_id: 'r1' });
    expect((await stripe.transfers.listReversals(made.id, { limit: 100 })).data.length).toBe(1);
  });

  it('a replay is known by its header, and every answer by its request id', async () => {
    const first = await create('k1');
    const again = await create('k1');
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(again.lastResponse.requestId).toMatch(/^req_/);
  });

  it('all pages are walked through by destination, group and time', async () => {
    await sandbox.seed({
      transfers: Array.from({ length: 250 }, (_, index) => ({
        destination: index % 2 === 0 ? SELLER : 'acct_1Other',
        amount: 1 + index,
        created: 1_700_000_000 + index,
      })),
    });
    const seen: number[] = [];
    for await (const each of stripe.transfers.list({
      destination: SELLER,
      created: { gte: 1_700_000_010 },
      limit: 100,
    })) {
      seen.push(each.amount);
    }
    expect(seen.length).toBe(120);
    expect(seen).toEqual(seen.toSorted((left, right) => right - left));
  });

  it('accounts, balances and payouts are read', async () => {
    expect((await stripe.accounts.retrieveCurrent()).id).toBe(sandbox.platformAccount);
    expect((await stripe.accounts.retrieve(SELLER)).id).toBe(SELLER);
    await create('k1');
    const balance = await stripe.balance.retrieve({}, { stripeAccount: SELLER });
    expect(balance.available).toMatchObject([{ amount: 1000, currency: 'usd' }]);
    const { id } = await sandbox.createPayout({ account: SELLER, amount: 5, currency: 'usd', status: 'paid' });
    expect((await stripe.payouts.retrieve(id, {}, { stripeAccount: SELLER })).status).toBe('paid');
  });

  it.each([
    ['rate_limited', 'StripeRateLimitError', 429, 'rate_limit'],
    ['lock_timeout', 'StripeRateLimitError', 429, 'lock_timeout'],
    ['key_in_use', 'StripeAPIError', 409, 'idempotency_key_in_use'],
    ['http_401', 'StripeAuthenticationError', 401, 'api_key_expired'],
    ['http_403', 'StripePermissionError', 403, 'account_invalid'],
    ['refused', 'StripeInvalidRequestError', 400, undefined],
    ['server_error', 'StripeAPIError', 500, undefined],
    ['truncated_json', 'StripeAPIError', undefined, undefined],
    ['html_502', 'StripeAPIError', undefined, undefined],
    ['hang_after_commit', 'StripeConnectionError', undefined, undefined],
  ] as const)('%s is a %s', async (kind, type, statusCode, code) => {
    sandbox.setFaults([{ kinds: [kind], ms: 50 }]);
    expect(await errorOf(create('k1'))).toMatchObject({ type, statusCode, code });
  });

  it('refusals are what the library makes of Stripe’s own', async () => {
    const { id } = await create('k1');
    const other = await errorOf(stripe.transfers.create({ ...params, amount: 5 }, { idempotencyKey: 'k1' }));
    expect(other).toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
    await sandbox.setBalance({ account: SELLER, currency: 'usd', available: 0 });
    const short = await errorOf(stripe.transfers.createReversal(id, {}, { idempotencyKey: 'r1' }));
    expect(short).toMatchObject({ type: 'StripeInvalidRequestError', code: 'balance_insufficient' });
    const gone = await errorOf(stripe.transfers.retrieve('tr_nothing'));
    expect(gone).toMatchObject({ type: 'StripeInvalidRequestError', code: 'resource_missing', statusCode: 404 });
  });

  it('a reset connection is one transfer, though the library sends twice', async () => {
    sandbox.setFaults([{ kinds: ['reset_after_commit'], times: 1 }]);
    await create('k1');
    expect(sandbox.ledger().transfers.length).toBe(1);
    expect(sandbox.calls().totals.calls).toBe(2);
  });
});
