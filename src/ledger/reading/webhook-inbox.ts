import type { Database } from '../database.js';
import { Conditions } from '../list-conditions.js';
import type { NewWebhookEvent } from '../marketplace/marketplace-types.js';
import type { EventRow } from '../marketplace/webhooks.js';
import { recordEvent } from '../transition.js';
import { type KeyPage, microseconds, type PageKey, pageOf } from './page-key.js';

export interface InboxFilter extends KeyPage {
  readonly status?: 'waiting' | 'processed' | undefined;
  readonly provider?: NewWebhookEvent['provider'] | undefined;
  readonly type?: string | undefined;
  readonly objectId?: string | undefined;
  readonly eventId?: string | undefined;
}

/** An event that a provider has sent; times are ISO 8601. */
export interface InboxEvent extends NewWebhookEvent {
  readonly key: PageKey;
  readonly receivedAt: string;
  readonly processedAt: string | null;
  readonly nextCheckAt: string | null;
  readonly deliveries: number;
  readonly outcome: string | null;
}

interface Row extends EventRow {
  [column: string]: unknown;
  place: string;
  name: string;
  processed_at: Date | null;
  next_check_at: Date | null;
  deliveries: number;
  outcome: string | null;
}

const NAME = `(provider || ':' || event_id)`;
const COLUMNS = `${microseconds('received_at')} AS place, ${NAME} AS name, provider, event_id, type, object_id, parent_id, account, body_sha256,
  received_at, processed_at, next_check_at, deliveries, outcome`;

const toInboxEvent = (row: Row): InboxEvent => ({
  key: { at: row.place, id: row.name },
  provider: row.provider,
  eventId: row.event_id,
  type: row.type,
  objectId: row.object_id,
  parentId: row.parent_id,
  account: row.account,
  bodySha256: row.body_sha256,
  receivedAt: row.received_at.toISOString(),
  processedAt: row.processed_at?.toISOString() ?? null,
  nextCheckAt: row.next_check_at?.toISOString() ?? null,
  deliveries: row.deliveries,
  outcome: row.outcome,
});

/** Newest first. */
export async function listInbox(database: Database, filter: InboxFilter): Promise<readonly InboxEvent[]> {
  // What waits has a date on which it is looked at again, and nothing else has.
  const conditions = new Conditions()
    .whether(filter.status, (status) => `next_check_at IS ${status === 'waiting' ? 'NOT NULL' : 'NULL'}`)
    .where(filter.provider, (provider) => `provider = ${provider}`)
    .where(filter.type, (type) => `type = ${type}`)
    .where(filter.objectId, (id) => `object_id = ${id}`)
    .where(filter.eventId, (id) => `event_id = ${id} AND provider IN ('stripe', 'hyperswitch')`);
  const rows = await database.query<Row>(
    `SELECT ${COLUMNS} FROM webhook_events ${pageOf('received_at', NAME, conditions, filter)}`,
    conditions.values,
  );
  return rows.map(toInboxEvent);
}

export interface Replay extends Pick<NewWebhookEvent, 'provider' | 'eventId'> {
  readonly by: string;
  readonly note: string;
}

/**
 * Makes an event due again, now: whoever acts on it reads the provider first, so what was done is not done twice.
 * @returns the event; undefined: there is none with this id
 */
export const replayEvent = (
  database: Database,
  { provider, eventId, by, note }: Replay,
): Promise<InboxEvent | undefined> =>
  database.transaction(async (query) => {
    const [row] = await query<Row>(
      `UPDATE webhook_events SET processed_at = NULL, outcome = NULL, next_check_at = clock_now()
       WHERE provider = $1 AND event_id = $2 RETURNING ${COLUMNS}`,
      [provider, eventId],
    );
    if (!row) return undefined;
    await recordEvent(query, { kind: 'webhook', id: `${provider}/${eventId}`, what: 'replayed', detail: { by, note } });
    return toInboxEvent(row);
  });
