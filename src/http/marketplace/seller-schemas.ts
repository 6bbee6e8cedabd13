import { z } from 'zod';
import type { SellerAnswer as Seller } from '../../domain/marketplace/marketplace-answer.js';
import type { SellerBalanceAnswer, SellerStoryAnswer } from '../../domain/marketplace/seller-balance.js';
import { timestamp } from '../schema-parts.js';
import { amountOut } from './marketplace-parts.js';
import { TransferAnswer } from './marketplace-schemas.js';

const sellerBalance: z.ZodType<SellerBalanceAnswer> = z.object({
  currency: z.string(),
  owed: amountOut.describe('Still to be taken back of him, in whatever way.'),
  to_offset: amountOut.describe('Of that, kept of his next transfers (`offset`).'),
  on_its_way: amountOut.describe('Of that, kept of transfers that are being sent to him.'),
  offset: amountOut.describe('Kept of transfers that he has.'),
  taken: amountOut.describe('Taken back at Stripe.'),
  given_up: amountOut.describe('Given up by persons.'),
});

const sellerStoryLine: z.ZodType<SellerStoryAnswer> = z.object({
  at: timestamp,
  what: z.string().describe('As in the story of the reversal.'),
  amount: amountOut,
  currency: z.string(),
  reversal_id: z.uuid(),
  order_id: z.uuid(),
  transfer_id: z.uuid().describe('That it takes back.'),
  offset_transfer_id: z.uuid().nullable().describe('That it is kept of; null: of none.'),
});

export const SellerAnswer: z.ZodType<Seller> = z
  .object({
    account: z.string(),
    state: z
      .enum(['able', 'waiting', 'gone'])
      .describe(
        'What is known. `waiting`: cannot receive yet. `gone`: deauthorised or rejected; a person is asked about each share.',
      ),
    reason: z
      .string()
      .nullable()
      .describe("A word of Stripe's or ours; `parked`: Stripe does not let us in to the account now. Null: able."),
    since: timestamp.nullable().describe('Null: it was never in doubt.'),
    transfers: z.array(TransferAnswer).describe('What waits or is with a person, newest first; 200 at most.'),
    sums: z.array(z.object({ currency: z.string(), waiting: amountOut, with_person: amountOut })),
    balances: z.array(sellerBalance).describe('What was taken back of him, and what he owes, by currency.'),
    story: z.array(sellerStoryLine).describe('How it came about, newest first; 200 lines at most.'),
  })
  .meta({ id: 'Seller' });
