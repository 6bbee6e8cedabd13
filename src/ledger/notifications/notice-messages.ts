import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { NoticeMessageId } from '../../domain/ids.js';
import type { Stage } from '../../domain/notifications/destinations.js';
import type { UntoldGroup } from '../../domain/notifications/when-told.js';
import type { Database } from '../database.js';
import { IN_USE } from './notices.js';

type Row<T> = T & { [column: string]: unknown };

/** Which of the notices are to be told to whom, and since when. */
export interface UntoldQuestion {
  readonly destination: string;
  readonly stage: Stage;
  readonly escalateAfterMs: number;
}

export interface NewNoticeMessage extends UntoldQuestion {
  readonly id: NoticeMessageId;
  readonly reason: AttentionReason;
}

/** The messages that tell of what needs a person. */
export function createNoticeMessages(database: Database) {
  return {
    /** By reason, what this destination has not been told; nothing where it said that nobody is there. */
    async untold(
      question: UntoldQuestion,
    ): Promise<{ readonly nowMs: number; readonly groups: readonly UntoldGroup[] }> {
      const rows = await database.query<
        Row<{
          reason: AttentionReason;
          currency: string;
          decimals: number | null;
          amount: string;
          count: number;
          ready: number;
          now: number;
        }>
      >(
        `SELECT reason, currency, decimals, sum(amount)::text AS amount, count(*)::int AS count,
           floor(extract(epoch FROM min(ready_at)) * 1000)::float8 AS ready, floor(extract(epoch FROM clock_now()) * 1000)::float8 AS now
         FROM (${UNTOLD}) untold GROUP BY reason, currency, decimals ORDER BY reason, currency, decimals`,
        valuesOf(question),
      );
      const groups = new Map<AttentionReason, UntoldGroup>();
      for (const { reason, currency, decimals, amount, count, ready } of rows) {
        const { readyAtMs, totals } = groups.get(reason) ?? { readyAtMs: ready, totals: [] };
        groups.set(reason, {
          reason,
          readyAtMs: Math.min(readyAtMs, ready),
          totals: [...totals, { currency, decimals, amount, count }],
        });
      }
      return { nowMs: rows[0]?.now ?? 0, groups: [...groups.values()] };
    },

    /** Everything untold of one reason becomes one message. @returns of how many items; 0: somebody else was first, and there is none */
    async makeNoticeMessage(message: NewNoticeMessage, limit: number): Promise<number> {
      const { id, destination, stage, reason } = message;
      return await database.transaction(async (query) => {
        // Of two workers that make messages for one destination the second finds what the first has left.
        const [there] = await query('SELECT 1 FROM notice_destinations WHERE id = $1 AND gone_at IS NULL FOR UPDATE', [
          destination,
        ]);
        if (!there) return 0;
        const notices = await query<{ seq: string }>(
          `SELECT seq FROM (${UNTOLD}) untold WHERE reason = $4 ORDER BY since, seq LIMIT $5`,
          [...valuesOf(message), reason, limit],
        );
        if (notices.length === 0) return 0;
        await query('INSERT INTO notice_messages (id, destination, stage, reason) VALUES ($1, $2, $3, $4)', [
          id,
          destination,
          stage,
          reason,
        ]);
        await query(
          'INSERT INTO notice_message_items (message_id, notice, destination) SELECT $1, seq, $2 FROM unnest($3::bigint[]) AS made (seq)',
          [id, destination, notices.map(({ seq }) => seq)],
        );
        return notices.length;
      });
    },

    /** Messages whose next attempt was due and that nobody seems to make: each comes round again after a while. */
    async dueNoticeMessages(
      limit: number,
    ): Promise<
      readonly { readonly id: NoticeMessageId; readonly destination: string; readonly reason: AttentionReason }[]
    > {
      return await database.query<Row<{ id: NoticeMessageId; destination: string; reason: AttentionReason }>>(
        `UPDATE notice_messages SET next_check_at = clock_now() + interval '1 minute' WHERE id IN (
           SELECT id FROM notice_messages WHERE next_check_at <= clock_now() ORDER BY next_check_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id, destination, reason`,
        [limit],
      );
    },

    /** Forgets what ended a quarter of a year ago; a message that tells of something open is kept, or it would be told again. */
    async pruneNotices(limit: number): Promise<number> {
      const messages = await database.query(
        `DELETE FROM notice_messages WHERE id IN (
           SELECT id FROM notice_messages m WHERE ended_at < clock_now() - ${KEPT} AND NOT EXISTS (
             SELECT 1 FROM notice_message_items i JOIN notices n ON n.seq = i.notice WHERE i.message_id = m.id AND n.ended_at IS NULL)
           ORDER BY ended_at LIMIT $1) RETURNING id`,
        [limit],
      );
      const notices = await database.query(
        `DELETE FROM notices WHERE seq IN (SELECT seq FROM notices n WHERE ended_at < clock_now() - ${KEPT}
           AND NOT EXISTS (SELECT 1 FROM notice_message_items i WHERE i.notice = n.seq) ORDER BY ended_at LIMIT $1) RETURNING seq`,
        [limit],
      );
      return messages.length + notices.length;
    },
  };
}

const KEPT = `interval '90 days'`;

/**
 * What is not told yet, where no message of its reason waits to be delivered. Of the escalation: what somebody was to be told so long
 * ago, or was noted so long ago where nobody is told first or those who are do not answer.
 * $1 destination, $2 stage, $3 milliseconds.
 */
const UNTOLD = `
  SELECT * FROM (
    SELECT n.*, CASE WHEN $2 = 'first' THEN n.noted_at ELSE $3 * interval '1 millisecond' + coalesce(
      (SELECT min(m.made_at) FROM notice_message_items i JOIN notice_messages m ON m.id = i.message_id
        WHERE i.notice = n.seq AND m.stage = 'first'),
      CASE WHEN NOT EXISTS (SELECT 1 FROM notice_destinations WHERE stage = 'first' AND gone_at IS NULL AND ${IN_USE})
        OR EXISTS (SELECT 1 FROM notice_messages w
          WHERE w.stage = 'first' AND w.reason = n.reason AND w.state = 'waiting' AND w.attempts > 0)
        THEN n.noted_at END) END AS ready_at
    FROM notices n
    WHERE n.ended_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM notice_message_items i WHERE i.notice = n.seq AND i.destination = $1 AND i.stands)
      AND EXISTS (SELECT 1 FROM notice_destinations WHERE id = $1 AND gone_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM notice_messages w WHERE w.destination = $1 AND w.reason = n.reason AND w.state = 'waiting')
  ) ready WHERE ready_at <= clock_now()`;

const valuesOf = ({ destination, stage, escalateAfterMs }: UntoldQuestion) => [destination, stage, escalateAfterMs];
