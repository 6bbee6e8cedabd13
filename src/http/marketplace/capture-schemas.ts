import { z } from 'zod';
import { CERTAINTIES } from '../../domain/calls/certainty.js';
import type { CaptureAnswer as Answer } from '../../domain/marketplace/capture-answer.js';
import { CAPTURE_METHODS, type PassedOn, type PaymentTerms } from '../../domain/marketplace/payment-capture.js';
import { text, timestamp } from '../schema-parts.js';
import { amountOut } from './marketplace-parts.js';

/** How a payment is made and captured: as it is asked for, and as it is answered. */

const MOST_METADATA = 48;
const OURS: ReadonlySet<string> = new Set(['order_id', 'payment_id']);

const metadata = z
  .record(z.string().min(1).max(40), z.string().max(500))
  .refine((given) => Object.keys(given).length <= MOST_METADATA, { error: `has more than ${MOST_METADATA} entries` })
  .refine((given) => !Object.keys(given).some((name) => OURS.has(name)), {
    error: 'names order_id or payment_id, which are written there by Makegood',
  })
  .describe(
    'Kept with the payment at its provider: up to 48 texts of at most 500 characters, under names of at most 40. `order_id` and `payment_id` are written there by Makegood; at Stripe `generation` too, which leaves room for 47, and names have no brackets.',
  );

const returnUrl = z
  .url({ protocol: /^https$/, error: 'has to be an https URL' })
  .max(2048)
  .refine((url) => !URL.canParse(url) || new URL(url).username + new URL(url).password === '', {
    error: 'must not hold a user name or password',
  })
  .describe(
    'Where the buyer comes back to after he has paid; https. Stripe takes it only where the payment is confirmed, in his browser: there it is kept and answered, for your page to hand it over.',
  );

const customer = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'has to be 1 to 64 letters, digits, _ or -' }),
    name: text(255).optional(),
    email: z.email().max(255).optional(),
  })
  .describe(
    'Who pays, as your shop and Hyperswitch know him. At Stripe one of its customers (`cus_…`), by `id` alone.',
  );

/** Members of POST /payments beside the order. */
export const termsIn = {
  capture: z
    .enum(CAPTURE_METHODS)
    .optional()
    .describe(
      "`automatic` (default); `manual`: the buyer's money is held until POST /api/v1/payments/{id}/capture; `manual_multiple`: captured in several parts, where the processor can; not at Stripe.",
    ),
  customer: customer.optional(),
  return_url: returnUrl.optional(),
  metadata: metadata.optional(),
  profile_id: text(64)
    .optional()
    .describe(
      'The profile of Hyperswitch that the payment is made under; default: HYPERSWITCH_PROFILE_ID, else that of the key.',
    ),
};
const asked = z.object(termsIn);

/** @param profileId where the order names none */
export function termsOf(body: z.output<typeof asked>, profileId: string | undefined): PaymentTerms {
  const { customer: who, return_url: url, metadata: kept } = body;
  const named = who && {
    id: who.id,
    ...(who.name === undefined ? {} : { name: who.name }),
    ...(who.email === undefined ? {} : { email: who.email }),
  };
  const passedOn: PassedOn = {
    ...(named === undefined ? {} : { customer: named }),
    ...(url === undefined ? {} : { returnUrl: url }),
    ...(kept === undefined ? {} : { metadata: kept }),
  };
  return { captureMethod: body.capture ?? 'automatic', profileId: body.profile_id ?? profileId ?? null, passedOn };
}

/** By their names in the request. */
export const saidTerms = (body: z.output<typeof asked>): readonly (keyof typeof termsIn)[] =>
  (Object.keys(termsIn) as (keyof typeof termsIn)[]).filter((name) => body[name] !== undefined);

export const NewCaptureRequest = z.strictObject({
  amount: z
    .int({ error: 'has to be an integer of minor units' })
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .transform((amount) => BigInt(amount))
    .optional()
    .describe('Minor units, as a JSON integer: this part of the payment; left out: all that is left.'),
  final: z
    .boolean()
    .optional()
    .describe(
      'True: nothing more is captured after it, and the sellers are paid of what was. Always so of a payment that is `manual`, and of the last part; at Stripe, where it cannot be false, the rest goes back to the buyer with it.',
    ),
});
export type NewCaptureRequest = z.output<typeof NewCaptureRequest>;

const CaptureAnswer: z.ZodType<Answer> = z.object({
  id: z.uuid(),
  amount: amountOut,
  final: z.boolean(),
  status: z
    .enum(['open', 'done', 'refused'])
    .describe('`open`: nobody knows yet; `refused`: surely not captured, and not asked for again.'),
  certainty: z.enum(CERTAINTIES),
  detail: z.string().nullable(),
  created_at: timestamp,
});

/** Members of a payment that is read on its own. */
export const capturingOut = {
  capture: z.enum(CAPTURE_METHODS),
  captures: z.array(CaptureAnswer).describe('Parts that were asked for here, the oldest first.'),
  held_since: timestamp
    .nullable()
    .describe("Since when the buyer's money has been held to be captured; null: it is not."),
  cancel_asked_at: timestamp
    .nullable()
    .describe('When it was asked that it, or what is left of it, be called off; null: nobody has, or that has ended.'),
  profile_id: z.string().nullable().describe('That its order has named.'),
  customer_id: z.string().nullable(),
  return_url: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
};
