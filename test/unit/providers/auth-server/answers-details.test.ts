import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settleBody } from '../../../../src/protocols/settle-body.js';
import { settleAnswer } from '../../../../src/providers/auth-server/answers.js';
import { ATXP_TOKEN, decoded, SIGNATURE } from '../../../support/sessions/credentials.js';
import { answer, http, NOW, sentAtxp, sentMpp, sentX402, spent } from './replies.js';

describe('a detail', () => {
  const secrets = [
    { sent: sentAtxp, secret: ATXP_TOKEN },
    { sent: sentX402, secret: SIGNATURE },
    { sent: sentMpp, secret: SIGNATURE },
  ];

  it('names the status and the code, and keeps the words that help', () => {
    expect(
      answer(402, { error: { code: 'insufficient_balance', message: 'the account holds 0.001 USDC' } }),
    ).toMatchObject({
      detail: 'auth server answered 402 insufficient_balance: the account holds 0.001 USDC',
    });
    expect(answer(404, '<html>', { type: 'text/html; charset=utf-8' })).toMatchObject({
      detail: expect.stringContaining('404 (text/html)'),
    });
  });

  it('never holds a byte of a credential that the provider echoes, whole, cut, in another case or encoding', () => {
    const reencodings: ((text: string) => string)[] = [
      (text) => text.toUpperCase(),
      (text) => Buffer.from(text).toString('base64'),
      (text) => Buffer.from(text).toString('hex'),
      (text) => encodeURIComponent(text),
    ];
    const encodings: ((text: string) => string)[] = [
      ...reencodings,
      (text) => text,
      (text) => JSON.stringify({ token: text }),
      (text) => `Bearer ${text}`,
      (text) => `${text.slice(0, 12)}...${text.slice(-9)}`,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...secrets),
        fc.constantFrom(...encodings),
        fc.string({ maxLength: 2100 }),
        fc.string({ maxLength: 30 }),
        fc.constantFrom('error', 'code', 'message', 'reason', 'title', 'type', 'detail'),
        (credential, encode, before, after, place) => {
          const text = `${before} ${encode(credential.secret)} ${after}`;
          const body = {
            error: { error: text },
            code: { error: { code: encode(credential.secret), message: text } },
            message: { error: { code: 'bad', message: text } },
            reason: { errorReason: text },
            title: { title: text, status: 400 },
            type: { title: 'x', status: 400, type: encode(credential.secret) },
            detail: { title: 'x', status: 400, detail: text },
          }[place];
          for (const status of [200, 400, 404, 429, 503]) {
            const result = settleAnswer(http(status, body), credential.sent, NOW);
            const detail = result.kind === 'done' ? '' : result.detail;
            const encoded = reencodings.includes(encode) ? encode(credential.secret) : '';
            const around = `${before} ${after}`;
            expect(partsOf(credential.secret, detail, 6, around)).toEqual([]);
            expect(partsOf(encoded, detail, 8, around)).toEqual([]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['amount_exceeds_voucher', 'the voucher of this session does not cover the amount'],
    ['invalid_transaction_type', 'payload.type transaction is not supported for per_request'],
    ['signature_invalid', 'payload.signature does not match challenge.request of the credential'],
    ['unsupported_network', 'descriptor and cumulativeAmount are for eip155:42431'],
  ])('keeps the words that the request is written in: %s', (code, message) => {
    const credential = {
      challenge: {
        id: 'qB3wErTyUiOpAsDfGhJkLzXcVbNm0123456789-_abc',
        intent: 'session',
        request: Buffer.from(JSON.stringify({ amount: '10000', unitType: 'per_request' })).toString('base64url'),
      },
      payload: {
        action: 'voucher',
        type: 'transaction',
        signature: SIGNATURE,
        descriptor: {},
        cumulativeAmount: '90001',
      },
      source: 'did:pkh:eip155:42431:0x857b06519E91e3A54538791bDbb0E22373e36b66',
      network: 'eip155:42431',
    };
    const nested = JSON.stringify({ credential, copy: JSON.stringify(credential) });
    expect(settleAnswer(http(402, { error: { code, message } }), nested, NOW)).toMatchObject({
      detail: `auth server answered 402 ${code}: ${message}`,
    });
  });

  it('hides a secret that looks like an ordinary word, and every long value of the request, whatever it is called', () => {
    const sent = JSON.stringify({
      sourceAccountToken: 'correct horse battery',
      apiKey: 'swordfish',
      note: 'a1b2c3d4e5f6',
    });
    const token = JSON.stringify({ account: 'lighthouse' });
    const message = 'no such account: correct horse battery, swordfish, a1b2c3d4e5f6';
    expect(
      settleAnswer(http(400, { error: { code: 'bad', message: 'no lighthouse' } }), JSON.stringify({ token }), NOW),
    ).toMatchObject({ detail: 'auth server answered 400 bad: no [redacted]' });
    expect(settleAnswer(http(400, { error: { code: 'bad', message } }), sent, NOW)).toMatchObject({
      detail: 'auth server answered 400 bad: no such account: [redacted] [redacted] [redacted]',
    });
  });

  it('never shows the beginning of a token that stands across the end of what is looked at', () => {
    const message = `${'x1'.repeat(995)} ${ATXP_TOKEN}`;
    expect(answer(400, { error: { code: 'bad', message } })).toMatchObject({
      detail: 'auth server answered 400 bad: [redacted]',
    });
  });

  it('never lets a short or a bare token through either', () => {
    const short = settleBody({ credential: decoded('atxp', 'tok7'), context: {}, spent, decimals: 6 });
    const result = settleAnswer(http(400, { error: { code: 'bad', message: 'token tok7 is not known' } }), short, NOW);
    expect(result).toMatchObject({ detail: 'auth server answered 400 bad: token [redacted] is not known' });
    const unparsed = settleAnswer(http(400, { error: 'cannot parse secret-abc-9' }), 'secret-abc-9', NOW);
    expect(JSON.stringify(unparsed)).not.toContain('secret-abc');
  });
});

/** The parts of the secret, `length` characters each, that stand in the detail and not by accident in the words around it. */
function partsOf(secret: string, detail: string, length: number, surroundings: string): string[] {
  return Array.from({ length: Math.max(secret.length - length + 1, 0) }, (_, at) =>
    secret.slice(at, at + length),
  ).filter((part) => detail.includes(part) && !surroundings.includes(part));
}
