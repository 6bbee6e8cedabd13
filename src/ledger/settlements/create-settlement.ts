import { authServerOf } from '../../domain/settlements/settlement-providers.js';
import type { Database } from '../database.js';
import type { Sealer } from '../sealer.js';
import { SEALED_PLACE, SETTLEMENT_COLUMNS, type SettlementRow, sha256, toSettlement } from './settlement-row.js';
import type { CreateOutcome, NewSettlement } from './settlement-types.js';

/**
 * Takes a settlement from a trusted service, durable before it answers. The same request again finds the first one;
 * a credential is accepted once, whatever key it comes with.
 */
export function createSettlementCreator(database: Database, sealer: Sealer) {
  return async function createSettlement(settlement: NewSettlement): Promise<CreateOutcome> {
    const undecodable = settlement.body === null;
    const sealed = sealer.seal(settlement.body ?? settlement.credential, SEALED_PLACE(settlement.id));
    const insert = async (query: Database['query'], place: string | null) => {
      const [row] = await query<SettlementRow>(
        `WITH created AS (
         INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals,
             cap, spent, payer, lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, expires_at, erase_at,
             workflow_id, next_check_at, closed_at, attention_reason, attention_since, attention_detail,
             voucher_channel, voucher_cumulative, voucher_place)
           VALUES ($1::uuid, $2, $3, $4, 'api', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19::timestamptz,
             erase_date($19::timestamptz), 'settlement/' || $1::uuid::text, clock_now() + interval '15 seconds', clock_now(),
             $20, CASE WHEN $20::text IS NOT NULL THEN clock_now() END, $21, $22, $23, $24)
           ON CONFLICT DO NOTHING RETURNING ${SETTLEMENT_COLUMNS}
       ), told AS (
         INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
           SELECT 'settlement', id, 'received', certainty, key, jsonb_build_object('spent', spent::text) FROM created
       )
       SELECT * FROM created`,
        [
          settlement.id,
          settlement.key,
          settlement.identity,
          settlement.contentSha256,
          settlement.protocol,
          authServerOf(settlement.protocol),
          undecodable ? 'needs_attention' : 'pending',
          settlement.asset,
          settlement.decimals,
          settlement.cap,
          settlement.spent,
          settlement.payer,
          JSON.stringify(settlement.lookup),
          JSON.stringify(settlement.context),
          sealed.bytes,
          undecodable ? 'credential' : 'body',
          sealed.keyId,
          settlement.body === null ? null : sha256(settlement.body),
          settlement.expiresAtMs === null ? null : new Date(settlement.expiresAtMs),
          undecodable ? 'credential_undecodable' : null,
          undecodable ? (settlement.undecodable ?? 'the credential could not be decoded') : null,
          settlement.voucher?.channel ?? null,
          settlement.voucher?.cumulative ?? null,
          place,
        ],
        'create_settlement',
      );
      return row;
    };
    const { voucher } = settlement;
    const covered = voucher
      ? await database.transaction(async (query) => {
          const [found] = await query<{ place: string | null }>('SELECT place_of_voucher($1, $2, $3) AS place', [
            voucher.channel,
            voucher.cumulative,
            settlement.spent,
          ]);
          return found?.place == null ? 'spent' : await insert(query, found.place);
        })
      : await insert(database.query, null);
    if (covered !== undefined && covered !== 'spent') return { kind: 'created', settlement: toSettlement(covered) };

    const rivals = await database.query<SettlementRow>(
      `SELECT ${SETTLEMENT_COLUMNS} FROM settlements WHERE (key = $1 OR identity = $2 OR context ->> 'paymentRequestId' = $3) AND status <> 'released'`,
      [settlement.key, settlement.identity, settlement.context.paymentRequestId ?? null],
    );
    const sameKey = rivals.find((row) => row.key === settlement.key);
    if (rivals.length === 0 && covered === 'spent') return { kind: 'voucher_spent' };
    if (!sameKey) return { kind: 'conflict', on: 'identity' };
    return sameKey.content_sha256 === settlement.contentSha256
      ? { kind: 'same', settlement: toSettlement(sameKey) }
      : { kind: 'conflict', on: 'key' };
  };
}
