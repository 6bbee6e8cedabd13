import { type ApprovalThreshold, belowThreshold } from '../../domain/decisions/approval-threshold.js';
import type { DriftId, ReconciliationId } from '../../domain/ids.js';
import { toHundredths } from '../../domain/money.js';
import type { Drift, DriftItem, DriftKind, DriftProvider, Suspicion } from '../../domain/reconciliation/drift.js';
import type { Database } from '../database.js';
import { givenUpAlone } from '../decisions/decision-rows.js';
import { Conditions } from '../list-conditions.js';
import { type Query, recordEvent } from '../transition.js';
import { SUSPECTED, toRow } from './suspicions.js';

export interface DriftFilter {
  readonly state?: 'open' | 'closed' | undefined;
  readonly kind?: DriftKind | undefined;
  readonly itemId?: string | undefined;
  /** Older than this one. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface DriftAcceptance {
  readonly id: DriftId;
  readonly by: string;
  /** False: a name that anybody may type. */
  readonly authenticated: boolean;
  /** He may confirm what another person asked for. */
  readonly approves: boolean;
  readonly note: string;
  /** Of what both sides said when he looked. */
  readonly version: number;
}

/**
 * What a person did, or why nothing was done. `pending`: it takes a second person. `changed`: one of the two sides tells something
 * else than he saw. `no_token`: two persons have to be known by their tokens.
 */
export type DriftAccepted =
  | { readonly kind: 'accepted' | 'pending' | 'changed'; readonly drift: Drift }
  | { readonly kind: 'missing' | 'not_open' | 'no_token' | 'no_approver' };

/** Where the ledger and a provider tell different things: suspected, told to a person, closed. */
export function createDrifts(database: Database, threshold: ApprovalThreshold) {
  return {
    /** Suspected or told, and not looked at again in this run. @param except providers that are not asked now */
    async driftsToLookAt(
      runId: ReconciliationId,
      limit: number,
      except: readonly DriftProvider[] = [],
    ): Promise<readonly Drift[]> {
      const rows = await database.query<DriftRow>(
        `SELECT ${DRIFT} FROM drifts WHERE state <> 'closed' AND looked_run IS DISTINCT FROM $1 AND provider <> ALL ($3)
         ORDER BY id LIMIT $2`,
        [runId, limit, except],
      );
      return rows.map(toDrift);
    },

    /** Seen again: a person is asked, once. @returns whether this opened it */
    driftStands: (id: DriftId, runId: ReconciliationId, seen: Suspicion): Promise<boolean> =>
      database.transaction(async (query) => {
        const { ledgerSays, providerSays } = seen;
        const [before] = await query<{ state: string }>('SELECT state FROM drifts WHERE id = $1 FOR UPDATE', [id]);
        if (!before || before.state === 'closed') return false;
        const [row] = await query<DriftRow>(
          `UPDATE drifts SET state = 'open', opened_at = coalesce(opened_at, clock_now()), last_seen_at = clock_now(), looked_run = $2,
             ledger_says = $3, provider_says = $4, ${CHANGED} WHERE id = $1 RETURNING ${DRIFT}`,
          [id, runId, ledgerSays, providerSays],
        );
        if (!row || before.state === 'open') return false;
        await tell(query, toDrift(row), 'drift_found');
        return true;
      }),

    /** Both tell the same now: a suspicion goes, and what was told is closed. */
    driftAgrees: (id: DriftId): Promise<void> =>
      database.transaction(async (query) => {
        const [row] = await query<DriftRow>(
          `UPDATE drifts SET state = 'closed', closed_at = clock_now(), closed_why = 'agrees' WHERE id = $1 AND state = 'open' RETURNING ${DRIFT}`,
          [id],
        );
        if (row) await tell(query, toDrift(row), 'drift_closed');
        else await query(`DELETE FROM drifts WHERE id = $1 AND state = 'suspected'`, [id]);
      }),

    /** Could not be looked at: it stays as it is, and the next run looks. */
    driftUnread: async (id: DriftId, runId: ReconciliationId): Promise<void> => {
      await database.query(`UPDATE drifts SET looked_run = $2 WHERE id = $1 AND state <> 'closed'`, [id, runId]);
    },

    /** Found and mended by the same run: told all the same. */
    driftRepaired: (runId: ReconciliationId, seen: Suspicion, note: string): Promise<void> =>
      database.transaction(async (query) => {
        const [row] = await query<DriftRow>(
          `INSERT INTO drifts (id, kind, provider, provider_id, parent_id, item_kind, item_id, amount, currency, ledger_says, provider_says,
             run_id, state, opened_at, closed_at, closed_why, closed_note)
           SELECT id, kind, provider, provider_id, parent_id, item_kind, item_id, amount, currency, ledger_says, provider_says,
             $1, 'closed', clock_now(), clock_now(), 'repaired', $3 FROM (${SUSPECTED}) seen RETURNING ${DRIFT}`,
          [runId, JSON.stringify([toRow(seen)]), note],
        );
        if (row) await tell(query, toDrift(row), 'drift_repaired');
      }),

    /** A person says that it is right as it is, as he saw it. Said differently later, it is told again. */
    acceptDrift: (acceptance: DriftAcceptance): Promise<DriftAccepted> =>
      database.transaction((query) => accept(query, acceptance, threshold)),
  };
}

