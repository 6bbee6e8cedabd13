-- A top-up is a settlement of nothing, told from others by the channel whose deposit it adds to: no answer of a handler is due for it.
-- One that is refused has moved nothing, and nobody is asked.
ALTER TABLE settlements ADD COLUMN tops_up text;
UPDATE settlements s SET tops_up = coalesce(s.lookup ->> 'channelId', '') FROM operation_events e
  WHERE e.item_kind = 'settlement' AND e.item_id = s.id::text AND e.kind = 'channel_top_up';
ALTER TABLE settlements ADD CONSTRAINT top_up_takes_nothing
  CHECK (tops_up IS NULL OR (spent = 0 AND answer IS NULL AND voucher_channel IS NULL));

/* Vouchers of one channel are settled in the order in which they were accepted: a lower one is worth nothing once a higher one
   has taken what it covers. What waits for a person holds up no voucher, nor what waits with it for that person: their payer has
   one question for all. After a close nothing can be taken any more, so it waits for these too. */
CREATE OR REPLACE FUNCTION waits_for_earlier_voucher(p_channel text, p_place bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM settlements e WHERE e.voucher_channel = p_channel AND e.voucher_place < p_place
    AND (e.status = 'open' OR (e.status = 'pending' AND e.blocked_by IS NULL)
      OR (e.status IN ('pending', 'needs_attention') AND EXISTS (SELECT 1 FROM settlements c
        WHERE c.voucher_channel = p_channel AND c.voucher_place = p_place AND c.voucher_closes))))
$$;

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
