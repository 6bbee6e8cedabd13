import { createHash } from 'node:crypto';
import type { SettlementId } from '../../domain/ids.js';
import type { AtomicAmount } from '../../domain/money.js';
import { authServerOf } from '../../domain/settlements/settlement-providers.js';
import type { Delivery } from '../../domain/settlements/settlement-status.js';
import type { Database } from '../database.js';
import type { Sealed, Sealer } from '../sealer.js';
import { SEALED_PLACE } from './settlement-row.js';
import type {
  ChangeOutcome,
  CloseTakenBack,
  EarlierUse,
  NewSession,
  OpenOutcome,
  ReleaseCause,
  SessionChange,
} from './settlement-types.js';

/** A row not dispatched this long after its close is found by the sweep, whoever died. */
const DISPATCH_GRACE = '15 seconds';

const commitChanges = (limit: '' | 'LIMIT 1', only: '' | 'AND s.id = ($1::uuid[])[1]') => `
  WITH input AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::numeric[], $6::text[], $7::text[],
        $8::bytea[], $9::text[], $10::text[], $11::text[], $12::text[], $13::boolean[], $14::boolean[])
      AS t (id, lease, epoch, token, spent, becomes, by, sealed, key_id, sha256, delivery, released_by, withheld, takes_back) ${limit}
  ), mine AS (
    SELECT i.*, s.key FROM settlements s
      JOIN input i USING (id)
      JOIN payment_sessions p ON p.id = s.id AND p.close_token = i.token AND p.lease_id = i.lease AND p.epoch = i.epoch
      JOIN server_leases l ON l.id = p.lease_id AND l.epoch = p.epoch
    WHERE s.status = 'open' AND (s.spent <= i.spent OR i.takes_back)
    ORDER BY s.id FOR UPDATE OF s
  ), changed AS (
    UPDATE settlements s SET
      spent = m.spent,
      unserved = CASE WHEN m.spent < s.spent THEN s.spent - m.spent END,
      status = CASE m.becomes WHEN 'checkpoint' THEN s.status ELSE m.becomes END,
      sealed = CASE m.becomes WHEN 'checkpoint' THEN s.sealed ELSE m.sealed END,
      sealed_key_id = CASE m.becomes WHEN 'checkpoint' THEN s.sealed_key_id ELSE m.key_id END,
      sealed_kind = CASE m.becomes WHEN 'checkpoint' THEN s.sealed_kind WHEN 'pending' THEN 'body' END,
      body_sha256 = CASE m.becomes WHEN 'pending' THEN m.sha256 END,
      delivery = CASE m.becomes WHEN 'pending' THEN m.delivery END,
      released_by = m.released_by,
      answer = CASE WHEN m.becomes = 'pending' AND m.withheld AND m.spent > 0 THEN 'due' END,
      workflow_id = CASE m.becomes WHEN 'pending' THEN 'settlement/' || s.id END,
      closed_at = CASE m.becomes WHEN 'checkpoint' THEN NULL ELSE clock_now() END,
      next_check_at = CASE m.becomes WHEN 'checkpoint' THEN s.next_check_at
        WHEN 'pending' THEN clock_now() + interval '${DISPATCH_GRACE}' END
    FROM mine m WHERE s.id = m.id AND s.status = 'open' ${only}
    RETURNING s.id, m.becomes, m.by, m.spent, s.unserved, m.released_by, s.key
  ), closed AS (
    UPDATE payment_sessions p SET closed_at = clock_now(), closed_by = c.by
    FROM changed c WHERE p.id = c.id AND c.becomes <> 'checkpoint'
  ), told AS (
    INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
    SELECT 'settlement', id, CASE becomes WHEN 'pending' THEN 'closed' ELSE 'released' END, 'not_sent', key,
      jsonb_strip_nulls(jsonb_build_object('by', by, 'spent', spent::text, 'unserved', unserved::text, 'released_by', released_by))
    FROM changed WHERE becomes <> 'checkpoint' ORDER BY id
  )
  SELECT id FROM changed`;

const COMMIT_MANY = commitChanges('', '');
/**
 * Most commits carry one change, and planning is half of their cost: this one stays prepared. Both additions only tell
 * the planner that it is one row, so that the plan it keeps goes by index however large the tables grow.
 */
const COMMIT_ONE = commitChanges('LIMIT 1', 'AND s.id = ($1::uuid[])[1]');

