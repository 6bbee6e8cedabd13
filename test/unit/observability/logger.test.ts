import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/observability/logger.js';
import { scrub } from '../../../src/observability/scrub.js';

const CANARY = 'canary-7f3a9c21d5e8b604';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger({ level: 'debug', name: 'test', to: { write: (line) => lines.push(line) } }));
  return lines.join('');
}

describe('a log line', () => {
  it('is one JSON object with level, time, name and message', () => {
    const line = logged((logger) => logger.info({ settlement: 'id-1', amount: 5n }, 'settled'));
    expect(JSON.parse(line)).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      pid: process.pid,
      name: 'test',
      settlement: 'id-1',
      amount: '5',
      msg: 'settled',
    });
  });

  it('tells an error with its type, code and cause, whether bare or under err', () => {
    const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E1' });
    for (const write of [
      logged((logger) => logger.error(error, 'failed')),
      logged((logger) => logger.error({ err: error }, 'failed')),
    ]) {
      expect(JSON.parse(write)).toMatchObject({
        err: { type: 'TypeError', message: 'outer', code: 'E1', cause: { type: 'Error', message: 'inner' } },
        msg: 'failed',
      });
    }
  });

  it.each([
    ['a member that is named after a secret', { credential: CANARY }],
    ['such a member deep inside', { a: { b: [{ sourceAccountToken: CANARY }] } }],
    [
      'headers',
      {
        headers: {
          authorization: CANARY,
          'x-atxp-payment': CANARY,
          'PAYMENT-SIGNATURE': CANARY,
          'X-PAYMENT': CANARY,
          cookie: CANARY,
        },
      },
    ],
    ['a bearer token in a text', { text: `sent Authorization: Bearer ${CANARY} to x` }],
    ['a payment header in a text', { text: `Payment ${CANARY}` }],
    ['a password in a URL', { text: `connect postgres://makegood:${CANARY}@db/x` }],
    ['a key of Stripe', { text: `Invalid API Key provided: sk_live_${CANARY.replaceAll('-', '')}` }],
    ['a token that begins like JSON in base64', { text: `bad eyJ${CANARY}` }],
    ['a long signature', { text: `0x${CANARY.replaceAll('-', '')}${'ab12'.repeat(30)}` }],
    ['the message of an error', new Error(`refused Bearer ${CANARY}`)],
    ['the cause of an error', new Error('x', { cause: new Error(`Payment ${CANARY}`) })],
    ['further members of an error', Object.assign(new Error('x'), { detail: `Key (x)=(${CANARY})`, config: CANARY })],
    ['bytes', { bytes: Buffer.from(CANARY) }],
  ])('never shows %s', (_what, subject) => {
    const lines = logged((logger) => {
      logger.warn(subject, `message with Bearer ${CANARY}`);
      logger.warn({ err: subject });
    });
    for (const form of [CANARY, CANARY.replaceAll('-', ''), Buffer.from(CANARY).toString('base64')]) {
      expect(lines).not.toContain(form);
    }
    expect(lines.split('\n').filter(Boolean)).toHaveLength(2);
  });

  it.each([
    'the lease on payment sessions is in danger: responses wait or are cut off',
    'Payment required. This resource is paid for per response',
    'a payment could not be read',
  ])('leaves ordinary words as they are: %s', (message) => {
    expect(logged((logger) => logger.warn({ detail: message }, message))).toContain(`"detail":"${message}"`);
  });

  it('keeps what people look for: ids, hashes, reasons, amounts', () => {
    const facts = {
      settlement: '0197d7a4-6f00-7000-8000-000000000001',
      tx_hash: `0x${'ab'.repeat(32)}`,
      reason: 'credential_undecodable',
      payment_request_id: 'pr_123',
    };
    expect(scrub(facts)).toEqual(facts);
  });

  it('survives whatever it is given', () => {
    const ring: Record<string, unknown> = {};
    ring.self = ring;
    expect(logged((logger) => logger.info(ring, 'ring'))).toContain('ring');
    fc.assert(fc.property(fc.anything(), (value) => logged((logger) => logger.info({ value }, 'x')).endsWith('\n')));
  });
});
