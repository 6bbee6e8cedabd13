import { z } from 'zod';
import { ATTENTION_REASONS } from '../../domain/decisions/attention.js';
import { actionsOf, type DecidableKind, EVIDENCE, type EvidenceName } from '../../domain/decisions/decisions.js';
import { DISPUTE_STATUSES } from '../../domain/marketplace/disputes.js';
import {
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  REVERSAL_STATUSES,
  TRANSFER_STATUSES,
} from '../../domain/marketplace/marketplace-status.js';
import { SETTLEMENT_STATUSES } from '../../domain/settlements/settlement-status.js';
import { note, text } from '../schema-parts.js';

/** What persons decide, over HTTP; actions and evidence are those of the catalogue. */

const stripeId = (prefix: 'tr' | 'trr', of: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}_[A-Za-z0-9_]{1,64}$`), {
      error: `has to be the id of ${of}, for example "${prefix}_1A2b3C"`,
    })
    .optional()
    .describe('What to adopt; Stripe is asked whether it is there, of this amount, and nothing else of ours.');

const FIELDS: { readonly [Name in EvidenceName]: z.ZodType<string | undefined> } = {
  tx_hash: text(256).optional().describe('The transaction that moved the money.'),
  amount: z
    .string()
    .regex(/^[1-9][0-9]{0,17}$/, { error: 'has to be a whole amount in minor units, for example "1000"' })
    .optional()
    .describe('How much of a dispute is out, in minor units; left out: all of it.'),
  reference: text(500).optional().describe('Where it was seen; kept with the decision.'),
  stripe_transfer_id: stripeId('tr', 'a transfer'),
  stripe_reversal_id: stripeId('trr', 'a reversal'),
};

const seen = z
  .strictObject({
    reason: z.enum(ATTENTION_REASONS).nullable().describe('null: it was not asked about.'),
    detail: z.string().max(10_000).optional(),
  })
  .optional()
  .describe(
    'What the item was seen to ask: its `attention`. Where it asks something else by then, nothing is decided (`changed_since`); left out: it is decided whatever it asks.',
  );

const resolveRequest = (kind: DecidableKind) =>
  z.strictObject({
    action: text(64).describe(`One of ${actionsOf(kind).join(', ')}; anything else is answered with 422.`),
    note,
    seen,
    evidence: z.strictObject(Object.fromEntries(EVIDENCE[kind].map((name) => [name, FIELDS[name]]))).optional(),
  });

export const RESOLVE_REQUESTS: { readonly [Kind in DecidableKind]: ReturnType<typeof resolveRequest> } = {
  settlement: resolveRequest('settlement'),
  transfer: resolveRequest('transfer'),
  reversal: resolveRequest('reversal'),
  payment: resolveRequest('payment'),
  refund: resolveRequest('refund'),
  dispute: resolveRequest('dispute'),
};
export type ResolveRequest = z.output<ReturnType<typeof resolveRequest>>;

const STATUSES = [
  ...new Set([
    ...SETTLEMENT_STATUSES,
    ...TRANSFER_STATUSES,
    ...REVERSAL_STATUSES,
    ...REFUND_STATUSES,
    ...PAYMENT_STATUSES,
    ...DISPUTE_STATUSES,
  ]),
  'pending_approval' as const,
];

export const DecisionAnswer = z
  .object({
    id: z.uuid().describe('The item that was decided about.'),
    status: z.enum(STATUSES),
    decision_id: z.uuid(),
  })
  .meta({ id: 'Decision' });
