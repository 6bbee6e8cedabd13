import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createHyperswitch } from '../../../../src/providers/hyperswitch/client.js';
import { hyperswitchRefundId } from '../../../../src/providers/hyperswitch/ids.js';
import { type Answering, json, raw } from '../../../support/answering-server.js';
import { API_KEY, answering, error, NOW } from '../../../support/marketplace/hyperswitch-server.js';

const KEY = '0198a0b0-0000-7000-8000-000000000002';
const CALL = {
  hyperswitchPaymentId: 'pay_1',
  amount: 600n,
  currency: 'USD',
  reason: 'r',
  metadata: { order_id: 'o', refund_id: KEY },
};
const ID = hyperswitchRefundId(KEY);

async function refundMeeting(answer: Answering, timeoutMs = 5_000) {
  const { client, received } = await answering(answer, { timeoutMs });
  const created = await client.createRefund(KEY, CALL);
  const posted = received.length;
  const read = await client.readRefund(ID);
  return { created, read, posted };
}

describe('an answer that leaves open what happened', () => {
  it.each<[string, Answering, string]>([
    ['500 HE_00', error(500, 'HE_00', 'Something went wrong'), 'server_error'],
    ['500 HE_03', error(500, 'HE_03', 'Something went wrong'), 'server_error'],
    ['500 with a code that would be a refusal', error(500, 'IR_06', 'odd'), 'server_error'],
    ['501 IR_00', error(501, 'IR_00', 'not implemented'), 'server_error'],
    ['502 HTML', raw(502, 'text/html', '<html>bad gateway</html>'), 'server_error'],
    ['503 empty', raw(503, 'text/plain', ''), 'server_error'],
    ['408', raw(408, 'text/plain', 'too slow'), 'server_error'],
    ['422 HE_00 without a lock', error(422, 'HE_00', 'Failed to convert currency to minor unit'), 'server_error'],
    ['400 CE_00 passed on by its processor', error(400, 'CE_00', 'card_error: declined'), 'server_error'],
    ['200 HTML', raw(200, 'text/html', '<html>sign in</html>'), 'unreadable'],
    ['200 truncated JSON', raw(200, 'application/json', '{"refund_id":"ref_'), 'unreadable'],
    ['200 with a list', json(200, []), 'unreadable'],
    ['200 with an error in it', error(200, 'HE_03', 'blocked'), 'unreadable'],
    [
      '200 with a refund and an error beside it',
      json(200, {
        refund_id: ID,
        payment_id: 'pay_1',
        amount: 600,
        currency: 'USD',
        status: 'succeeded',
        error: { code: 'HE_03', message: 'blocked' },
      }),
      'unreadable',
    ],
    ['200 that never ends', raw(200, 'application/json', `{"x":"${'x'.repeat(3 * 1024 * 1024)}"}`), 'unreadable'],
    ['202', json(202, { refund_id: ID }), 'unreadable'],
    ['204', raw(204, 'application/json', ''), 'unreadable'],
    ['a reset connection', (response) => response.socket?.resetAndDestroy(), 'reset'],
    ['a closed connection', (response) => response.socket?.destroy(), 'reset'],
  ])('%s is unclear, sent once, and never a refusal', async (_what, answer, why) => {
    const { created, read, posted } = await refundMeeting(answer);
    expect(created).toMatchObject({ kind: 'unclear', why });
    expect(created.kind === 'unclear' && created.detail).toMatch(/may have been carried out/);
    expect(read).toMatchObject({ kind: 'unclear' });
    expect(posted).toBe(1);
  });

  it('silence is unclear when the time limit is over, also in the middle of an answer', async () => {
    const silent = await refundMeeting(() => undefined, 60);
    expect(silent.created).toMatchObject({ kind: 'unclear', why: 'no_answer' });
    expect(silent.read).toMatchObject({ kind: 'unclear' });
    const half = await refundMeeting((response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"refund_id":');
    }, 60);
    expect(half.created).toMatchObject({ kind: 'unclear', why: 'no_answer' });
  });

  it('no connection says that nothing was sent', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await new Promise((ready) => probe.once('listening', ready));
    const address = probe.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await new Promise((closed) => probe.close(closed));
    const client = createHyperswitch({ baseUrl: `http://127.0.0.1:${port}`, apiKey: API_KEY });
    expect(await client.createRefund(KEY, CALL)).toMatchObject({
      kind: 'unclear',
      why: 'not_connected',
      detail: expect.stringMatching(/nothing was sent/),
    });
  });
});

