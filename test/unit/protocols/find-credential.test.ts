import { describe, expect, it } from 'vitest';
import { findCredential } from '../../../src/protocols/find-credential.js';

const found = (id: string): string | undefined =>
  findCredential({ 'x-payment': 'c', 'x-atxp-payment-request-id': id })?.paymentRequestId;

describe('findCredential', () => {
  it('finds nothing where nothing is paid, whatever else the headers say', () => {
    expect(findCredential({})).toBeUndefined();
    expect(
      findCredential({ authorization: 'Bearer abc', 'x-payment': ' ', 'x-atxp-payment-request-id': 'req_1' }),
    ).toBeUndefined();
    expect(findCredential({ authorization: 'Payment' })).toBeUndefined();
    expect(findCredential({ authorization: 'Payments abc' })).toBeUndefined();
  });

  it('prefers ATXP, then x402 v2, then x402 v1, then MPP', () => {
    const all = { 'x-atxp-payment': 'a', 'payment-signature': 'b', 'x-payment': 'c', authorization: 'Payment d' };
    expect(findCredential(all)).toEqual({ protocol: 'atxp', raw: 'a' });
    const { 'x-atxp-payment': _a, ...x402 } = all;
    expect(findCredential(x402)).toEqual({ protocol: 'x402', raw: 'b', headerVersion: 2 });
    const { 'payment-signature': _b, ...v1 } = x402;
    expect(findCredential(v1)).toEqual({ protocol: 'x402', raw: 'c', headerVersion: 1 });
    const { 'x-payment': _c, ...mpp } = v1;
    expect(findCredential(mpp)).toEqual({ protocol: 'mpp', raw: 'd' });
  });

  it('finds the Payment scheme in any case and among others', () => {
    expect(findCredential({ authorization: 'payment  abc' })?.raw).toBe('abc');
    expect(findCredential({ authorization: 'Bearer xyz, Payment abc' })?.raw).toBe('abc');
    expect(findCredential({ authorization: 'Payment abc, Bearer xyz' })?.raw).toBe('abc');
  });

  it('carries a claimed payment request id, and drops one that is not plain text of a bounded length', () => {
    expect(found('req_1')).toBe('req_1');
    expect(found('a b')).toBeUndefined();
    expect(found('x'.repeat(129))).toBeUndefined();
  });
});
