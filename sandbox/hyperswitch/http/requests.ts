import { z } from 'zod';
import { invalidRequest, missingField, type Problem } from './problems.js';

/** The API document asks for exactly this many characters. */
const ID_LENGTH = 30;
const id = z.string().length(ID_LENGTH);
const minorUnits = z.int().min(1);
const metadata = z.record(z.string().max(40), z.unknown()).nullish();
const currency = z.string().regex(/^[A-Z]{3}$/);

/** Open, as in the document: what the sandbox has no use for is let through unread. */
const paymentRequest = z.looseObject({
  amount: z.int().min(0),
  currency,
  payment_id: id.nullish(),
  confirm: z.boolean().nullish(),
  capture_method: z.enum(['automatic', 'manual']).nullish(),
  metadata,
});
export type PaymentRequest = z.output<typeof paymentRequest>;

/** Closed, as in the document. */
const refundRequest = z.strictObject({
  payment_id: id,
  refund_id: id.nullish(),
  merchant_id: z.string().max(255).nullish(),
  amount: minorUnits.nullish(),
  reason: z.string().max(255).nullish(),
  refund_type: z.enum(['scheduled', 'instant']).nullish(),
  metadata,
  merchant_connector_details: z.unknown().optional(),
  split_refunds: z.unknown().optional(),
  all_keys_required: z.boolean().nullish(),
});
export type RefundRequest = z.output<typeof refundRequest>;

const listRequest = z.looseObject({
  payment_id: z.string().nullish(),
  refund_id: z.string().nullish(),
  limit: z
    .int()
    .min(1, 'limit should be in between 1 and 100')
    .max(100, 'limit should be in between 1 and 100')
    .nullish(),
  offset: z.int().min(0).nullish(),
  refund_status: z.array(z.enum(['pending', 'review', 'succeeded', 'failed'])).nullish(),
});
export type ListRequest = z.output<typeof listRequest>;

export type ReadRequest<T> = { readonly request: T } | { readonly problem: Problem };

export const readPaymentRequest = (body: unknown): ReadRequest<PaymentRequest> => read(paymentRequest, body);
export const readRefundRequest = (body: unknown): ReadRequest<RefundRequest> => read(refundRequest, body);
export const readListRequest = (body: unknown): ReadRequest<ListRequest> => read(listRequest, body);

function read<T>(schema: z.ZodType<T>, body: unknown): ReadRequest<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { request: parsed.data };
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  const isAbsent = field !== '' && !(field in Object(body));
  return {
    problem: isAbsent ? missingField(field) : invalidRequest(`Json deserialize error: ${field} ${issue?.message}`),
  };
}