/** What is told of it, to people; a suspicion is told to nobody. */
export function createDriftReader(database: Database) {
  return {
    async listDrifts({ state, kind, itemId, before, limit }: DriftFilter): Promise<readonly Drift[]> {
      const conditions = new Conditions()
        .where(state, (value) => `state = ${value}`)
        .where(kind, (value) => `kind = ${value}`)
        .where(itemId, (value) => `item_id = ${value}`)
        .where(before, (value) => `id < ${value}`);
      const rows = await database.query<DriftRow>(
        `SELECT ${DRIFT} FROM drifts ${conditions.sql(`state <> 'suspected'`)} ORDER BY id DESC LIMIT ${conditions.value(limit)}`,
        conditions.values,
      );
      return rows.map(toDrift);
    },

    async findDrift(id: DriftId): Promise<Drift | undefined> {
      const [row] = await database.query<DriftRow>(
        `SELECT ${DRIFT} FROM drifts WHERE id = $1 AND state <> 'suspected'`,
        [id],
      );
      return row && toDrift(row);
    },

    /** By its id, what it is called at the provider, or the items it is about; open ones first. */
    async driftsAbout(text: string, itemIds: readonly string[]): Promise<readonly Drift[]> {
      const rows = await database.query<DriftRow>(
        `SELECT ${DRIFT} FROM drifts WHERE state <> 'suspected' AND id IN (
           SELECT id FROM drifts WHERE provider_id = $1 OR parent_id = $1
           UNION SELECT id FROM drifts WHERE item_id = ANY ($2::uuid[])
           UNION SELECT id FROM drifts WHERE id::text = lower($1))
         ORDER BY state = 'open' DESC, id DESC LIMIT 50`,
        [text, itemIds],
      );
      return rows.map(toDrift);
    },

    /** Of one run what it told, and of all that is open. */
    async driftsOfRun(runId: ReconciliationId): Promise<readonly Drift[]> {
      const rows = await database.query<DriftRow>(
        `SELECT ${DRIFT} FROM drifts WHERE state = 'open' OR (run_id = $1 AND closed_why = 'repaired') ORDER BY kind, id LIMIT 10000`,
        [runId],
      );
      return rows.map(toDrift);
    },
  };
}

/** Whoever asked for what was said before asked for something else. */
const IS_OTHER = '(ledger_says, provider_says) IS DISTINCT FROM ($3, $4)';
const CHANGED = `version = version + (${IS_OTHER})::int, asked_by = CASE WHEN ${IS_OTHER} THEN NULL ELSE asked_by END,
  asked_note = CASE WHEN ${IS_OTHER} THEN NULL ELSE asked_note END, asked_at = CASE WHEN ${IS_OTHER} THEN NULL ELSE asked_at END`;

async function accept(query: Query, acceptance: DriftAcceptance, threshold: ApprovalThreshold): Promise<DriftAccepted> {
  const { id, by, authenticated, approves, note, version } = acceptance;
  const [row] = await query<DriftRow & { decimals: number | null }>(
    `SELECT ${DRIFT}, (SELECT s.decimals FROM settlements s WHERE drifts.item_kind = 'settlement' AND s.id = drifts.item_id) AS decimals
     FROM drifts WHERE id = $1 AND state <> 'suspected' FOR UPDATE`,
    [id],
  );
  if (!row) return { kind: 'missing' };
  const drift = toDrift(row);
  if (drift.state !== 'open') return { kind: 'not_open' };
  if (drift.version !== version) return { kind: 'changed', drift };
  const { asked } = drift;
  const isOfAnother = asked !== null && authenticated && asked.by.toLowerCase() !== by.toLowerCase();
  if (isOfAnother && approves) return await close(query, id, { ...asked, approvedBy: by });
  const alone = await amountAlone(query, { drift, decimals: row.decimals, by: authenticated ? by : null }, threshold);
  if (alone !== undefined)
    return await close(query, id, {
      by: authenticated ? by : `${by} (as claimed)`,
      note,
      alone: { amount: alone, by: authenticated ? by : null },
    });
  if (!authenticated) return { kind: 'no_token' };
  if (asked === null) return await ask(query, acceptance);
  return isOfAnother ? { kind: 'no_approver' } : { kind: 'pending', drift };
}

interface Alone {
  readonly drift: Drift;
  readonly decimals: number | null;
  /** Null: whom nobody authenticated. */
  readonly by: string | null;
}

