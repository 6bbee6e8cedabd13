/* Before every send, from wherever: no row from here, no send. Returns the rows that p_runner alone may send until
   p_hold has passed. While a provider's breaker is open only one row is let through, and only when a probe is due.
   A row still `in_flight` was abandoned by a process that died: its outcome is unknown from now on. */
CREATE FUNCTION claim_settlements(p_ids uuid[], p_runner text, p_hold interval) RETURNS SETOF settlements
LANGUAGE plpgsql AS $$
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
      ORDER BY id FOR UPDATE) c
    GROUP BY c.provider ORDER BY c.provider
  LOOP
    IF NOT EXISTS (SELECT 1 FROM provider_breakers WHERE provider = b.provider AND state <> 'closed') THEN
      v_allowed := v_allowed || b.ids;
    ELSE
      UPDATE provider_breakers SET state = 'half_open', probe_at = v_now + p_hold
        WHERE provider = b.provider AND state <> 'closed' AND probe_at <= v_now;
      IF FOUND THEN v_allowed := v_allowed || b.ids[1]; END IF;
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

CREATE FUNCTION certainty_at_send(was text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN was IN ('in_flight', 'unknown') THEN 'unknown' WHEN was = 'done' THEN 'done' ELSE 'in_flight' END
$$;

/* Tells the breaker how a call ended. Opens on five failures within ten seconds that outnumber the successes four to
   one; probes after 1 s, 2 s, 4 s … 30 s. A healthy provider costs no write here. */
CREATE FUNCTION note_provider(p_provider text, p_outcome text, p_detail text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  b provider_breakers;
  v_every interval;
BEGIN
  SELECT * INTO b FROM provider_breakers WHERE provider = p_provider;
  IF p_outcome = 'ok' AND (NOT FOUND OR (b.state = 'closed' AND (b.failures = 0 OR b.window_until < v_now))) THEN RETURN; END IF;
  INSERT INTO provider_breakers (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
  SELECT * INTO b FROM provider_breakers WHERE provider = p_provider FOR UPDATE;
  IF p_outcome = 'ok' THEN
    IF b.state = 'closed' THEN
      UPDATE provider_breakers SET successes = successes + 1 WHERE provider = p_provider;
    ELSE
      UPDATE provider_breakers SET state = 'closed', reason = NULL, failures = 0, successes = 0, opened_at = NULL,
        probe_at = NULL, probe_every = NULL, detail = NULL WHERE provider = p_provider;
      INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('provider', p_provider, 'breaker_closed');
    END IF;
  ELSIF b.state = 'half_open' THEN
    v_every := least(b.probe_every * 2, interval '30 seconds');
    UPDATE provider_breakers SET state = 'open', reason = p_outcome, detail = p_detail, probe_every = v_every, probe_at = v_now + v_every
      WHERE provider = p_provider;
  ELSIF b.state = 'closed' THEN
    IF b.window_until <= v_now THEN
      UPDATE provider_breakers SET failures = 1, successes = 0, window_until = v_now + interval '10 seconds' WHERE provider = p_provider;
    ELSIF b.failures + 1 >= 5 AND b.failures + 1 >= 4 * b.successes THEN
      UPDATE provider_breakers SET state = 'open', reason = p_outcome, detail = p_detail, failures = b.failures + 1,
        opened_at = v_now, probe_every = interval '1 second', probe_at = v_now + interval '1 second' WHERE provider = p_provider;
      INSERT INTO operation_events (item_kind, item_id, kind, answer_class, detail)
        VALUES ('provider', p_provider, 'breaker_opened', p_outcome, jsonb_build_object('detail', p_detail));
    ELSE
      UPDATE provider_breakers SET failures = b.failures + 1 WHERE provider = p_provider;
    END IF;
  END IF;
END $$;

/* Records how one attempt ended. Success is written from any status: it may be late, after an operator's decision, and
   then it is raised. Everything else is written only by the runner that still holds the claim.
   Answers the settlement's status afterwards, or NULL when this attempt no longer held the claim. */
CREATE FUNCTION record_attempt(p jsonb) RETURNS text LANGUAGE plpgsql AS $$
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
        WHERE payer = s.payer AND status = 'needs_attention' AND attention_reason = 'uncollectable';
    END IF;
    UPDATE settlements SET
        status = CASE WHEN v_blocker IS NULL THEN 'needs_attention' ELSE status END,
        attention_reason = CASE WHEN v_blocker IS NULL THEN p ->> 'reason' END,
        attention_since = CASE WHEN v_blocker IS NULL THEN v_now END,
        attention_detail = CASE WHEN v_blocker IS NULL THEN p ->> 'detail' END,
        blocked_by = v_blocker,
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
