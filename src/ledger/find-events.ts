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
  readonly detail: JsonObject;
}

interface EventRow {
  at: Date;
  kind: string;
  certainty: string | null;
  answer_class: string | null;
  detail: JsonObject;
}

/** @returns everything that happened to the settlement, oldest first, at most `limit` of the newest */
export function createEventReader(database: Database) {
  return async function settlementEvents(id: SettlementId, limit = 1_000): Promise<readonly SettlementEvent[]> {
    const rows = await database.query<EventRow & Record<string, unknown>>(
      `SELECT at, kind, certainty, answer_class, detail FROM (
         SELECT * FROM operation_events WHERE item_kind = 'settlement' AND item_id = $1 ORDER BY seq DESC LIMIT $2
       ) newest ORDER BY seq`,
      [id, limit],
    );
    return rows.map(({ at, kind, certainty, answer_class: answerClass, detail }) => ({
      at: at.toISOString(),
      kind,
      certainty,
      answerClass,
      detail,
    }));
  };
}
