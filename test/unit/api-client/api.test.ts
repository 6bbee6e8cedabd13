import { expect, expectTypeOf, it } from 'vitest';
import { type Answers, createMakegoodClient } from '../../../src/api.js';
import { TOKENS } from '../../support/api.js';
import { ID, startRememberingApi, VALID } from '../http/support.js';

it('sends what its types describe, and reads what the server answers', async () => {
  const { api } = await startRememberingApi();
  const makegood = createMakegoodClient({ baseUrl: `${api.url}/`, token: TOKENS.service });
  const { data, response } = await makegood.POST('/api/v1/settlements', { body: { ...VALID, protocol: 'atxp' } });
  expect(response.status).toBe(202);
  expect(data).toMatchObject({ status: 'pending', protocol: 'atxp', spent: { amount: '10000' } });
  expectTypeOf(data).toEqualTypeOf<Answers['Settlement'] | undefined>();

  const list = await makegood.GET('/api/v1/settlements', { params: { query: { limit: '1', status: 'pending' } } });
  expect(list.data?.items.map(({ id }) => id)).toEqual([data?.id]);
  const one = await makegood.GET('/api/v1/settlements/{id}', { params: { path: { id: data?.id ?? '' } } });
  expect(one.data).toEqual(data);
});

it('tells what the server refuses as a problem with its code, and asks for its token before each request', async () => {
  const { api } = await startRememberingApi();
  const tokens: string[] = ['a token that nobody has given', TOKENS.viewer];
  const makegood = createMakegoodClient({ baseUrl: api.url, token: () => Promise.resolve(tokens.shift() ?? '') });
  const path = { id: ID };
  const refused = await makegood.GET('/api/v1/settlements/{id}', { params: { path } });
  expect([refused.response.status, refused.error?.code]).toEqual([401, 'unauthorized']);
  const missing = await makegood.GET('/api/v1/settlements/{id}', { params: { path } });
  expect([missing.response.status, missing.error?.code]).toEqual([404, 'not_found']);
  expectTypeOf(missing.error).toEqualTypeOf<Answers['Problem'] | undefined>();
});

it('sends by the fetch that it is given, to the path that was asked for', async () => {
  const asked: string[] = [];
  const makegood = createMakegoodClient({
    baseUrl: 'https://makegood.example/below',
    token: 'a-token-of-the-test',
    fetch: (request) => {
      asked.push(`${request.method} ${request.url} ${request.headers.get('authorization')} ${request.redirect}`);
      return Promise.resolve(Response.json({ status: 'ok' }));
    },
  });
  await makegood.GET('/healthz');
  expect(asked).toEqual(['GET https://makegood.example/below/healthz Bearer a-token-of-the-test error']);
});

it('does not compile with what the server would refuse for its form', () => {
  const makegood = createMakegoodClient({
    baseUrl: 'http://127.0.0.1',
    token: 't',
    fetch: () => Promise.reject(Error()),
  });
  const never = () => [
    // @ts-expect-error there is no such path
    makegood.GET('/api/v1/charges'),
    // @ts-expect-error it is only read
    makegood.POST('/api/v1/reversals/{id}', { params: { path: { id: ID } } }),
    // @ts-expect-error which one?
    makegood.GET('/api/v1/orders/{id}'),
    // @ts-expect-error a key is required
    makegood.POST('/api/v1/payments', { body: { order_id: ID } }),
    makegood.POST('/api/v1/payments', {
      params: { header: { 'Idempotency-Key': 'one' } },
      // @ts-expect-error a payment is of an order
      body: {},
    }),
    makegood.GET('/api/v1/settlements', {
      // @ts-expect-error settlements have no such status
      params: { query: { status: 'paid' } },
    }),
  ];
  expect(never).toBeTypeOf('function');
});
