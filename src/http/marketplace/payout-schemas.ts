import { z } from 'zod';
import type { PayoutAnswer as Payout, PayoutOfTransferAnswer } from '../../domain/marketplace/payout-answer.js';
import { PAYOUT_CONTENTS, PAYOUT_STATUSES } from '../../domain/marketplace/payouts.js';
import {
  attention,
  currencyFilter,
  keyCursor,
  limit,
  listAnswer,
  note,
  period,
  text,
  timestamp,
} from '../schema-parts.js';
import { sellerAccount } from './marketplace-parts.js';

/** What Stripe sent from sellers' balances to their banks. */

export const payoutOfTransferOut: z.ZodType<PayoutOfTransferAnswer | null> = z
  .object({ id: z.string(), status: z.enum(PAYOUT_STATUSES), arrival_at: timestamp.nullable() })
  .nullable()
  .describe("The payout that took it to the seller's bank, or is to; null: Stripe has not said.");

export const PayoutAnswer: z.ZodType<Payout> = z
  .object({
    id: z.string().describe('What Stripe calls it.'),
    seller_account: sellerAccount,
    amount: z.int().describe("Below 0: Stripe took it from the seller's bank."),
    currency: z.string(),
    status: z
      .enum(PAYOUT_STATUSES)
      .describe('As Stripe said last. One that was `paid` may still fail, within five business days.'),
    arrival_at: timestamp.nullable().describe('When it arrives, or should have.'),
    failure_code: z.string().nullable(),
    automatic: z
      .boolean()
      .nullable()
      .describe('Stripe made it by itself; only of those it says what they contain. Null: not read yet.'),
    contents: z
      .object({
        state: z
          .enum(PAYOUT_CONTENTS)
          .describe(
            '`unread`: not known yet. `listed`: `transfers` is all of ours. `not_told`: Stripe does not say. `unreadable`: Stripe does not let us in to this account.',
          ),
        detail: z.string(),
        others: z.int().min(0).describe('How many payments to the seller in it are no transfers of this platform.'),
      })
      .describe('What is known of what it contains.'),
    transfers: z.array(
      z.object({
        id: z.uuid().nullable().describe('Null: a transfer that is not in the ledger.'),
        stripe_transfer_id: z.string(),
        amount: z.int().describe("As the seller got it, in his balance's currency."),
        currency: z.string(),
      }),
    ),
    next_check_at: timestamp.nullable().describe('When Stripe is read about it again; null: nothing is left to read.'),
    attention,
    failure_ended: z
      .enum(['paid_later', 'dismissed'])
      .nullable()
      .describe('How the question about its failure ended: by a later payout, or by the word of a person.'),
    created_at: timestamp,
  })
  .meta({ id: 'Payout' });
export const PayoutListAnswer = listAnswer(PayoutAnswer);

export const ListPayoutsQuery = z.strictObject({
  seller: text(255).optional().describe("Only of this seller's account."),
  status: z.enum(PAYOUT_STATUSES).optional(),
  currency: currencyFilter,
  transfer_id: z.uuid().optional().describe('Only the one that this transfer is in.'),
  needs_attention: z.enum(['true', 'false']).optional(),
  limit,
  cursor: keyCursor,
  ...period,
});
export type ListPayoutsQuery = z.output<typeof ListPayoutsQuery>;

export const DismissPayoutRequest = z.strictObject({ note });
export type DismissPayoutRequest = z.output<typeof DismissPayoutRequest>;
