import { z } from 'zod';
import { ATTENTION_REASONS } from '../../domain/decisions/attention.js';
import { DECIDABLE_KINDS } from '../../domain/decisions/decisions.js';
import { keyCursor, limit, listAnswer, period, text, timestamp } from '../schema-parts.js';

/** Lists that an operator reads beside those of money: channels, events that providers sent, decisions of persons. */

const page = { limit, cursor: keyCursor, ...period };
const digits = z.string().regex(/^[0-9]+$/);

const CHANNEL_STATUSES = ['open', 'closing', 'closed'] as const;

export const ListChannelsQuery = z.strictObject({
  status: z.enum(CHANNEL_STATUSES).optional(),
  payer: text(200).optional().describe('Only of this address.'),
  key: text(200).optional().describe('Only the channel with this id.'),
  ...page,
});
export type ListChannelsQuery = z.output<typeof ListChannelsQuery>;

const ChannelAnswer = z
  .object({
    id: z.string(),
    status: z.enum(CHANNEL_STATUSES).describe('`closing`: its payer has asked for the close. `closed`: on the chain.'),
    payer: z.string(),
    payee: z.string(),
    token: z.string(),
    chain_id: z.int(),
    deposit: digits,
    accepted: digits.describe('What the payer has signed for.'),
    spent: digits,
    earned: digits.describe('Of what is spent, by responses that were given.'),
    settled: digits.describe('Captured on the chain.'),
    close_requested_at: timestamp.nullable(),
    next_check_at: timestamp.nullable(),
    created_at: timestamp,
  })
  .meta({ id: 'Channel' });

const INBOX_PROVIDERS = ['stripe', 'hyperswitch'] as const;
const INBOX_STATUSES = ['waiting', 'processed'] as const;

export const ListWebhooksQuery = z.strictObject({
  status: z.enum(INBOX_STATUSES).optional(),
  provider: z.enum(INBOX_PROVIDERS).optional(),
  type: text(200).optional(),
  object_id: text(255).optional().describe('Only what is about the object with this name at the provider.'),
  key: text(255).optional().describe('Only the event with this id at the provider.'),
  ...page,
});
export type ListWebhooksQuery = z.output<typeof ListWebhooksQuery>;

const InboxEventAnswer = z
  .object({
    id: z.string().describe('`<provider>:<event_id>`.'),
    provider: z.enum(INBOX_PROVIDERS),
    event_id: z.string(),
    type: z.string(),
    status: z.enum(INBOX_STATUSES),
    object_id: z.string().nullable(),
    parent_id: z.string().nullable(),
    account: z.string().nullable(),
    received_at: timestamp,
    processed_at: timestamp.nullable(),
    next_check_at: timestamp.nullable().describe('When it is acted on at the latest; null: it was.'),
    deliveries: z.int().min(1).describe('How often the provider has sent it.'),
    outcome: z.string().nullable().describe('What came of it; null: nothing yet.'),
  })
  .meta({ id: 'InboxEvent' });

const DECISION_STATES = ['applied', 'pending_approval', 'ignored'] as const;

export const ListDecisionsQuery = z.strictObject({
  state: z.enum(DECISION_STATES).optional(),
  kind: z.enum(DECIDABLE_KINDS).optional(),
  action: text(64).optional(),
  by: text(200).optional().describe('Only what this person asked for or approved.'),
  reason: z.enum(ATTENTION_REASONS).optional().describe('Only where the item waited for this.'),
  item_id: z.uuid().optional(),
  ...page,
});
export type ListDecisionsQuery = z.output<typeof ListDecisionsQuery>;

const DecisionRecordAnswer = z
  .object({
    id: z.uuid(),
    kind: z.enum(DECIDABLE_KINDS),
    item_id: z.uuid(),
    action: z.string(),
    state: z.enum(DECISION_STATES),
    by: z.string(),
    authenticated: z.boolean().describe('False: the name is only claimed, so it counts for nobody.'),
    note: z.string(),
    evidence: z.record(z.string(), z.unknown()).nullable(),
    reason: z.enum(ATTENTION_REASONS).nullable(),
    rests_on: z.enum(['nobody', 'one', 'two']).nullable(),
    amount: digits.nullable().describe('What it gives up or pays again, in minor units.'),
    currency: z.string().nullable(),
    first_approver: z.string().nullable(),
    approved_by: z.string().nullable(),
    approval_note: z.string().nullable(),
    requested_at: timestamp,
    approved_at: timestamp.nullable(),
  })
  .meta({ id: 'DecisionRecord' });

export const ChannelListAnswer = listAnswer(ChannelAnswer);
export const WebhookListAnswer = listAnswer(InboxEventAnswer);
export const DecisionListAnswer = listAnswer(DecisionRecordAnswer);
