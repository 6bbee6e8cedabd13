import type { SettlementId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import type { Place, Sealer } from '../sealer.js';
import type { NamedAnswer } from './settlement-types.js';

export const NAMED_ANSWER_PLACE = (id: SettlementId): Place => ({ table: 'named_answers', row: id, column: 'sealed' });

/** Answers that their buyers have named, to have them again if they are lost. */
export function createNamedAnswers(database: Database, sealer: Sealer) {
  return {
    /** What was bought under this name, unless it cost nothing, was given up for nothing, or is past its time. */
    async findNamedAnswer(nameSha256: string): Promise<NamedAnswer | undefined> {
      const [row] = await database.query<NamedRow>(
        `SELECT a.id, a.request_sha256, s.status, s.answer, s.tx_hash, s.payer, s.lookup ->> 'network' AS network,
           s.spent, CASE WHEN a.spent = s.spent THEN a.sealed END AS sealed, a.sealed_key_id
         FROM named_answers a JOIN settlements s USING (id)
         WHERE a.name_sha256 = $1 AND a.erase_at > clock_now() AND s.status <> 'released'
           AND NOT (s.status = 'written_off' AND s.certainty IN ('not_sent', 'absent'))`,
        [nameSha256],
      );
      if (!row) return undefined;
      const { request_sha256: requestSha256, tx_hash: txHash, sealed, sealed_key_id: keyId, ...rest } = row;
      const kept = sealed !== null && keyId !== null;
      return {
        ...rest,
        requestSha256,
        txHash,
        kept: kept ? sealer.open({ bytes: sealed, keyId }, NAMED_ANSWER_PLACE(row.id)) : null,
      };
    },

    /**
     * It is given once more: from here on nothing of its charge is taken back.
     *
     * @returns false: some of that was taken back since it was found
     */
    async hadAgain({ id, spent }: Pick<NamedAnswer, 'id' | 'spent'>): Promise<boolean> {
      const rows = await database.query(
        `WITH held AS (SELECT id FROM settlements WHERE id = $1 AND status <> 'released' AND spent = $2 FOR UPDATE)
         UPDATE payment_sessions p SET had_again = true FROM held WHERE p.id = held.id RETURNING p.id`,
        [id, spent],
      );
      return rows.length === 1;
    },

    /** What is kept past its time, and names of what was never charged. */
    async eraseNamedAnswers(limit: number): Promise<number> {
      const rows = await database.query(
        `DELETE FROM named_answers WHERE id IN (
           SELECT id FROM named_answers WHERE erase_at <= clock_now() ORDER BY erase_at LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING id`,
        [limit],
      );
      return rows.length;
    },
  };
}

interface NamedRow extends Omit<NamedAnswer, 'requestSha256' | 'txHash' | 'kept'> {
  request_sha256: string;
  tx_hash: string | null;
  sealed: Buffer | null;
  sealed_key_id: string | null;
  [column: string]: unknown;
}
