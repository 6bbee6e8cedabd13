-- What was charged for bytes that never left is not billed: a close says so, or takes back what a checkpoint or an earlier close
-- of the same session made durable. `unserved` keeps how much that was.
ALTER TABLE settlements ADD COLUMN unserved numeric(78, 0) CHECK (unserved > 0);

-- A payer who leaves before anything of his answer left has had its work for nothing, as with one that failed.
ALTER TABLE settlements DROP CONSTRAINT settlements_released_by_check,
  ADD CONSTRAINT settlements_released_by_check CHECK (released_by IN ('failed_answer', 'not_modified', 'client_left'));
ALTER TABLE channel_requests DROP CONSTRAINT channel_requests_released_by_check,
  ADD CONSTRAINT channel_requests_released_by_check CHECK (released_by IN ('failed_answer', 'not_modified', 'client_left'));

/* No call was sent for it, and none can be: whoever wants to send one has to claim the row first, which waits for its lock. */
CREATE FUNCTION settlement_was_never_sent(s settlements) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT s.source = 'session' AND s.certainty = 'not_sent' AND s.attempts = 0 AND s.first_sent_at IS NULL AND s.runner IS NULL
$$;

CREATE OR REPLACE FUNCTION settlements_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_taken_back numeric := 0;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status NOT IN ('open', 'pending', 'needs_attention') THEN
      RAISE EXCEPTION 'a settlement cannot begin as %', NEW.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  v_taken_back := coalesce(NEW.unserved, 0) - coalesce(OLD.unserved, 0);
  IF NEW.status <> OLD.status AND NOT settlement_may_become(OLD.status, NEW.status)
    -- No move of its own: only with what is taken back.
    AND NOT (OLD.status = 'pending' AND NEW.status = 'released' AND v_taken_back <> 0) THEN
    RAISE EXCEPTION 'settlement %: % cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
    RAISE EXCEPTION 'settlement %: what is done stays done', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') THEN
    RAISE EXCEPTION 'settlement %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF v_taken_back <> 0 THEN
    -- The one way in which an amount shrinks: by what is said to be unserved, at the close or before anything was sent for it.
    IF v_taken_back < 0 OR NEW.spent + v_taken_back <> OLD.spent OR NEW.status NOT IN ('pending', 'released')
      OR OLD.status NOT IN ('open', 'pending') OR NOT settlement_was_never_sent(OLD) OR NOT settlement_was_never_sent(NEW) THEN
      RAISE EXCEPTION 'settlement %: what was charged cannot be taken back any more', OLD.id USING ERRCODE = 'check_violation';
    END IF;
  ELSE
    IF OLD.status <> 'open' AND NEW.spent <> OLD.spent THEN
      RAISE EXCEPTION 'settlement %: the amount is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.spent < OLD.spent THEN
      RAISE EXCEPTION 'settlement %: what was spent cannot shrink', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.body_sha256 IS NOT NULL AND NEW.body_sha256 IS DISTINCT FROM OLD.body_sha256 THEN
      RAISE EXCEPTION 'settlement %: the body is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF OLD.status <> 'open' AND NEW.cap IS DISTINCT FROM OLD.cap THEN
    RAISE EXCEPTION 'settlement %: the amount is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.identity, NEW.key, NEW.protocol, NEW.asset, NEW.decimals) IS DISTINCT FROM (OLD.identity, OLD.key, OLD.protocol, OLD.asset, OLD.decimals) THEN
    RAISE EXCEPTION 'settlement %: its identity, key, protocol and asset never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION 'settlement %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

/* Takes back, of a close that is not sent yet, what was charged for bytes that never left. The session's own server asks, by its
   token, and only of its own close. p_sealed NULL: nothing is left to be settled. A worker that claims the row and this function
   wait for each other's lock, and whoever comes second finds nothing to do. False: it stays billed as it is. */
CREATE FUNCTION take_back_close(
  p_id uuid, p_token uuid, p_spent numeric, p_sealed bytea, p_key_id text, p_sha256 text, p_released_by text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  s settlements;
BEGIN
  SELECT t.* INTO s FROM settlements t JOIN payment_sessions p ON p.id = t.id
    WHERE t.id = p_id AND p.close_token = p_token AND p.closed_by <> 'sweep' FOR UPDATE OF t;
  IF NOT FOUND OR s.status <> 'pending' OR NOT settlement_was_never_sent(s) OR s.spent <= p_spent THEN RETURN false; END IF;
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
