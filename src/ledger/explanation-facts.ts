import type { DecidableKind } from '../domain/decisions/decisions.js';
import type { SettlementCall } from '../domain/decisions/explain-next.js';
import type { WaitingDecision } from '../domain/explanations/explain.js';
import type { ExplainedChannel } from '../domain/explanations/explain-channel.js';
import type { SettlementId } from '../domain/ids.js';
import type { Database } from './database.js';
import { type PausedRow, pausedInWords, pausedRow } from './provider-pauses.js';

type Row<T> = T & { [column: string]: unknown };

/** What an explanation needs beside the item itself; read by commands, never by the product itself. */
export function createExplanationFacts(database: Database) {
  return {
    /** The decision about this item that another person has to confirm. */
    async waitingDecision(kind: DecidableKind, id: string): Promise<WaitingDecision | null> {
      const [row] = await database.query<Row<Omit<WaitingDecision, 'requestedAt'> & { requested_at: Date }>>(
        `SELECT id, action, by, authenticated, first_approver AS "firstApprover", note, requested_at FROM decisions
         WHERE item_kind = $1 AND item_id = $2 AND state = 'pending_approval'`,
        [kind, id],
      );
      if (!row) return null;
      const { requested_at, ...decision } = row;
      return { ...decision, requestedAt: requested_at.toISOString() };
    },

    /** How the call that collects this charge stands. */
    async settlementCall(id: SettlementId): Promise<SettlementCall> {
      const [row] = await database.query<{
        runner_until: Date | null;
        next_check_at: Date | null;
        parked_by: string | null;
        blocked_by: string | null;
        paused: PausedRow | null;
      }>(
        `SELECT runner_until, next_check_at, blocked_by, ${pausedRow('s.provider')},
           (SELECT provider FROM provider_breakers b WHERE b.provider = s.provider AND b.state <> 'closed') AS parked_by
         FROM settlements s WHERE id = $1`,
        [id],
      );
      return {
        heldUntil: row?.runner_until?.toISOString() ?? null,
        nextCheckAt: row?.next_check_at?.toISOString() ?? null,
        parkedBy: row?.parked_by ?? null,
        paused: pausedInWords(row?.paused),
        behind: row?.blocked_by ?? null,
      };
    },

    /** A payment channel by its id. */
    async explainedChannel(id: string): Promise<ExplainedChannel | undefined> {
      const [row] = await database.query<{
        payer: string;
        token: string;
        deposit: string;
        accepted: string;
        spent: string;
        earned: string;
        settled: string;
        finalized: boolean;
        close_requested_at: Date | null;
        next_check_at: Date | null;
      }>(
        `SELECT payer, token, deposit, accepted, spent, earned, settled, finalized, close_requested_at, next_check_at
         FROM channels WHERE channel_id = $1`,
        [id],
      );
      return (
        row && {
          id,
          payer: row.payer,
          token: row.token,
          deposit: BigInt(row.deposit),
          accepted: BigInt(row.accepted),
          spent: BigInt(row.spent),
          earned: BigInt(row.earned),
          settled: BigInt(row.settled),
          finalized: row.finalized,
          closeRequestedAt: row.close_requested_at?.toISOString() ?? null,
          nextCheckAt: row.next_check_at?.toISOString() ?? null,
        }
      );
    },
  };
}
