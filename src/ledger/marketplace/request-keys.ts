import type { JsonObject } from '../../domain/json.js';
import type { Database } from '../database.js';
import type { Query } from '../transition.js';
import type { BeginRequest, RequestKey } from './marketplace-types.js';

/** A process that died holds its key no longer than this; longer than any request may take. */
const HOLD = `interval '60 seconds'`;
const THIS_KEY = 'principal = $1 AND operation = $2 AND key = $3';

/** The Idempotency-Key of our own clients: one key, one item, one answer. */
export function createRequestKeys(database: Database) {
  return {
    async beginRequest(request: RequestKey): Promise<BeginRequest> {
      // One statement takes a new key, or one that nobody holds any more; two requests can never both take it.
      const [begun] = await database.query<{ item_id: string | null }>(
        `INSERT INTO request_keys AS k (principal, operation, key, body_sha256, held_until)
           VALUES ($1, $2, $3, $4, clock_now() + ${HOLD})
         ON CONFLICT (principal, operation, key) DO UPDATE SET held_until = excluded.held_until
           WHERE k.body_sha256 = excluded.body_sha256 AND k.answer IS NULL
             AND (k.held_until IS NULL OR k.held_until <= clock_now())
         RETURNING item_id`,
        [...named(request), request.bodySha256],
      );
      if (begun) return { kind: 'begun', itemId: begun.item_id };
      const [row] = await database.query<{
        body_sha256: string;
        answer_status: number | null;
        answer: JsonObject | null;
      }>(`SELECT body_sha256, answer_status, answer FROM request_keys WHERE ${THIS_KEY}`, named(request));
      if (row && row.body_sha256 !== request.bodySha256) return { kind: 'other_body' };
      if (row?.answer && row.answer_status !== null)
        return { kind: 'answered', status: row.answer_status, answer: row.answer };
      return { kind: 'in_flight' };
    },

    /** From now on the same request is given this answer. */
    async finishRequest(
      request: RequestKey,
      { status, answer }: { status: number; answer: JsonObject },
    ): Promise<void> {
      // The first answer stays: a request that was overtaken while it hung has nothing better to say.
      await database.query(
        `UPDATE request_keys SET answer_status = $5, answer = $6, held_until = NULL
         WHERE ${THIS_KEY} AND body_sha256 = $4 AND answer IS NULL`,
        [...named(request), request.bodySha256, status, JSON.stringify(answer)],
      );
    },

    /** Lets the same key go on later: the outcome is unknown, the item is kept. */
    async releaseRequest(request: RequestKey): Promise<void> {
      await database.query(
        `UPDATE request_keys SET held_until = NULL WHERE ${THIS_KEY} AND body_sha256 = $4 AND answer IS NULL`,
        [...named(request), request.bodySha256],
      );
    },
  };
}

/**
 * Locks the key to the end of the transaction that makes its item, so that a request which hung until another one took
 * its key over never makes a second item.
 *
 * @returns the item an earlier request with this key made; null: there is none yet
 * @throws when the request was not begun: an item without its key could be made twice
 */
export async function lockRequest(query: Query, request: RequestKey): Promise<string | null> {
  const [row] = await query<{ item_id: string | null }>(
    `SELECT item_id FROM request_keys WHERE ${THIS_KEY} AND body_sha256 = $4 FOR UPDATE`,
    [...named(request), request.bodySha256],
  );
  if (!row) throw new Error(`the request ${request.operation}/${request.key} was not begun, so nothing is made for it`);
  return row.item_id;
}

/** From now on this key stands for this item. The caller holds the key's row. */
export async function tieRequest(query: Query, request: RequestKey, itemId: string): Promise<void> {
  await query(`UPDATE request_keys SET item_id = $4 WHERE ${THIS_KEY} AND item_id IS NULL`, [
    ...named(request),
    itemId,
  ]);
}

const named = ({ principal, operation, key }: RequestKey) => [principal, operation, key];
