import { surelyUnmoved } from '../../domain/calls/certainty.js';
import type { JsonObject } from '../../domain/json.js';
import { toHundredths } from '../../domain/money.js';
import { TEMPO } from '../../domain/settlements/settlement-providers.js';
import type { SettlementStatus } from '../../domain/settlements/settlement-status.js';
import { ERASED, SETTLEMENT_COLUMNS, type SettlementRow } from '../settlements/settlement-row.js';
import type { Query } from '../transition.js';
import type { Decidable, DecidableRow, Said } from './decidable.js';
import { NO_ATTENTION } from './decision-rows.js';

type Row = SettlementRow & DecidableRow & { readonly sealed_kind: string | null; readonly source: string };

/**
 * A retry moves nothing twice. A claim that the money moved elsewhere cannot be asked of the auth server, so it needs
 * evidence and two persons; of the chain it is asked. A write-off gives money up: absence is proved, or two persons agree.
 */
export const SETTLEMENT: Decidable<'settlement', Row> = {
  table: 'settlements',
  async lock(query, id) {
    const [row] = await query<Row>(
      `SELECT ${SETTLEMENT_COLUMNS}, sealed_kind, source FROM settlements WHERE id = $1 FOR UPDATE`,
      [id],
    );
    return row;
  },
  waits: (row) => row.status === 'needs_attention' || isLateSuccess(row),
  atStake: ({ spent, decimals, asset }) => ({ amount: toHundredths(spent, decimals), currency: asset.toLowerCase() }),
  over: (row) =>
    isLateSuccess(row)
      ? { by: 'settled', why: 'the money is in: acknowledge this late success with the action settled' }
      : undefined,
  actions: {
    retry: {
      missing: (row) =>
        row.sealed_kind === 'body' || isUnreadSession(row)
          ? undefined
          : 'there is nothing to send: the credential could not be decoded, or it was erased',
      // Whoever decides with the key at hand reads it right after, and every sweep does.
      apply: ({ query }, row) => change(query, isUnreadSession(row) ? READ_AGAIN : RETRY, [row.id]),
    },
    settled: {
      missing(row, said) {
        if (isKnownMoved(row, said)) return undefined;
        if (row.provider === TEMPO) return saidByTheChain(said);
        return hasEvidence(said.evidence)
          ? undefined
          : 'say where the money was seen: evidence {"tx_hash": "…"} or {"reference": "…"}';
      },
      // What a provider has answered is in question here: only the chain, asked now, says it without a second person.
      confirmed: (_row, { verified }) => verified.kind === 'found',
      apply: ({ query }, { id }, said) => change(query, SETTLE, [id, txHashOf(said)]),
    },
    write_off: {
      missing(row, said) {
        if (isKnownMoved(row, said)) return 'the provider says that the money moved: resolve with the action settled';
        return said.verified.kind === 'unanswered' ? said.verified.detail : undefined;
      },
      // Of a capture the chain has just said it; else nobody can be asked, and what the last answer proved stands.
      confirmed: ({ provider, certainty }, { verified }) =>
        verified.kind === 'absent' || (provider !== TEMPO && surelyUnmoved(certainty)),
      apply: ({ query }, { id }) => change(query, WRITE_OFF, [id]),
    },
  },
};

/** Open when its server died, and not readable since: it was never closed. */
const isUnreadSession = ({ sealed_kind, source }: Row): boolean => sealed_kind === 'credential' && source === 'session';

const isLateSuccess = (row: Row): boolean => row.status === 'settled' && row.attention_reason === 'late_success';

function isKnownMoved({ certainty }: Row, { verified }: Said): boolean {
  return certainty === 'done' || verified.kind === 'found';
}

const saidByTheChain = ({ verified }: Said): string =>
  verified.kind === 'refuted' || verified.kind === 'unanswered'
    ? verified.detail
    : 'whether a capture is settled is asked of the chain';

function hasEvidence(evidence: JsonObject | null): boolean {
  const given = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';
  return evidence !== null && (given(evidence.tx_hash) || given(evidence.reference));
}

/** What the chain shows wins over what a person has seen. */
function txHashOf({ verified, evidence }: Said): string | null {
  if (verified.kind === 'found' && verified.providerId !== null) return verified.providerId;
  return typeof evidence?.tx_hash === 'string' ? evidence.tx_hash : null;
}

const RETRY = `UPDATE settlements SET status = 'pending', ${NO_ATTENTION}, next_check_at = clock_now() + interval '15 seconds'
  WHERE id = $1 AND status = 'needs_attention' RETURNING status`;
const READ_AGAIN = `UPDATE settlements SET attention_reason = 'unreadable_session', next_check_at = clock_now(),
    attention_detail = CASE attention_reason WHEN 'unreadable_session' THEN attention_detail ELSE 'its credential cannot be read' END
  WHERE id = $1 AND status = 'needs_attention' RETURNING status`;
const SETTLE = `UPDATE settlements SET status = 'settled', certainty = 'done', settled_at = coalesce(settled_at, clock_now()),
    tx_hash = coalesce($2, tx_hash), next_check_at = NULL, ${NO_ATTENTION}, ${ERASED}
  WHERE id = $1 AND status IN ('needs_attention', 'settled') RETURNING status`;
const WRITE_OFF = `UPDATE settlements SET status = 'written_off', next_check_at = NULL, ${NO_ATTENTION}, ${ERASED}
  WHERE id = $1 AND status = 'needs_attention' RETURNING status`;

async function change(query: Query, sql: string, values: readonly unknown[]): Promise<SettlementStatus> {
  const [changed] = await query<{ status: SettlementStatus }>(sql, values);
  if (!changed) throw new Error(`settlement ${String(values[0])} changed under its lock`);
  return changed.status;
}
