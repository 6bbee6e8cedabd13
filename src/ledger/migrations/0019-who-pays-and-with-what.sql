-- The payer is who the auth server's verify names, else what the credential's own stable part says: `atxp:<digest of the
-- token>`, `mpp:channel:<id>`. Charges under way whose payer had no name are given one, so that they count against him and,
-- where he cannot pay, stand in his way; of several that wait for a person the oldest does.
UPDATE settlements s SET payer = n.name FROM (
  SELECT id, coalesce('atxp:' || substring(identity FROM '^atxp:([0-9a-f]{64})'),
      'mpp:channel:' || substring(identity FROM '^mpp:session:(?!content:)(.+):[0-9]+$')) AS name,
    row_number() OVER (PARTITION BY status, attention_reason,
      coalesce(substring(identity FROM '^atxp:([0-9a-f]{64})'), substring(identity FROM '^mpp:session:(?!content:)(.+):[0-9]+$'))
      ORDER BY id) AS nth
  FROM settlements WHERE payer IS NULL AND status IN ('open', 'pending', 'needs_attention')) n
WHERE s.id = n.id AND n.name IS NOT NULL
  AND (s.status <> 'needs_attention' OR s.attention_reason <> 'uncollectable' OR n.nth = 1);

-- A payer who could not pay is refused until a person has dealt with it, also while that person waits for an approver.
ALTER TABLE settlements ADD COLUMN uncollectable boolean NOT NULL DEFAULT false;
UPDATE settlements SET uncollectable = true WHERE status = 'needs_attention' AND attention_reason = 'uncollectable';
DROP INDEX settlements_one_uncollectable_per_payer;
CREATE UNIQUE INDEX settlements_one_uncollectable_per_payer ON settlements (payer)
  WHERE status = 'needs_attention' AND uncollectable AND payer IS NOT NULL;

-- Why a session cost nothing although it was answered: work that was done for nothing is limited per payer.
ALTER TABLE settlements ADD COLUMN released_by text CHECK (released_by IN ('failed_answer', 'not_modified'));
ALTER TABLE settlements ADD CONSTRAINT what_is_released_costs_nothing CHECK (released_by IS NULL OR spent = 0);
CREATE INDEX settlements_released_free ON settlements (payer, closed_at) WHERE released_by IS NOT NULL;

-- A voucher of a payment channel that the auth server settles. Vouchers are cumulative: each allows what all charges on its
-- channel take together. `voucher_place` is the order in which they were accepted, and they are settled in it.
ALTER TABLE settlements ADD COLUMN voucher_channel text, ADD COLUMN voucher_cumulative numeric(78, 0), ADD COLUMN voucher_place bigint;
UPDATE settlements s SET voucher_channel = v.channel, voucher_cumulative = v.cumulative, voucher_place = v.place FROM (
  SELECT id, substring(identity FROM '^mpp:session:(?!content:)(.+):[0-9]+$') AS channel,
    substring(identity FROM ':([0-9]{1,78})$')::numeric AS cumulative,
    row_number() OVER (PARTITION BY substring(identity FROM '^mpp:session:(?!content:)(.+):[0-9]+$') ORDER BY created_at, id) AS place
  FROM settlements WHERE identity ~ '^mpp:session:(?!content:).+:[0-9]{1,78}$' AND channel_id IS NULL) v
WHERE s.id = v.id;
ALTER TABLE settlements ADD CONSTRAINT voucher_is_whole CHECK (
  (voucher_channel IS NULL) = (voucher_cumulative IS NULL) AND (voucher_channel IS NULL) = (voucher_place IS NULL));
CREATE UNIQUE INDEX settlements_vouchers ON settlements (voucher_channel, voucher_place)
  INCLUDE (status, cap, spent, certainty) WHERE voucher_channel IS NOT NULL;

/* The place of one more voucher of its channel, or NULL where it does not cover what is collected, owed and being served on
   the channel together with p_more. Takes the channel's lock, which is held to the commit. */
