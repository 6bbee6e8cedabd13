import { z } from 'zod';
import { DRIFT_ENDS, DRIFT_KINDS, DRIFT_PROVIDERS, DRIFT_STATES } from '../../domain/reconciliation/drift.js';
import type { DriftAnswer as Drift } from '../../domain/reconciliation/drift-answer.js';
import { RECONCILED_PARTS } from '../../domain/reconciliation/parts.js';
import type { ReconciliationAnswer as Reconciliation } from '../../domain/reconciliation/reconciliation-answer.js';
import { LIST_PARAMETERS, listAnswer, note, timestamp } from '../schema-parts.js';

const itemKind = z.enum(['settlement', 'payment', 'refund', 'transfer', 'reversal', 'dispute']);

export const DriftAnswer = z
  .object({
    id: z.uuid(),
    kind: z.enum(DRIFT_KINDS),
    state: z.enum(DRIFT_STATES),
    words: z.string().describe('What it means, in a sentence.'),
    provider: z.enum(DRIFT_PROVIDERS),
    provider_id: z.string().describe('What it is called there.'),
    item: z.object({ kind: itemKind, id: z.uuid() }).nullable().describe('What of ours it is about; null: nothing.'),
    amount: z.string().nullable().describe('Minor units of the currency, or atomic units of the asset.'),
    currency: z.string().nullable(),
    ledger_says: z.string(),
    provider_says: z.string(),
    opened_at: timestamp,
    last_seen_at: timestamp.describe('When both were last looked at.'),
    closed_at: timestamp.nullable(),
    closed_why: z.enum(DRIFT_ENDS).nullable(),
    closed_by: z.string().nullable(),
    note: z.string().nullable(),
    version: z
      .int()
      .describe('Of what both sides say; one more each time that one tells something else. Whoever accepts names it.'),
    waiting_acceptance: z
      .object({ by: z.string(), note: z.string(), at: timestamp })
      .nullable()
      .describe('Who asked that it be accepted, where a second person has to confirm it.'),
    runbook: z.string(),
  })
  .meta({ id: 'Drift' }) satisfies z.ZodType<Drift>;
export const DriftListAnswer = listAnswer(DriftAnswer);

const { limit, cursor } = LIST_PARAMETERS;
export const DriftListQuery = z.object({
  state: z.enum(DRIFT_STATES).optional(),
  kind: z.enum(DRIFT_KINDS).optional(),
  item_id: z.uuid().optional().describe('Only what is about this item.'),
  limit,
  cursor,
});
export type DriftListQuery = z.output<typeof DriftListQuery>;

export const AcceptDriftRequest = z.strictObject({
  note,
  version: z.int().min(1).describe('The `version` of the drift as you saw it.'),
});
export type AcceptDriftRequest = z.output<typeof AcceptDriftRequest>;

export const ReconciliationAnswer = z
  .object({
    id: z.uuid(),
    requested_by: z.string(),
    since: timestamp.nullable().describe('From when on was asked for; null: where the last finished run ended.'),
    state: z.enum(['running', 'finished']),
    started_at: timestamp,
    finished_at: timestamp.nullable(),
    parts: z.array(
      z.object({
        part: z.enum(RECONCILED_PARTS),
        since: timestamp,
        pages: z.int(),
        looked_at: z.int(),
        suspected: z.int(),
        finished: z.boolean(),
        left_because: z
          .string()
          .nullable()
          .describe('Why it could not be compared in this run: nothing was concluded.'),
        uncompared: z
          .array(z.string())
          .describe(
            'What of it could not be read, by name, while the rest was compared; the next run begins where this one did.',
          ),
      }),
    ),
  })
  .meta({ id: 'Reconciliation' }) satisfies z.ZodType<Reconciliation>;
export const ReconciliationListAnswer = listAnswer(ReconciliationAnswer);

export const ReconciliationListQuery = z.object({ limit, cursor });
export type ReconciliationListQuery = z.output<typeof ReconciliationListQuery>;

export const NewReconciliationRequest = z
  .strictObject({
    since: timestamp.optional().describe('From when on is compared; left out: where the last finished run ended.'),
  })
  .prefault({});
export type NewReconciliationRequest = z.output<typeof NewReconciliationRequest>;
