import { OPERATORS } from '../allowed-roles.js';
import { READS_ONE, READS_PAGE } from '../read-operations.js';
import type { Operation } from '../route.js';
import {
  ChannelListAnswer,
  DecisionListAnswer,
  ListChannelsQuery,
  ListDecisionsQuery,
  ListWebhooksQuery,
  WebhookListAnswer,
} from './list-schemas.js';
import {
  ExplanationAnswer,
  LiveAnswer,
  OverviewAnswer,
  SearchAnswer,
  SearchQuery,
  StoryAnswer,
} from './reading-schemas.js';

export const listChannelsOperation = {
  ...READS_PAGE,
  id: 'listChannels',
  path: '/api/v1/channels',
  summary: 'Payment channels, newest first.',
  query: ListChannelsQuery,
  answers: { 200: { description: 'A page of channels.', schema: ChannelListAnswer } },
} satisfies Operation<unknown, ListChannelsQuery>;

export const listWebhooksOperation = {
  ...READS_PAGE,
  id: 'listWebhooks',
  path: '/api/v1/webhooks',
  summary: 'What providers have told us, each event once, newest first.',
  query: ListWebhooksQuery,
  answers: { 200: { description: 'A page of events.', schema: WebhookListAnswer } },
} satisfies Operation<unknown, ListWebhooksQuery>;

export const listDecisionsOperation = {
  ...READS_PAGE,
  id: 'listDecisions',
  path: '/api/v1/decisions',
  summary: 'What persons have decided, and what waits for another person, newest first.',
  query: ListDecisionsQuery,
  answers: { 200: { description: 'A page of decisions.', schema: DecisionListAnswer } },
} satisfies Operation<unknown, ListDecisionsQuery>;

export const overviewOperation = {
  ...READS_ONE,
  id: 'overview',
  path: '/api/v1/overview',
  summary: 'What needs a person, what is promised and has not moved, how the providers are; all of it out of Postgres.',
  answers: { 200: { description: 'At this moment.', schema: OverviewAnswer } },
} satisfies Operation;

export const searchOperation = {
  ...READS_ONE,
  id: 'search',
  path: '/api/v1/search',
  summary: 'Items by any name that a person may have for them.',
  query: SearchQuery,
  problems: ['invalid_request', 'ledger_unavailable'],
  answers: { 200: { description: 'The newest that bear the name.', schema: SearchAnswer } },
} satisfies Operation<unknown, SearchQuery>;

export const explanationOperation = {
  ...READS_ONE,
  id: 'explain',
  path: '/api/v1/explanations/{kind}/{item}',
  summary: 'Where the money is, why, what happens next, what a person can do and what that would do.',
  answers: { 200: { description: 'The explanation.', schema: ExplanationAnswer } },
} satisfies Operation;

export const liveOperation = {
  ...READS_ONE,
  id: 'look',
  path: '/api/v1/live/{kind}/{item}',
  summary:
    'What the provider shows of an item at this moment, beside what the ledger has, and what each decision would meet there. It is asked now, at most once in five seconds for an item; nothing is written and nothing moves.',
  // Each is a call to a provider: of those who may decide.
  roles: OPERATORS,
  answers: { 200: { description: 'Also where the provider is away: `answer` says so.', schema: LiveAnswer } },
} satisfies Operation;

export const storyOperation = {
  ...READS_ONE,
  id: 'story',
  path: '/api/v1/stories/{kind}/{item}',
  summary: 'Everything that happened to an item, oldest first; of an order, also to its parts.',
  answers: { 200: { description: 'The story.', schema: StoryAnswer } },
} satisfies Operation;

export const changesOperation = {
  ...READS_ONE,
  id: 'changes',
  path: '/api/v1/events',
  summary:
    'Server-sent events, one for each thing that happens to an item: `event: change`, `data: {kind, id, at}`. `event: reset`: more has happened than is told, read anew.',
  answers: { 200: { description: 'Does not end by itself.', type: 'text/event-stream' } },
  problems: ['rate_limited', 'ledger_unavailable'],
} satisfies Operation;

export const READING_OPERATIONS: readonly Operation[] = [
  listChannelsOperation,
  listWebhooksOperation,
  listDecisionsOperation,
  overviewOperation,
  searchOperation,
  explanationOperation,
  liveOperation,
  storyOperation,
  changesOperation,
];
