import type { AttentionReason } from '../../domain/decisions/attention.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { JsonObject } from '../../domain/json.js';
import type { Database } from '../database.js';
import { type KeyPage, microseconds, type PageKey, pageOf, pageValues } from './page-key.js';

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
  const rows = await database.query<Row>(
    `SELECT ${microseconds('requested_at')} AS place, id, item_kind AS kind, item_id AS "itemId", action, state, by, authenticated, note, evidence,
       asked_reason AS reason, rests_on AS "restsOn", amount::text, currency, first_approver AS "firstApprover", approved_by AS "approvedBy",
       approval_note AS "approvalNote", requested_at, approved_at
     FROM decisions
     WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR item_kind = $2) AND ($3::text IS NULL OR action = $3)
       AND ($4::text IS NULL OR lower($4) IN (lower(by), lower(first_approver), lower(approved_by)))
       AND ($5::text IS NULL OR asked_reason = $5) AND ($6::uuid IS NULL OR item_id = $6)
       ${pageOf('requested_at', 'id', 7)}`,
    [
      filter.state ?? null,
      filter.kind ?? null,
      filter.action ?? null,
      filter.by ?? null,
      filter.reason ?? null,
      filter.itemId ?? null,
      ...pageValues(filter),
    ],
  );
  return rows.map(({ place, id, requested_at: requested, approved_at: approved, ...row }) => ({
    ...row,
    key: { at: place, id },
    requestedAt: requested.toISOString(),
    approvedAt: approved?.toISOString() ?? null,
  }));
}
