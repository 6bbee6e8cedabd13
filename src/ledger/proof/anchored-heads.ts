import type { ChainHead } from '../../domain/proof/anchors.js';
import type { Database } from '../database.js';
import { createAnchorMarks } from './anchor-marks.js';

export interface AnchorMoment {
  /** ISO 8601, by the clock of Postgres. */
  readonly now: string;
  /** The newest event that is committed. */
  readonly newest: string;
}

export interface PageOfHeads {
  readonly heads: readonly ChainHead[];
  /** The last event that was looked at; undefined: there was none left. */
  readonly reached: string | undefined;
}

/** What is kept of the chains outside Postgres. */
export function createAnchoredHeads(database: Database) {
  return {
    ...createAnchorMarks(database),

    async anchorMoment(): Promise<AnchorMoment> {
      const [row] = await database.query<{ now: Date; newest: string }>(
        'SELECT clock_now() AS now, coalesce(max(seq), 0)::text AS newest FROM operation_events',
      );
      if (!row) throw new Error('Postgres did not say what time it is');
      return { now: row.now.toISOString(), newest: row.newest };
    },

    /** How many events there are after `after`, up to `upto`: in pages, since they may be a hundred millions. */
    async countEvents(
      after: string,
      upto: string,
      limit: number,
    ): Promise<{ readonly count: number; readonly reached: string | undefined }> {
      const [row] = await database.query<{ count: number; reached: string | null }>(
        `SELECT count(*)::int AS count, max(seq)::text AS reached
         FROM (SELECT seq FROM operation_events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3) page`,
        [after, upto, limit],
      );
      return { count: row?.count ?? 0, reached: row?.reached ?? undefined };
    },

    /** Of the items with events after `after`, up to `upto`: the last of these events in each chain. */
    async changedHeads(after: string, upto: string, limit: number): Promise<PageOfHeads> {
      const rows = await database.query<{ seq: string; head: boolean; place: string } & Omit<ChainHead, 'place'>>(
        `SELECT seq, item_kind, item_id, place, encode(digest, 'hex') AS digest, NOT EXISTS (
             SELECT 1 FROM operation_events n WHERE n.item_kind = e.item_kind AND n.item_id = e.item_id
               AND n.place > e.place AND n.seq > $1 AND n.seq <= $2) AS head
         FROM (SELECT * FROM operation_events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3) e ORDER BY seq`,
        [after, upto, limit],
      );
      return {
        heads: rows.filter(({ head }) => head).map((row) => ({ ...row, place: Number(row.place) })),
        reached: rows.at(-1)?.seq,
      };
    },
  };
}
