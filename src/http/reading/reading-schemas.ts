import { z } from 'zod';
import { CERTAINTIES } from '../../domain/calls/certainty.js';
import { ATTENTION_REASONS } from '../../domain/decisions/attention.js';
import { LIVE_ANSWERS, LIVE_PROVIDERS, LIVE_VERDICTS } from '../../domain/explanations/live-reading.js';
import { PLACES } from '../../domain/explanations/where-money-is.js';
import { RECONCILED_PARTS } from '../../domain/reconciliation/parts.js';
import { StripeRateAnswer } from '../acting/stripe-rate-schema.js';
import { attention, text, timestamp } from '../schema-parts.js';
import { EXPLAINED_KINDS } from './kinds.js';

const count = z.int().min(0);
const digits = z.string().regex(/^-?[0-9]+$/);
const sum = z.object({
  unit: z.string().describe('Currency, or asset of a settlement.'),
  decimals: z.int().nullable().describe('Of an asset; null: minor units of a currency.'),
  amount: digits,
});

export const OverviewAnswer = z
  .object({
    at: timestamp,
    needs_a_person: z.array(
      z.object({
        kind: z.string(),
        reason: z.enum(ATTENTION_REASONS),
        count,
        oldest_at: timestamp,
        amounts: z.array(sum),
        runbook: z.string(),
      }),
    ),
    unsettled: z.array(
      z.object({
        protocol: z.string(),
        asset: z.string(),
        decimals: z.int(),
        amount: digits,
        count,
        oldest_at: timestamp,
      }),
    ),
    marketplace: z.array(
      z.object({
        kind: z.string(),
        status: z.string(),
        currency: z.string(),
        amount: digits,
        count,
        oldest_at: timestamp,
      }),
    ),
    providers: z.array(
      z.object({
        provider: z
          .string()
          .describe('`stripe`, `stripe:<account>`, `hyperswitch`, `auth-server:<protocol>`, `tempo`.'),
        pausable: z.string().nullable().describe('What pauses it: POST /api/v1/providers/{provider}/pause.'),
        state: z.enum(['closed', 'open', 'half_open']),
        reason: z.string().nullable(),
        detail: z.string().nullable(),
        since: timestamp.nullable(),
        paused_by: z.string().nullable(),
        paused_note: z.string().nullable(),
        next_probe_at: timestamp.nullable(),
        pace_per_second: z.int().nullable().describe('Requests of the last second; null: not counted for this one.'),
        limit_per_second: z
          .int()
          .nullable()
          .describe('In force now: the lower of the settings and of what a person has set.'),
        rate: StripeRateAnswer.nullable().describe('Of `stripe`: by whose word, and what is used of it.'),
        last_success_at: timestamp.nullable(),
      }),
    ),
    inbox: z.array(z.object({ provider: z.string(), count, oldest_at: timestamp })),
    sweeps: z.array(z.object({ name: z.string(), last_success_at: timestamp.nullable() })),
    decisions_not_taken: z
      .array(z.string())
      .describe('Decisions that the settings of this deployment leave to nobody.'),
    compared: z
      .array(
        z.object({
          part: z.enum(RECONCILED_PARTS),
          last_success_at: timestamp.describe(
            'When the run began that last compared all of it; of one that never was, since when it is to be.',
          ),
          late: z.boolean().describe('Not for more than two intervals.'),
        }),
      )
      .describe('What is compared with providers.'),
    counts: z.object({
      unknown: count,
      expiring: count,
      suspected_elsewhere: count,
      delivery_unknown: count,
      answers_due: count,
      drift: count,
      payouts_failed: count,
    }),
    series: z.object({
      step_seconds: z.int(),
      from: timestamp,
      points: z.array(z.object({ at: timestamp, done: count, failed: count, backlog: count, needs_attention: count })),
    }),
  })
  .meta({ id: 'Overview' });

export const SearchQuery = z.strictObject({
  q: text(300).describe(
    'Any id, key, request id, order, reference, payer, seller, name at a provider, event, transaction hash, channel or decision.',
  ),
});
export type SearchQuery = z.output<typeof SearchQuery>;

