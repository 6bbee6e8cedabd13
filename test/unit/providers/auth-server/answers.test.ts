import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settleAnswer, verifyAnswer } from '../../../../src/providers/auth-server/answers.js';
import { answer, http, NOW, type Parts, sentAtxp, sentX402 } from './replies.js';

const forms = (code: string): [string, unknown, Parts][] => [
  ['{error: text}', { error: code }, {}],
  ['{error: {code}}', { error: { code } }, {}],
  ['{error: {message}}', { error: { message: `failed: ${code}` } }, {}],
  ['{errorReason}', { success: false, errorReason: code }, {}],
  ['{invalidReason}', { isValid: false, invalidReason: code }, {}],
  [
    'problem+json',
    { type: `https://e.example/${code}`, title: 'Refused' },
    { type: 'application/problem+json; charset=utf-8' },
  ],
  ['problem by shape', { title: 'Refused', status: 400, code }, {}],
];

const verify = (status: number, body: unknown) => verifyAnswer(http(status, body), sentAtxp, NOW);

describe('settleAnswer', () => {
  it('200 with a JSON object is done, also when it was settled before and without a hash', () => {
    expect(answer(200, { txHash: '0xabc', settledAmount: '3000' })).toEqual({
      kind: 'done',
      alreadySettled: false,
      txHash: '0xabc',
      settledAmount: '3000',
    });
    for (const said of [null, undefined])
      expect(answer(200, { txHash: '0xabc', settledAmount: said })).not.toHaveProperty('settledAmount');
    expect(answer(200, { settledAmount: 3000 })).toMatchObject({ settledAmount: '3000' });
    for (const said of ['a lot', {}, -1, '1e3'])
      expect(answer(200, { settledAmount: said })).toMatchObject({ settledAmount: 'no amount that can be read' });
    expect(answer(200, { txHash: null, alreadySettled: true })).toEqual({
      kind: 'done',
      alreadySettled: true,
      txHash: null,
    });
    expect(answer(200, {}, { type: null })).toEqual({ kind: 'done', alreadySettled: false, txHash: null });
    expect(answer(200, { txHash: 7, alreadySettled: 'yes' })).toEqual({
      kind: 'done',
      alreadySettled: false,
      txHash: null,
    });
    expect(answer(200, { txHash: 'x'.repeat(5000) })).toEqual({ kind: 'done', alreadySettled: false, txHash: null });
  });

  it('never take a repeated credential for a transaction hash', () => {
    const done = { kind: 'done', alreadySettled: false };
    const sent = JSON.stringify({
      sourceAccountToken: 'a-token-of-the-buyer-0123456789',
      payload: { hash: '0xpublic-hash-of-a-transfer' },
    });
    const reply = (txHash: string) => ({
      kind: 'http' as const,
      status: 200,
      contentType: 'application/json',
      retryAfter: null,
      body: JSON.stringify({ txHash }),
    });
    for (const txHash of ['a-token-of-the-buyer-0123456789', 'pay:A-TOKEN-OF-THE-BUYER-01'])
      expect(settleAnswer(reply(txHash), sent, 0)).toEqual({ ...done, txHash: null });
    for (const txHash of ['0xabc', '0xpublic-hash-of-a-transfer'])
      expect(settleAnswer(reply(txHash), sent, 0)).toEqual({ ...done, txHash });
  });

  it('200 that says failure in the same breath is never booked', () => {
    expect(answer(200, { success: false, transaction: '' })).toMatchObject({ kind: 'unclear', why: 'unreadable' });
    expect(answer(200, { errorReason: 'insufficient_funds' })).toMatchObject({ kind: 'unclear', why: 'unreadable' });
  });

  it.each([
    ['200 with an array', 200, []],
    ['200 with text', 200, 'ok'],
    ['200 with null', 200, 'null'],
    ['200 cut short', 200, '{"txHash":'],
    ['200 with a page', 200, '<html></html>'],
    ['200 too long to read', 200, null],
    ['201', 201, { txHash: '0x1' }],
    ['202', 202, { txHash: '0x1' }],
    ['204', 204, ''],
    ['206', 206, { txHash: '0x1' }],
    ['100', 100, ''],
  ])('%s is unclear', (_what, status, body) => {
    expect(answer(status, body)).toMatchObject({ kind: 'unclear', why: 'unreadable' });
  });

  it('every 5xx is unclear, whatever it says', () => {
    for (const status of [500, 501, 502, 503, 504, 520, 599]) {
      expect(answer(status, { error: 'insufficient_funds' })).toMatchObject({ kind: 'unclear', why: 'server_error' });
    }
  });

  it('a call that failed on the way is unclear, with its class', () => {
    for (const why of ['no_answer', 'reset', 'not_connected', 'unreadable'] as const) {
      expect(settleAnswer({ kind: 'failed', why }, sentAtxp, NOW)).toMatchObject({ kind: 'unclear', why });
    }
  });

  it.each([408, 425, 429])('%i asks to come back, after the time it names, five minutes at most', (status) => {
    const wait = (retryAfter: string | null) => answer(status, { error: 'x' }, { retryAfter });
    expect(wait(null)).toMatchObject({ kind: 'busy', retryAfterMs: null });
    expect(wait('7')).toMatchObject({ kind: 'busy', retryAfterMs: 7000 });
    expect(wait('86400')).toMatchObject({ kind: 'busy', retryAfterMs: 300_000 });
    expect(wait('Tue, 06 Jan 2026 12:00:30 GMT')).toMatchObject({ kind: 'busy', retryAfterMs: 30_000 });
    expect(wait('Tue, 06 Jan 2026 11:00:00 GMT')).toMatchObject({ kind: 'busy', retryAfterMs: 0 });
    expect(wait('Tue, 06 Jan 2037 11:00:00 GMT')).toMatchObject({ kind: 'busy', retryAfterMs: 300_000 });
    for (const odd of ['soon', '-5', '1e9', '', 'Xyz, 99'])
      expect(wait(odd)).toMatchObject({ kind: 'busy', retryAfterMs: null });
  });

  describe.each([400, 402, 409, 422])('%i', (status) => {
    it.each(forms('account_closed'))('as %s is refused', (_form, body, parts) => {
      expect(answer(status, body, parts)).toMatchObject({ kind: 'refused' });
    });

    it.each([
      ['nothing', ''],
      ['a page', '<html><body>Bad request: insufficient funds</body></html>'],
      ['text', 'insufficient_funds'],
      ['an array', [{ error: 'x' }]],
      ["a gateway's words", { message: 'no Route matched with those values' }],
      ["a framework's words", { detail: 'insufficient' }],
      ['an empty error', { error: '' }],
      ['an error without words', { error: {} }],
      ['an error that is a number', { error: 7 }],
      ['an error that is a list', { error: ['x'] }],
      ['too much', null],
    ])('with %s did not come from the provider', (_what, body) => {
      expect(answer(status, body)).toMatchObject({ kind: 'misdirected' });
    });
  });

  it.each([
    ['insufficient', 'insufficient_funds'],
    ['insufficient', 'Insufficient balance on account'],
    ['insufficient', 'ERC20: transfer amount exceeds balance'],
    ['insufficient', 'not enough USDC'],
    ['used', 'nonce_already_used'],
    ['used', 'FiatTokenV2: authorization is used or canceled'],
    ['used', 'payment already settled by another request'],
    ['used', 'duplicate_payment'],
    ['used', 'credential has been used'],
    ['expired', 'invalid_exact_evm_payload_authorization_valid_before'],
    ['expired', 'challenge expired'],
    ['expired', 'deadline passed'],
    ['expired', 'Blockhash not found'],
    ['other', 'invalid_exact_evm_payload_signature'],
    ['other', 'insufficient_scope'],
    ['other', 'unsupported_scheme'],
    ['other', 'settlementOverrides are not allowed for exact'],
  ])('is refused as %s for "%s"', (why, code) => {
    for (const [form, body, parts] of forms(code)) {
      if (form.startsWith('problem') && code.includes(' ')) continue;
      expect(answer(400, body, parts)).toMatchObject({ kind: 'refused', why });
    }
  });

  it('402 without telling words means that the payer cannot pay', () => {
    expect(answer(402, { error: 'payment_failed' })).toMatchObject({ kind: 'refused', why: 'insufficient' });
    expect(answer(400, { error: 'payment_failed' })).toMatchObject({ kind: 'refused', why: 'other' });
    expect(answer(402, { error: 'nonce_already_used' })).toMatchObject({ kind: 'refused', why: 'used' });
  });

  it.each([
    'settlement_pending',
    'unexpected_settle_error',
    'settlement in progress',
    'Internal error, try again',
    'upstream timed out',
  ])('a refusal that says "%s" never turns money on its way into nothing moved', (code) => {
    expect(answer(400, { error: code })).toMatchObject({ kind: 'unclear', why: 'server_error' });
  });

  it('whatever else answers is not the provider', () => {
    for (const status of [
      300, 301, 302, 307, 308, 401, 403, 404, 405, 406, 410, 411, 412, 413, 415, 418, 426, 431, 451, 499,
    ]) {
      expect(answer(status, { error: 'insufficient_funds' })).toMatchObject({ kind: 'misdirected' });
    }
  });

  it('is total: every status with every body has one answer, and only 200 is ever done, only four statuses refuse', () => {
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constant(null),
      fc
        .record({
          error: fc.oneof(fc.string(), fc.record({ code: fc.string(), message: fc.string() })),
          success: fc.boolean(),
        })
        .map((o) => JSON.stringify(o)),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        body,
        fc.option(fc.string()),
        fc.option(fc.string()),
        (status, text, type, retryAfter) => {
          const result = settleAnswer(
            { kind: 'http', status, contentType: type, retryAfter, body: text },
            sentX402,
            NOW,
          );
          const kinds = {
            done: status === 200,
            refused: [400, 402, 409, 422].includes(status),
            busy: [408, 425, 429].includes(status),
            misdirected: status >= 300 && status <= 499,
            unclear: true,
          };
          expect(kinds[result.kind]).toBe(true);
          expect(status >= 500 ? result : { kind: 'unclear', why: 'server_error' }).toMatchObject({
            kind: 'unclear',
            why: 'server_error',
          });
          const detail = result.kind === 'done' ? `${status}` : result.detail;
          expect(detail).toContain(String(status));
          expect(detail).toMatch(/^[\x20-\x7e…]{1,320}$/);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('verifyAnswer', () => {
  it('says yes or no only where the auth server did', () => {
    expect(verify(200, { valid: true })).toEqual({ kind: 'valid', payer: null });
    expect(verify(200, { valid: true, payer: 'acct' })).toEqual({ kind: 'valid', payer: 'acct' });
    expect(verify(200, { valid: true, sourceAccountId: 'acct' })).toEqual({ kind: 'valid', payer: 'acct' });
    expect(verify(200, { valid: false, invalidReason: 'insufficient_funds' })).toEqual({
      kind: 'invalid',
      detail: 'auth server answered 200 insufficient_funds',
    });
    expect(verify(200, { valid: false })).toMatchObject({ kind: 'invalid' });
    expect(verify(402, { error: 'insufficient_funds' })).toMatchObject({ kind: 'invalid' });
  });

  it('never turns an undecided answer into a no', () => {
    for (const [status, body] of [
      [200, {}],
      [200, { valid: 'true' }],
      [200, 'ok'],
      [201, { valid: true }],
      [302, ''],
      [400, '<html>'],
      [400, { error: 'settlement_pending' }],
      [401, { error: 'unauthorized' }],
      [404, { error: 'not found' }],
      [429, { error: 'slow down' }],
      [500, { valid: false }],
      [503, { error: 'insufficient_funds' }],
    ] as const) {
      expect(verify(status, body), `${status}`).toMatchObject({ kind: 'unreachable' });
    }
    expect(verifyAnswer({ kind: 'failed', why: 'not_connected' }, sentAtxp, NOW)).toMatchObject({
      kind: 'unreachable',
    });
  });
});
