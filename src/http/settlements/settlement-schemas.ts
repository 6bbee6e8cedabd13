import { z } from 'zod';
import { CERTAINTIES } from '../../domain/calls/certainty.js';
import type { JsonObject } from '../../domain/json.js';
import { parseAtomic } from '../../domain/money.js';
import type { SettlementAnswer as Answer } from '../../domain/settlements/settlement-answer.js';
import { HELD_BACK, PROTOCOLS, SETTLEMENT_STATUSES } from '../../domain/settlements/settlement-status.js';
import { attention, LIST_PARAMETERS, listAnswer, text, timestamp } from '../schema-parts.js';

/** The one source of what a request may hold: validation and /openapi.json both come from here. */

/** Any object: it came out of JSON.parse, so its members are JSON. */
const anyObject = z.looseObject({}).pipe(z.custom<JsonObject>());

const atomicAmount = z
  .string()
  .regex(/^[0-9]{1,39}$/, { error: 'has to be 1 to 39 digits in the atomic unit: no sign, point or exponent' })
  .transform((digits, context) => {
    const amount = parseAtomic(digits);
    if (amount !== undefined) return amount;
    context.addIssue('is not an amount');
    return z.NEVER;
  })
  .describe('Digits of an amount in the atomic unit of its asset.');

const asset = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, { error: 'has to be 1 to 128 printable characters without spaces' });
const decimals = z.int().min(0).max(78);

export const NewSettlementRequest = z.strictObject({
  key: text(255)
    .optional()
    .describe(
      'Names the request: the same key and content is answered with what became of it. Default: context.paymentRequestId, else the identity of the credential.',
    ),
  protocol: z.enum(PROTOCOLS),
  credential: z
    .union([text(250_000), anyObject])
    .describe('As it came in the header, or decoded. Stored encrypted, erased once the money has moved.'),
  context: z
    .strictObject({
      paymentRequirements: anyObject.optional().describe('x402: the accept that the credential answers.'),
      options: z
        .array(anyObject)
        .max(100)
        .optional()
        .describe('ATXP: the options that were offered; amounts are decimal.'),
      paymentRequestId: text(255).optional(),
      sourceAccountId: text(255).optional(),
      destinationAccountId: text(255).optional(),
    })
    .describe('What the payment was asked for with; no secrets.'),
  spent: z.strictObject({
    amount: atomicAmount.describe(
      'What to collect, in atomic units; "0" only closes an MPP session. A credential that can only be charged whole (x402 exact, MPP charge) is charged whole.',
    ),
    asset,
    decimals,
  }),
});
export type NewSettlementRequest = z.output<typeof NewSettlementRequest>;

export const ListQuery = z.strictObject({
  status: z.enum(SETTLEMENT_STATUSES).optional(),
  protocol: z.enum(PROTOCOLS).optional(),
  asset: text(128).optional(),
  payer: text(200).optional(),
  order_id: text(64).optional().describe('No settlement belongs to an order: with this filter the list is empty.'),
  ...LIST_PARAMETERS,
});
export type ListQuery = z.output<typeof ListQuery>;

const amountOut = z.string().regex(/^[0-9]+$/);

export const SettlementAnswer: z.ZodType<Answer> = z
  .object({
    id: z.uuid(),
    key: z.string(),
    status: z.enum(SETTLEMENT_STATUSES),
    certainty: z.enum(CERTAINTIES),
    protocol: z.enum(PROTOCOLS),
    spent: z.object({ amount: amountOut, asset: z.string(), decimals: z.int() }),
    cap: amountOut
      .nullable()
      .describe('What the credential authorises at most, in atomic units; null: it does not say.'),
    attempts: z.int().min(0),
    next_retry_at: timestamp.nullable(),
    delivery: z.enum(['delivered', 'aborted', 'unknown']).nullable(),
    answer: z
      .enum(HELD_BACK)
      .nullable()
      .describe(
        'Of a response that is held back until it is settled: owed to its payer, being given, or had; null: none was.',
      ),
    attention,
    workflow_id: z.string().nullable(),
    tx_hash: z.string().nullable(),
    already_settled: z.boolean(),
    created_at: timestamp,
    settled_at: timestamp.nullable(),
  })
  .meta({ id: 'Settlement' });

export const SettlementListAnswer = listAnswer(SettlementAnswer);

export const ProblemAnswer = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.object({ pointer: z.string(), message: z.string() })).optional(),
  request_id: z.string(),
});

export const HealthAnswer = z.object({ status: z.literal('ok') });

export const ReadyAnswer = z.object({
  status: z.enum(['ready', 'degraded']),
  components: z.record(z.string(), z.enum(['ok', 'degraded', 'not_configured'])),
});