CREATE FUNCTION place_of_voucher(p_channel text, p_cumulative numeric, p_more numeric) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_taken numeric;
  v_last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || p_channel, 0));
  -- What was given up although nobody knows where it is may have been collected.
  SELECT coalesce(sum(CASE WHEN status = 'released' OR (status = 'written_off' AND certainty IN ('absent', 'not_sent')) THEN 0
      WHEN status = 'open' THEN cap ELSE spent END), 0), coalesce(max(voucher_place), 0)
    INTO v_taken, v_last FROM settlements WHERE voucher_channel = p_channel;
  RETURN CASE WHEN p_cumulative >= v_taken + p_more THEN v_last + 1 END;
END $$;

/* Opens a paid session, in one round trip and one commit.
   Exposure: charging after serving is credit, so the open caps plus the unsettled charges of a payer (or of the whole
   route) are summed under a lock that is held to the commit; two openings can never both take the last of the credit.
   Answers 'opened', 'identity_used', 'payer_uncollectable', 'released_limit' with the time after which there is room again,
   'voucher_spent', 'exposure_payer', 'exposure_total' or 'lease_lost'. */
DROP FUNCTION open_payment_session(jsonb, bytea, uuid, bigint, uuid, interval, numeric, numeric);
CREATE FUNCTION open_payment_session(
  p_settlement jsonb, p_sealed bytea, p_lease uuid, p_epoch bigint, p_close_token uuid, p_longest interval,
  p_limit_payer numeric, p_limit_total numeric, p_limit_released int,
  OUT outcome text, OUT room_after interval
) LANGUAGE plpgsql AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM 1 FROM server_leases WHERE id = p_lease AND epoch = p_epoch AND ended_at IS NULL AND lapses_at > v_now;
  IF NOT FOUND THEN outcome := 'lease_lost'; RETURN; END IF;
  IF s.payer IS NOT NULL THEN
    IF EXISTS (SELECT 1 FROM settlements WHERE payer = s.payer AND status = 'needs_attention' AND uncollectable)
    THEN outcome := 'payer_uncollectable'; RETURN; END IF;
    SELECT closed_at + interval '1 hour' - v_now INTO room_after FROM settlements
      WHERE payer = s.payer AND released_by IS NOT NULL AND closed_at > v_now - interval '1 hour'
      ORDER BY closed_at DESC OFFSET p_limit_released - 1 LIMIT 1;
    IF FOUND THEN outcome := 'released_limit'; RETURN; END IF;
  END IF;
  IF s.voucher_channel IS NOT NULL THEN
    s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, s.cap);
    IF s.voucher_place IS NULL THEN
      -- The same voucher again is not one that is too low.
      outcome := CASE WHEN EXISTS (SELECT 1 FROM settlements WHERE identity = s.identity AND status <> 'released')
        THEN 'identity_used' ELSE 'voucher_spent' END;
      RETURN;
    END IF;
  END IF;
  IF p_limit_total IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND status IN ('open', 'pending', 'needs_attention')) > p_limit_total
    THEN outcome := 'exposure_total'; RETURN; END IF;
  END IF;
  IF p_limit_payer IS NOT NULL AND s.payer IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route || ' ' || s.payer, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND payer = s.payer AND status IN ('open', 'pending', 'needs_attention')) > p_limit_payer
    THEN outcome := 'exposure_payer'; RETURN; END IF;
  END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap,
      payer, route, lookup, context, sealed, sealed_kind, sealed_key_id, expires_at, erase_at, next_check_at, created_at,
      voucher_channel, voucher_cumulative, voucher_place)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'open', s.asset, s.decimals, s.cap,
      s.payer, s.route, s.lookup, s.context, p_sealed, 'credential', s.sealed_key_id, s.expires_at,
      erase_date(s.expires_at), v_now + p_longest, v_now, s.voucher_channel, s.voucher_cumulative, s.voucher_place)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN outcome := 'identity_used'; RETURN; END IF;
  INSERT INTO payment_sessions (id, lease_id, epoch, close_token, deadline, opened_at)
    VALUES (s.id, p_lease, p_epoch, p_close_token, v_now + p_longest, v_now);
  outcome := 'opened';
END $$;

/* Vouchers of one channel are settled in the order in which they were accepted: a lower one is worth nothing once a higher one
   has taken what it covers. */
