-- A row that its breaker holds back is due again at once: its workflow ends, and with the time of the last start it would
-- wait up to a minute after the provider is well. While the breaker is open nobody is given such rows.
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
