import { authServerOf } from '../../domain/settlements/settlement-providers.js';
import type { Database } from '../database.js';
import type { Sealer } from '../sealer.js';
import { SEALED_PLACE } from './settlement-row.js';
import type { EarlierUse, NewSession, OpenOutcome } from './settlement-types.js';

/** How a session begins. */
export function createSessions(database: Database, sealer: Sealer) {
  return {
    /** One round trip, one commit; see the SQL function for the order of refusals. */
    async openSession(session: NewSession): Promise<OpenOutcome> {
      const sealed = sealer.seal(session.credential, SEALED_PLACE(session.id));
      const { named } = session;
      const opening = database.query<OpenedRow>(
        `SELECT outcome, (extract(epoch FROM room_after) * 1000)::float8 AS room_after_ms,
           CASE WHEN outcome = 'opened' AND $11::text IS NOT NULL
             THEN name_answer($10, $11, $12, $13 * interval '1 millisecond', $6 * interval '1 millisecond') END AS named
         FROM open_payment_session($1, $2, $3, $4, $5, $6 * interval '1 millisecond', $7, $8, $9)`,
        [
          JSON.stringify({
            id: session.id,
            key: session.key,
            identity: session.identity,
            content_sha256: session.contentSha256,
            protocol: session.protocol,
            provider: authServerOf(session.protocol),
            asset: session.asset,
            decimals: session.decimals,
            cap: session.cap,
            payer: session.payer,
            route: session.route,
            lookup: session.lookup,
            context: session.context,
            sealed_key_id: sealed.keyId,
            expires_at: session.expiresAtMs === null ? null : new Date(session.expiresAtMs).toISOString(),
            voucher_channel: session.voucher?.channel ?? null,
            voucher_cumulative: session.voucher?.cumulative ?? null,
            voucher_challenge: session.voucherChallenge,
          }),
          sealed.bytes,
          session.lease.id,
          session.lease.epoch,
          session.closeToken,
          session.longestMs,
          session.exposure.perPayer ?? null,
          session.exposure.total ?? null,
          session.releasedLimit,
          session.id,
          named?.nameSha256 ?? null,
          named?.requestSha256 ?? null,
          named?.keepMs ?? null,
        ],
      );
      const [row] = await opening.catch((error: unknown) => {
        if (isNameUsed(error)) return [{ outcome: 'name_used' as const, room_after_ms: null }];
        throw error;
      });
      if (!row) throw new Error('open_payment_session gave no answer');
      return row.outcome === 'released_limit' ? { limitedForMs: Math.max(row.room_after_ms ?? 0, 0) } : row.outcome;
    },

    /** The session or charge that holds this identity: what was released does not. */
    async findEarlierUse(identity: string): Promise<EarlierUse | undefined> {
      const [row] = await database.query<EarlierUse & { [column: string]: unknown }>(
        `SELECT id, status, certainty, answer, tops_up IS NOT NULL AS "topsUp", content_sha256 AS "contentSha256",
           asset, decimals
         FROM settlements WHERE identity = $1 AND status <> 'released'`,
        [identity],
      );
      return row;
    },
  };
}

/** Two payments under one name at once: the second session was not opened either. */
const isNameUsed = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'named_answers_name_sha256_key';

interface OpenedRow {
  outcome: Extract<OpenOutcome, string> | 'released_limit';
  room_after_ms: number | null;
}