export const SearchAnswer = z
  .object({
    results: z.array(
      z.object({
        kind: z.string(),
        id: z.string(),
        matched: z.string(),
        label: z.string(),
        status: z.string(),
        needs_attention: z.boolean(),
      }),
    ),
    more: z.boolean().describe('There are more than these: name one of them more closely.'),
  })
  .meta({ id: 'Search' });

const action = z.object({
  action: z.string(),
  effect: z.string(),
  persons: z.string(),
  needs_second_person: z
    .boolean()
    .describe('What is known now; that the provider confirms it, or what a person gave up today, may change it.'),
  fields: z.array(z.object({ name: z.string(), required: z.boolean(), evidence: z.boolean() })),
  command: z.string().describe('The same by the CLI.'),
});

const related = z.object({
  kind: z.string(),
  id: z.string(),
  relation: z.string(),
  status: z.string(),
  amount: z.string(),
  currency: z.string().nullable(),
});

const facts = z.record(z.string(), z.unknown());

const explained = {
  kind: z.enum(EXPLAINED_KINDS),
  id: z.string(),
  status: z.string(),
  why: z.string(),
  related: z.array(related),
  temporal_url: z.string().nullable(),
};

export const ExplanationAnswer = z
  .object({
    ...explained,
    certainty: z
      .enum(CERTAINTIES)
      .nullable()
      .describe('Null: of an order and of a channel, which have none of their own.'),
    amount: z.string(),
    money: z.object({ with: z.array(z.enum(PLACES)), words: z.string() }),
    next: z.string(),
    next_at: timestamp.nullable(),
    attention,
    actions: z.array(action).describe('What a person can decide about it now.'),
    waiting_decision: z
      .object({ id: z.uuid(), action: z.string(), by: z.string(), note: z.string(), requested_at: timestamp })
      .nullable()
      .describe('What somebody asked for and another person has not confirmed.'),
    runbook: z.string().nullable(),
    evidence: z.object({
      ours: facts,
      provider: facts.nullable().describe('What the provider was last seen to say; null: never asked.'),
      looked_at: timestamp.nullable(),
    }),
    shares: z.array(facts).optional().describe('Of an order: what each party has.'),
    parts: z.array(facts).optional().describe('Of an order: how each part of it stands.'),
  })
  .meta({ id: 'Explanation' });

export const LiveAnswer = z
  .object({
    kind: z.enum(EXPLAINED_KINDS),
    id: z.string(),
    read_at: timestamp.describe('When the provider was asked; within five seconds the same reading is told again.'),
    provider: z.enum(LIVE_PROVIDERS),
    answer: z
      .enum(LIVE_ANSWERS)
      .describe(
        '`absent`: it has answered, and does not have it. `away`: it did not answer, or refuses us, so nothing is known. `not_asked`: nobody can be asked, or nothing is set to ask with.',
      ),
    words: z.string(),
    shows: facts.nullable(),
    ours: facts.describe('The same of the ledger, at that moment.'),
    decisions: z.array(
      z.object({
        action: z.string(),
        verdict: z
          .enum(LIVE_VERDICTS)
          .describe(
            'What it would meet at the provider now. `not_in_the_way`: the provider is not asked, or says nothing against it.',
          ),
        words: z.string(),
        effect: z.string().nullable().describe('What it does; null: of what waits for a second person.'),
      }),
    ),
  })
  .meta({ id: 'Live' });

export const StoryAnswer = z
  .object({
    events: z.array(
      z.object({
        item: z.string().describe('`reversal/<id>`.'),
        at: timestamp,
        kind: z.string(),
        certainty: z.string().nullable(),
        answer: z.string().nullable(),
        key: z.string().nullable(),
        request_id: z.string().nullable(),
        status: z.int().nullable().describe('HTTP, of an attempt that was answered.'),
        replayed: z.boolean().nullable(),
        detail: facts,
      }),
    ),
    lookup: facts.nullable().describe('Of a settlement: public facts by which the payment can be looked up.'),
  })
  .meta({ id: 'Story' });
