-- A top-up is a settlement of nothing, told from others by the channel whose deposit it adds to: no answer of a handler is due for it.
-- One that is refused has moved nothing, and nobody is asked.
ALTER TABLE settlements ADD COLUMN tops_up text;
UPDATE settlements s SET tops_up = coalesce(s.lookup ->> 'channelId', ''), answer = NULL FROM operation_events e
  WHERE e.item_kind = 'settlement' AND e.item_id = s.id::text AND e.kind = 'channel_top_up';
UPDATE settlements SET answer = NULL, answer_token = NULL, answer_until = NULL WHERE answer IS NOT NULL AND spent = 0;
ALTER TABLE settlements DROP CONSTRAINT answer_is_paid_for, ADD CONSTRAINT answer_is_paid_for CHECK (answer IS NULL OR spent > 0),
  ADD CONSTRAINT top_up_takes_nothing CHECK (tops_up IS NULL OR (spent = 0 AND voucher_channel IS NULL));

/* Makes a top-up durable, which is settled before it is answered and owes nothing where it is refused. Answers 'begun'; 'came_before';
   or 'channel_closes': whatever it adds would lie on a channel that sells nothing any more. */
CREATE FUNCTION begin_channel_top_up(p_settlement jsonb, p_sealed bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || s.tops_up, 0));
  IF EXISTS (SELECT 1 FROM settlements WHERE identity = s.identity AND status <> 'released') THEN RETURN 'came_before'; END IF;
  IF voucher_channel_closes(s.tops_up) THEN RETURN 'channel_closes'; END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, route,
      lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, erase_at, next_check_at, created_at, closed_at, workflow_id,
      tops_up)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'pending', s.asset, s.decimals, 0, 0, s.route,
      s.lookup, s.context, p_sealed, 'body', s.sealed_key_id, s.body_sha256, erase_date(NULL), v_now + interval '15 seconds', v_now,
      v_now, 'settlement/' || s.id, s.tops_up)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'came_before'; END IF;
  INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', s.id, 'channel_top_up', 'not_sent', s.key, jsonb_build_object('channel', s.tops_up));
  RETURN 'begun';
END $$;

/* Vouchers of one channel are settled in the order in which they were accepted: a lower one is worth nothing once a higher one
   has taken what it covers. What waits for a person holds up no voucher, nor what waits with it for that person: their payer has
   one question for all. After a close nothing can be taken any more, so it waits for these too. */
CREATE OR REPLACE FUNCTION waits_for_earlier_voucher(p_channel text, p_place bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM settlements e WHERE e.voucher_channel = p_channel AND e.voucher_place < p_place
    AND (e.status = 'open' OR (e.status = 'pending' AND e.blocked_by IS NULL)
      OR (e.status IN ('pending', 'needs_attention') AND EXISTS (SELECT 1 FROM settlements c
        WHERE c.voucher_channel = p_channel AND c.voucher_place = p_place AND c.voucher_closes))))
$$;

/* Makes a payer's close durable; from here on nothing is sold on the channel. Answers 'closing' with the settlement that closes it,
   also when it is asked for again; 'channel_closes' where another close came first; 'refused_before' where this one did not
   close it; 'unknown_channel'; 'unproven' where its voucher may be public and nothing else says that it is the payer who closes;
   'voucher_spent' where it covers less than is taken. */
