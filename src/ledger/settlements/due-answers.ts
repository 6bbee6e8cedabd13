import type { SettlementId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import type { SettledFacts, TakenAnswer } from './settlement-types.js';

const SETTLED = `spent, tx_hash AS "txHash", payer, lookup ->> 'network' AS network`;
interface Row {
  [column: string]: unknown;
}

/** Answers that were held back until they were paid for: given at once, or due until somebody asks again. */
export function createDueAnswers(database: Database) {
  return {
    /** The answer that was held back is given in the very request it was held back in. undefined: it is not due any more. */
    async giveAnswer(id: SettlementId, token: string): Promise<SettledFacts | undefined> {
      const [row] = await database.query<TakenAnswer & Row>(
        `UPDATE settlements SET answer = 'given', answer_token = $2
         WHERE id = $1 AND status = 'settled' AND answer = 'due' RETURNING ${SETTLED}`,
        [id, token],
      );
      return row;
    },

    /**
     * Whoever asks again for an answer that is due gets the right to it, alone. One whose server died while it was given is
     * due again when the time of its route has passed.
     *
     * @returns undefined: it is not due, or being given
     */
    async takeAnswer(
      id: SettlementId,
      token: string,
      holdMs: number,
      releasedLimit: number,
    ): Promise<TakenAnswer | { readonly limitedForMs: number } | undefined> {
      const [full] = await database.query<{ for_ms: number }>(
        `SELECT (extract(epoch FROM answer_released_at[$2] + interval '1 hour' - clock_now()) * 1000)::float8 AS for_ms
         FROM settlements WHERE id = $1 AND answer_released_at[$2] > clock_now() - interval '1 hour'`,
        [id, releasedLimit],
      );
      if (full) return { limitedForMs: full.for_ms };
      const [row] = await database.query<TakenAnswer & Row>(
        `UPDATE settlements SET answer = 'serving', answer_token = $2, answer_until = clock_now() + $3 * interval '1 millisecond'
         WHERE id = $1 AND status = 'settled' AND (answer = 'due' OR (answer = 'serving' AND answer_until < clock_now()))
         RETURNING ${SETTLED}`,
        [id, token, holdMs],
      );
      return row;
    },

    /** Before the last byte of an answer that was taken leaves. False: somebody else has taken it since. */
    async answerGiven(id: SettlementId, token: string): Promise<boolean> {
      const rows = await database.query(
        `UPDATE settlements SET answer = 'given', delivery = CASE WHEN answer = 'serving' THEN 'unknown' ELSE delivery END
         WHERE id = $1 AND answer_token = $2 AND answer IN ('serving', 'given') RETURNING id`,
        [id, token],
      );
      return rows.length === 1;
    },

    /**
     * It failed or was lost before its first byte, or cost nothing this time: it is due again.
     * @param releasedLimit its payer wanted nothing of it, so that it counts as free work; as many are remembered, newest first
     */
    async answerNotGiven(id: SettlementId, token: string, releasedLimit = 0): Promise<void> {
      await database.query(
        `UPDATE settlements SET answer = 'due', answer_token = NULL, answer_until = NULL,
           answer_released_at = CASE WHEN $3 = 0 THEN answer_released_at ELSE (clock_now() || answer_released_at)[:$3] END
         WHERE id = $1 AND answer_token = $2 AND answer IN ('serving', 'given')`,
        [id, token, releasedLimit],
      );
    },
  };
}
