import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hyperswitchPaymentId,
  hyperswitchRefundId,
  isHyperswitchId,
} from '../../../../src/providers/hyperswitch/ids.js';

describe('an id derived from an idempotency key', () => {
  it('is the digest in base 36, lowest digit first, as the recorded vector has it', () => {
    expect(hyperswitchRefundId('mkt:order_42:refund_7')).toBe('ref_tfgcgxcysdzg7u8hip6ge9dpd5');
  });

  it('is the same for ever: another one would make every unfinished call a new payment', () => {
    expect(hyperswitchPaymentId('0198a0b0-0000-7000-8000-000000000001')).toBe('pay_5fnc585j4jl999jh69dd4932dl');
    expect(hyperswitchRefundId('0198a0b0-0000-7000-8000-000000000001')).toBe('ref_jyw9ovs42m5l46g9u3a8eg8crp');
  });

  it('has the 30 characters that Hyperswitch asks for, whatever the key, and differs with it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
        const ids = [hyperswitchPaymentId(one), hyperswitchRefundId(one)];
        for (const id of ids) expect(id).toMatch(/^(pay|ref)_[0-9a-z]{26}$/);
        expect(ids[0]?.slice(4)).not.toBe(ids[1]?.slice(4));
        expect(hyperswitchPaymentId(one) === hyperswitchPaymentId(other)).toBe(one === other);
      }),
    );
  });

  it('can never be another path on the host', () => {
    expect(isHyperswitchId(hyperswitchPaymentId('x'))).toBe(true);
    for (const id of ['', '..', 'a/b', 'a?b', 'a b', 'a'.repeat(65)]) expect(isHyperswitchId(id)).toBe(false);
  });
});