describe('an answer that turns the call away', () => {
  it.each<[string, Answering]>([
    ['422 HE_00 busy', error(422, 'HE_00', 'Resource is busy. Please try again later.')],
    ['422 HE_00 as Hyperswitch words it', error(422, 'HE_00', 'There was an issue processing the webhook body')],
    ['409 of its lock', error(409, 'IR_16', 'Access to this object is restricted at the moment')],
    ['429 without words', raw(429, 'text/plain', 'slow down')],
    ['429 with a code that would be a refusal', error(429, 'IR_06', 'too many')],
  ])('%s is busy and did nothing', async (_what, answer) => {
    const { created, read } = await refundMeeting(answer);
    expect(created).toMatchObject({ kind: 'busy', executed: 'no', retryAfterMs: null });
    expect(read).toMatchObject({ kind: 'busy' });
  });

  it('429 of the processor behind Hyperswitch may have begun', async () => {
    const { created } = await refundMeeting(error(429, 'CE_00', 'rate limited by the processor'));
    expect(created).toMatchObject({ kind: 'busy', executed: 'perhaps' });
  });

  it.each([
    ['7', 7_000],
    [new Date(NOW + 9_000).toUTCString(), 9_000],
    ['86400', 300_000],
    ['soon', null],
  ])('waits as long as Retry-After %s says, five minutes at most', async (header, retryAfterMs) => {
    const { created, read } = await refundMeeting(json(429, {}, { 'retry-after': header }));
    expect(created).toMatchObject({ kind: 'busy', retryAfterMs });
    expect(read).toMatchObject({ kind: 'busy', retryAfterMs });
  });
});

describe('an answer that shows a wrong key or a wrong address', () => {
  it.each<[string, Answering]>([
    ['401 IR_01', error(401, 'IR_01', 'API key not provided or invalid API key used')],
    ['401 without a body', raw(401, 'text/plain', '')],
    ['401 with a code that nobody knows', error(401, 'IR_99', 'no')],
    ['403 IR_22', error(403, 'IR_22', 'Access forbidden. Not authorized to access this resource')],
    ['403 with a code that nobody knows', error(403, 'XX_01', 'no')],
    ['403 of a firewall', raw(403, 'text/html', '<html>blocked</html>')],
    ['404 IR_02', error(404, 'IR_02', 'Unrecognized request URL')],
    ['404 HTML', raw(404, 'text/html', '<html>not found</html>')],
    ['404 HE_02 about the merchant', error(404, 'HE_02', 'Merchant account does not exist in our records')],
    ['404 HE_02 about the key', error(404, 'HE_02', 'API Key does not exist in our records')],
    ['405 IR_03', error(405, 'IR_03', 'The HTTP method is not applicable for this API')],
    ['400 text', raw(400, 'text/plain', 'no')],
    ['413 HTML', raw(413, 'text/html', '<html>too large</html>')],
  ])('%s is misdirected: nothing was refused, and nothing is missing', async (_what, answer) => {
    const { created, read } = await refundMeeting(answer);
    expect(created).toMatchObject({ kind: 'misdirected', scope: 'provider' });
    expect(read).toMatchObject({ kind: 'misdirected', scope: 'provider' });
  });

  it('a redirect is never followed: the key would travel with it', async () => {
    const elsewhere = await answering(json(200, { refund_id: ID }));
    for (const status of [301, 302, 303, 307, 308]) {
      const { created, posted } = await refundMeeting((response) => {
        response.writeHead(status, { location: `${elsewhere.baseUrl}/refunds` }).end();
      });
      expect(created).toMatchObject({ kind: 'misdirected' });
      expect(posted).toBe(1);
    }
    expect(elsewhere.received).toHaveLength(0);
  });
});

