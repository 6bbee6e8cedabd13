import { createHash } from 'node:crypto';

/** One event of an item as it stands in the ledger, with its place in the item's chain. The names are those of the columns. */
export interface ChainedEvent {
  readonly item_kind: string;
  readonly item_id: string;
  /** 1, 2, 3 … within the item. */
  readonly place: number;
  readonly seq: string;
  /** UTC, to the microsecond, as Postgres writes a timestamp in JSON: `2026-11-30T07:10:06.123456`. */
  readonly at: string;
  readonly kind: string;
  readonly certainty: string | null;
  readonly idempotency_key: string | null;
  readonly answer_class: string | null;
  /** JSON, exactly as Postgres writes jsonb: numbers of any size keep their digits. */
  readonly detail: string;
  /** SHA-256 in hexadecimal, of the digest before it and its text. */
  readonly digest: string;
}

/** What stands before the first event of an item. */
export const BEFORE_FIRST = '0'.repeat(64);

/** `settlement/0197d7a4-…`: how an item is called in logs, files and findings. */
export const itemName = ({ item_kind, item_id }: Pick<ChainedEvent, 'item_kind' | 'item_id'>): string =>
  `${item_kind}/${item_id}`;

/**
 * The text that an event's digest is made over: a JSON array of all its columns, in the form in which Postgres writes jsonb.
 * The trigger of migration 0056 makes it by SQL; this is its second, independent maker.
 */
function eventText(event: Omit<ChainedEvent, 'digest'>): string {
  const parts = [
    JSON.stringify(event.item_kind),
    JSON.stringify(event.item_id),
    event.place,
    event.seq,
    JSON.stringify(event.at),
    JSON.stringify(event.kind),
    JSON.stringify(event.certainty),
    JSON.stringify(event.idempotency_key),
    JSON.stringify(event.answer_class),
    event.detail,
  ];
  return `[${parts.join(', ')}]`;
}

/** @param before the digest of the event before it, BEFORE_FIRST where it is the first */
export const digestAfter = (before: string, event: Omit<ChainedEvent, 'digest'>): string =>
  createHash('sha256').update(Buffer.from(before, 'hex')).update(eventText(event)).digest('hex');

/** What is wrong, and with what: the first thing that does not fit, as one walks along. */
export type Problem = 'changed' | 'missing' | 'added' | 'out_of_order' | 'not_anchored';

export interface BrokenChain {
  readonly problem: Problem;
  readonly item: string;
  readonly place: number;
  readonly detail: string;
}

/** The last event of an item that was found right, or changed and was told. */
export type Link = Pick<ChainedEvent, 'place' | 'digest'>;

/**
 * Whether an event follows on the one before it of its item.
 * @param before undefined: none of this item came before, and this must be its first
 */
export function brokenLink(event: ChainedEvent, before: Link | undefined): BrokenChain | undefined {
  const item = itemName(event);
  const place = (before?.place ?? 0) + 1;
  if (event.place > place) {
    const last = event.place - 1;
    const gone = last === place ? `event ${place} is` : `events ${place} to ${last} are`;
    return { problem: 'missing', item, place, detail: `${gone} missing before event ${event.place}` };
  }
  if (event.place < place)
    return {
      problem: 'added',
      item,
      place: event.place,
      detail: `event ${event.place} comes after event ${place - 1}`,
    };
  return event.digest === digestAfter(before?.digest ?? BEFORE_FIRST, event)
    ? undefined
    : { problem: 'changed', item, place, detail: `event ${place} is not the one that its digest was made over` };
}