/**
 * What it comes to where one person may accept it alone, with all that he has given up and accepted alone within a day; undefined: two
 * decide, as about what nobody knows the amount of.
 */
async function amountAlone(
  query: Query,
  { drift: { amount, currency: name }, decimals, by }: Alone,
  threshold: ApprovalThreshold,
): Promise<bigint | undefined> {
  if (amount === null || name === null) return undefined;
  const atStake = {
    amount: decimals === null ? amount : toHundredths(amount, decimals),
    currency: name.toLowerCase(),
  };
  const before = await givenUpAlone(query, by, atStake.currency);
  return belowThreshold(threshold, atStake, before) ? atStake.amount : undefined;
}

async function ask(query: Query, { id, by, note }: DriftAcceptance): Promise<DriftAccepted> {
  const [row] = await query<DriftRow>(
    `UPDATE drifts SET asked_by = $2, asked_note = $3, asked_at = clock_now() WHERE id = $1 RETURNING ${DRIFT}`,
    [id, by, note],
  );
  if (!row) return { kind: 'missing' };
  const drift = toDrift(row);
  await tell(query, drift, 'drift_acceptance_asked', { by, note });
  return { kind: 'pending', drift };
}

interface Closing {
  readonly by: string;
  readonly note: string;
  readonly approvedBy?: string;
  /** Accepted by one person's word: what it comes to, and whose budget it is of. */
  readonly alone?: { readonly amount: bigint; readonly by: string | null };
}

async function close(query: Query, id: DriftId, { by, note, approvedBy, alone }: Closing): Promise<DriftAccepted> {
  const [row] = await query<DriftRow>(
    `UPDATE drifts SET state = 'closed', closed_at = clock_now(), closed_why = 'accepted', closed_by = $2, closed_note = $3,
       alone_amount = $4, alone_principal = $5 WHERE id = $1 RETURNING ${DRIFT}`,
    [
      id,
      approvedBy === undefined ? by : `${by}, approved by ${approvedBy}`,
      note,
      alone?.amount.toString() ?? null,
      alone?.by ?? null,
    ],
  );
  if (!row) return { kind: 'missing' };
  const drift = toDrift(row);
  await tell(query, drift, 'drift_accepted', {
    by,
    note,
    ...(approvedBy === undefined ? {} : { approved_by: approvedBy }),
  });
  return { kind: 'accepted', drift };
}

/** In its own story, and in that of what it is about: the item's chain last, and nothing is locked after it. */
async function tell(
  query: Query,
  drift: Drift,
  what: string,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { id, kind, providerId, ledgerSays, providerSays, item } = drift;
  const detail = { kind, provider_id: providerId, ledger_says: ledgerSays, provider_says: providerSays, ...more };
  await recordEvent(query, { kind: 'drift', id, what, detail });
  if (item) await recordEvent(query, { kind: item.kind, id: item.id, what, detail: { drift: id, ...detail } });
}

interface DriftRow {
  id: DriftId;
  kind: DriftKind;
  provider: Drift['provider'];
  provider_id: string;
  parent_id: string | null;
  item_kind: DriftItem['kind'] | null;
  item_id: string | null;
  amount: string | null;
  currency: string | null;
  ledger_says: string;
  provider_says: string;
  state: Drift['state'];
  opened_at: Date | null;
  last_seen_at: Date;
  closed_at: Date | null;
  closed_why: Drift['closedWhy'];
  closed_by: string | null;
  closed_note: string | null;
  version: number;
  asked_by: string | null;
  asked_note: string | null;
  asked_at: Date | null;
  [column: string]: unknown;
}

const DRIFT = `id, kind, provider, provider_id, parent_id, item_kind, item_id, amount, currency, ledger_says, provider_says, state,
  opened_at, last_seen_at, closed_at, closed_why, closed_by, closed_note, version, asked_by, asked_note, asked_at`;

const toDrift = (row: DriftRow): Drift => ({
  id: row.id,
  kind: row.kind,
  provider: row.provider,
  providerId: row.provider_id,
  parentId: row.parent_id,
  item: row.item_kind === null || row.item_id === null ? null : { kind: row.item_kind, id: row.item_id },
  amount: row.amount === null ? null : BigInt(row.amount),
  currency: row.currency,
  ledgerSays: row.ledger_says,
  providerSays: row.provider_says,
  state: row.state,
  openedAt: row.opened_at?.toISOString() ?? null,
  lastSeenAt: row.last_seen_at.toISOString(),
  closedAt: row.closed_at?.toISOString() ?? null,
  closedWhy: row.closed_why,
  closedBy: row.closed_by,
  closedNote: row.closed_note,
  version: row.version,
  asked:
    row.asked_by === null || row.asked_at === null
      ? null
      : { by: row.asked_by, note: row.asked_note ?? '', at: row.asked_at.toISOString() },
});
