import { describe, expect, it } from 'vitest';
import { readHistoricalLine } from '../../../src/cli/historical/historical-line.js';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const LINE = {
  order: 'order_123',
  currency: 'usd',
  paid: 12_000,
  hyperswitch_payment_id: 'pay_1',
  seller_account: 'acct_1',
  amount: 9_000,
  stripe_transfer_id: 'tr_1',
  created_at: '2025-03-01T10:00:00+02:00',
};
const read = (line: unknown) => readHistoricalLine(JSON.stringify(line), NOW);
const without = (name: keyof typeof LINE) => Object.fromEntries(Object.entries(LINE).filter(([key]) => key !== name));

describe('a line of history', () => {
  it('is read with its amounts exact, its currency in capitals and its time in UTC', () => {
    expect(read(LINE)).toEqual({
      order: 'order_123',
      currency: 'USD',
      paid: 12_000n,
      hyperswitchPaymentId: 'pay_1',
      sellerAccount: 'acct_1',
      amount: 9_000n,
      stripeTransferId: 'tr_1',
      createdAt: '2025-03-01T08:00:00.000Z',
    });
  });

  it('may be in a currency that is none any more, and in none that never was', () => {
    expect(read({ ...LINE, currency: 'bgn' })).toMatchObject({ currency: 'BGN' });
    expect(read({ ...LINE, currency: 'XXX' })).toEqual({ problem: 'currency: XXX is and was no currency at Stripe' });
  });

  it('may lack its id at Stripe, and may have a date for a time', () => {
    expect(read({ ...LINE, stripe_transfer_id: null, created_at: '2025-03-01' })).toMatchObject({
      stripeTransferId: null,
      createdAt: '2025-03-01T00:00:00.000Z',
    });
  });

  it.each(Object.keys(LINE) as (keyof typeof LINE)[])('is refused without %s, and the field is named', (name) => {
    expect(read(without(name))).toEqual({ problem: expect.stringContaining(name) });
  });

  it.each([
    ['a number that JavaScript cannot hold', '{"amount":9007199254740993}', /amount/],
    ['a fraction', { amount: 90.5 }, /amount/],
    ['an amount as text', { amount: '9000' }, /amount/],
    ['nothing', { amount: 0 }, /amount/],
    ['more than was paid', { amount: 12_001 }, /amount: more than was paid/],
    ['an empty order', { order: '' }, /order/],
    ['an order with a space at its end', { order: 'order_123 ' }, /order/],
    ['a currency of two letters', { currency: 'us' }, /currency/],
    ['an account that is none', { seller_account: 'seller 1' }, /seller_account/],
    ['an empty id at Stripe', { stripe_transfer_id: '' }, /stripe_transfer_id/],
    ['the id of a payment where the transfer belongs', { stripe_transfer_id: 'pi_1' }, /stripe_transfer_id/],
    ['a time without its zone', { created_at: '2025-03-01T10:00:00' }, /created_at/],
    ['a day that does not exist', { created_at: '2025-02-30' }, /created_at/],
    ['a time before there was Stripe', { created_at: '1970-01-01' }, /created_at/],
    ['a time to come', { created_at: '2027-01-01' }, /created_at/],
    ['a name that is unknown', { sellerAccount: 'acct_1' }, /sellerAccount/],
  ])('is refused with %s', (_what, change, problem) => {
    const text =
      typeof change === 'string'
        ? JSON.stringify(LINE).replace('"amount":9000', change.slice(1, -1))
        : JSON.stringify({ ...LINE, ...change });
    expect(readHistoricalLine(text, NOW)).toEqual({ problem: expect.stringMatching(problem) });
  });

  it.each(['', '{', '[]', 'null', '"text"', '12'])('is refused where it is %s and no object', (text) => {
    expect(readHistoricalLine(text, NOW)).toEqual({ problem: expect.any(String) });
  });
});
