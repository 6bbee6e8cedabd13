import { createHash } from 'node:crypto';
import type { Certainty } from '../../domain/calls/certainty.js';
import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { SettlementId } from '../../domain/ids.js';
import type { JsonObject } from '../../domain/json.js';
import type { AtomicAmount } from '../../domain/money.js';
import type { Settlement } from '../../domain/settlements/settlement.js';
import type { SettlementProvider } from '../../domain/settlements/settlement-providers.js';
import type { Delivery, HeldBack, Protocol, SettlementStatus } from '../../domain/settlements/settlement-status.js';

/** A row of `settlements` as pg returns it; secrets are never part of this. */
export interface SettlementRow {
  id: SettlementId;
  key: string;
  identity: string;
  content_sha256: string;
  protocol: Protocol;
  provider: SettlementProvider;
  status: SettlementStatus;
  certainty: Certainty;
  asset: string;
  decimals: number;
  cap: AtomicAmount | null;
  spent: AtomicAmount;
  context: JsonObject;
  lookup: JsonObject;
  expires_at: Date | null;
  attempts: number;
  next_retry_at: Date | null;
  workflow_id: string | null;
  tx_hash: string | null;
  already_settled: boolean;
  delivery: Delivery | null;
  answer: HeldBack | null;
  attention_reason: AttentionReason | null;
  attention_since: Date | null;
  attention_detail: string | null;
  created_at: Date;
  settled_at: Date | null;
}

export const SETTLEMENT_COLUMNS = `id, key, identity, content_sha256, protocol, provider, status, certainty, asset,
  decimals, cap, spent, context, lookup, expires_at, attempts, next_retry_at, workflow_id, tx_hash, already_settled,
  delivery, answer, attention_reason, attention_since, attention_detail, created_at, settled_at`;

export function toSettlement(row: SettlementRow): Settlement {
  return {
    id: row.id,
    key: row.key,
    status: row.status,
    certainty: row.certainty,
    protocol: row.protocol,
    provider: row.provider,
    asset: row.asset,
    decimals: row.decimals,
    spent: row.spent,
    cap: row.cap,
    attempts: row.attempts,
    nextRetryAt: row.next_retry_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
    delivery: row.delivery,
    answer: row.answer,
    attention:
      row.attention_reason && row.attention_since
        ? { reason: row.attention_reason, since: row.attention_since.toISOString(), detail: row.attention_detail ?? '' }
        : null,
    workflowId: row.workflow_id,
    txHash: row.tx_hash,
    alreadySettled: row.already_settled,
    createdAt: row.created_at.toISOString(),
    settledAt: row.settled_at?.toISOString() ?? null,
  };
}

/** What a settlement sends is kept no longer than it may be sent. */
export const ERASED =
  'sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = coalesce(erased_at, clock_now())';

export const SEALED_PLACE = (id: SettlementId) => ({ table: 'settlements', row: id, column: 'sealed' });

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
