import type { JsonObject } from '../domain/json.js';

/** One thing that happened to an item; never holds a credential. */
export interface ItemEvent {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: string;
  readonly certainty: string | null;
  readonly answerClass: string | null;
  /** The idempotency key that went with an attempt. */
  readonly idempotencyKey: string | null;
  readonly detail: JsonObject;
}

/** With the item it happened to: `reversal/<id>`. */
export interface EventOfItem extends ItemEvent {
  readonly item: string;
}

export interface EventRow {
  [column: string]: unknown;
  at: Date;
  kind: string;
  certainty: string | null;
  answer_class: string | null;
  idempotency_key: string | null;
  detail: JsonObject;
}

export const toEvent = (row: EventRow): ItemEvent => ({
  at: row.at.toISOString(),
  kind: row.kind,
  certainty: row.certainty,
  answerClass: row.answer_class,
  idempotencyKey: row.idempotency_key,
  detail: row.detail,
});
