import { encodePaymentSignatureHeader } from '@x402/core/http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/domain/json.js';
import { decodeCredential } from '../../../src/protocols/decode-credential.js';
import { canonicalNetwork } from '../../../src/protocols/x402-networks.js';
import {
  authorization,
  base64,
  decoded,
  NONCE,
  PAYER,
  requirements,
  SIGNATURE,
  USDC,
  x402upto,
  x402v1,
  x402v2,
} from '../../support/sessions/credentials.js';

const id = (value: unknown, context = {}) => decoded('x402', base64(value), context).identity;
const reason = (value: unknown, context = {}) => decodeCredential('x402', base64(value), context);

const solana = (signatures: number, message: string): JsonObject => ({
  x402Version: 2,
  accepted: requirements({ network: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1' }),
  payload: {
    transaction: Buffer.concat([Buffer.from([1]), Buffer.alloc(64, signatures), Buffer.from(message)]).toString(
      'base64',
    ),
  },
});

const unknown = (payload: object) => ({ ...x402v2(), payload });

describe('an x402 credential', () => {
  it('states scheme, cap, payer, expiry and where to look it up', () => {
    const credential = decoded('x402', base64(x402v2()));
    expect(credential).toMatchObject({
      protocol: 'x402',
      scheme: 'exact',
      version: 2,
      metered: false,
      closesAtZero: false,
      cap: '10000',
      account: PAYER.toLowerCase(),
      expiresAtMs: 1740672154000,
    });
    expect(credential.identity).toBe(`x402:eip155:84532:eip3009:${PAYER.toLowerCase()}:${NONCE}`);
    expect(credential.lookup).toMatchObject({
      network: 'eip155:84532',
      asset: USDC.toLowerCase(),
      from: PAYER.toLowerCase(),
      nonce: NONCE,
    });
    expect(JSON.stringify([credential.lookup, credential.identity])).not.toContain(SIGNATURE.slice(4, 20));
  });

  it('is metered by upto only, with the permitted amount as cap and the deadline as expiry', () => {
    expect(decoded('x402', base64(x402upto()))).toMatchObject({
      scheme: 'upto',
      metered: true,
      cap: '10000',
      account: PAYER.toLowerCase(),
      expiresAtMs: 1740672154000,
    });
  });

  it('is read as the header encoder of @x402/core writes it', () => {
    const header = encodePaymentSignatureHeader(JSON.parse(JSON.stringify(x402v2())));
    expect(decoded('x402', header).identity).toBe(id(x402v2()));
  });

  it('never has a second identity by the other version, encoding, key order, spaces, hex case or envelope', () => {
    const context = { paymentRequirements: requirements(), paymentRequestId: 'req_1', sourceAccountId: 'acct' };
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }),
        fc.record({
          version: fc.constantFrom(1, 2),
          reverse: fc.boolean(),
          indent: fc.nat(4),
          encoding: fc.constantFrom('base64', 'base64url', 'unpadded', 'json'),
          upper: fc.boolean(),
          decimalNonce: fc.boolean(),
          withContext: fc.boolean(),
          requestId: fc.option(fc.string(), { nil: undefined }),
          extra: fc.dictionary(fc.constantFrom('resource', 'extensions', 'note', '__proto__'), fc.string()),
        }),
        (nonce, bend) => {
          const hex = `0x${nonce.toString(16)}`;
          const signed = {
            nonce: bend.decimalNonce ? nonce.toString() : bend.upper ? `0X${hex.slice(2).toUpperCase()}` : hex,
            from: bend.upper ? `0x${PAYER.slice(2).toUpperCase()}` : PAYER,
          };
          const credential = { ...(bend.version === 1 ? x402v1(signed) : x402v2(signed)), ...bend.extra };
          const text = JSON.stringify(bend.reverse ? reversed(credential) : credential, null, bend.indent);
          const raw =
            bend.encoding === 'json'
              ? text
              : Buffer.from(text).toString(bend.encoding === 'base64' ? 'base64' : 'base64url');
          const bent = decoded('x402', raw, bend.withContext ? { ...context, paymentRequestId: bend.requestId } : {});
          expect(bent.identity).toBe(id(x402v2({ nonce: hex })));
        },
      ),
    );
  });

  it('always has another identity for another nonce, payer or network', () => {
    const uint = fc.bigInt({ min: 0n, max: (1n << 256n) - 1n });
    const address = fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }).map((n) => `0x${n.toString(16).padStart(40, '0')}`);
    fc.assert(
      fc.property(uint, uint, address, address, (nonce, otherNonce, from, otherFrom) => {
        const one = id(x402v2({ nonce: nonce.toString(), from }));
        expect(id(x402v2({ nonce: otherNonce.toString(), from })) === one).toBe(nonce === otherNonce);
        expect(id(x402v1({ nonce: nonce.toString(), from: otherFrom })) === one).toBe(from === otherFrom);
      }),
    );
    expect(id({ ...x402v1(), network: 'base' })).not.toBe(id(x402v1()));
    expect(id(x402upto({ nonce: '1' }))).not.toBe(id(x402upto({ nonce: '2' })));
  });

  it('keeps one identity when the asset it claims is bent', () => {
    expect(id({ ...x402v2(), accepted: requirements({ asset: PAYER }) })).toBe(id(x402v2()));
  });

  it('takes network and scheme from the offer where there is one', () => {
    const bent = { ...x402v2(), accepted: requirements({ network: 'eip155:8453' }) };
    expect(id(bent, { paymentRequirements: requirements() })).toBe(id(x402v2()));
    expect(reason(x402v2(), { paymentRequirements: requirements({ scheme: 'upto' }) })).toHaveProperty('undecodable');
  });

  it('on Solana is the signed message: noise in the empty signature slot makes no other payment', () => {
    expect(id(solana(0, 'message-1'))).toBe(id(solana(7, 'message-1')));
    expect(id(solana(0, 'message-1'))).not.toBe(id(solana(0, 'message-2')));
    const v1 = {
      x402Version: 1,
      scheme: 'exact',
      network: 'solana-devnet',
      payload: solana(0, 'message-1')['payload'],
    };
    expect(id(v1)).toBe(id(solana(0, 'message-1')));
    expect(decoded('x402', base64(v1))).toMatchObject({ account: null, cap: null, expiresAtMs: null });
  });

  it('of an unknown mechanism is known by its content, whatever the key order and the envelope', () => {
    const one = id(unknown({ delegation: { a: 1, b: [2, { c: 3, d: 4 }] } }));
    expect(
      id({
        x402Version: 1,
        scheme: 'exact',
        network: 'base-sepolia',
        payload: { delegation: { b: [2, { d: 4, c: 3 }], a: 1 } },
      }),
    ).toBe(one);
    expect(id(unknown({ delegation: { a: 1, b: [2, { c: 3, d: 5 }] } }))).not.toBe(one);
  });

  it('is refused when two mechanisms could read it', () => {
    expect(reason({ ...x402v2(), payload: { authorization: authorization(), transaction: 'AAAA' } })).toHaveProperty(
      'undecodable',
    );
  });

  it.each([
    ['no scheme', { ...x402v1(), scheme: undefined }],
    ['an unknown scheme', { ...x402v1(), scheme: 'subscription' }],
    ['no network', { ...x402v1(), network: undefined }],
    ['no payload', { ...x402v1(), payload: undefined }],
    ['another version', { ...x402v1(), x402Version: 3 }],
    ['a version as text', { ...x402v1(), x402Version: '1' }],
    ['a payer that is no address', x402v1({ from: 'alice' })],
    ['a nonce that is no number', x402v1({ nonce: '0xzz' })],
    ['a nonce past 256 bits', x402v1({ nonce: `0x1${'0'.repeat(64)}` })],
    ['a nonce that JSON rounds', x402v1({ nonce: 2 ** 60 })],
    ['an amount with a sign', x402v1({ value: '-1' })],
    ['an amount with an exponent', x402v1({ value: '1e3' })],
    ['a fractional amount', x402v1({ value: '1.5' })],
    ['an amount in hex', x402v1({ value: '0x10' })],
    ['an amount past 39 digits', x402v1({ value: '1'.repeat(40) })],
    ['an expiry that is no number', x402v1({ validBefore: 'tomorrow' })],
    ['an authorization that is text', { ...x402v1(), payload: { authorization: 'x' } }],
  ])('with %s is undecodable, and the reason quotes nothing of it', (_what, value) => {
    const result = reason(value);
    expect(result).toHaveProperty('undecodable');
    expect(JSON.stringify(result)).not.toContain(NONCE.slice(2, 12));
  });

  it('that never expires, or says nothing of it, states no expiry', () => {
    expect(decoded('x402', base64(x402v1({ validBefore: ((1n << 256n) - 1n).toString() }))).expiresAtMs).toBeNull();
    expect(decoded('x402', base64(x402v1({ validBefore: undefined }))).expiresAtMs).toBeNull();
    expect(decoded('x402', base64(x402v1({ validBefore: 1740672154 }))).expiresAtMs).toBe(1740672154000);
  });

  it('takes its cap from the offer when the signed part names none', () => {
    const bare = { ...x402v1({ value: undefined }) };
    expect(
      decoded('x402', base64(bare), {
        paymentRequirements: { ...requirements(), amount: undefined, maxAmountRequired: '70' },
      }).cap,
    ).toBe('70');
    expect(decoded('x402', base64(bare)).cap).toBeNull();
  });
});

describe('canonicalNetwork', () => {
  it('maps both versions to one name and never finds what an object inherits', () => {
    expect(canonicalNetwork('base-sepolia')).toBe('eip155:84532');
    expect(canonicalNetwork('Base')).toBe('eip155:8453');
    expect(canonicalNetwork('EIP155:0084532')).toBe('eip155:84532');
    expect(canonicalNetwork('solana')).toBe('solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp');
    expect(canonicalNetwork('constructor')).toBe('constructor');
  });
});

/** The same value with every object's keys in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}
