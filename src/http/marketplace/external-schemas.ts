import { z } from 'zod';
import { text } from '../schema-parts.js';

/** What another checkout tells of: names at Stripe, and nothing that would have to be believed. */

const orderId = text(64).describe('Of an order that says what the buyer was to pay, and who shares it.');
const provider = z.literal('stripe').describe('Whose names these are: of the account of STRIPE_SECRET_KEY.');
const nameAtStripe = (pattern: RegExp, example: string) =>
  z.string().regex(pattern, { error: `has to be a name of Stripe's, for example "${example}"` });

export const ExternalPaymentRequest = z
  .strictObject({
    order_id: orderId,
    provider,
    payment_intent: nameAtStripe(/^pi_[A-Za-z0-9_]{1,200}$/, 'pi_3MtwBwLkdIwHu7ix28a3tqPa').optional(),
    charge: nameAtStripe(/^(ch|py)_[A-Za-z0-9_]{1,200}$/, 'ch_3MmlLrLkdIwHu7ix0snN0B15')
      .optional()
      .describe('Instead of its PaymentIntent.'),
  })
  .superRefine((request, context) => {
    if ((request.payment_intent === undefined) === (request.charge === undefined))
      context.issues.push({
        code: 'custom',
        input: request,
        path: ['payment_intent'],
        message: 'name either the PaymentIntent or its charge',
      });
  });
export type ExternalPaymentRequest = z.output<typeof ExternalPaymentRequest>;

export const ExternalRefundRequest = z.strictObject({
  order_id: orderId,
  provider,
  refund: nameAtStripe(/^(re|pyr)_[A-Za-z0-9_]{1,200}$/, 're_1Nispe2eZvKYlo2Cd31jOCgZ'),
});
export type ExternalRefundRequest = z.output<typeof ExternalRefundRequest>;
