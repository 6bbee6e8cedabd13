import type { Database } from '../database.js';
import { type EventRow, type ItemEvent, toEvent } from '../event-row.js';

/** What a provider has said about an item, and what leads on from a settlement. */
export async function lastWord(database: Database, kind: string, id: string): Promise<ItemEvent | null> {
  const [row] = await database.query<EventRow>(
    `SELECT at, kind, certainty, answer_class, idempotency_key, detail FROM operation_events
     WHERE item_kind = $1 AND item_id = $2 AND kind NOT IN ('sent', 'created', 'demanded', 'promised')
       AND (answer_class IS NOT NULL OR kind IN ('looked', 'found', 'charge_read', 'contradicted', 'conflict', 'named', 'out', 'back'))
     ORDER BY place DESC LIMIT 1`,
    [kind, id],
  );
  return row ? toEvent(row) : null;
}

/** Of a settlement. */
export interface SettlementLinks {
  readonly channel: string | null;
  readonly behind: string | null;
  readonly payer: string | null;
}

export async function settlementLinks(database: Database, id: string): Promise<SettlementLinks> {
  const [row] = await database.query<SettlementLinks & { [column: string]: unknown }>(
    `SELECT coalesce(channel_id, voucher_channel) AS channel, blocked_by AS behind, payer FROM settlements WHERE id = $1`,
    [id],
  );
  return row ?? { channel: null, behind: null, payer: null };
}