CREATE OR REPLACE FUNCTION close_voucher_channel(p_settlement jsonb, p_sealed bytea, p_given_to boolean, OUT outcome text, OUT id uuid)
LANGUAGE plpgsql AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || s.voucher_channel, 0));
  SELECT c.id INTO id FROM settlements c WHERE c.identity = s.identity AND c.voucher_closes AND c.status <> 'written_off';
  IF FOUND THEN outcome := 'closing'; RETURN; END IF;
  IF voucher_channel_closes(s.voucher_channel) THEN outcome := 'channel_closes'; RETURN; END IF;
  -- It was given up, and the channel sells.
  IF EXISTS (SELECT 1 FROM settlements c WHERE c.identity = s.identity AND c.status <> 'released')
  THEN outcome := 'refused_before'; RETURN; END IF;
  IF NOT EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel)
  THEN outcome := 'unknown_channel'; RETURN; END IF;
  IF NOT p_given_to
    AND NOT EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel AND c.voucher_challenge = s.voucher_challenge)
    -- What was sent for settlement may be read on chain.
    AND EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel AND c.attempts > 0
      AND c.voucher_cumulative >= s.voucher_cumulative)
  THEN outcome := 'unproven'; RETURN; END IF;
  s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, 0);
  IF s.voucher_place IS NULL THEN outcome := 'voucher_spent'; RETURN; END IF;
  id := s.id;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, route,
      lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, erase_at, next_check_at, created_at, closed_at, workflow_id,
      voucher_channel, voucher_cumulative, voucher_place, voucher_challenge, voucher_closes)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'pending', s.asset, s.decimals, 0, 0, s.route,
      s.lookup, s.context, p_sealed, 'body', s.sealed_key_id, s.body_sha256, erase_date(NULL), v_now + interval '15 seconds', v_now,
      v_now, 'settlement/' || s.id, s.voucher_channel, s.voucher_cumulative, s.voucher_place, s.voucher_challenge, true);
  INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', s.id, 'channel_close', 'not_sent', s.key, jsonb_build_object('channel', s.voucher_channel));
  outcome := 'closing';
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
  v_owed boolean;
  s settlements;
BEGIN
  SELECT * INTO s FROM settlements WHERE id = v_id FOR UPDATE;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, answer_class, detail)
    VALUES ('settlement', v_id::text, v_now, 'answered', p ->> 'certainty', s.key, p ->> 'answer',
      jsonb_strip_nulls(jsonb_build_object('runner', p -> 'runner', 'detail', p -> 'detail', 'decision', p -> 'do',
        'reason', p -> 'reason', 'after_ms', p -> 'after_ms', 'settled_amount', p -> 'settled_amount')));
  IF p ->> 'provider_outcome' IS NOT NULL THEN
    PERFORM note_provider(s.provider, p ->> 'provider_outcome', p ->> 'detail');
  END IF;

  -- The next voucher of this channel has waited for this one. A row that somebody holds is looked at by whoever holds it.
  IF s.voucher_channel IS NOT NULL AND v_do IN ('finish', 'ask') THEN
    UPDATE settlements SET next_check_at = v_now WHERE id = (
      SELECT id FROM settlements WHERE voucher_channel = s.voucher_channel AND voucher_place > s.voucher_place AND status = 'pending'
        AND blocked_by IS NULL AND runner IS NULL ORDER BY voucher_place LIMIT 1 FOR UPDATE SKIP LOCKED);
  END IF;

  IF v_do = 'finish' THEN
    UPDATE settlements SET
        status = 'settled', certainty = 'done', settled_at = coalesce(settled_at, v_now),
        settled_amount = coalesce(p ->> 'settled_amount', settled_amount),
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
    -- Nothing was served for it and no money moved: nobody owes anything, and nobody has to look at it.
    v_owed := NOT (p ->> 'certainty' = 'absent' AND (s.answer IS NOT DISTINCT FROM 'due' OR s.tops_up IS NOT NULL));
    IF v_owed AND p ->> 'reason' = 'uncollectable' AND s.payer IS NOT NULL THEN
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
        uncollectable = v_owed AND v_blocker IS NULL AND p ->> 'reason' = 'uncollectable',
        certainty = p ->> 'certainty',
        already_settled = already_settled OR (p ->> 'already_settled')::boolean,
        suspected_elsewhere = suspected_elsewhere OR p ->> 'reason' = 'settled_elsewhere_suspected',
        tx_hash = coalesce(p ->> 'tx_hash', tx_hash), settled_amount = coalesce(p ->> 'settled_amount', settled_amount),
        runner = NULL, runner_until = NULL, next_retry_at = NULL, last_answer = p ->> 'answer',
        -- a shared workflow has no signal of its own: whoever did not settle in it goes on alone
        workflow_id = 'settlement/' || v_id,
        first_failure_at = coalesce(first_failure_at, v_failed_at), first_failure_reason = coalesce(first_failure_reason, v_failure),
        next_check_at = v_now + interval '1 minute'
      WHERE id = v_id RETURNING status INTO v_status;
    IF NOT v_owed THEN
      UPDATE settlements SET
          status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL, next_check_at = NULL,
          sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = v_now
        WHERE id = v_id RETURNING status INTO v_status;
      INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, detail)
        VALUES ('settlement', v_id::text, v_now, 'given_up', 'absent',
          jsonb_build_object('why', 'refused before its release: nothing was served and no money moved'));
    END IF;
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
