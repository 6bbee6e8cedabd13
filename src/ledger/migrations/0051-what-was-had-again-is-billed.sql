-- A close is taken back where nothing of its answer left. Of one that was had by its name meanwhile, all of it did.
ALTER TABLE payment_sessions ADD COLUMN had_again boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION take_back_close(
  p_id uuid, p_token uuid, p_spent numeric, p_sealed bytea, p_key_id text, p_sha256 text, p_released_by text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  s settlements;
BEGIN
  SELECT t.* INTO s FROM settlements t JOIN payment_sessions p ON p.id = t.id
    WHERE t.id = p_id AND p.close_token = p_token AND p.closed_by <> 'sweep' FOR UPDATE OF t;
  IF NOT FOUND OR s.status <> 'pending' OR NOT settlement_was_never_sent(s) OR s.spent <= p_spent THEN RETURN false; END IF;
  -- Whoever gives it once more holds the same row for that, so that one of the two finds that the other was there.
  IF EXISTS (SELECT 1 FROM payment_sessions WHERE id = p_id AND had_again) THEN RETURN false; END IF;
  UPDATE settlements SET
      spent = p_spent, unserved = coalesce(unserved, 0) + s.spent - p_spent,
      status = CASE WHEN p_sealed IS NULL THEN 'released' ELSE 'pending' END,
      sealed = p_sealed, sealed_key_id = p_key_id, sealed_kind = CASE WHEN p_sealed IS NOT NULL THEN 'body' END,
      body_sha256 = p_sha256, answer = NULL, released_by = p_released_by,
      delivery = CASE WHEN p_sealed IS NOT NULL THEN delivery END,
      workflow_id = CASE WHEN p_sealed IS NOT NULL THEN workflow_id END,
      blocked_by = CASE WHEN p_sealed IS NOT NULL THEN blocked_by END,
      next_retry_at = CASE WHEN p_sealed IS NOT NULL THEN next_retry_at END,
      next_check_at = CASE WHEN p_sealed IS NOT NULL THEN next_check_at END
    WHERE id = p_id;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', p_id::text, v_now, CASE WHEN p_sealed IS NULL THEN 'released' ELSE 'closed' END, 'not_sent', s.key,
      jsonb_strip_nulls(jsonb_build_object('by', 'abort', 'spent', p_spent::text, 'unserved', (s.spent - p_spent)::text,
        'released_by', p_released_by)));
  -- The next voucher of its channel waits for it no more. A row that somebody holds is looked at by whoever holds it.
  IF s.voucher_channel IS NOT NULL AND p_sealed IS NULL THEN
    UPDATE settlements SET next_check_at = v_now WHERE id = (
      SELECT id FROM settlements WHERE voucher_channel = s.voucher_channel AND voucher_place > s.voucher_place AND status = 'pending'
        AND runner IS NULL ORDER BY voucher_place LIMIT 1 FOR UPDATE SKIP LOCKED);
  END IF;
  RETURN true;
END $$;
