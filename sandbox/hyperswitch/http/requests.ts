import { z } from 'zod';
import { DISPUTE_STAGES, DISPUTE_STATUSES } from './dispute-objects.js';
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
  capture_method: z.enum(['automatic', 'manual', 'manual_multiple']).nullish(),
  customer_id: z.string().min(1).max(64).nullish(),
  customer: z.looseObject({ id: z.string().min(1).max(64) }).nullish(),
  return_url: z.url().max(2048).nullish(),
  metadata,
  /** Absent: that of the key. */
  profile_id: z.string().min(1).nullish(),
});
export type PaymentRequest = z.output<typeof paymentRequest>;

const captureRequest = z.looseObject({ amount_to_capture: minorUnits.nullish() });
export type CaptureRequest = z.output<typeof captureRequest>;

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
  start_time: z.iso
    .datetime({ offset: true })
    .transform((text) => Date.parse(text))
    .nullish(),
  refund_status: z.array(z.enum(['pending', 'review', 'succeeded', 'failed'])).nullish(),
});
export type ListRequest = z.output<typeof listRequest>;

const list = <Word extends string>(word: z.ZodType<Word, string>) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(word))
    .optional();
const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .optional();
const digits = z.string().regex(/^\d{1,9}$/);
/** As the code reads it: closed, and with members that the document does not have; its `received_time…` are not among them. */
const disputesQuery = z.strictObject({
  dispute_id: z.string().optional(),
  payment_id: z.string().optional(),
  limit: digits.transform((text) => Math.min(Math.max(Number(text), 1), 100)).default(10),
  offset: digits.transform(Number).default(0),
  profile_id: z.string().optional(),
  dispute_status: list(z.enum(DISPUTE_STATUSES)),
  dispute_stage: list(z.enum(DISPUTE_STAGES)),
  reason: z.string().optional(),
  connector: list(z.string()),
  currency: list(currency),
  merchant_connector_id: z.string().optional(),
  start_time: instant,
  end_time: instant,
});
export type DisputesQuery = z.output<typeof disputesQuery>;

/** Closed, as in the document. */
const paymentsQuery = z.strictObject({
  customer_id: z.string().optional(),
  starting_after: z.string().optional(),
  ending_before: z.string().optional(),
  limit: digits.transform((text) => Math.min(Math.max(Number(text), 1), 100)).default(10),
  created: instant,
  'created.lt': instant,
  'created.gt': instant,
  'created.lte': instant,
  'created.gte': instant,
});
export type PaymentsQuery = z.output<typeof paymentsQuery>;

export type ReadRequest<T> = { readonly request: T } | { readonly problem: Problem };

export const readPaymentRequest = (body: unknown): ReadRequest<PaymentRequest> => read(paymentRequest, body);
export const readCaptureRequest = (body: unknown): ReadRequest<CaptureRequest> => read(captureRequest, body);
export const readRefundRequest = (body: unknown): ReadRequest<RefundRequest> => read(refundRequest, body);
export const readListRequest = (body: unknown): ReadRequest<ListRequest> => read(listRequest, body);
export const readDisputesQuery = (query: unknown): ReadRequest<DisputesQuery> => {
  const parsed = disputesQuery.safeParse(query);
  if (parsed.success) return { request: parsed.data };
  return { problem: invalidRequest(`Query deserialize error: ${parsed.error.issues[0]?.message}`) };
};

export const readPaymentsQuery = (query: unknown): ReadRequest<PaymentsQuery> => {
  const parsed = paymentsQuery.safeParse(query);
  if (parsed.success) return { request: parsed.data };
  return { problem: invalidRequest(`Query deserialize error: ${parsed.error.issues[0]?.message}`) };
};

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
