import { smaller } from '../money.js';
import { amountStep } from './currencies.js';

/** Amounts of two currencies were about to be taken for one another: nothing is computed, and nothing is sent. */
export class MixedCurrencies extends TypeError {
  constructor(one: string, other: string) {
    super(`amounts of ${one} and ${other} are never compared or sent for one another: nothing was sent`);
    this.name = 'MixedCurrencies';
  }
}

/**
 * What is shared out among sellers: minor units of the order's currency. What Stripe is asked for is {@link StripeMoney}; neither
 * is assignable to the other, and only a rate that was read leads from one to the other.
 */
export class OrderMoney {
  readonly #amount: bigint;
  readonly currency: string;

  constructor(amount: bigint, currency: string) {
    this.#amount = amount;
    this.currency = currency;
  }

  get amount(): bigint {
    return this.#amount;
  }

  plus(other: OrderMoney): OrderMoney {
    requireSame(this, other);
    return new OrderMoney(this.#amount + other.#amount, this.currency);
  }
}

/** What Stripe holds or is asked for: minor units of a currency that was read there, or of the order's own. */
export class StripeMoney {
  readonly #amount: bigint;
  readonly currency: string;

  private constructor(amount: bigint, currency: string) {
    this.#amount = amount;
    this.currency = currency;
  }

  /** As Stripe, or a row of what was sent to it, says. */
  static read(amount: bigint, currency: string): StripeMoney {
    return new StripeMoney(amount, currency);
  }

  /** Where nothing is converted. @param currency of the money at Stripe @throws MixedCurrencies when that is another */
  static of(money: OrderMoney, currency: string): StripeMoney {
    requireSame(money, { currency });
    return new StripeMoney(money.amount, currency);
  }

  get amount(): bigint {
    return this.#amount;
  }

  minus(other: StripeMoney): StripeMoney {
    requireSame(this, other);
    return new StripeMoney(this.#amount - other.#amount, this.currency);
  }
}

function requireSame(one: { readonly currency: string }, other: { readonly currency: string }): void {
  if (one.currency !== other.currency) throw new MixedCurrencies(one.currency, other.currency);
}

/**
 * By which a charge's money changed its currency: all that was captured, and what the balance transaction says it became. Stripe's
 * own `exchange_rate` is shown and never computed with: it is rounded, and whether it counts minor or major units is said nowhere.
 */
export interface ChargeRate {
  readonly captured: OrderMoney;
  readonly became: StripeMoney;
}

/** A share in the currency of the balance, rounded down: all shares together are never more than the charge became. */
export const convertedShare = (share: OrderMoney, { captured, became }: ChargeRate): StripeMoney =>
  partOf(became, share, captured);

/** The smallest share of which anything can be sent; more than was captured where nothing can. */
export function leastShare({ captured, became }: ChargeRate): OrderMoney {
  if (became.amount <= 0n) return new OrderMoney(captured.amount + 1n, captured.currency);
  const least = (amountStep(became.currency) * captured.amount + became.amount - 1n) / became.amount;
  // All that was captured is all that it became, however little.
  return new OrderMoney(smaller(least, captured.amount), captured.currency);
}

/** A transfer that was converted when it was sent. */
export interface ConvertedTransfer {
  readonly share: OrderMoney;
  readonly sent: StripeMoney;
}

/** Of a converted transfer, what other reversals took or may have taken. */
export interface TakenSoFar {
  readonly share: OrderMoney;
  readonly taken: StripeMoney;
}

/**
 * What a reversal of this part takes at Stripe; the last one takes the rest, so that all of them are exactly what was sent. Nothing where
 * it goes beyond the share that was sent: the whole of what was sent would stand for more than it is.
 */
export function convertedPart(transfer: ConvertedTransfer, before: TakenSoFar, part: OrderMoney): StripeMoney {
  const upTo = before.share.plus(part);
  if (upTo.amount > transfer.share.amount) return StripeMoney.read(0n, transfer.sent.currency);
  const until = partOf(transfer.sent, upTo, transfer.share);
  const left = transfer.sent.minus(before.taken);
  const due = until.minus(before.taken);
  const most = due.amount > left.amount ? left : due;
  return most.amount > 0n ? most : StripeMoney.read(0n, transfer.sent.currency);
}

/**
 * Of a converted transfer, the most of its share of which no more than this is asked at Stripe. No sum of it is ever sent: it says how
 * much may be demanded, and what that is at Stripe follows from {@link convertedPart}.
 */
export function shareFor({ share, sent }: ConvertedTransfer, atStripe: StripeMoney): OrderMoney {
  requireSame(sent, atStripe);
  if (sent.amount <= 0n || atStripe.amount <= 0n) return new OrderMoney(0n, share.currency);
  if (atStripe.amount >= sent.amount) return share;
  const movable = atStripe.amount - (atStripe.amount % amountStep(sent.currency));
  return new OrderMoney((movable * share.amount) / sent.amount, share.currency);
}

/** Of a transfer or reversal whose amount at Stripe is in another currency than its order's; null: it is in the order's. */
export interface Conversion {
  readonly currency: string;
  readonly amount: bigint;
}

/** What an item of the ledger is at Stripe. @param due in the order's currency */
export const moneyAtStripe = (due: OrderMoney, conversion: Conversion | null): StripeMoney =>
  conversion === null ? StripeMoney.of(due, due.currency) : StripeMoney.read(conversion.amount, conversion.currency);

function partOf(whole: StripeMoney, part: OrderMoney, of: OrderMoney): StripeMoney {
  requireSame(part, of);
  if (part.amount >= of.amount) return whole;
  const step = amountStep(whole.currency);
  const amount = of.amount > 0n && part.amount > 0n ? (whole.amount * part.amount) / of.amount : 0n;
  return StripeMoney.read(amount - (amount % step), whole.currency);
}
