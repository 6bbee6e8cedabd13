import { z } from 'zod';
import { CERTAINTIES } from '../../domain/calls/certainty.js';
import type { DisputeAnswer as Dispute } from '../../domain/marketplace/dispute-answer.js';
import { DISPUTE_STATUSES } from '../../domain/marketplace/disputes.js';
import { REVERSAL_STATUSES } from '../../domain/marketplace/marketplace-status.js';
import type { ReversalAnswer as Reversal } from '../../domain/marketplace/reversal-answer.js';
import { attention, timestamp } from '../schema-parts.js';

/** Of which answers of the marketplace are made: what takes money back, and why it left. */

export const amountOut = z.int().min(0);
export const sellerAccount = z.string();
export const workflowId = z.string().nullable();

export const waitingOut = z
  .object({
    for: z.enum(['platform_balance', 'seller']),
    since: timestamp,
    detail: z.string(),
    missing: amountOut
      .nullable()
      .describe(
        "What the platform's balance was short of for it when Stripe was read last; null: not read yet, in another currency, or it waits for its seller.",
      ),
  })
  .nullable()
  .describe('Why it is not sent yet, where nobody is asked about that: it goes on by itself.');

export const transferConversion = z
  .object({ currency: z.string(), amount: amountOut, exchange_rate: z.string().nullable() })
  .nullable()
  .describe(
    "What is sent at Stripe, and Stripe's rate, where the platform's balance has another currency than the order; null: the amount itself.",
  );

export const ReversalAnswer: z.ZodType<Reversal> = z
  .object({
    id: z.uuid().describe('Derived from its cause and the transfer.'),
    refund_id: z.uuid().nullable().describe('What it is taken back for; null: a dispute.'),
    dispute_id: z.uuid().nullable(),
    transfer_id: z.uuid(),
    order_id: z.uuid(),
    seller_account: sellerAccount,
    amount: amountOut.describe('The share that is taken back.'),
    counted: amountOut.describe(
      "Of the amount, what somebody else's reversal at Stripe stands for, by a person's decision; ours takes the rest.",
    ),
    currency: z.string(),
    status: z.enum(REVERSAL_STATUSES),
    certainty: z.enum(CERTAINTIES),
    retry_count: z.int().min(0),
    next_retry_at: timestamp.nullable(),
    stripe_transfer_id: z.string().nullable(),
    stripe_reversal_id: z.string().nullable(),
    debt: z
      .object({
        since: timestamp,
        state: z
          .enum(['open', 'on_its_way', 'taken'])
          .describe('`on_its_way`: kept of a transfer that is being sent; `taken`: that transfer is with the seller.'),
        transfer_id: z.uuid().nullable().describe('That it is, or was, kept of.'),
      })
      .nullable()
      .describe(
        'The seller owes it, and it is kept of his next transfers instead of being asked of Stripe; null: it is asked of Stripe.',
      ),
    conversion: z
      .object({ currency: z.string(), amount: amountOut })
      .nullable()
      .describe('What it takes at Stripe, where its transfer was sent in another currency; null: the amount itself.'),
    seller: z
      .object({ currency: z.string(), got: amountOut, gave: amountOut, difference: z.int() })
      .nullable()
      .describe(
        'What it was for its seller, where his balance has another currency than the transfer: what this part had brought him, what was taken, and the second less the first. Null: it has not, or that was not read yet.',
      ),
    attention,
    workflow_id: workflowId,
    created_at: timestamp,
  })
  .meta({ id: 'Reversal' });

export const DisputeAnswer: z.ZodType<Dispute> = z
  .object({
    id: z.uuid(),
    order_id: z.uuid(),
    amount: amountOut.describe('What the dispute is about, in its own currency.'),
    currency: z.string(),
    status: z.enum(DISPUTE_STATUSES).describe('`cancelled`: it ended without a judgement, as a closed inquiry does.'),
    funds: z
      .enum(['none', 'out', 'back'])
      .describe(
        "Where its funds are, by the processor's own record of what it moved; sellers' shares follow that alone.",
      ),
    out: amountOut.describe("Out now because of it, in the order's currency."),
    borne_by_platform: amountOut.describe('Of that, what DISPUTE_POLICY leaves with the platform so far.'),
    connector: z.string().describe('The processor that holds it.'),
    provider_dispute_id: z.string().describe('What it is called there.'),
    hyperswitch_dispute_id: z.string().nullable(),
    provider_status: z.string().nullable().describe('The words of whoever was read last.'),
    reason: z.string().nullable(),
    reversals: z.array(ReversalAnswer),
    attention,
    workflow_id: workflowId,
    created_at: timestamp,
  })
  .meta({ id: 'Dispute' });
