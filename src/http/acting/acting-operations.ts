import { z } from 'zod';
import { ATTENTION_REASONS } from '../../domain/decisions/attention.js';
import { DECIDABLE_KINDS } from '../../domain/decisions/decisions.js';
import { PAUSABLE } from '../../domain/provider-pauses.js';
import { OPERATORS } from '../allowed-roles.js';
import { READS_ONE } from '../read-operations.js';
import { NOTHING, type Operation } from '../route.js';
import { NoteRequest, note, text, timestamp } from '../schema-parts.js';
import { StripeRateAnswer } from './stripe-rate-schema.js';

const acting = { method: 'POST', roles: OPERATORS, query: NOTHING } as const;

const PauseAnswer = z
  .object({
    provider: z.enum(PAUSABLE),
    changed: z.boolean().describe('False: it was so before, and nothing was done.'),
    paused: z
      .object({ provider: z.enum(PAUSABLE), by: z.string(), at: timestamp, note: z.string() })
      .nullable()
      .describe('How it stands now; null: nobody has paused it.'),
  })
  .meta({ id: 'Pause' });

export const pauseProviderOperation = {
  ...acting,
  id: 'pauseProvider',
  path: '/api/v1/providers/{provider}/pause',
  summary: 'Park a provider by hand: nothing that moves money leaves to it until somebody resumes it; reads go on.',
  body: NoteRequest,
  answers: { 200: { description: 'Paused.', schema: PauseAnswer } },
  problems: ['ledger_unavailable'],
} satisfies Operation<NoteRequest>;

export const resumeProviderOperation = {
  ...acting,
  id: 'resumeProvider',
  path: '/api/v1/providers/{provider}/resume',
  summary: 'Let a provider go that somebody has paused: what waited for it goes on at once.',
  body: NoteRequest,
  answers: { 200: { description: 'Not paused any more.', schema: PauseAnswer } },
  problems: ['ledger_unavailable'],
} satisfies Operation<NoteRequest>;

const RATE = '/api/v1/stripe-rate';
const rateAnswers = { 200: { description: 'How it stands now.', schema: StripeRateAnswer } };

export const stripeRateOperation = {
  ...READS_ONE,
  id: 'getStripeRate',
  path: RATE,
  summary: 'How many requests a second go to Stripe, by whose word, and how many go now.',
  answers: rateAnswers,
} satisfies Operation;

export const StripeRateRequest = z.strictObject({
  per_second: z
    .int()
    .min(1)
    .max(10_000)
    .describe(
      'Over all endpoints together; at most STRIPE_MAX_RPS (without it, what Stripe allows a key of this mode).',
    ),
  note,
});
export type StripeRateRequest = z.output<typeof StripeRateRequest>;

export const setStripeRateOperation = {
  ...acting,
  id: 'setStripeRate',
  path: RATE,
  summary:
    'Call Stripe more slowly from now on, from every process, until it is reset. The lower of it and of STRIPE_MAX_RPS holds.',
  body: StripeRateRequest,
  answers: rateAnswers,
  problems: ['ledger_unavailable'],
} satisfies Operation<StripeRateRequest>;

export const resetStripeRateOperation = {
  ...acting,
  id: 'resetStripeRate',
  path: `${RATE}/reset`,
  summary: 'Let the settings alone say how fast Stripe is called.',
  body: NoteRequest,
  answers: rateAnswers,
  problems: ['ledger_unavailable'],
} satisfies Operation<NoteRequest>;

export const replayWebhookOperation = {
  ...acting,
  id: 'replayWebhook',
  path: '/api/v1/webhooks/{event}/replay',
  summary:
    'Act on a stored event once more: the provider is read again, and what was done before is not done twice. {event} is the id in the list of webhooks.',
  body: NoteRequest,
  answers: {
    202: {
      description: 'It is acted on now.',
      schema: z.object({ id: z.string(), status: z.literal('waiting') }).meta({ id: 'Replay' }),
    },
  },
  problems: ['ledger_unavailable'],
} satisfies Operation<NoteRequest>;

/** A request that takes longer is one that nobody waits for. */
export const MOST_AT_ONCE = 200;

export const BulkRequest = z
  .strictObject({
    kind: z.enum(DECIDABLE_KINDS),
    reason: z.enum(ATTENTION_REASONS).describe('Only what waits for this is decided.'),
    action: text(64).describe('Anything that the kind does not have is answered with 422.'),
    note,
    ids: z
      .array(z.uuid())
      .min(1)
      .max(MOST_AT_ONCE)
      .optional()
      .describe('Which of them; may be left out of a dry run alone: the oldest that wait for the reason.'),
    dry_run: z.boolean().default(false).describe('Shows what would be decided, and changes nothing.'),
  })
  .superRefine(({ ids, dry_run: isPreview }, context) => {
    if (ids === undefined && !isPreview)
      context.addIssue({ code: 'custom', path: ['ids'], message: 'has to name what a dry run has shown' });
  });
export type BulkRequest = z.output<typeof BulkRequest>;

const BulkAnswer = z
  .object({
    dry_run: z.boolean(),
    effect: z.string().describe('What the decision does with each of them.'),
    items: z.array(
      z.object({
        id: z.uuid(),
        outcome: z
          .enum(['would_decide', 'decided', 'pending_approval', 'skipped', 'refused', 'unanswered'])
          .describe(
            '`skipped`: it does not wait for this reason now, or whoever asked is not let in any more, or has gone, or Postgres did not answer before. `refused`: the ledger or the provider said no. `unanswered`: the provider did not say what is true, or Postgres did not confirm the decision.',
          ),
        status: z.string().nullable(),
        amount: z.string().nullable(),
        needs_second_person: z.boolean().nullable(),
        decision_id: z.uuid().nullable(),
        detail: z.string().nullable(),
      }),
    ),
    amounts: z
      .array(z.object({ unit: z.string(), amount: z.string() }))
      .describe('Of those that are or would be decided.'),
    more: z.boolean().describe('More wait for the reason than are listed.'),
  })
  .meta({ id: 'BulkDecision' });

export const bulkDecisionOperation = {
  ...acting,
  id: 'decideMany',
  path: '/api/v1/decisions/bulk',
  summary:
    'Decide the same about many items that wait for one reason, each by itself, as if they were resolved one by one.',
  body: BulkRequest,
  answers: { 200: { description: 'What became of each, or would.', schema: BulkAnswer } },
  problems: ['wrong_action', 'ledger_unavailable'],
} satisfies Operation<BulkRequest>;

export const ACTING_OPERATIONS: readonly Operation[] = [
  pauseProviderOperation,
  resumeProviderOperation,
  stripeRateOperation,
  setStripeRateOperation,
  resetStripeRateOperation,
  replayWebhookOperation,
  bulkDecisionOperation,
];
