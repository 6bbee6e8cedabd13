import type { SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { Database } from './database.js';

/** One thing that happened to a settlement; never holds a credential. */
export interface SettlementEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: string;
  readonly certainty: string | null;
  readonly answerClass: string | null;
  /** The idempotency key that went with an attempt. */
  readonly idempotencyKey: string | null;
  readonly detail: JsonObject;
}

interface EventRow {
  at: Date;
  kind: string;
  certainty: string | null;
  answer_class: string | null;
  idempotency_key: string | null;
  detail: JsonObject;
}

/** What a person needs to follow one settlement; read by commands, never by the product itself. */
export function createStoryReader(database: Database) {
  return {
    /** Public facts by which the payment can be looked up where it would have moved; undefined: no such settlement. */
    async settlementLookup(id: SettlementId): Promise<JsonObject | undefined> {
      const [row] = await database.query<{ lookup: JsonObject }>('SELECT lookup FROM settlements WHERE id = $1', [id]);
      return row?.lookup;
    },

    /** Everything that happened to it, oldest first; the newest `limit` where there is more. */
    async settlementEvents(id: SettlementId, limit = 1_000): Promise<readonly SettlementEvent[]> {
      const rows = await database.query<EventRow & Record<string, unknown>>(
        `SELECT * FROM (
           SELECT seq, at, kind, certainty, answer_class, idempotency_key, detail FROM operation_events
           WHERE item_kind = 'settlement' AND item_id = $1 ORDER BY seq DESC LIMIT $2
         ) newest ORDER BY seq`,
        [id, limit],
      );
      return rows.map((row) => ({
        at: row.at.toISOString(),
        kind: row.kind,
        certainty: row.certainty,
        answerClass: row.answer_class,
        idempotencyKey: row.idempotency_key,
        detail: row.detail,
      }));
    },
  };
}
