import { newDriftId, type ReconciliationId } from '../../domain/ids.js';
import type { Suspicion } from '../../domain/reconciliation/drift.js';
import type { Query } from '../transition.js';

/** As rows: what a person has accepted as it is said now is not raised again. */
export const SUSPECTED = `
  SELECT s.* FROM jsonb_to_recordset($2) AS s (id uuid, kind text, provider text, provider_id text, parent_id text, item_kind text,
    item_id uuid, amount numeric, currency text, ledger_says text, provider_says text)
  WHERE NOT EXISTS (SELECT 1 FROM drifts d WHERE d.closed_why = 'accepted' AND d.kind = s.kind AND d.provider_id = s.provider_id
    AND d.item_id IS NOT DISTINCT FROM s.item_id AND (d.ledger_says, d.provider_says) = (s.ledger_says, s.provider_says))`;

/** Seen once: shown to nobody until it is seen again. What is suspected or told already is the same one. */
export async function recordSuspicions(
  query: Query,
  runId: ReconciliationId,
  found: readonly Suspicion[],
): Promise<void> {
  if (found.length === 0) return;
  await query(
    `INSERT INTO drifts (id, kind, provider, provider_id, parent_id, item_kind, item_id, amount, currency, ledger_says, provider_says, run_id)
     SELECT id, kind, provider, provider_id, parent_id, item_kind, item_id, amount, currency, ledger_says, provider_says, $1
     FROM (${SUSPECTED}) suspected ORDER BY kind, provider_id
     ON CONFLICT (kind, provider_id, coalesce(item_id::text, '')) WHERE state <> 'closed' DO NOTHING`,
    [runId, JSON.stringify(found.map(toRow))],
  );
}

export const toRow = ({ kind, provider, providerId, parentId, item, amount, currency, ...says }: Suspicion) => ({
  id: newDriftId(Date.now()),
  kind,
  provider,
  provider_id: providerId,
  parent_id: parentId,
  item_kind: item?.kind ?? null,
  item_id: item?.id ?? null,
  amount: amount?.toString() ?? null,
  currency: amount === null ? null : currency,
  ledger_says: says.ledgerSays,
  provider_says: says.providerSays,
});
