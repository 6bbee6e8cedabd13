import { z } from 'zod';
import { CERTAINTIES } from '../../domain/calls/certainty.js';
import { PAYMENT_PROVIDERS } from '../../domain/marketplace/marketplace.js';
import type { PaymentDetails as Details, PaymentOfOrder } from '../../domain/marketplace/marketplace-answer.js';
import { PAYMENT_STATUSES } from '../../domain/marketplace/marketplace-status.js';
import { attention, timestamp } from '../schema-parts.js';
import { capturingOut } from './capture-schemas.js';
import { amountOut, workflowId } from './marketplace-parts.js';

const payment = {
  id: z.uuid(),
  order_id: z.uuid(),
  status: z.enum(PAYMENT_STATUSES),
  amount: amountOut,
  currency: z.string(),
};
export const PaymentDetails: z.ZodType<Details> = z
  .object({
    ...payment,
    ...capturingOut,
    captured: amountOut.describe('What the buyer has surely paid, whatever the status; as much can be refunded.'),
    captured_known: z
      .boolean()
      .describe('False: more may have been captured than that, or in another currency; Hyperswitch does not say.'),
    certainty: z.enum(CERTAINTIES),
    provider: z
      .enum(PAYMENT_PROVIDERS)
      .describe(
        'Who took the money. `stripe`: another checkout did, by Stripe, and POST /api/v1/external-payments told of it.',
      ),
    provider_status: z.string().nullable().describe("The provider's own word."),
    hyperswitch_payment_id: z.string().nullable(),
    stripe_payment_id: z
      .string()
      .nullable()
      .describe('What Stripe calls it, where Stripe carried it out: `pi_…`, or `ch_…`.'),
    attention,
    workflow_id: workflowId,
    created_at: timestamp,
  })
  .meta({ id: 'PaymentDetails' });
export const PaymentInOrder: z.ZodType<PaymentOfOrder> = z.object({ ...payment, attention });
export const PaymentAnswer = z
  .object({
    ...payment,
    client_secret: z
      .string()
      .nullable()
      .describe("For the buyer's browser; null once the payment is final. No other answer holds it."),
  })
  .meta({ id: 'Payment' });