export function createSessions(database: Database, sealer: Sealer) {
  return {
    /** One round trip, one commit; see the SQL function for the order of refusals. */
    async openSession(session: NewSession): Promise<OpenOutcome> {
      const sealed = sealer.seal(session.credential, SEALED_PLACE(session.id));
      const [row] = await database.query<OpenedRow>(
        `SELECT outcome, (extract(epoch FROM room_after) * 1000)::float8 AS room_after_ms
         FROM open_payment_session($1, $2, $3, $4, $5, $6 * interval '1 millisecond', $7, $8, $9)`,
        [
          JSON.stringify({
            id: session.id,
            key: session.key,
            identity: session.identity,
            content_sha256: session.contentSha256,
            protocol: session.protocol,
            provider: authServerOf(session.protocol),
            asset: session.asset,
            decimals: session.decimals,
            cap: session.cap,
            payer: session.payer,
            route: session.route,
            lookup: session.lookup,
            context: session.context,
            sealed_key_id: sealed.keyId,
            expires_at: session.expiresAtMs === null ? null : new Date(session.expiresAtMs).toISOString(),
            voucher_channel: session.voucher?.channel ?? null,
            voucher_cumulative: session.voucher?.cumulative ?? null,
            voucher_challenge: session.voucherChallenge,
          }),
          sealed.bytes,
          session.lease.id,
          session.lease.epoch,
          session.closeToken,
          session.longestMs,
          session.exposure.perPayer ?? null,
          session.exposure.total ?? null,
          session.releasedLimit,
        ],
      );
      if (!row) throw new Error('open_payment_session gave no answer');
      return row.outcome === 'released_limit' ? { limitedForMs: Math.max(row.room_after_ms ?? 0, 0) } : row.outcome;
    },

    /**
     * Makes checkpoints and closes durable in one commit. Rows are locked in id order, so that two commits never wait
     * for each other in a circle.
     *
     * @returns one outcome per change, in the order given
     * @throws when it is not known whether the commit happened; closeState() tells
     */
    async commitSessions(changes: readonly SessionChange[]): Promise<ChangeOutcome[]> {
      const rows = changes.map((change) => toColumns(change, sealer));
      const column = <K extends keyof ChangeColumns>(name: K) => rows.map((row) => row[name]);
      const values = [
        column('id'),
        column('lease'),
        column('epoch'),
        column('token'),
        column('spent'),
        column('becomes'),
        column('by'),
        column('sealed'),
        column('keyId'),
        column('sha256'),
        column('delivery'),
        column('releasedBy'),
        column('withheld'),
        column('takesBack'),
      ];
      const committed =
        rows.length === 1
          ? await database.query<{ id: SettlementId }>(COMMIT_ONE, values, 'commit_one_session')
          : await database.query<{ id: SettlementId }>(COMMIT_MANY, values);
      const ids = new Set(committed.map((row) => row.id));
      return changes.map((change) => (ids.has(change.id) ? 'committed' : 'lost'));
    },

    /**
     * Before anything is sent for it: see the SQL function.
     *
     * @returns `lost` when it stays billed as it is
     */
    async takeBackClose({ id, closeToken, spent, body, releasedBy }: CloseTakenBack): Promise<ChangeOutcome> {
      const sealed = body === null ? undefined : sealer.seal(body, SEALED_PLACE(id));
      const [row] = await database.query<{ taken_back: boolean }>(
        'SELECT take_back_close($1, $2, $3, $4, $5, $6, $7) AS taken_back',
        [
          id,
          closeToken,
          spent,
          sealed?.bytes ?? null,
          sealed?.keyId ?? null,
          body === null ? null : sha256(body),
          releasedBy ?? null,
        ],
      );
      return row?.taken_back === true ? 'committed' : 'lost';
    },

    /** After a lost acknowledgement: `ours` when this very close is in the ledger, `open` when it did not happen yet. */
    async closeState(id: SettlementId, closeToken: string): Promise<'ours' | 'open' | 'lost'> {
      const [row] = await database.query<{ closed_by: string | null }>(
        'SELECT closed_by FROM payment_sessions WHERE id = $1 AND close_token = $2',
        [id, closeToken],
      );
      if (!row) return 'lost';
      if (row.closed_by === null) return 'open';
      return row.closed_by === 'sweep' ? 'lost' : 'ours';
    },

    /** The session or charge that holds this identity: what was released does not. */
    async findEarlierUse(identity: string): Promise<EarlierUse | undefined> {
      const [row] = await database.query<EarlierUse & { [column: string]: unknown }>(
        `SELECT id, status, certainty, answer, tops_up IS NOT NULL AS "topsUp", content_sha256 AS "contentSha256"
         FROM settlements WHERE identity = $1 AND status <> 'released'`,
        [identity],
      );
      return row;
    },

    /** The answer that was held back is given in the very request it was held back in. False: it is not due any more. */
    async giveAnswer(id: SettlementId, token: string): Promise<boolean> {
      const rows = await database.query(
        `UPDATE settlements SET answer = 'given', answer_token = $2
         WHERE id = $1 AND status = 'settled' AND answer = 'due' RETURNING id`,
        [id, token],
      );
      return rows.length === 1;
    },

    /**
     * Whoever asks again for an answer that is due gets the right to it, alone. One whose server died while it was given is
     * due again when the time of its route has passed.
     *
     * @returns what the answer was paid with; undefined: it is not due, or being given
     */
    async takeAnswer(
      id: SettlementId,
      token: string,
      holdMs: number,
      releasedLimit: number,
    ): Promise<AtomicAmount | { readonly limitedForMs: number } | undefined> {
      const [full] = await database.query<{ for_ms: number }>(
        `SELECT (extract(epoch FROM answer_released_at[$2] + interval '1 hour' - clock_now()) * 1000)::float8 AS for_ms
         FROM settlements WHERE id = $1 AND answer_released_at[$2] > clock_now() - interval '1 hour'`,
        [id, releasedLimit],
      );
      if (full) return { limitedForMs: full.for_ms };
      const [row] = await database.query<{ spent: AtomicAmount }>(
        `UPDATE settlements SET answer = 'serving', answer_token = $2, answer_until = clock_now() + $3 * interval '1 millisecond'
         WHERE id = $1 AND status = 'settled' AND (answer = 'due' OR (answer = 'serving' AND answer_until < clock_now()))
         RETURNING spent`,
        [id, token, holdMs],
      );
      return row?.spent;
    },

    /** Before the last byte of an answer that was taken leaves. False: somebody else has taken it since. */
    async answerGiven(id: SettlementId, token: string): Promise<boolean> {
      const rows = await database.query(
        `UPDATE settlements SET answer = 'given', delivery = CASE WHEN answer = 'serving' THEN 'unknown' ELSE delivery END
         WHERE id = $1 AND answer_token = $2 AND answer IN ('serving', 'given') RETURNING id`,
        [id, token],
      );
      return rows.length === 1;
    },

    /**
     * It failed or was lost before its first byte, or cost nothing this time: it is due again.
     * @param releasedLimit its payer wanted nothing of it, so that it counts as free work; as many are remembered, newest first
     */
    async answerNotGiven(id: SettlementId, token: string, releasedLimit = 0): Promise<void> {
      await database.query(
        `UPDATE settlements SET answer = 'due', answer_token = NULL, answer_until = NULL,
           answer_released_at = CASE WHEN $3 = 0 THEN answer_released_at ELSE (clock_now() || answer_released_at)[:$3] END
         WHERE id = $1 AND answer_token = $2 AND answer IN ('serving', 'given')`,
        [id, token, releasedLimit],
      );
    },

    /**
     * Their server has cut them off and does not know whether their close is in the ledger: the next sweep closes at the
     * last durable amount what is still open, instead of waiting for the end of a lease that its server goes on renewing.
     */
    async giveUpSessions(sessions: readonly { id: SettlementId; closeToken: string }[]): Promise<void> {
      await database.query(
        `UPDATE payment_sessions p SET deadline = least(p.deadline, clock_now() - interval '1 minute')
         FROM unnest($1::uuid[], $2::uuid[]) AS g (id, token)
         WHERE p.id = g.id AND p.close_token = g.token AND p.closed_at IS NULL`,
        [sessions.map((session) => session.id), sessions.map((session) => session.closeToken)],
      );
    },

    /** What became of responses that were billed; written after the fact, off the path of any response. */
    async recordDeliveries(deliveries: readonly { id: SettlementId; delivery: Delivery }[]): Promise<void> {
      await database.query(
        `UPDATE settlements s SET delivery = d.delivery
         FROM unnest($1::uuid[], $2::text[]) AS d (id, delivery) WHERE s.id = d.id AND s.delivery = 'unknown'`,
        [deliveries.map((entry) => entry.id), deliveries.map((entry) => entry.delivery)],
      );
    },
  };
}

