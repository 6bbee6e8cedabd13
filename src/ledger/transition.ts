import type { Database } from './database.js';

export type Query = Database['query'];

export type MarketplaceTable = 'orders' | 'payments' | 'refunds' | 'seller_transfers' | 'reversals';

export interface Move {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Further columns to set, as SQL; their values are `$4` and on. */
  readonly set?: string;
  readonly values?: readonly unknown[];
}

/**
 * The one write to a status of the marketplace: it happens only from the status that was read. A completed
 * transfer's status is derived by `refresh_transfer` instead.
 *
 * @returns false: it was no longer in `from`, and nothing was changed
 * @throws where the database knows no such move, or a constraint does not hold
 */
async function transition(query: Query, table: MarketplaceTable, move: Move): Promise<boolean> {
  const rows = await query(
    `UPDATE ${table} SET status = $2${move.set ? `, ${move.set}` : ''} WHERE id = $1 AND status = $3 RETURNING id`,
    [move.id, move.to, move.from, ...(move.values ?? [])],
  );
  return rows.length === 1;
}

/** For moves that cannot fail because the caller holds the row. */
export async function mustMove(query: Query, table: MarketplaceTable, move: Move): Promise<void> {
  if (!(await transition(query, table, move)))
    throw new Error(`${table} ${move.id} is not ${move.from} although its row is held`);
}

export interface NewEvent {
  readonly kind:
    | 'settlement'
    | 'order'
    | 'payment'
    | 'refund'
    | 'transfer'
    | 'reversal'
    | 'dispute'
    | 'seller'
    | 'provider'
    | 'backfill'
    | 'webhook';
  readonly id: string;
  readonly what: string;
  readonly certainty?: string;
  readonly key?: string;
  readonly answer?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The same line in the stories of many items of a kind, by one statement. */
export async function recordEventOfEach(
  query: Query,
  { kind, what, detail = {} }: Pick<NewEvent, 'kind' | 'what' | 'detail'>,
  ids: readonly string[],
): Promise<void> {
  await query(
    `INSERT INTO operation_events (item_kind, item_id, kind, detail) SELECT $1, id, $2, $3::jsonb FROM unnest($4::text[]) AS id`,
    [kind, what, JSON.stringify(detail), ids],
  );
}

/** One line of an item's story, in the transaction that makes it true. */
export async function recordEvent(query: Query, event: NewEvent): Promise<void> {
  await query(
    `INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, answer_class, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      event.kind,
      event.id,
      event.what,
      event.certainty ?? null,
      event.key ?? null,
      event.answer ?? null,
      JSON.stringify(event.detail ?? {}),
    ],
  );
}
