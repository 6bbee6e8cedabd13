import type { SettlementId } from '../../domain/ids.js';
import { pausableOf } from '../../domain/provider-pauses.js';
import type { Database } from '../database.js';
import { isPaused } from '../provider-pauses.js';
import type { Sealer } from '../sealer.js';
import { SEALED_PLACE, SETTLEMENT_COLUMNS, type SettlementRow, toSettlement } from './settlement-row.js';
import type { ClaimedSettlement, ClaimRefusal } from './settlement-types.js';
import { askAboutClaimed } from './unreadable-sessions.js';

export interface Claims {
  readonly claimed: readonly ClaimedSettlement[];
  readonly refused: readonly ClaimRefusal[];
}

type SealedRow = SettlementRow & {
  sealed: Buffer;
  sealed_key_id: string;
  key_left_ms: number | null;
  failed_before: boolean;
  voucher_channel: string | null;
  voucher_closes: boolean;
};
type HeldRow = SettlementRow & { held_ms: string | null; blocked_by: string | null };

export function createClaims(database: Database, sealer: Sealer) {
  /**
   * The one claim before every send. What is not claimed comes back with the reason, so that the caller can wait or
   * stop without guessing.
   *
   * @param runner unique to this attempt: nobody else's, and no earlier attempt's
   * @param holdMs longer than the call can take; afterwards the row may be claimed again
   */
  async function claimSettlements(ids: readonly SettlementId[], runner: string, holdMs: number): Promise<Claims> {
    const rows = await database.query<SealedRow>(
      `SELECT *, (extract(epoch FROM expires_at - clock_now()) * 1000)::float8 AS key_left_ms,
         first_failure_at IS NOT NULL AS failed_before
       FROM claim_settlements($1, $2, $3 * interval '1 millisecond')`,
      [ids, runner, holdMs],
    );
    const claimed: ClaimedSettlement[] = [];
    const refused: ClaimRefusal[] = [];
    for (const row of rows) {
      try {
        claimed.push(toClaimed(row, sealer));
      } catch (error) {
        // One row that cannot be opened is no reason not to send the others of the same claim.
        const settlement = await askAboutClaimed(database, row.id, runner, UNREADABLE(error));
        refused.push(
          settlement ? { id: row.id, kind: 'attention', settlement } : { id: row.id, kind: 'held', forMs: holdMs },
        );
      }
    }
    const found = new Set(rows.map((row) => row.id));
    const missing = ids.filter((id) => !found.has(id));
    if (missing.length > 0) refused.push(...(await refusals(database, missing)));
    return { claimed, refused };
  }

  /**
   * Between its claim and its send a person may pause its provider: asked immediately before the bytes leave, without a lock.
   * @returns why nothing may leave any more; undefined: it may
   */
  async function settlementStopped(id: SettlementId, runner: string): Promise<string | undefined> {
    const [row] = await database.query<{ provider: string; held: boolean }>(
      'SELECT provider, coalesce(runner = $2 AND runner_until > clock_now(), false) AS held FROM settlements WHERE id = $1',
      [id, runner],
    );
    if (!row?.held) return 'the claim lapsed';
    const paused = await isPaused(database.query, row.provider);
    return paused ? `${pausableOf(row.provider) ?? row.provider} is paused` : undefined;
  }

  return { claimSettlements, settlementStopped };
}

/** The sealer's own words: it knows nothing but the id of the key. */
const UNREADABLE = (error: unknown): string =>
  `the charge cannot be decrypted, nothing was sent: ${error instanceof Error ? error.message : String(error)}`;

function toClaimed(row: SealedRow, sealer: Sealer): ClaimedSettlement {
  return {
    id: row.id,
    protocol: row.protocol,
    provider: row.provider,
    body: sealer.open({ bytes: row.sealed, keyId: row.sealed_key_id }, SEALED_PLACE(row.id)),
    key: row.key,
    spent: row.spent,
    decimals: row.decimals,
    certainty: row.certainty,
    attempts: row.attempts,
    keyLeftMs: row.key_left_ms,
    failedBefore: row.failed_before,
    byVoucher: row.voucher_channel !== null && !row.voucher_closes,
  };
}

async function refusals(database: Database, ids: readonly SettlementId[]): Promise<ClaimRefusal[]> {
  const rows = await database.query<HeldRow>(
    `SELECT ${SETTLEMENT_COLUMNS}, blocked_by,
       ceil(extract(epoch FROM runner_until - clock_now()) * 1000)::text AS held_ms
     FROM settlements WHERE id = ANY ($1)`,
    [ids],
  );
  return rows.map((row): ClaimRefusal => {
    if (row.status === 'needs_attention') return { id: row.id, kind: 'attention', settlement: toSettlement(row) };
    if (row.status !== 'pending') return { id: row.id, kind: 'final', settlement: toSettlement(row) };
    if (row.blocked_by !== null) return { id: row.id, kind: 'waiting', why: 'blocked' };
    const heldMs = Number(row.held_ms ?? 0);
    return heldMs > 0 ? { id: row.id, kind: 'held', forMs: heldMs } : { id: row.id, kind: 'waiting', why: 'breaker' };
  });
}
