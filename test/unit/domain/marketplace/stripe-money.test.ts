import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountStep } from '../../../../src/domain/marketplace/currencies.js';
import { isMoney, isTransferOf } from '../../../../src/domain/marketplace/ours-at-stripe.js';
import {
  convertedPart,
  convertedShare,
  leastShare,
  MixedCurrencies,
  OrderMoney,
  StripeMoney,
  shareFor,
} from '../../../../src/domain/marketplace/stripe-money.js';

const usd = (amount: bigint) => new OrderMoney(amount, 'USD');
const CURRENCY = fc.constantFrom('EUR', 'JPY', 'KWD', 'ISK');
const minor = (most = 10n ** 12n) => fc.bigInt({ min: 1n, max: most });

/** Cuts a whole into parts at these places. */
const cut = (whole: bigint, places: readonly bigint[]): readonly bigint[] => {
  const ends = [...places.map((each) => each % (whole + 1n)), whole].sort((a, b) => (a < b ? -1 : 1));
  return ends.map((end, index) => end - (ends[index - 1] ?? 0n)).filter((part) => part > 0n);
};

describe('shares of a charge whose money is in another currency', () => {
  it('are together never more than the charge became, each in steps of its currency and less than one step below its part', () => {
    fc.assert(
      fc.property(
        minor(),
        minor(),
        CURRENCY,
        fc.array(minor(), { maxLength: 8 }),
        (captured, became, currency, places) => {
          const rate = { captured: usd(captured), became: StripeMoney.read(became, currency) };
          const parts = cut(captured, places);
          const shares = parts.map((part) => convertedShare(usd(part), rate));
          expect(shares.reduce((sum, { amount }) => sum + amount, 0n)).toBeLessThanOrEqual(became);
          for (const [index, { amount, currency: sentIn }] of shares.entries()) {
            const part = parts[index] ?? 0n;
            expect(sentIn).toBe(currency);
            if (part === captured) expect(amount).toBe(became);
            else {
              expect(amount % amountStep(currency)).toBe(0n);
              expect(amount * captured).toBeLessThanOrEqual(part * became);
              expect((amount + amountStep(currency)) * captured).toBeGreaterThan(part * became);
            }
          }
        },
      ),
    );
  });
});

describe('of a share that is converted', () => {
  it('the least that can be sent is sent as something, and less than that as nothing', () => {
    fc.assert(
      fc.property(minor(), minor(), CURRENCY, (captured, became, currency) => {
        const rate = { captured: usd(captured), became: StripeMoney.read(became, currency) };
        const least = leastShare(rate).amount;
        expect(convertedShare(usd(least - 1n), rate).amount).toBe(0n);
        if (least <= captured) expect(convertedShare(usd(least), rate).amount).toBeGreaterThan(0n);
      }),
    );
  });
});

