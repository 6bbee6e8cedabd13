import type { SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { Settlement } from '../../domain/settlements/settlement.js';
import type { Database } from '../database.js';
import { Conditions, inArchive, newestIds, pageOfIds, waitsForAPerson } from '../list-conditions.js';
import { SETTLEMENT_COLUMNS, type SettlementRow, toSettlement } from './settlement-row.js';
import type { SettlementFilter } from './settlement-types.js';

/**
 * What is unique among all that were not released, also of those that were: each kind has its index.
 * @param name an SQL expression @param value its parameter
 */
export const everBorne = (name: string, value: string): string =>
  `(status <> 'released' AND ${name} = ${value} OR status = 'released' AND ${name} = ${value})`;

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
      const conditions = new Conditions()
        .where(filter.status, (status) => `status = ${status}`)
        .whether(filter.needsAttention, waitsForAPerson)
        .where(filter.protocol, (protocol) => `protocol = ${protocol}`)
        .where(filter.key, (key) => everBorne('key', key))
        .where(filter.reason, (reason) => `attention_reason = ${reason}`)
        .where(filter.asset, (asset) => `asset = ${asset}`)
        .whether(inArchive(filter.archived, filter.key !== undefined), (condition) => condition)
        .where(filter.payer, (payer) => `lower(payer) = lower(${payer})`);
      const rows = await database.query<SettlementRow>(
        pageOfIds(`SELECT ${SETTLEMENT_COLUMNS} FROM settlements`, 'id', newestIds('settlements', conditions, filter)),
        conditions.values,
      );
      return rows.map(toSettlement);
    },
  };
}
