import { parseDecisionId } from '../../domain/ids.js';
import type { ListedChannel } from '../../ledger/reading/channel-list.js';
import type { ListedDecision } from '../../ledger/reading/decision-list.js';
import type { InboxEvent } from '../../ledger/reading/webhook-inbox.js';
import { fromLedger } from '../from-ledger.js';
import { HttpProblem } from '../problem.js';
import { type Call, type Reply, type Route, route } from '../route.js';
import { keyPageOf } from '../schema-parts.js';
import type { ListChannelsQuery, ListDecisionsQuery, ListWebhooksQuery } from './list-schemas.js';
import type { ReadingDependencies } from './reading-dependencies.js';
import { listChannelsOperation, listDecisionsOperation, listWebhooksOperation } from './reading-operations.js';

type Dependencies = Pick<ReadingDependencies, 'ledger'>;

export const listRoutes = (dependencies: Dependencies): readonly Route[] => [
  route(listChannelsOperation, (call) => channels(call, dependencies)),
  route(listWebhooksOperation, (call) => webhooks(call, dependencies)),
  route(listDecisionsOperation, (call) => decisions(call, dependencies)),
];

/** One more than asked for tells whether there is a next page. */
const pageIn = ({ since, until, cursor, limit }: Pick<ListChannelsQuery, 'since' | 'until' | 'cursor' | 'limit'>) => ({
  since,
  until,
  before: cursor,
  limit: Number(limit) + 1,
});

async function channels({ query }: Call<unknown, ListChannelsQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { status, payer, key } = query;
  const found = await fromLedger(ledger.listChannels({ status, payer, id: key, ...pageIn(query) }));
  return { status: 200, body: keyPageOf(found, Number(query.limit), channelAnswer) };
}

const channelAnswer = (channel: ListedChannel) => ({
  id: channel.key.id,
  status: channel.status,
  payer: channel.payer,
  payee: channel.payee,
  token: channel.token,
  chain_id: channel.chainId,
  deposit: channel.deposit,
  accepted: channel.accepted,
  spent: channel.spent,
  earned: channel.earned,
  settled: channel.settled,
  close_requested_at: channel.closeRequestedAt,
  next_check_at: channel.nextCheckAt,
  created_at: channel.createdAt,
});

async function webhooks({ query }: Call<unknown, ListWebhooksQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { status, provider, type, object_id: objectId, key: eventId } = query;
  const found = await fromLedger(ledger.listWebhooks({ status, provider, type, objectId, eventId, ...pageIn(query) }));
  return { status: 200, body: keyPageOf(found, Number(query.limit), inboxAnswer) };
}

const inboxAnswer = (event: InboxEvent) => ({
  id: event.key.id,
  provider: event.provider,
  event_id: event.eventId,
  type: event.type,
  status: event.processedAt === null ? 'waiting' : 'processed',
  object_id: event.objectId,
  parent_id: event.parentId,
  account: event.account,
  received_at: event.receivedAt,
  processed_at: event.processedAt,
  next_check_at: event.nextCheckAt,
  deliveries: event.deliveries,
  outcome: event.outcome,
});

async function decisions({ query }: Call<unknown, ListDecisionsQuery>, { ledger }: Dependencies): Promise<Reply> {
  const { state, kind, action, by, reason, item_id: itemId, cursor } = query;
  if (cursor !== undefined && parseDecisionId(cursor.id) === undefined)
    throw new HttpProblem('invalid_request', 'a query parameter is not valid: nothing was done', {
      errors: [{ pointer: '/cursor', message: 'is not a cursor of ours' }],
    });
  const found = await fromLedger(ledger.listDecisions({ state, kind, action, by, reason, itemId, ...pageIn(query) }));
  return { status: 200, body: keyPageOf(found, Number(query.limit), decisionAnswer) };
}

const decisionAnswer = (decision: ListedDecision) => ({
  id: decision.key.id,
  kind: decision.kind,
  item_id: decision.itemId,
  action: decision.action,
  state: decision.state,
  by: decision.by,
  authenticated: decision.authenticated,
  note: decision.note,
  evidence: decision.evidence,
  reason: decision.reason,
  rests_on: decision.restsOn,
  amount: decision.amount,
  currency: decision.currency,
  first_approver: decision.firstApprover,
  approved_by: decision.approvedBy,
  approval_note: decision.approvalNote,
  requested_at: decision.requestedAt,
  approved_at: decision.approvedAt,
});
