import type { AttentionReason } from '../../domain/decisions/attention.js';
import { DECIDABLE_KINDS, type DecidableKind } from '../../domain/decisions/decisions.js';
import type { JsonObject } from '../../domain/json.js';
import type { Database } from '../database.js';
import { Conditions } from '../list-conditions.js';
import { type KeyPage, microseconds, type PageKey, pageOf } from './page-key.js';

export type DecisionState = 'applied' | 'pending_approval' | 'ignored';

export interface DecisionFilter extends KeyPage {
  readonly state?: DecisionState | undefined;
  readonly kind?: DecidableKind | undefined;
  readonly action?: string | undefined;
  /** Who asked for it, or approved it. */
  readonly by?: string | undefined;
  readonly reason?: AttentionReason | undefined;
  readonly itemId?: string | undefined;
}

/** What a person has decided or asked for; amounts are digits of minor units, times ISO 8601. */
export interface ListedDecision {
  readonly key: PageKey;
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: string;
  readonly state: DecisionState;
  readonly by: string;
  readonly authenticated: boolean;
  readonly note: string;
  readonly evidence: JsonObject | null;
  readonly reason: AttentionReason | null;
  readonly restsOn: 'nobody' | 'one' | 'two' | null;
  readonly amount: string | null;
  readonly currency: string | null;
  readonly firstApprover: string | null;
  readonly approvedBy: string | null;
  readonly approvalNote: string | null;
  readonly requestedAt: string;
  readonly approvedAt: string | null;
}

type Row = Omit<ListedDecision, 'key' | 'requestedAt' | 'approvedAt'> & {
  [column: string]: unknown;
  id: string;
  place: string;
  requested_at: Date;
  approved_at: Date | null;
};

/** Newest first. */
export async function listDecided(database: Database, filter: DecisionFilter): Promise<readonly ListedDecision[]> {
  const conditions = new Conditions()
    .where(filter.state, (state) => `state = ${state}`)
    .where(filter.kind, (kind) => `item_kind = ${kind}`)
    .where(filter.action, (action) => `action = ${action}`)
    .where(filter.by, (by) => `ARRAY[lower(by), lower(first_approver), lower(approved_by)] @> ARRAY[lower(${by})]`)
    .where(filter.reason, (reason) => `asked_reason = ${reason}`)
    .where(
      filter.itemId,
      (id) => `item_id = ${id} AND item_kind IN (${DECIDABLE_KINDS.map((kind) => `'${kind}'`).join()})`,
    );
  const rows = await database.query<Row>(
    `SELECT ${microseconds('requested_at')} AS place, id, item_kind AS kind, item_id AS "itemId", action, state, by, authenticated, note, evidence,
       asked_reason AS reason, rests_on AS "restsOn", amount::text, currency, first_approver AS "firstApprover", approved_by AS "approvedBy",
       approval_note AS "approvalNote", requested_at, approved_at
     FROM decisions ${pageOf('requested_at', 'id', conditions, filter)}`,
    conditions.values,
  );
  return rows.map(({ place, id, requested_at: requested, approved_at: approved, ...row }) => ({
    ...row,
    key: { at: place, id },
    requestedAt: requested.toISOString(),
    approvedAt: approved?.toISOString() ?? null,
  }));
}
