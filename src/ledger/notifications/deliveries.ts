import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { NoticeMessageId } from '../../domain/ids.js';
import {
  type DeliveryOutcome,
  GIVEN_UP_AFTER_MS,
  MISSED_AFTER_MS,
  waitBefore,
} from '../../domain/notifications/delivery.js';
import type { Stage } from '../../domain/notifications/destinations.js';
import { type Message, type MessageContents, MOST_ITEMS_TOLD } from '../../domain/notifications/message.js';
import type { Database } from '../database.js';
import { IN_USE, stands } from './notices.js';

type Row<T> = T & { [column: string]: unknown };
type EndState = 'delivered' | 'withdrawn' | 'given_up';

/** A message has ended, or this is its next attempt. */
export type BegunDelivery =
  | { readonly kind: 'ended'; readonly state: EndState }
  | { readonly kind: 'send'; readonly destination: string; readonly attempt: number; readonly message: Message };

export type RecordedDelivery =
  | { readonly kind: 'ended'; readonly state: EndState }
  | { readonly kind: 'again'; readonly afterMs: number };

/** How one destination is. Times are ISO 8601. */
export interface DestinationState {
  readonly id: string;
  readonly stage: Stage;
  readonly waiting: number;
  readonly deliveredAt: string | null;
  readonly failingSince: string | null;
  readonly failures: number;
  readonly lastFailure: string | null;
  readonly goneAt: string | null;
}

/** Attempts to deliver messages, each recorded before it is made and after. */
export function createDeliveries(database: Database) {
  return {
    /**
     * Begins the next attempt. What the message tells is frozen by the first one; a message of which nothing stands any more is
     * withdrawn instead.
     */
    async beginDelivery(id: NoticeMessageId): Promise<BegunDelivery> {
      return await database.transaction(async (query) => {
        const [row] = await query<MessageRow>(
          `SELECT m.destination, m.stage, m.reason, m.state, m.attempts, m.contents, d.gone_at IS NOT NULL AS gone
           FROM notice_messages m JOIN notice_destinations d ON d.id = m.destination WHERE m.id = $1 FOR UPDATE OF m`,
          [id],
        );
        // Pruned a quarter of a year ago: a workflow that a restored Temporal has remembered.
        if (!row) return { kind: 'ended', state: 'withdrawn' };
        if (row.state !== 'waiting') return { kind: 'ended', state: row.state };
        const fresh = await contentsOf(query, id, row.reason);
        if (row.gone || !fresh) {
          const state = fresh ? 'given_up' : 'withdrawn';
          await end(query, id, state);
          return { kind: 'ended', state };
        }
        const contents = row.contents ?? fresh;
        const attempt = row.attempts + 1;
        await query(
          'UPDATE notice_messages SET attempts = $2, contents = coalesce(contents, $3::jsonb) WHERE id = $1',
          [id, attempt, JSON.stringify(contents)],
        );
        await query('INSERT INTO notice_attempts (message_id, number) VALUES ($1, $2)', [id, attempt]);
        return { kind: 'send', destination: row.destination, attempt, message: { id, stage: row.stage, contents } };
      });
    },

    /** Records how an attempt ended, and says what follows. */
    async recordDelivery(id: NoticeMessageId, attempt: number, outcome: DeliveryOutcome): Promise<RecordedDelivery> {
      return await database.transaction(async (query) => {
        const [row] = await query<Row<{ destination: string; state: EndState | 'waiting'; oldMs: number }>>(
          `SELECT destination, state, (extract(epoch FROM clock_now() - made_at) * 1000)::float8 AS "oldMs"
           FROM notice_messages WHERE id = $1 FOR UPDATE`,
          [id],
        );
        if (!row) return { kind: 'ended', state: 'withdrawn' };
        const ended = await query(
          `UPDATE notice_attempts SET ended_at = clock_now(), outcome = $3, detail = $4
           WHERE message_id = $1 AND number = $2 AND ended_at IS NULL RETURNING number`,
          [id, attempt, outcome.kind, outcome.detail],
        );
        // One that is told twice says nothing new of its destination.
        if (ended.length > 0) await noteDestination(query, row.destination, outcome);
        if (row.state !== 'waiting') return { kind: 'ended', state: row.state };
        const afterMs = outcome.kind === 'failed' ? waitBefore(attempt, outcome.afterMs) : 0;
        if (outcome.kind === 'failed' && row.oldMs + afterMs < GIVEN_UP_AFTER_MS) {
          await query(
            `UPDATE notice_messages SET next_check_at = clock_now() + $2 * interval '1 millisecond' WHERE id = $1`,
            [id, afterMs + MISSED_AFTER_MS],
          );
          return { kind: 'again', afterMs };
        }
        const state = outcome.kind === 'delivered' ? 'delivered' : 'given_up';
        await end(query, id, state);
        return { kind: 'ended', state };
      });
    },

    /**
     * A person has tried a destination, and it is there: what it was not told because it was gone is told now. A test tells of no money, and
     * comes from elsewhere than a worker's messages: when it was told last, and how it fails, stay what messages have shown.
     */
    async destinationIsThere(id: string): Promise<void> {
      await database.query(
        `UPDATE notice_destinations SET gone_at = NULL, failing_since = NULL, failures = 0, last_failure = NULL
         WHERE id = $1 AND gone_at IS NOT NULL`,
        [id],
      );
    },

    async destinationStates(): Promise<readonly DestinationState[]> {
      return await database.query<Row<DestinationState>>(
        `SELECT id, stage, ${iso('delivered_at')} AS "deliveredAt", ${iso('failing_since')} AS "failingSince", failures,
           last_failure AS "lastFailure", ${iso('gone_at')} AS "goneAt",
           (SELECT count(*)::int FROM notice_messages m WHERE m.destination = d.id AND m.state = 'waiting') AS waiting
         FROM notice_destinations d WHERE ${IN_USE} ORDER BY stage DESC, id`,
      );
    },
  };
}