CREATE FUNCTION waits_for_earlier_voucher(p_channel text, p_place bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM settlements
    WHERE voucher_channel = p_channel AND voucher_place < p_place AND status IN ('open', 'pending'))
$$;

CREATE OR REPLACE FUNCTION claim_settlements(p_ids uuid[], p_runner text, p_hold interval) RETURNS SETOF settlements
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_now timestamptz := clock_now();
  v_allowed uuid[] := '{}';
  b record;
BEGIN
  FOR b IN
    SELECT c.provider, array_agg(c.id ORDER BY c.next_check_at, c.id) AS ids FROM (
      SELECT id, provider, next_check_at FROM settlements
      WHERE id = ANY (p_ids) AND status = 'pending' AND blocked_by IS NULL AND sealed_kind = 'body'
        AND (runner IS NULL OR runner = p_runner OR runner_until < v_now)
        AND (voucher_channel IS NULL OR NOT waits_for_earlier_voucher(voucher_channel, voucher_place))
      ORDER BY id FOR UPDATE) c
    GROUP BY c.provider ORDER BY c.provider
  LOOP
    IF NOT EXISTS (SELECT 1 FROM provider_breakers WHERE provider = b.provider AND state <> 'closed') THEN
      v_allowed := v_allowed || b.ids;
    ELSE
      UPDATE provider_breakers SET state = 'half_open', probe_at = v_now + p_hold
        WHERE provider = b.provider AND state <> 'closed' AND probe_at <= v_now;
      IF FOUND THEN
        v_allowed := v_allowed || b.ids[1];
        b.ids := b.ids[2:];
      END IF;
      UPDATE settlements SET next_check_at = v_now WHERE id = ANY (b.ids) AND next_check_at > v_now;
    END IF;
  END LOOP;
  IF v_allowed = '{}' THEN RETURN; END IF;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, detail)
    SELECT 'settlement', id, v_now, 'sent', certainty_at_send(certainty), key,
      jsonb_build_object('attempt', attempts + 1, 'runner', p_runner, 'body_sha256', body_sha256)
    FROM settlements WHERE id = ANY (v_allowed) ORDER BY id;
  RETURN QUERY UPDATE settlements SET
      runner = p_runner, runner_until = v_now + p_hold,
      attempts = attempts + 1, certainty = certainty_at_send(certainty),
      first_sent_at = coalesce(first_sent_at, v_now),
      next_retry_at = NULL, next_check_at = v_now + p_hold + interval '15 seconds'
    WHERE id = ANY (v_allowed) RETURNING *;
END $$;

/* Records how one attempt ended. Success is written from any status: it may be late, after an operator's decision, and
   then it is raised. Everything else is written only by the runner that still holds the claim.
   Answers the settlement's status afterwards, or NULL when this attempt no longer held the claim. */
