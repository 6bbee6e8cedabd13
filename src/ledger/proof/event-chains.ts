import type { AnchorMark } from '../../domain/proof/anchor-marks.js';
import type { ChainHead } from '../../domain/proof/anchors.js';
import type { ChainedEvent } from '../../domain/proof/chain.js';
import type { PackedEvent } from '../../domain/proof/pack.js';
import type { Database } from '../database.js';
import type { FoundItem } from '../find-items.js';
import type { Query } from '../transition.js';
import { isKnown, lastMark } from './anchor-marks.js';

/** Whole chains of some items, or what happened in a period; ISO 8601, the second one exclusive. */
export type ExportScope =
  | { readonly items: readonly ItemOfChain[] }
  | { readonly from: string | null; readonly to: string | null };

export interface ItemOfChain {
  readonly kind: string;
  readonly id: string;
}

/** How one head of an anchor stands to the ledger. */
export interface HeadInLedger {
  /** null: the event is not there. */
  readonly digest: string | null;
  /** The last place of the item; 0: nothing is left of it. */
  readonly last: number;
}

/** What is known beside the chains, as of the same moment. */
export interface BesideChains {
  /** ISO 8601, by the clock of Postgres. */
  readonly now: string;
  readonly marked: AnchorMark | undefined;
  readonly knows: (mark: AnchorMark) => Promise<boolean>;
  readonly compare: (heads: readonly ChainHead[]) => Promise<readonly HeadInLedger[]>;
}

/** Enough for one answer of Postgres, little enough for the memory. */
const PAGE = 1_000;

/** An event as docs/proof.md writes it, whatever the settings of the session. Its place is text here: who sorts by it names the table. */
const EVENT = `item_kind, item_id, place::text, seq::text, to_jsonb(at AT TIME ZONE 'UTC') #>> '{}' AS at, kind, certainty,
  idempotency_key, answer_class, detail::text, encode(digest, 'hex') AS digest`;

type Row<T> = Omit<T, 'place'> & { readonly place: string; readonly [column: string]: unknown };

const eventOf = <T extends ChainedEvent>(row: Row<T>): T => ({ ...row, place: Number(row.place) }) as unknown as T;

/** Reads the chains of events page by page, each walk as everything was at one moment. The statements may take long. */
export function createEventChains(database: Database) {
  return {
    /** Whose chains belong to this item: of an order, those of all that came of it. */
    async itemsOfChain({ kind, id }: FoundItem): Promise<readonly ItemOfChain[]> {
      if (kind !== 'order') return [{ kind, id }];
      return await database.query<ItemOfChain & { [column: string]: unknown }>(ITEMS_OF_ORDER, [id]);
    },

    /** By its own name, for what is no item with an id: `provider/stripe`. */
    async hasChain({ kind, id }: ItemOfChain): Promise<boolean> {
      const rows = await database.query(
        'SELECT 1 FROM operation_events WHERE item_kind = $1 AND item_id = $2 LIMIT 1',
        [kind, id],
      );
      return rows.length > 0;
    },

    /** In the order of items by their bytes, then of places. */
    exportEvents: (scope: ExportScope, onPage: (events: readonly PackedEvent[]) => Promise<void>): Promise<void> =>
      atOneMoment(database, (query) =>
        throughCursor(query, 'items' in scope ? OF_ITEMS : OF_PERIOD, {
          values:
            'items' in scope
              ? [scope.items.map(({ kind }) => kind), scope.items.map(({ id }) => id)]
              : [scope.from, scope.to],
          onPage: (rows) => onPage(rows.map((row) => eventOf(row as Row<PackedEvent>))),
        }),
      ),

    /** Every chain from its first event to its last, and before them how heads that are known from elsewhere stand. */
    walkChains: (walk: {
      readonly onBegin: (beside: BesideChains) => Promise<void>;
      readonly onPage: (events: readonly ChainedEvent[]) => Promise<void>;
    }): Promise<void> =>
      atOneMoment(database, async (query) => {
        await walk.onBegin(await besideChains(query));
        await throughCursor(query, WALK, {
          values: [],
          onPage: (rows) => walk.onPage(rows.map((row) => eventOf(row as Row<ChainedEvent>))),
        });
      }),
  };
}

async function atOneMoment(database: Database, read: (query: Query) => Promise<void>): Promise<void> {
  await database.transaction(async (query) => {
    await query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await read(query);
  });
}

async function throughCursor(
  query: Query,
  statement: string,
  { values, onPage }: { values: readonly unknown[]; onPage: (rows: readonly object[]) => Promise<void> },
): Promise<void> {
  await query(`DECLARE events NO SCROLL CURSOR FOR ${statement}`, values);
  for (;;) {
    const rows = await query(`FETCH ${PAGE} FROM events`);
    if (rows.length === 0) break;
    await onPage(rows);
  }
  await query('CLOSE events');
}

/** The digest before an event is that of the row before it, which a period may not hold. */
const exported = (from: string) => `SELECT ${EVENT}, encode(coalesce(
    lag(digest) OVER (PARTITION BY item_kind COLLATE "C", item_id COLLATE "C" ORDER BY place),
    (SELECT b.digest FROM operation_events b WHERE b.item_kind = e.item_kind AND b.item_id = e.item_id AND b.place = e.place - 1),
    decode(repeat('0', 64), 'hex')), 'hex') AS before
  FROM ${from} ORDER BY e.item_kind COLLATE "C", e.item_id COLLATE "C", e.place`;

const OF_ITEMS = exported(
  'unnest($1::text[], $2::text[]) AS i (of_kind, of_id) JOIN operation_events e ON e.item_kind = of_kind AND e.item_id = of_id',
);
const OF_PERIOD = exported(
  'operation_events e WHERE ($1::timestamptz IS NULL OR at >= $1) AND ($2::timestamptz IS NULL OR at < $2)',
);

const WALK = `SELECT ${EVENT} FROM operation_events e ORDER BY e.item_kind, e.item_id, e.place`;

async function besideChains(query: Query): Promise<BesideChains> {
  const [row] = await query<{ now: Date }>('SELECT clock_now() AS now');
  if (!row) throw new Error('Postgres did not say what time it is');
  return {
    now: row.now.toISOString(),
    marked: await lastMark(query),
    knows: (mark) => isKnown(query, mark),
    compare: (heads) => compareHeads(query, heads),
  };
}

async function compareHeads(query: Query, heads: readonly ChainHead[]): Promise<readonly HeadInLedger[]> {
  const rows = await query<{ digest: string | null; last: string }>(
    `SELECT encode(e.digest, 'hex') AS digest, coalesce((SELECT max(l.place) FROM operation_events l
         WHERE l.item_kind = h.item_kind AND l.item_id = h.item_id), 0) AS last
     FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS h (item_kind, item_id, place, nth)
     LEFT JOIN operation_events e USING (item_kind, item_id, place) ORDER BY nth`,
    [heads.map((head) => head.item_kind), heads.map((head) => head.item_id), heads.map((head) => head.place)],
  );
  return rows.map(({ digest, last }) => ({ digest, last: Number(last) }));
}

const ITEMS_OF_ORDER = `SELECT 'order' AS kind, $1::uuid AS id
  UNION ALL SELECT 'payment', id FROM payments WHERE order_id = $1
  UNION ALL SELECT 'refund', id FROM refunds WHERE order_id = $1
  UNION ALL SELECT 'transfer', id FROM seller_transfers WHERE order_id = $1
  UNION ALL SELECT 'reversal', id FROM reversals WHERE order_id = $1
  UNION ALL SELECT 'dispute', id FROM disputes WHERE order_id = $1`;
