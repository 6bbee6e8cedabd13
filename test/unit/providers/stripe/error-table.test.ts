import { describe, expect, it } from 'vitest';
import { raw } from '../../../support/answering-server.js';
import { answering, error, REVERSAL, SECRET_KEY, TRANSFER } from './server.js';

type Row = readonly [status: number, error: Record<string, unknown>, answer: Record<string, unknown>];

const refused = { kind: 'refused', why: 'other' };
const ours = { kind: 'misdirected', scope: 'provider' };
const sellers = { kind: 'misdirected', scope: 'seller' };
const throttled = { kind: 'busy', executed: 'no' };
const inFlight = { kind: 'busy', executed: 'perhaps' };
const failed = { kind: 'unclear', why: 'server_error' };
const short = { kind: 'short' };
const missing = { kind: 'refused', why: 'missing', code: 'resource_missing' };
const conflict = { kind: 'refused', why: 'conflict' };

const noAccess = (account: string) =>
  `The provided key 'sk_test_*****' does not have access to account '${account}' (or that account does not exist). Application access may have been revoked.`;

const ROWS: readonly Row[] = [
  [500, { type: 'api_error', message: 'An unknown error occurred' }, failed],
  [502, { type: 'api_error' }, failed],
  [503, { type: 'api_error', code: 'lock_timeout' }, failed],
  [504, { type: 'api_error' }, failed],
  [599, { type: 'api_error' }, failed],
  [408, { message: 'took too long' }, failed],
  [424, { type: 'api_error', message: 'a dependency failed' }, failed],

  [409, { code: 'idempotency_key_in_use', message: 'There is currently another in-progress request' }, inFlight],
  [409, { type: 'idempotency_error', code: 'idempotency_key_in_use' }, inFlight],
  [409, { message: 'conflict' }, inFlight],
  [409, { code: 'lock_timeout' }, throttled],
  [409, { code: 'something_new' }, { ...refused, code: 'something_new' }],

  [429, { code: 'rate_limit' }, throttled],
  [429, { type: 'rate_limit_error' }, throttled],
  [429, { code: 'lock_timeout' }, throttled],
  [429, { code: 'something_new' }, throttled],
  [400, { code: 'rate_limit' }, throttled],

  [400, { message: 'The transfer tr_1 is already fully reversed.' }, { ...refused, code: null }],
  [400, { param: 'amount', message: 'Refund amount ($2.00) is greater than unreversed amount ($1.00)' }, refused],

  [400, { code: 'balance_insufficient', message: 'Insufficient funds in Stripe account.' }, short],
  [400, { code: 'insufficient_funds' }, short],
  [402, { type: 'card_error', code: 'insufficient_funds' }, short],
  [400, { message: 'You have insufficient funds in your Stripe account for this transfer.' }, short],
  [400, { message: 'Insufficient available balance in the connected account' }, short],
  [400, { code: 'something_new', message: 'insufficient balance' }, short],
  [400, { code: 'parameter_unknown', message: 'Received unknown parameter: insufficient_balance' }, refused],

  [
    400,
    { type: 'idempotency_error', message: 'Keys for idempotent requests can only be used with the same…' },
    conflict,
  ],
  [409, { type: 'idempotency_error', code: 'something_new' }, { ...conflict, code: 'something_new' }],

  [404, { code: 'resource_missing', param: 'id', message: "No such transfer: 'tr_1'" }, missing],
  [400, { code: 'resource_missing', param: 'destination', message: "No such destination: 'acct_seller'" }, missing],
  [404, { message: 'Unrecognized request URL' }, refused],

  [400, { code: 'livemode_mismatch' }, ours],
  [404, { code: 'livemode_mismatch' }, ours],
  [401, { message: 'Invalid API Key provided' }, ours],
  [401, { code: 'api_key_expired' }, ours],
  [401, { code: 'platform_api_key_expired' }, ours],
  [401, { code: 'secret_key_required' }, ours],
  [401, { code: 'account_invalid' }, sellers],
  [401, { code: 'account_invalid', message: noAccess('acct_platform') }, ours],
  [401, { code: 'balance_insufficient' }, short],
  [401, { code: 'resource_missing' }, missing],
  [401, { type: 'authentication_error', code: 'something_new' }, ours],

  [403, { code: 'account_invalid', message: noAccess('acct_seller') }, sellers],
  [403, { code: 'account_invalid' }, sellers],
  [403, { message: noAccess('acct_seller') }, sellers],
  [400, { code: 'account_invalid' }, sellers],
  [403, { code: 'account_invalid', message: noAccess('acct_platform') }, ours],
  [403, { code: 'platform_account_required' }, ours],
  [403, { code: 'something_new', message: 'acct_seller is being reviewed' }, sellers],
  [403, { code: 'something_new', message: 'not allowed' }, ours],
  [403, { code: 'account_closed' }, { ...refused, code: 'account_closed' }],
  [403, { code: 'balance_insufficient' }, short],
  [403, { code: 'resource_missing' }, missing],
  [403, { code: 'lock_timeout' }, throttled],
  [403, { message: "The provided key 'rk_test_*****' does not have the required permissions" }, ours],
  [403, { message: "This endpoint needs 'rak_transfer_write' on account 'acct_seller'" }, sellers],
  [403, { message: "This endpoint needs 'rak_transfer_write' on account 'acct_platform'" }, ours],

  [402, { type: 'card_error', code: 'card_declined' }, { ...refused, code: 'card_declined' }],
  ...[
    'account_closed',
    'action_blocked',
    'amount_too_large',
    'amount_too_small',
    'anomalous_money_movement_request',
    'approval_required',
    'not_allowed_on_standard_account',
    'parameter_invalid_empty',
    'parameter_invalid_integer',
    'parameter_missing',
    'parameter_unknown',
    'request_blocked',
    'status_transition_invalid',
    'something_new',
    'toString',
  ].map((code): Row => [400, { code }, { ...refused, code }]),
  ...['capability_not_active', 'transfers_not_allowed', 'insufficient_capabilities_for_transfer'].map(
    (code): Row => [400, { code }, { ...refused, why: 'not_able', code }],
  ),
  [418, { code: 'something_new' }, { ...refused, code: 'something_new' }],
  [499, { type: 'something_new' }, refused],
];

