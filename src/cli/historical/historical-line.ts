import { z } from 'zod';
import { parseHistoricalCurrency } from '../../domain/marketplace/currencies.js';
import type { HistoricalTransfer } from '../../ledger/historical/historical-types.js';

const DAY_MS = 86_400_000;
/** Stripe is not older; an earlier date is a mistake of whoever wrote the file. */
const EARLIEST = Date.parse('2010-01-01T00:00:00Z');

const minorUnits = z.int('a whole number of minor units').min(1, 'at least 1');

/** The time of the line, as UTC; a date alone is its first moment. */
const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'a date or time such as 2025-03-01T12:00:00Z')
  .transform((text) => new Date(text).toISOString());

const LINE = z
  .strictObject({
    order: z.string().regex(/^\S(?:.{0,198}\S)?$/u, '1 to 200 characters, without spaces at its ends'),
    currency: z
      .string()
      .regex(/^[A-Za-z]{3}$/, 'a currency of three letters')
      .transform((code, context) => {
        const known = parseHistoricalCurrency(code);
        if (known === undefined) context.addIssue(`${code} is and was no currency at Stripe`);
        return known ?? '';
      }),
    paid: minorUnits,
    hyperswitch_payment_id: z.string().regex(/^[\x21-\x7e]{1,64}$/, 'the id of a payment, without spaces'),
    seller_account: z.string().regex(/^acct_\w{1,64}$/, 'an account such as acct_1A2b3C'),
    amount: minorUnits,
    stripe_transfer_id: z
      .string()
      .regex(/^tr_\w{1,64}$/, 'a transfer such as tr_1A2b3C, or null')
      .nullable(),
    created_at: moment,
  })
  .refine(({ amount, paid }) => amount <= paid, { path: ['amount'], message: 'more than was paid' });

/**
 * Reads one line of `makegood import-transfers`. Every field has to be there and none may be unknown: a misspelt name
 * that is passed over would import money under a wrong fact.
 *
 * @returns the transfer, or in words what is wrong with the line
 */
export function readHistoricalLine(text: string, nowMs: number): HistoricalTransfer | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: `not JSON: ${error instanceof Error ? error.message : 'unreadable'}` };
  }
  const read = LINE.safeParse(value);
  if (!read.success) {
    return {
      problem: read.error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; '),
    };
  }
  const line = read.data;
  const createdMs = Date.parse(line.created_at);
  if (createdMs < EARLIEST || createdMs > nowMs + DAY_MS) {
    return { problem: `created_at: ${line.created_at} is not in the time since 2010` };
  }
  return {
    order: line.order,
    currency: line.currency,
    paid: BigInt(line.paid),
    hyperswitchPaymentId: line.hyperswitch_payment_id,
    sellerAccount: line.seller_account,
    amount: BigInt(line.amount),
    stripeTransferId: line.stripe_transfer_id,
    createdAt: line.created_at,
  };
}
