import type { Destination } from '../../domain/notifications/destinations.js';
import type { Database } from '../database.js';

/** What needs a person, and who is to be told. */
export function createNotices(database: Database) {
  return {
    /**
     * Notes what has begun to need a person, and what needs nobody any more. What has ended and is asked again is noted again, also where
     * the item says that it has been asked since then all along: a request for a second person stands before a question and goes.
     * @returns how many of each
     */
    async noteWhoIsAsked(limit: number): Promise<{ readonly noted: number; readonly ended: number }> {
      const noted = await database.query(
        `INSERT INTO notices (item_kind, item_id, order_id, reason, since, amount, currency, decimals)
         SELECT kind, id, order_id, reason, since, amount, currency, decimals FROM items_asked a
         WHERE NOT EXISTS (SELECT 1 FROM notices n
           WHERE n.item_kind = a.kind AND n.item_id = a.id AND n.reason = a.reason AND n.since = a.since
             AND n.ended_at IS NULL)
         LIMIT $1 ON CONFLICT DO NOTHING RETURNING seq`,
        [limit],
      );
      const ended = await database.query(
        `UPDATE notices n SET ended_at = clock_now() WHERE seq IN (
           SELECT seq FROM notices open WHERE ended_at IS NULL AND NOT (${stands('open')}) LIMIT $1) RETURNING seq`,
        [limit],
      );
      return { noted: noted.length, ended: ended.length };
    },

    /** Says which destinations the settings have; how each is remains as it was. */
    async registerDestinations(destinations: readonly Pick<Destination, 'id' | 'stage'>[]): Promise<void> {
      await database.query(
        `INSERT INTO notice_destinations (id, stage) SELECT * FROM unnest($1::text[], $2::text[])
         ON CONFLICT (id) DO UPDATE SET seen_at = clock_now()`,
        [destinations.map(({ id }) => id), destinations.map(({ stage }) => stage)],
      );
    },
  };
}

/** Whether what a notice tells still stands: the item itself says so, and has said so at every pass. */
export const stands = (notice: string): string => `${notice}.ended_at IS NULL AND EXISTS (SELECT 1 FROM items_asked a
  WHERE a.kind = ${notice}.item_kind AND a.id = ${notice}.item_id AND a.reason = ${notice}.reason AND a.since = ${notice}.since)`;

/** A destination that a worker has said to have; those of earlier settings are kept for their messages only. */
export const IN_USE = `seen_at > clock_now() - interval '1 hour'`;