type MessageRow = Row<{
  destination: string;
  stage: Stage;
  reason: AttentionReason;
  state: EndState | 'waiting';
  attempts: number;
  contents: MessageContents | null;
  gone: boolean;
}>;

const iso = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

async function end(query: Database['query'], id: NoticeMessageId, state: EndState): Promise<void> {
  await query('UPDATE notice_messages SET state = $2, ended_at = clock_now(), next_check_at = NULL WHERE id = $1', [
    id,
    state,
  ]);
  if (state !== 'delivered') await query('UPDATE notice_message_items SET stands = false WHERE message_id = $1', [id]);
}

async function noteDestination(query: Database['query'], destination: string, outcome: DeliveryOutcome): Promise<void> {
  await query(
    outcome.kind === 'delivered'
      ? `UPDATE notice_destinations SET delivered_at = clock_now(), failing_since = NULL, failures = 0, last_failure = NULL, gone_at = NULL
         WHERE id = $1 AND $2::text IS NOT NULL`
      : `UPDATE notice_destinations SET failing_since = coalesce(failing_since, clock_now()), failures = failures + 1, last_failure = $2
           ${outcome.kind === 'gone' ? ', gone_at = coalesce(gone_at, clock_now())' : ''} WHERE id = $1`,
    [destination, outcome.detail],
  );
}

/** What of a message stands now; undefined: nothing. */
async function contentsOf(
  query: Database['query'],
  id: NoticeMessageId,
  reason: AttentionReason,
): Promise<MessageContents | undefined> {
  const [row] = await query<Row<{ contents: Omit<MessageContents, 'reason'> }>>(
    `WITH told AS (
       SELECT n.* FROM notice_message_items i JOIN notices n ON n.seq = i.notice WHERE i.message_id = $1 AND ${stands('n')})
     SELECT jsonb_build_object(
       'writtenAt', ${iso('clock_now()')},
       'oldestSince', (SELECT ${iso('min(since)')} FROM told),
       'count', (SELECT count(*) FROM told),
       'totals', (SELECT jsonb_agg(t ORDER BY t.currency, t.decimals) FROM (
         SELECT currency, decimals, sum(amount)::text AS amount, count(*) AS count FROM told GROUP BY currency, decimals) t),
       'kinds', (SELECT jsonb_agg(t ORDER BY t.kind) FROM (
         SELECT item_kind AS kind, count(*) AS count FROM told GROUP BY item_kind) t),
       'items', (SELECT jsonb_agg(t ORDER BY t.since, t.id) FROM (
         SELECT item_kind AS kind, item_id AS id, order_id AS "orderId", amount::text AS amount, currency, decimals, ${iso('since')} AS since
         FROM told ORDER BY told.since, item_id LIMIT ${MOST_ITEMS_TOLD}) t)) AS contents
     WHERE EXISTS (SELECT 1 FROM told)`,
    [id],
  );
  return row && { reason, ...row.contents };
}