describe('an answer that is a no', () => {
  it.each<[string, number, string]>([
    ['IR_04', 400, 'Missing required param: amount'],
    ['IR_05', 422, 'amount contains invalid data'],
    ['IR_06', 400, 'Json deserialize error'],
    ['IR_12', 400, 'Reached maximum refund attempts'],
    ['IR_13', 400, 'The refund amount exceeds the amount captured'],
    ['IR_14', 400, 'This Payment could not be refunded because it has a status of processing'],
    ['IR_16', 400, 'precondition'],
    ['HE_03', 400, 'The payment has not succeeded yet. Please pass a successful payment to initiate refund'],
    ['HE_04', 404, 'Successful payment not found for the given payment id'],
    ['CE_06', 400, 'Refund failed while processing with connector. Retry refund'],
    ['IR_77', 400, 'a code of a later version'],
    ['ZZ_00', 418, 'a code of a later version'],
    ['toString', 400, 'not in the table'],
  ])('%s is refused with its code, and a read that gets it stays open', async (code, status, message) => {
    const { created, read } = await refundMeeting(error(status, code, message));
    expect(created).toMatchObject({ kind: 'refused', why: 'other', code, replayed: false });
    expect(read).toMatchObject({ kind: 'unclear' });
  });

  it('an error without a code is refused without one', async () => {
    const { created } = await refundMeeting(json(400, { error: { message: 'no' } }));
    expect(created).toMatchObject({ kind: 'refused', why: 'other', code: null });
  });

  it('404 HE_02 is missing', async () => {
    const { created, read } = await refundMeeting(error(404, 'HE_02', 'Payment does not exist in our records'));
    expect(created).toMatchObject({ kind: 'refused', why: 'missing', code: 'HE_02' });
    expect(read).toMatchObject({ kind: 'missing' });
  });
});

describe('what an answer says', () => {
  it('names the call, the status, the code and a few of its words', async () => {
    const { created } = await refundMeeting(
      error(400, 'HE_03', 'The payment has not succeeded yet.', { reason: 'status is processing' }),
    );
    expect(created).toMatchObject({
      detail: 'POST /refunds: Hyperswitch answered 400 HE_03: The payment has not succeeded yet.: status is processing',
    });
  });

  it.each([
    ['its key whole', `no such key ${API_KEY}`],
    ['a part of its key', `unknown key ${API_KEY.slice(0, 12)}…`],
    ['a client secret', 'pay_U42c409qyHwOkWo3vK60_secret_el9ksDkiB8hi6j9N78yo is not valid'],
  ])('never repeats %s', async (_what, message) => {
    const { created, read } = await refundMeeting(error(401, 'IR_01', message));
    for (const secret of ['CANARY', 'el9ksDkiB8hi6j9N78yo']) {
      expect(JSON.stringify(created)).not.toContain(secret);
      expect(JSON.stringify(read)).not.toContain(secret);
    }
    expect(JSON.stringify(created)).toContain('[redacted]');
  });

  it('never repeats its key as a code or as a request id', async () => {
    const about = { error: { type: 'invalid_request', code: API_KEY, message: 'no' } };
    const { created } = await refundMeeting(json(400, about, { 'x-request-id': API_KEY }));
    expect(created).toMatchObject({
      code: null,
      requestId: null,
      detail: 'POST /refunds: Hyperswitch answered 400: no',
    });
  });

  it('has no control characters and an end', async () => {
    const { created } = await refundMeeting(error(400, 'IR_06', `a\u001b[31m\n${'long words '.repeat(100)}`));
    const detail = created.kind === 'refused' ? created.detail : '';
    expect(detail).toMatch(/^[\x20-\x7e…]+$/);
    expect(detail.length).toBeLessThan(250);
  });

  it('keeps a request id only where it is plain text', async () => {
    for (const [header, requestId] of [
      ['019a-req', '019a-req'],
      ['has spaces in it', null],
      ['r'.repeat(129), null],
    ] as const) {
      const { created } = await refundMeeting(json(500, {}, { 'x-request-id': header }));
      expect(created.requestId).toBe(requestId);
    }
  });
});
