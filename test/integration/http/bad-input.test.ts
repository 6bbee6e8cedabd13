import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, type Sent, startApi, type TestApi, TOKENS } from '../../support/api.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { mppCharge, mppSession, x402upto } from '../../support/sessions/credentials.js';

/** Whatever comes in wrong gets the contract's status and problem document, and nothing is stored. */

let world: TestLedger;
let api: TestApi;
beforeAll(async () => {
  world = await openTestLedger();
  api = await startApi({ ledger: world.ledger });
});
afterAll(async () => {
  await api.close();
  await world.dispose();
});

const ID = '0197d7a4-6f00-7000-8000-000000000001';
const SETTLEMENTS = '/api/v1/settlements';
const VALID = {
  key: 'order-1',
  protocol: 'x402',
  credential: x402upto(),
  context: {},
  spent: { amount: '3000', asset: '0xusdc', decimals: 6 },
};
const spent = (change: object) => ({ ...VALID, spent: { ...VALID.spent, ...change } });
const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
const raw = (member: string, json: string) => JSON.stringify(VALID).replace(/\}$/, `,"${member}":${json}}`);
const service = (sent: Sent): Sent => ({ token: TOKENS.service, ...sent });

interface Row {
  readonly what: string;
  readonly sent: Sent;
  readonly path?: string;
  readonly answer: readonly [status: number, code: string, pointer?: string];
}

