import { z } from 'zod';
import type { SellerBalanceAnswer, SellerStoryAnswer } from '../../domain/marketplace/seller-balance.js';
import { timestamp } from '../schema-parts.js';
import { amountOut } from './marketplace-parts.js';

export const sellerBalance: z.ZodType<SellerBalanceAnswer> = z.object({
  currency: z.string(),
  owed: amountOut.describe('Still to be taken back of him, in whatever way.'),
  to_offset: amountOut.describe('Of that, kept of his next transfers (`offset`).'),
  on_its_way: amountOut.describe('Of that, kept of transfers that are being sent to him.'),
  offset: amountOut.describe('Kept of transfers that he has.'),
  taken: amountOut.describe('Taken back at Stripe.'),
  given_up: amountOut.describe('Given up by persons.'),
});

export const sellerStoryLine: z.ZodType<SellerStoryAnswer> = z.object({
  at: timestamp,
  what: z.string().describe('As in the story of the reversal.'),
  amount: amountOut,
  currency: z.string(),
  reversal_id: z.uuid(),
  order_id: z.uuid(),
  transfer_id: z.uuid().describe('That it takes back.'),
  offset_transfer_id: z.uuid().nullable().describe('That it is kept of; null: of none.'),
});