describe('what Stripe answers', () => {
  it.each(ROWS)('%i %o means the same for a transfer and for a reversal in the lane of its seller', async (...row) => {
    const [status, said, expected] = row;
    const { calls, received, tokens } = await answering(error(status, said));
    expect(await calls.createTransfer('key', TRANSFER)).toMatchObject({ ...expected, requestId: 'req_1' });
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ ...expected, requestId: 'req_1' });
    expect(received).toHaveLength(2);
    expect(tokens).toHaveLength(2);
  });

  it('never makes one seller’s problem everybody’s, nor the other way round', async () => {
    const { stripe } = await answering(error(403, { code: 'account_invalid', message: noAccess('acct_seller') }));
    const transfer = await stripe.inLane('probe').createTransfer('key', TRANSFER);
    expect(transfer).toMatchObject(sellers);
    expect(await stripe.inLane('acct_seller').reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject(sellers);
    expect(await stripe.inLane('acct_else').reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject(ours);
    expect(await stripe.inLane('probe').reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject(ours);
    const unnamed = await answering(error(403, { code: 'account_invalid' }));
    expect(await unnamed.stripe.inLane('probe').reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject(ours);
    const noSeller = await answering(error(400, { code: 'account_invalid' }));
    expect(await noSeller.stripe.inLane('probe').reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject(refused);
  });

  it('is judged by its code, whatever the status: the same code means the same with every 4xx', async () => {
    const codes = ['balance_insufficient', 'resource_missing', 'account_closed', 'lock_timeout', 'api_key_expired'];
    for (const code of codes) {
      const meanings = new Set<string>();
      for (const status of [400, 401, 402, 403, 404, 409, 422, 429]) {
        const { calls } = await answering(error(status, { code, message: 'no' }));
        const { requestId: _request, ...answer } = await calls.reverseTransfer('key', 'tr_1', REVERSAL);
        meanings.add(JSON.stringify({ ...answer, detail: undefined }));
      }
      expect([code, meanings.size]).toEqual([code, 1]);
    }
  });

  it.each([
    [400, 'unclear', 'unreadable'],
    [401, 'unclear', 'unreadable'],
    [403, 'unclear', 'unreadable'],
    [404, 'unclear', 'unreadable'],
    [409, 'unclear', 'unreadable'],
    [502, 'unclear', 'server_error'],
  ])('that is no answer of its own is never a no (%i)', async (status, kind, why) => {
    for (const page of [
      raw(status, 'text/html', '<html>go away</html>'),
      raw(status, 'application/json', '{"message":"go away"}'),
      raw(status, 'application/json', '{"error":"go away"}'),
    ]) {
      const { calls } = await answering(page);
      expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind, why });
    }
  });

  it('asks to come back later, even where a 429 is not its own', async () => {
    const { calls } = await answering(raw(429, 'text/html', 'slow down', { 'retry-after': '7' }));
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ ...inFlight, retryAfterMs: 7_000 });
  });

  it.each([
    [{}, null],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '86400' }, 300_000],
    [{ 'retry-after': 'Sat, 21 Nov 2026 12:00:09 GMT', date: 'Sat, 21 Nov 2026 12:00:00 GMT' }, 9_000],
    [{ 'retry-after': 'soon' }, null],
  ])('with %o is asked again after %s ms', async (headers, retryAfterMs) => {
    const { calls } = await answering(error(429, { code: 'rate_limit' }, headers));
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({ kind: 'busy', retryAfterMs });
    expect(await calls.readTransfer('tr_1')).toMatchObject({ kind: 'busy', retryAfterMs });
  });

  it('is told with its code, its words and the number of the request, and what it means', async () => {
    const { calls } = await answering(
      error(404, { code: 'resource_missing', message: "No such transfer: 'tr_1Q2w3e4r5t6y7u8i9o0p'" }),
    );
    const answer = await calls.reverseTransfer('key', 'tr_1', REVERSAL);
    expect(answer).toMatchObject({
      detail:
        "stripe 404 resource_missing for the reversal of tr_1: No such transfer: 'tr_1Q2w3e4r5t6y7u8i9o0p' (request req_1);" +
        ' check that it belongs to this Stripe account and mode',
    });
  });
});