const INVALID = 'invalid_request';
const rows: readonly Row[] = [
  // not JSON
  { what: 'an empty body', sent: { method: 'POST' }, answer: [400, INVALID, ''] },
  { what: 'half a document', sent: { body: '{"protocol":"x402"' }, answer: [400, 'malformed_json'] },
  { what: 'two documents', sent: { body: '{}{}' }, answer: [400, 'malformed_json'] },
  { what: 'not a number', sent: { body: '{"spent":NaN}' }, answer: [400, 'malformed_json'] },
  { what: 'a raw NUL byte', sent: { body: '{"key":"a\0b"}' }, answer: [400, 'malformed_json'] },
  { what: 'a list', sent: { json: [VALID] }, answer: [400, INVALID, ''] },
  { what: 'a text', sent: { json: 'x402' }, answer: [400, INVALID, ''] },
  { what: 'null', sent: { json: null }, answer: [400, INVALID, ''] },
  // media types
  {
    what: 'a form',
    sent: { body: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    answer: [415, 'unsupported_media_type'],
  },
  {
    what: 'plain text',
    sent: { body: JSON.stringify(VALID), headers: { 'Content-Type': 'text/plain' } },
    answer: [415, 'unsupported_media_type'],
  },
  {
    what: 'a compressed body',
    sent: { body: 'x', headers: { 'Content-Encoding': 'gzip' } },
    answer: [415, 'unsupported_media_type'],
  },
  {
    what: 'another character set',
    sent: { json: VALID, headers: { 'Content-Type': 'application/json; charset=utf-7' } },
    answer: [415, 'unsupported_media_type'],
  },
  // size and shape
  {
    what: 'more than 256 KiB',
    sent: { json: { ...VALID, credential: 'x'.repeat(256 * 1024) } },
    answer: [413, 'body_too_large'],
  },
  {
    what: 'nesting 33 deep in the context',
    sent: { body: raw('context', `{"paymentRequirements":${nested(33)}}`) },
    answer: [400, INVALID],
  },
  { what: 'nesting 20,000 deep', sent: { body: raw('context', nested(20_000)) }, answer: [400, INVALID] },
  {
    what: 'nesting 100,000 deep in a list',
    sent: { body: `${'['.repeat(100_000)}${']'.repeat(100_000)}` },
    answer: [400, INVALID],
  },
  {
    what: '__proto__',
    sent: { body: raw('context', '{"paymentRequirements":{"__proto__":{"admin":true}}}') },
    answer: [400, INVALID, '/context/paymentRequirements'],
  },
  {
    what: 'a number too large to keep',
    sent: { body: raw('context', '{"paymentRequirements":{"amount":12345678901234567890}}') },
    answer: [400, INVALID, '/context/paymentRequirements/amount'],
  },
  {
    what: 'a number without end',
    sent: { body: raw('context', '{"paymentRequirements":{"amount":1e999}}') },
    answer: [400, INVALID, '/context/paymentRequirements/amount'],
  },
  // members
  { what: 'nothing in it', sent: { json: {} }, answer: [400, INVALID, '/protocol'] },
  { what: 'an unknown member', sent: { json: { ...VALID, amount: '1' } }, answer: [400, INVALID, '/amount'] },
  {
    what: 'an unknown member of spent',
    sent: { json: spent({ currency: 'USD' }) },
    answer: [400, INVALID, '/spent/currency'],
  },
  {
    what: 'an unknown member of context',
    sent: { json: { ...VALID, context: { 'a/b': 1 } } },
    answer: [400, INVALID, '/context/a~1b'],
  },
  { what: 'no context', sent: { json: { ...VALID, context: undefined } }, answer: [400, INVALID, '/context'] },
  {
    what: 'an unknown protocol',
    sent: { json: { ...VALID, protocol: 'lightning' } },
    answer: [400, INVALID, '/protocol'],
  },
  {
    what: 'a protocol in capitals',
    sent: { json: { ...VALID, protocol: 'X402' } },
    answer: [400, INVALID, '/protocol'],
  },
  { what: 'an empty credential', sent: { json: { ...VALID, credential: '' } }, answer: [400, INVALID, '/credential'] },
  {
    what: 'a credential that is a number',
    sent: { json: { ...VALID, credential: 5 } },
    answer: [400, INVALID, '/credential'],
  },
  {
    what: 'a credential that is a list',
    sent: { json: { ...VALID, credential: ['x'] } },
    answer: [400, INVALID, '/credential'],
  },
  { what: 'an empty key', sent: { json: { ...VALID, key: '' } }, answer: [400, INVALID, '/key'] },
  {
    what: 'a key of 256 characters',
    sent: { json: { ...VALID, key: 'k'.repeat(256) } },
    answer: [400, INVALID, '/key'],
  },
  { what: 'a key that is null', sent: { json: { ...VALID, key: null } }, answer: [400, INVALID, '/key'] },
  { what: 'NUL in the key', sent: { json: { ...VALID, key: 'a\0b' } }, answer: [400, INVALID, '/key'] },
  {
    what: 'NUL in the credential',
    sent: { json: { ...VALID, credential: 'a\0b' } },
    answer: [400, INVALID, '/credential'],
  },
  {
    what: 'NUL in a name',
    sent: { json: { ...VALID, context: { paymentRequirements: { 'a\0': 1 } } } },
    answer: [400, INVALID, '/context/paymentRequirements'],
  },
  { what: 'half a surrogate pair', sent: { body: raw('key', '"\\ud800"') }, answer: [400, INVALID, '/key'] },
  // amounts
  ...['', '-1', '+1', '0.01', '1e6', ' 1', '1_000', '0x10', '١', '1'.repeat(40)].map(
    (amount): Row => ({
      what: `the amount ${JSON.stringify(amount)}`,
      sent: { json: spent({ amount }) },
      answer: [400, INVALID, '/spent/amount'],
    }),
  ),
  {
    what: 'an amount that is a number',
    sent: { json: spent({ amount: 3000 }) },
    answer: [400, INVALID, '/spent/amount'],
  },
  { what: 'zero spent of x402', sent: { json: spent({ amount: '0' }) }, answer: [400, INVALID, '/spent/amount'] },
  { what: 'zeros spent of x402', sent: { json: spent({ amount: '000' }) }, answer: [400, INVALID, '/spent/amount'] },
  {
    what: 'zero spent of an MPP charge',
    sent: { json: { ...spent({ amount: '0' }), protocol: 'mpp', credential: mppCharge() } },
    answer: [400, INVALID, '/spent/amount'],
  },
  { what: 'one unit over the cap', sent: { json: spent({ amount: '10001' }) }, answer: [422, 'spent_over_cap'] },
  { what: 'the hugest amount', sent: { json: spent({ amount: '9'.repeat(39) }) }, answer: [422, 'spent_over_cap'] },
  { what: 'an asset with a space', sent: { json: spent({ asset: 'US DC' }) }, answer: [400, INVALID, '/spent/asset'] },
  { what: 'no asset', sent: { json: spent({ asset: undefined }) }, answer: [400, INVALID, '/spent/asset'] },
  ...[-1, 79, 1.5, '6', null].map(
    (decimals): Row => ({
      what: `decimals ${JSON.stringify(decimals)}`,
      sent: { json: spent({ decimals }) },
      answer: [400, INVALID, '/spent/decimals'],
    }),
  ),
  // tokens
  { what: 'no token', sent: { json: VALID, token: undefined }, answer: [401, 'unauthorized'] },
  { what: 'a wrong token', sent: { json: VALID, token: 'token-of-nobody-0000001' }, answer: [401, 'unauthorized'] },
  { what: 'no token and no sense', sent: { body: '{', token: undefined }, answer: [401, 'unauthorized'] },
  ...(['viewer', 'operator', 'approver'] as const).map(
    (role): Row => ({
      what: `the role ${role}`,
      sent: { json: VALID, token: TOKENS[role] },
      answer: [403, 'forbidden'],
    }),
  ),
  // decisions
  {
    what: 'a decision of a service',
    path: `${SETTLEMENTS}/${ID}/resolve`,
    sent: { json: { action: 'retry', note: 'x' } },
    answer: [403, 'forbidden'],
  },
  ...[
    { what: 'a decision without a note', json: { action: 'retry' }, answer: [400, INVALID, '/note'] as const },
    {
      what: 'a note that says nothing',
      json: { action: 'retry', note: ' \n' },
      answer: [400, INVALID, '/note'] as const,
    },
    {
      what: 'a note of 2,001 characters',
      json: { action: 'retry', note: 'x'.repeat(2001) },
      answer: [400, INVALID, '/note'] as const,
    },
    {
      what: 'a name of somebody else',
      json: { action: 'retry', note: 'x', by: 'anna' },
      answer: [400, INVALID, '/by'] as const,
    },
    { what: 'NUL in a note', json: { action: 'retry', note: 'x\0' }, answer: [400, INVALID, '/note'] as const },
    {
      what: 'unknown evidence',
      json: { action: 'settled', note: 'x', evidence: { proof: 1 } },
      answer: [400, INVALID, '/evidence/proof'] as const,
    },
    {
      what: 'an action of transfers',
      json: { action: 'adopt', note: 'x' },
      answer: [422, 'wrong_action', '/action'] as const,
    },
    {
      what: 'an unknown action',
      json: { action: 'forget', note: 'x' },
      answer: [422, 'wrong_action', '/action'] as const,
    },
    { what: 'a decision about nothing', json: { action: 'retry', note: 'x' }, answer: [404, 'not_found'] as const },
  ].map(
    ({ what, json, answer }): Row => ({
      what,
      path: `${SETTLEMENTS}/${ID}/resolve`,
      sent: { json, token: TOKENS.operator },
      answer,
    }),
  ),
  {
    what: 'a decision of 100 KiB',
    path: `${SETTLEMENTS}/${ID}/resolve`,
    sent: { json: { action: 'retry', note: 'x'.repeat(100 * 1024) }, token: TOKENS.operator },
    answer: [413, 'body_too_large'],
  },
  {
    what: 'an approval by an operator',
    path: `/api/v1/decisions/${ID}/approve`,
    sent: { json: { note: 'x' }, token: TOKENS.operator },
    answer: [403, 'forbidden'],
  },
  {
    what: 'an approval of nothing',
    path: `/api/v1/decisions/${ID}/approve`,
    sent: { json: { note: 'x' }, token: TOKENS.approver },
    answer: [404, 'not_found'],
  },
  // lists
  ...[
    ['status=paid', '/status'],
    ['needs_attention=yes', '/needs_attention'],
    ['protocol=ach', '/protocol'],
    ['limit=0', '/limit'],
    ['limit=201', '/limit'],
    ['limit=1.5', '/limit'],
    ['limit=1&limit=2', '/limit'],
    ['cursor=%00', '/cursor'],
    ['cursor=bm9wZQ', '/cursor'],
    ['key=', '/key'],
    ['page=2', '/page'],
  ].map(
    ([query, pointer]): Row => ({
      what: `the list ?${query}`,
      path: `${SETTLEMENTS}?${query}`,
      sent: { method: 'GET' },
      answer: [400, INVALID, pointer],
    }),
  ),
];

const stored = async () =>
  (
    await world.database.query(
      `SELECT (SELECT count(*) FROM settlements) + (SELECT count(*) FROM operation_events) + (SELECT count(*) FROM decisions) AS rows`,
    )
  )[0];

function summary({ status, headers, body }: Answered, withPointer: boolean): readonly unknown[] {
  expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(body.status).toBe(status);
  expect(body.request_id).toBe(headers.get('x-request-id'));
  return [status, body.code, ...(withPointer ? [body.errors?.[0]?.pointer] : [])];
}

describe('wrong input', () => {
  it.each(rows)('$what: $answer.0 $answer.1, and nothing is stored', async ({ path = SETTLEMENTS, sent, answer }) => {
    const received = await api.send(path, service(sent));
    expect(summary(received, answer[2] !== undefined)).toEqual(answer);
    expect(await stored()).toEqual({ rows: '0' });
    expect(api.dispatched).toEqual([]);
  });

  it('a NUL in a search is told as wrong, not as an error of the database', async () => {
    const received = await api.send(`${SETTLEMENTS}?key=a%00b`, { token: TOKENS.viewer });
    expect(summary(received, true)).toEqual([400, INVALID, '/key']);
  });

  it('a body that never ends is cut off at its limit', async () => {
    const status = await new Promise((resolve, reject) => {
      const upload = request(`${api.url}${SETTLEMENTS}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${TOKENS.service}` },
      });
      const piece = Buffer.alloc(64 * 1024, 'x');
      const feeding = setInterval(() => upload.write(piece), 1);
      upload.on('response', (response) => {
        clearInterval(feeding);
        upload.destroy();
        resolve(response.statusCode);
      });
      upload.on('error', (error) => {
        clearInterval(feeding);
        reject(error);
      });
    });
    expect(status).toBe(413);
    expect(await stored()).toEqual({ rows: '0' });
  });

  it('is judged by requests that are right when the wrong part is put right', async () => {
    // The table above proves nothing if its valid parts were wrong too.
    const session = { ...spent({ amount: '0' }), key: 'order-2', protocol: 'mpp', credential: mppSession() };
    for (const json of [VALID, session]) {
      const received = await api.send(SETTLEMENTS, service({ json }));
      expect([received.status, received.body.status]).toEqual([202, 'pending']);
    }
  });
});
