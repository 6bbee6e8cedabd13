import type { SettlementId } from '../../domain/ids.js';
import type { Delivery } from '../../domain/settlements/settlement-status.js';
import { type CloseState, closeStateIn } from '../close-state.js';
import type { Database } from '../database.js';
import type { Sealed, Sealer } from '../sealer.js';
import { NAMED_ANSWER_PLACE } from './named-answers.js';
import { SEALED_PLACE, sha256 } from './settlement-row.js';
import type { ChangeOutcome, CloseTakenBack, ReleaseCause, SessionChange } from './settlement-types.js';

/** A row not dispatched this long after its close is found by the sweep, whoever died. */
const DISPATCH_GRACE = '15 seconds';

/** What keeps an answer that was named, in the commit that charges for it. */
const KEPT = `, kept AS (
    UPDATE named_answers a SET sealed = n.sealed, sealed_key_id = n.key_id, spent = c.spent, erase_at = clock_now() + a.keep
    FROM changed c JOIN unnest($15::uuid[], $16::bytea[], $17::text[]) AS n (id, sealed, key_id) USING (id)
    WHERE a.id = c.id AND c.becomes = 'pending'
  )`;

const commitChanges = (limit: '' | 'LIMIT 1', only: '' | 'AND s.id = ($1::uuid[])[1]', kept: '' | typeof KEPT) => `
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
  )${kept}
  SELECT id FROM changed`;

const COMMIT_MANY = commitChanges('', '', '');
const COMMIT_AND_KEEP = commitChanges('', '', KEPT);
/**
 * Most commits carry one change, and planning is half of their cost: this one stays prepared. Both additions only tell
 * the planner that it is one row, so that the plan it keeps goes by index however large the tables grow.
 */
const COMMIT_ONE = commitChanges('LIMIT 1', 'AND s.id = ($1::uuid[])[1]', '');

/** How open sessions go on and end. */
export function createSessionCommits(database: Database, sealer: Sealer) {
  return {
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
      const answers = changes.flatMap((change) =>
        change.kind === 'close' && change.answer !== undefined
          ? [{ id: change.id, ...sealer.seal(change.answer, NAMED_ANSWER_PLACE(change.id)) }]
          : [],
      );
      const commit = (text: string, more: readonly unknown[] = [], name?: string) =>
        database.query<{ id: SettlementId }>(text, [...values, ...more], name);
      const committed =
        answers.length > 0
          ? await commit(COMMIT_AND_KEEP, [
              answers.map(({ id }) => id),
              answers.map(({ bytes }) => bytes),
              answers.map(({ keyId }) => keyId),
            ])
          : await (rows.length === 1 ? commit(COMMIT_ONE, [], 'commit_one_session') : commit(COMMIT_MANY));
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

    closeState: (id: SettlementId, closeToken: string): Promise<CloseState> =>
      closeStateIn(database, 'payment_sessions', { id, closeToken }),

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

    /** What became of responses that were billed; written after the fact, off the path of any response. One that broke off may be had again. */
    async recordDeliveries(deliveries: readonly { id: SettlementId; delivery: Delivery }[]): Promise<void> {
      await database.query(
        `UPDATE settlements s SET delivery = d.delivery
         FROM unnest($1::uuid[], $2::text[]) AS d (id, delivery)
         WHERE s.id = d.id AND (s.delivery = 'unknown' OR (s.delivery = 'aborted' AND d.delivery = 'delivered'))`,
        [deliveries.map((entry) => entry.id), deliveries.map((entry) => entry.delivery)],
      );
    },
  };
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
