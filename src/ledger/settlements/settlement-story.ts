import type { SettlementId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import { type EventRow, type ItemEvent, toEvent } from '../event-row.js';

/** What a person needs to follow one settlement; read by commands, never by the product itself. */
export function createStoryReader(database: Database) {
  return {
    /** Everything that happened to it, oldest first; the newest `limit` where there is more. */
    async settlementEvents(id: SettlementId, limit = 1_000): Promise<readonly ItemEvent[]> {
      const rows = await database.query<EventRow>(
        `SELECT * FROM (
           SELECT seq, at, kind, certainty, answer_class, idempotency_key, detail FROM operation_events
           WHERE item_kind = 'settlement' AND item_id = $1 ORDER BY seq DESC LIMIT $2
         ) newest ORDER BY seq`,
        [id, limit],
      );
      return rows.map(toEvent);
    },
  };
}