interface OpenedRow {
  outcome: Extract<OpenOutcome, string> | 'released_limit';
  room_after_ms: number | null;
}

interface ChangeColumns {
  id: SettlementId;
  lease: string;
  epoch: bigint;
  token: string;
  spent: string;
  becomes: 'checkpoint' | 'pending' | 'released';
  by: string | null;
  sealed: Sealed['bytes'] | null;
  keyId: string | null;
  sha256: string | null;
  delivery: Delivery | null;
  releasedBy: ReleaseCause | null;
  withheld: boolean;
  takesBack: boolean;
}

function toColumns(change: SessionChange, sealer: Sealer): ChangeColumns {
  const common = {
    id: change.id,
    lease: change.lease.id,
    epoch: change.lease.epoch,
    token: change.closeToken,
    spent: change.spent,
    takesBack: change.kind === 'close' && change.takesBack === true,
  };
  const nothing = { sealed: null, keyId: null, sha256: null, delivery: null, releasedBy: null, withheld: false };
  if (change.kind === 'checkpoint') return { ...common, ...nothing, becomes: 'checkpoint', by: null };
  const releasedBy = change.releasedBy ?? null;
  if (change.body === null) return { ...common, ...nothing, releasedBy, becomes: 'released', by: change.by };
  const sealed = sealer.seal(change.body, SEALED_PLACE(change.id));
  return {
    ...common,
    becomes: 'pending',
    by: change.by,
    sealed: sealed.bytes,
    keyId: sealed.keyId,
    sha256: sha256(change.body),
    delivery: change.delivery,
    releasedBy,
    withheld: change.withheld === true,
  };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