CREATE OR REPLACE FUNCTION record_attempt(p jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  v_id uuid := (p ->> 'id')::uuid;
  v_do text := p ->> 'do';
  v_failed_at timestamptz := CASE WHEN (p ->> 'failed')::boolean THEN v_now END;
  v_failure text := CASE WHEN (p ->> 'failed')::boolean THEN p ->> 'answer' END;
  v_status text;
  v_blocker uuid;
  s settlements;
BEGIN
  SELECT * INTO s FROM settlements WHERE id = v_id FOR UPDATE;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, answer_class, detail)
    VALUES ('settlement', v_id::text, v_now, 'answered', p ->> 'certainty', s.key, p ->> 'answer',
      jsonb_strip_nulls(jsonb_build_object('runner', p -> 'runner', 'detail', p -> 'detail', 'decision', p -> 'do',
        'reason', p -> 'reason', 'after_ms', p -> 'after_ms')));
  IF p ->> 'provider_outcome' IS NOT NULL THEN
    PERFORM note_provider(s.provider, p ->> 'provider_outcome', p ->> 'detail');
  END IF;

  -- The next voucher of this channel has waited for this one. A row that somebody holds is looked at by whoever holds it.
  IF s.voucher_channel IS NOT NULL AND v_do IN ('finish', 'ask') THEN
    UPDATE settlements SET next_check_at = v_now WHERE id = (
      SELECT id FROM settlements WHERE voucher_channel = s.voucher_channel AND voucher_place > s.voucher_place AND status = 'pending'
        AND runner IS NULL ORDER BY voucher_place LIMIT 1 FOR UPDATE SKIP LOCKED);
  END IF;

  IF v_do = 'finish' THEN
    UPDATE settlements SET
        status = 'settled', certainty = 'done', settled_at = coalesce(settled_at, v_now),
        tx_hash = coalesce(p ->> 'tx_hash', tx_hash), already_settled = already_settled OR (p ->> 'already_settled')::boolean,
        attention_reason = CASE WHEN status = 'pending' THEN NULL ELSE 'late_success' END,
        attention_since = CASE WHEN status = 'pending' THEN NULL ELSE v_now END,
        attention_detail = CASE WHEN status = 'pending' THEN NULL
          ELSE 'the provider confirmed the charge after this item was ' || status END,
        runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = NULL, blocked_by = NULL,
        sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = v_now, last_answer = p ->> 'answer'
      WHERE id = v_id AND status IN ('pending', 'needs_attention', 'written_off')
      RETURNING status INTO v_status;
    RETURN coalesce(v_status, s.status);
  END IF;

  IF s.status <> 'pending' OR s.runner IS DISTINCT FROM p ->> 'runner' THEN RETURN NULL; END IF;

  IF v_do = 'ask' THEN
    IF p ->> 'reason' = 'uncollectable' AND s.payer IS NOT NULL THEN
      -- One attention item per payer: the lock makes "is there one already?" certain.
      PERFORM pg_advisory_xact_lock(hashtextextended('uncollectable ' || s.payer, 0));
      SELECT id INTO v_blocker FROM settlements
        WHERE payer = s.payer AND status = 'needs_attention' AND uncollectable;
    END IF;
    UPDATE settlements SET
        status = CASE WHEN v_blocker IS NULL THEN 'needs_attention' ELSE status END,
        attention_reason = CASE WHEN v_blocker IS NULL THEN p ->> 'reason' END,
        attention_since = CASE WHEN v_blocker IS NULL THEN v_now END,
        attention_detail = CASE WHEN v_blocker IS NULL THEN p ->> 'detail' END,
        blocked_by = v_blocker,
        uncollectable = v_blocker IS NULL AND p ->> 'reason' = 'uncollectable',
        certainty = p ->> 'certainty',
        already_settled = already_settled OR (p ->> 'already_settled')::boolean,
        suspected_elsewhere = suspected_elsewhere OR p ->> 'reason' = 'settled_elsewhere_suspected',
        tx_hash = coalesce(p ->> 'tx_hash', tx_hash),
        runner = NULL, runner_until = NULL, next_retry_at = NULL, last_answer = p ->> 'answer',
        -- a shared workflow has no signal of its own: whoever did not settle in it goes on alone
        workflow_id = 'settlement/' || v_id,
        first_failure_at = coalesce(first_failure_at, v_failed_at), first_failure_reason = coalesce(first_failure_reason, v_failure),
        next_check_at = v_now + interval '1 minute'
      WHERE id = v_id RETURNING status INTO v_status;
    RETURN v_status;
  END IF;

  -- retry and park: the row stays pending; a call we stopped waiting for keeps its claim until it cannot be at work.
  UPDATE settlements SET
      certainty = p ->> 'certainty', last_answer = p ->> 'answer', workflow_id = 'settlement/' || v_id,
      first_failure_at = coalesce(first_failure_at, v_failed_at), first_failure_reason = coalesce(first_failure_reason, v_failure),
      runner = CASE WHEN (p ->> 'still_at_work')::boolean THEN runner END,
      runner_until = CASE WHEN (p ->> 'still_at_work')::boolean THEN v_now + (p ->> 'after_ms')::bigint * interval '1 millisecond' END,
      next_retry_at = v_now + (p ->> 'after_ms')::bigint * interval '1 millisecond',
      next_check_at = v_now + (p ->> 'after_ms')::bigint * interval '1 millisecond'
        + CASE v_do WHEN 'park' THEN interval '0' ELSE interval '15 seconds' END
    WHERE id = v_id RETURNING status INTO v_status;
  RETURN v_status;
END $$;
