import type { PaymentId, SettlementId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import { CLIENT_SECRET_PLACE } from '../marketplace/payments.js';
import type { Place, Sealer } from '../sealer.js';
import { NAMED_ANSWER_PLACE } from './named-answers.js';
import { SEALED_PLACE } from './settlement-row.js';

/** What is encrypted at rest: how long it is kept, and by which key. */
export function createSecrets(database: Database, sealer: Sealer) {
  return {
    /** Secrets past their date are erased. A charge that was still waiting becomes a question for a person. */
    async eraseOverdue(limit: number): Promise<number> {
      const rows = await database.query(
        `UPDATE settlements SET sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = clock_now(),
           status = CASE WHEN status = 'pending' THEN 'needs_attention' ELSE status END,
           attention_reason = CASE WHEN status = 'pending' THEN 'credential_expired' ELSE attention_reason END,
           attention_since = CASE WHEN status = 'pending' THEN clock_now() ELSE attention_since END,
           attention_detail = CASE WHEN status = 'pending' THEN 'the credential was erased long after its expiry' ELSE attention_detail END,
           blocked_by = NULL, uncollectable = uncollectable AND status <> 'pending'
         WHERE id IN (SELECT id FROM settlements WHERE sealed IS NOT NULL AND erase_at <= clock_now() AND status <> 'open'
           AND (runner IS NULL OR runner_until < clock_now()) ORDER BY erase_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
        [limit],
      );
      return rows.length + (await eraseClientSecrets(database, limit));
    },

    /** Re-encrypts what an older key holds, so that the old key can be taken out of the settings. */
    async reseal(limit: number): Promise<number> {
      let done = 0;
      for (const secrets of SECRETS) done += await resealed(database, sealer, secrets, limit - done);
      return done;
    },

    /** Key ids that live rows need and the settings lack: starting would strand what they hold. */
    async missingKeyIds(): Promise<string[]> {
      const rows = await database.query<{ sealed_key_id: string }>(
        SECRETS.map(
          ({ table }) =>
            `SELECT sealed_key_id FROM ${table} WHERE sealed_key_id IS NOT NULL AND NOT sealed_key_id = ANY ($1)`,
        ).join(' UNION '),
        [sealer.keyIds],
      );
      return rows.map((row) => row.sealed_key_id).sort();
    },
  };
}

interface Secrets {
  readonly table: string;
  readonly column: string;
  readonly place: (id: string) => Place;
}

const SETTLEMENT: Secrets = {
  table: 'settlements',
  column: 'sealed',
  place: (id) => SEALED_PLACE(id as SettlementId),
};
const PAYMENT: Secrets = {
  table: 'payments',
  column: 'sealed_client_secret',
  place: (id) => CLIENT_SECRET_PLACE(id as PaymentId),
};
const NAMED_ANSWER: Secrets = {
  table: 'named_answers',
  column: 'sealed',
  place: (id) => NAMED_ANSWER_PLACE(id as SettlementId),
};
/** Every column that holds a secret, each with its key's id in `sealed_key_id`. */
const SECRETS: readonly Secrets[] = [SETTLEMENT, PAYMENT, NAMED_ANSWER];

/**
 * Opens the newest secret of each column under each key, and changes nothing.
 * @returns how many were opened, and of what could not be why, without a secret
 */
export async function openNewest(
  database: Database,
  sealer: Sealer,
): Promise<{ readonly opened: number; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  let done = 0;
  for (const secrets of SECRETS) {
    const { table, column } = secrets;
    const rows = await database.query<SealedRow>(
      `SELECT DISTINCT ON (sealed_key_id) id, ${column} AS sealed, sealed_key_id FROM ${table}
       WHERE sealed_key_id IS NOT NULL ORDER BY sealed_key_id, id DESC`,
    );
    for (const row of rows) {
      const secret = opened(sealer, secrets, row);
      if (secret instanceof Error) problems.push(`${table} ${row.id}: ${secret.message}`);
      else done += 1;
    }
  }
  return { opened: done, problems };
}

async function resealed(database: Database, sealer: Sealer, secrets: Secrets, limit: number): Promise<number> {
  const { table, column, place } = secrets;
  const rows = await database.query<SealedRow>(
    `SELECT id, ${column} AS sealed, sealed_key_id FROM ${table}
     WHERE sealed_key_id <> $1 AND sealed_key_id = ANY ($2) ORDER BY id LIMIT $3`,
    [sealer.currentKeyId, sealer.keyIds, limit],
  );
  let done = 0;
  for (const row of rows) {
    const secret = opened(sealer, secrets, row);
    if (secret instanceof Error) continue;
    done += 1;
    const fresh = sealer.seal(secret, place(row.id));
    await database.query(`UPDATE ${table} SET ${column} = $2, sealed_key_id = $3 WHERE id = $1 AND ${column} = $4`, [
      row.id,
      fresh.bytes,
      fresh.keyId,
      row.sealed,
    ]);
  }
  return done;
}

/** Of payments that are over, and of those that nobody finished within thirty days. */
async function eraseClientSecrets(database: Database, limit: number): Promise<number> {
  const rows = await database.query(
    `UPDATE payments SET sealed_client_secret = NULL, sealed_key_id = NULL WHERE id IN (
       SELECT id FROM payments WHERE sealed_key_id IS NOT NULL
         AND (status NOT IN ('pending', 'processing') OR created_at <= clock_now() - interval '30 days')
       ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id`,
    [limit],
  );
  return rows.length;
}

export interface SealedRow {
  id: string;
  sealed: Buffer;
  sealed_key_id: string;
}

function opened(sealer: Sealer, { place }: Secrets, { id, sealed, sealed_key_id }: SealedRow): string | Error {
  try {
    return sealer.open({ bytes: sealed, keyId: sealed_key_id }, place(id));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Of a settlement. */
export const openedCredential = (sealer: Sealer, row: SealedRow): string | Error => opened(sealer, SETTLEMENT, row);
