import type { SellerSide, SellerTransfer } from '../../domain/marketplace/marketplace.js';
import { type Conversion, convertedPart, OrderMoney, StripeMoney } from '../../domain/marketplace/stripe-money.js';

/** Columns of a transfer that was sent in another currency than its order's; else null. */
export interface SentMoney {
  sent_currency: string | null;
  sent_amount: string | null;
  exchange_rate: string | null;
}

export const conversionOfTransfer = (row: SentMoney): SellerTransfer['conversion'] =>
  row.sent_currency === null || row.sent_amount === null
    ? null
    : { currency: row.sent_currency, amount: BigInt(row.sent_amount), exchangeRate: row.exchange_rate };

/** Columns of a reversal. */
export interface ReversedMoney {
  sent_amount: string | null;
  /** Of its transfer, where that was sent in another currency than its order's, and what the other reversals took of it. */
  transfer_share: string;
  transfer_currency: string | null;
  transfer_sent: string | null;
  beside: readonly [share: string, taken: string] | null;
  seller_currency: string | null;
  seller_got: string | null;
  seller_gave: string | null;
}

/** What was frozen; before that, what would be now. */
export function conversionOfReversal(
  row: ReversedMoney & { readonly amount: string; readonly currency: string },
): Conversion | null {
  const { currency, transfer_currency: sentIn, transfer_sent: sent, beside, sent_amount: frozen } = row;
  if (sentIn === null || sent === null || beside === null) return null;
  if (frozen !== null) return { currency: sentIn, amount: BigInt(frozen) };
  const { amount } = convertedPart(
    { share: new OrderMoney(BigInt(row.transfer_share), currency), sent: StripeMoney.read(BigInt(sent), sentIn) },
    { share: new OrderMoney(BigInt(beside[0]), currency), taken: StripeMoney.read(BigInt(beside[1]), sentIn) },
    new OrderMoney(BigInt(row.amount), currency),
  );
  return { currency: sentIn, amount };
}

export const sellerSide = (row: ReversedMoney): SellerSide | null =>
  row.seller_currency === null
    ? null
    : { currency: row.seller_currency, got: BigInt(row.seller_got ?? 0), gave: BigInt(row.seller_gave ?? 0) };
