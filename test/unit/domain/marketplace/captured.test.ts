import { describe, expect, it } from 'vitest';
import { type Captured, capturedInWords, capturedOf } from '../../../../src/domain/marketplace/captured.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';

const NOTHING: Captured = { surely: 0n, known: true };
const UNKNOWN: Captured = { surely: 0n, known: false };
const of = (surely: bigint): Captured => ({ surely, known: true });

const read = (word: string, said: { received: bigint | null; currency?: string; before?: Captured; paid?: boolean }) =>
  capturedOf(
    { currency: 'USD', status: said.paid ? 'succeeded' : 'processing', captured: said.before ?? NOTHING },
    paymentAt({
      hyperswitchPaymentId: 'pay_1',
      amount: 1_000n,
      currency: said.currency ?? 'USD',
      providerStatus: word,
      amountReceived: said.received,
    }),
  );

describe('what was captured of a payment', () => {
  it.each([
    ['succeeded', 1_000n, of(1_000n)],
    ['succeeded', null, of(1_000n)],
    ['partially_captured', 400n, of(400n)],
    ['requires_capture', 0n, NOTHING],
    ['requires_payment_method', null, NOTHING],
    ['conflicted', 0n, NOTHING],
    ['cancelled_post_capture', 1_000n, NOTHING],
  ] as const)('is known where %s says %s', (word, received, captured) => {
    expect(read(word, { received })).toEqual(captured);
  });

  it.each([
    ['partially_captured', null],
    ['partially_captured_and_processing', null],
    ['conflicted', null],
    ['new_teleported', null],
    // Two words that contradict each other are no knowledge.
    ['succeeded', 0n],
    ['partially_captured', 0n],
  ] as const)('is unknown where %s says %s', (word, received) => {
    expect(read(word, { received })).toEqual(UNKNOWN);
  });

  it('in another currency is unknown, and nothing is nothing in any', () => {
    expect(read('succeeded', { received: 900n, currency: 'EUR' })).toEqual(UNKNOWN);
    expect(read('succeeded', { received: null, currency: 'EUR' })).toEqual(UNKNOWN);
    expect(read('requires_capture', { received: 0n, currency: 'EUR' })).toEqual(NOTHING);
  });

  it('is not forgotten by a reading that says less', () => {
    expect(read('processing', { received: null, before: of(400n) })).toEqual(of(400n));
    expect(read('partially_captured', { received: null, before: of(400n) })).toEqual({ surely: 400n, known: false });
    expect(read('cancelled_post_capture', { received: 0n, before: of(1_000n), paid: true })).toEqual(of(1_000n));
  });

  it('is said in words that tell the two apart', () => {
    const said = [of(400n), UNKNOWN, { surely: 400n, known: false }].map(capturedInWords);
    expect(said).toEqual(['400', 'unknown', 'at least 400']);
  });
});
