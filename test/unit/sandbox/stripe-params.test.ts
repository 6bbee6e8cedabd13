import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StripeSandbox } from '../../../sandbox/stripe/start.js';
import { startFundedStripe } from '../../support/marketplace/funded-stripe.js';
import { type StripeApi, stripeApi, transferOf } from '../../support/marketplace/stripe-api.js';

let sandbox: StripeSandbox;
let api: StripeApi;
let id: string;
beforeAll(async () => {
  sandbox = await startFundedStripe();
  api = stripeApi(sandbox.url);
  id = (await api.post('/v1/transfers', transferOf())).json.id;
});
afterAll(() => sandbox.close());

const manyKeys = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`metadata[k${index}]`, 'v']));

describe('a transfer with', () => {
  it.each([
    ['an unknown parameter', { colour: 'red' }, 'parameter_unknown', 'colour'],
    ['an unknown parameter in brackets', { 'colour[a]': 'red' }, 'parameter_unknown', 'colour'],
    ['an expansion', { 'expand[0]': 'destination' }, undefined, 'expand'],
    ['a fraction', { amount: '10.5' }, 'parameter_invalid_integer', 'amount'],
    ['an exponent', { amount: '1e3' }, 'parameter_invalid_integer', 'amount'],
    ['words for an amount', { amount: 'ten' }, 'parameter_invalid_integer', 'amount'],
    ['an empty amount', { amount: '' }, 'parameter_invalid_integer', 'amount'],
    ['an amount of zero', { amount: '0' }, 'parameter_invalid_integer', 'amount'],
    ['an amount below zero', { amount: '-5' }, 'parameter_invalid_integer', 'amount'],
    ['an amount of thirteen digits', { amount: '1000000000000' }, 'parameter_invalid_integer', 'amount'],
    ['a currency that is none', { currency: 'usdt' }, undefined, 'currency'],
    ['an empty destination', { destination: '' }, 'parameter_invalid_empty', 'destination'],
    ['a source type that is none', { source_type: 'gold' }, undefined, 'source_type'],
    ['metadata that is no object', { metadata: 'x' }, undefined, 'metadata'],
    ['a metadata key of 41 characters', { [`metadata[${'k'.repeat(41)}]`]: 'v' }, undefined, 'metadata'],
    ['a metadata value of 501 characters', { 'metadata[k]': 'v'.repeat(501) }, undefined, 'metadata[k]'],
    ['51 metadata keys', manyKeys, undefined, 'metadata'],
    ['a description of 5001 characters', { description: 'd'.repeat(5001) }, undefined, 'description'],
  ])('%s is refused and says which parameter', async (_what, params, code, param) => {
    const { status, json } = await api.post('/v1/transfers', transferOf(params));
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ type: 'invalid_request_error', message: expect.any(String), param });
    expect(json.error.code).toBe(code);
  });

  it.each(['amount', 'currency', 'destination'])('no %s is refused', async (name) => {
    const params: Record<string, string> = transferOf();
    delete params[name];
    const { status, json } = await api.post('/v1/transfers', params);
    expect([status, json.error.code, json.error.param]).toEqual([400, 'parameter_missing', name]);
  });

  it('a JSON body is refused, because v1 reads forms', async () => {
    const { status } = await api.post('/v1/transfers', transferOf(), {
      headers: { 'Content-Type': 'application/json' },
    });
    expect(status).toBe(400);
  });

  it('empty metadata is taken, and an empty value unsets its key', async () => {
    const none = await api.post('/v1/transfers', transferOf({ metadata: '' }));
    expect(none.json.metadata).toEqual({});
    const one = await api.post('/v1/transfers', transferOf({ 'metadata[a]': '1', 'metadata[b]': '' }));
    expect(one.json.metadata).toEqual({ a: '1' });
  });

  it('everything in the query instead of the body is taken', async () => {
    const { status } = await api.post(`/v1/transfers?${new URLSearchParams(transferOf()).toString()}`);
    expect(status).toBe(200);
  });
});

describe('a reversal with', () => {
  it.each([
    ['an unknown parameter', { currency: 'usd' }, 'parameter_unknown', 'currency'],
    ['an amount of zero', { amount: '0' }, 'parameter_invalid_integer', 'amount'],
    ['a flag that is none', { refund_application_fee: 'perhaps' }, undefined, 'refund_application_fee'],
  ])('%s is refused', async (_what, params, code, param) => {
    const { status, json } = await api.post(`/v1/transfers/${id}/reversals`, params);
    expect([status, json.error.code, json.error.param]).toEqual([400, code, param]);
  });
});

describe('a list with', () => {
  it.each([
    ['a metadata filter', { 'metadata[order_id]': 'o1' }, 'parameter_unknown', 'metadata'],
    ['a limit of 0', { limit: '0' }, 'parameter_invalid_integer', 'limit'],
    ['a limit of 101', { limit: '101' }, 'parameter_invalid_integer', 'limit'],
    ['a time that is none', { 'created[gte]': 'today' }, 'parameter_invalid_integer', 'created[gte]'],
    ['a bound that is none', { 'created[after]': '1' }, 'parameter_unknown', 'created[after]'],
    ['both cursors', { starting_after: 'tr_a', ending_before: 'tr_b' }, 'parameters_exclusive', 'ending_before'],
    ['a cursor that is none', { starting_after: 'tr_nothing' }, 'resource_missing', 'starting_after'],
  ])('%s is refused', async (_what, params, code, param) => {
    const { status, json } = await api.get('/v1/transfers', params);
    expect([status, json.error.code, json.error.param]).toEqual([400, code, param]);
  });
});

it.each([
  ['GET', '/v1/topups'],
  ['GET', '/'],
  ['DELETE', '/v1/transfers/tr_1'],
])('%s %s is a 404 in Stripe’s shape', async (method, path) => {
  const answer = await fetch(`${sandbox.url}${path}`, { method, headers: { Authorization: 'Bearer sk_test_sandbox' } });
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
});