describe('reversals of a transfer that was converted', () => {
  it('take nothing for what is more than the share that was sent', () => {
    const transfer = { share: usd(200n), sent: StripeMoney.read(184n, 'EUR') };
    const none = { share: usd(0n), taken: StripeMoney.read(0n, 'EUR') };
    expect(convertedPart(transfer, none, usd(800n)).amount).toBe(0n);
    expect(convertedPart(transfer, none, usd(50n)).amount).toBe(46n);
    const before = { share: usd(150n), taken: StripeMoney.read(138n, 'EUR') };
    expect(convertedPart(transfer, before, usd(51n)).amount).toBe(0n);
    expect(convertedPart(transfer, before, usd(50n)).amount).toBe(46n);
  });

  it('are asked for no more than Stripe holds, where a part of what it holds is to be taken', () => {
    fc.assert(
      fc.property(minor(), minor(), CURRENCY, minor(), (share, sent, currency, there) => {
        const transfer = { share: usd(share), sent: StripeMoney.read(sent, currency) };
        const part = shareFor(transfer, StripeMoney.read(there, currency));
        const none = { share: usd(0n), taken: StripeMoney.read(0n, currency) };
        expect(convertedPart(transfer, none, part).amount).toBeLessThanOrEqual(there);
      }),
    );
  });

  it('take exactly what was sent once all of it is taken back, and never more before that', () => {
    fc.assert(
      fc.property(minor(), minor(), CURRENCY, fc.array(minor(), { maxLength: 8 }), (share, sent, currency, places) => {
        const transfer = { share: usd(share), sent: StripeMoney.read(sent, currency) };
        let before = { share: usd(0n), taken: StripeMoney.read(0n, currency) };
        for (const part of cut(share, places)) {
          const { amount } = convertedPart(transfer, before, usd(part));
          expect(amount).toBeGreaterThanOrEqual(0n);
          before = {
            share: before.share.plus(usd(part)),
            taken: StripeMoney.read(before.taken.amount + amount, currency),
          };
          expect(before.taken.amount).toBeLessThanOrEqual(sent);
          expect(before.taken.amount * share).toBeLessThanOrEqual(before.share.amount * sent);
        }
        expect(before.taken.amount).toBe(sent);
      }),
    );
  });

  it('take the rest with the last, in whatever order they are frozen, given up and taken again', () => {
    fc.assert(
      fc.property(
        minor(10n ** 6n),
        minor(10n ** 6n),
        fc.array(minor(), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (share, sent, places, again) => {
          const transfer = { share: usd(share), sent: StripeMoney.read(sent, 'EUR') };
          const parts = cut(share, places);
          const taken = new Map<number, bigint>();
          const freeze = (index: number) => {
            taken.delete(index);
            const beside = [...taken].reduce((sum, [, amount]) => sum + amount, 0n);
            const of = [...taken.keys()].reduce((sum, each) => sum + (parts[each] ?? 0n), 0n);
            const due = convertedPart(
              transfer,
              { share: usd(of), taken: StripeMoney.read(beside, 'EUR') },
              usd(parts[index] ?? 0n),
            );
            taken.set(index, due.amount);
          };
          parts.forEach((_, index) => freeze(index));
          for (const each of again) freeze(each % parts.length);
          expect([...taken.values()].reduce((sum, amount) => sum + amount, 0n)).toBe(sent);
        },
      ),
    );
  });
});

describe('amounts of different currencies', () => {
  it('are never added, taken from one another, or made into one another without a rate that was read', () => {
    expect(() => usd(1n).plus(new OrderMoney(1n, 'EUR'))).toThrow(MixedCurrencies);
    expect(() => StripeMoney.read(1n, 'USD').minus(StripeMoney.read(1n, 'EUR'))).toThrow(MixedCurrencies);
    expect(() => StripeMoney.of(usd(1n), 'EUR')).toThrow(/never compared or sent for one another/);
    const rate = { captured: new OrderMoney(10n, 'GBP'), became: StripeMoney.read(11n, 'EUR') };
    expect(() => convertedShare(usd(1n), rate)).toThrow(MixedCurrencies);
  });

  it('are not the same money although the numbers are', () => {
    const found = { amount: 500n, currency: 'EUR', destination: 'acct_1' };
    expect(isMoney(found, StripeMoney.read(500n, 'USD'))).toBe(false);
    expect(isTransferOf(found, { money: StripeMoney.read(500n, 'USD'), sellerAccount: 'acct_1' })).toBe(false);
    expect(isTransferOf(found, { money: StripeMoney.read(500n, 'EUR'), sellerAccount: 'acct_1' })).toBe(true);
  });

  it('of an order cannot be named to Stripe as they are: the compiler refuses it', () => {
    const share = usd(500n);
    // @ts-expect-error -- what is shared out is not what Stripe is asked for
    const asked: StripeMoney = share;
    // @ts-expect-error -- and what Stripe holds is not what is shared out
    const shared: OrderMoney = StripeMoney.read(500n, 'USD');
    // @ts-expect-error -- nor is anything of that form
    const forged: StripeMoney = { amount: 500n, currency: 'USD', minus: () => StripeMoney.read(0n, 'USD') };
    // @ts-expect-error -- what is looked for at Stripe is money of Stripe's
    isTransferOf({ amount: 500n, currency: 'USD', destination: 'acct_1' }, { money: share, sellerAccount: 'acct_1' });
    expect([asked, shared, forged]).toHaveLength(3);
  });
});
