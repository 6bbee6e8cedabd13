import type { SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { Settlement } from '../../domain/settlements/settlement.js';
import type { Database } from '../database.js';
import { SETTLEMENT_COLUMNS, type SettlementRow, toSettlement } from './settlement-row.js';
import type { SettlementFilter } from './settlement-types.js';

export function createSettlementReader(database: Database) {
  return {
    async findSettlement(id: SettlementId): Promise<Settlement | undefined> {
      const [row] = await database.query<SettlementRow>(`SELECT ${SETTLEMENT_COLUMNS} FROM settlements WHERE id = $1`, [
        id,
      ]);
      return row && toSettlement(row);
    },

    /** Public facts by which the payment can be looked up where it would have moved; undefined: no such settlement. */
    async settlementLookup(id: SettlementId): Promise<JsonObject | undefined> {
      const [row] = await database.query<{ lookup: JsonObject }>('SELECT lookup FROM settlements WHERE id = $1', [id]);
      return row?.lookup;
    },

    /** Of these, what may be started now: whatever needs a person, and what is pending at a provider that is called. */
    startable: (
      ids: readonly SettlementId[],
    ): Promise<Pick<Settlement, 'id' | 'protocol' | 'provider' | 'spent' | 'asset' | 'decimals'>[]> =>
      database.query(
        `SELECT id, protocol, provider, spent, asset, decimals FROM settlements WHERE id = ANY ($1) AND (status = 'needs_attention'
           OR status = 'pending' AND blocked_by IS NULL
             AND provider NOT IN (SELECT provider FROM provider_breakers WHERE state <> 'closed'))`,
        [ids],
      ),

    /** Newest first. */
    async listSettlements(filter: SettlementFilter): Promise<Settlement[]> {
      const rows = await database.query<SettlementRow>(
        `SELECT ${SETTLEMENT_COLUMNS} FROM settlements
         WHERE ($1::text IS NULL OR status = $1)
           AND ($2::boolean IS NULL OR (attention_reason IS NOT NULL) = $2)
           AND ($3::text IS NULL OR protocol = $3)
           AND ($4::text IS NULL OR key = $4)
           AND ($5::uuid IS NULL OR id < $5)
           AND ($7::text IS NULL OR attention_reason = $7)
           AND ($8::text IS NULL OR asset = $8)
           AND ($9::text IS NULL OR lower(payer) = lower($9))
           AND ($10::timestamptz IS NULL OR created_at >= $10)
           AND ($11::timestamptz IS NULL OR created_at < $11)
         ORDER BY id DESC LIMIT $6`,
        [
          filter.status ?? null,
          filter.needsAttention ?? null,
          filter.protocol ?? null,
          filter.key ?? null,
          filter.before ?? null,
          filter.limit,
          filter.reason ?? null,
          filter.asset ?? null,
          filter.payer ?? null,
          filter.since ?? null,
          filter.until ?? null,
        ],
      );
      return rows.map(toSettlement);
    },
  };
}