describe('a detail', () => {
  const detailOf = async (message: string, status = 400) => {
    const { calls } = await answering(error(status, { message }));
    const answer = await calls.reverseTransfer('key', 'tr_1', REVERSAL);
    return 'detail' in answer ? answer.detail : '';
  };

  it.each([
    `Invalid API Key provided: ${SECRET_KEY}`,
    'Invalid API Key provided: sk_test_CANA************0key',
    `the key "${SECRET_KEY}x" and rk_live_abcCANARY and whsec_CANARY`,
  ])('never quotes a key (%s)', async (message) => {
    const detail = await detailOf(message, 401);
    expect(detail).toContain('[redacted]');
    expect(detail).not.toMatch(/CANA|0key/);
  });

  it('holds no code and no request id that repeats the key', async () => {
    const { calls } = await answering(error(400, { code: SECRET_KEY, message: 'no' }, { 'request-id': SECRET_KEY }));
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({
      detail: 'stripe 400 for the reversal of tr_1: no',
      code: null,
      requestId: null,
    });
  });

  it('is one short line, whatever Stripe writes', async () => {
    const detail = await detailOf(`line one\nline two\u0000 ${'x'.repeat(5_000)}`);
    expect(detail).toMatch(/^stripe 400 for the reversal of tr_1: line one line two x+… \(request req_1\)$/);
    expect(detail.length).toBeLessThan(250);
  });

  it('never holds the body of a page', async () => {
    const { calls } = await answering(raw(403, 'text/html; charset=utf-8', '<html>CANARY</html>'));
    expect(await calls.reverseTransfer('key', 'tr_1', REVERSAL)).toMatchObject({
      detail: 'stripe 403 for the reversal of tr_1: text/html, 19 characters; it may have been carried out',
    });
  });

  it('never holds an answer that cannot be read', async () => {
    const { calls } = await answering(raw(200, 'application/json', '{"CANARY": 1'));
    expect(JSON.stringify(await calls.reverseTransfer('key', 'tr_1', REVERSAL))).not.toContain('CANARY');
  });
});
