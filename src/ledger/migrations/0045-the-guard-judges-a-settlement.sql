-- What a settlement must be is judged by its guard, in one expression that each connection prepares once. Postgres prepares a CHECK
-- anew for every statement, some 4 microseconds each, and there are thirty-three beside an acceptance of half a millisecond. Each keeps its
-- name, its ERRCODE and its meaning: as with a CHECK, what is NULL is not broken. The guard is the last of the triggers that run before
-- a row is written. Two go without a follower: statuses are those that may begin or become, and `attention_has_a_reason` holds for
-- `unreadable_session` as for every other reason.
CREATE OR REPLACE FUNCTION settlements_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_taken_back numeric := 0;
  v_broken text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status NOT IN ('open', 'pending', 'needs_attention') THEN
      RAISE EXCEPTION 'a settlement cannot begin as %', NEW.status USING ERRCODE = 'check_violation';
    END IF;
  ELSE
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
  END IF;
  v_broken := CASE
    WHEN NOT (NEW.answer IS NULL OR NEW.spent > 0) THEN 'answer_is_paid_for'
    WHEN NOT ((NEW.status = 'needs_attention') = (NEW.attention_reason IS NOT NULL)
      OR NEW.status = 'settled' AND NEW.attention_reason = 'late_success') THEN 'attention_has_a_reason'
    WHEN NOT ((NEW.attention_reason IS NULL) = (NEW.attention_since IS NULL)
      AND (NEW.attention_reason IS NULL) = (NEW.attention_detail IS NULL)) THEN 'attention_is_whole'
    WHEN NOT ((NEW.source = 'channel') = (NEW.channel_id IS NOT NULL) AND (NEW.source = 'channel') = (NEW.provider = 'tempo')) THEN 'capture_is_whole'
    WHEN NOT (NEW.channel_id IS NULL
      OR (NEW.lookup ->> 'kind' IN ('settle', 'close') AND NEW.lookup ->> 'capture' ~ '^[0-9]+$') IS TRUE) THEN 'capture_says_what_it_takes'
    WHEN NOT (NOT NEW.voucher_closes OR NEW.voucher_channel IS NOT NULL AND NEW.spent = 0) THEN 'close_takes_nothing'
    WHEN NOT (NEW.status <> 'pending' OR NEW.sealed_kind = 'body' OR NEW.erased_at IS NOT NULL) THEN 'pending_has_a_body'
    WHEN NOT (NEW.status <> 'released' OR NEW.spent = 0) THEN 'released_owes_nothing'
    WHEN NOT (NEW.status <> 'released' OR NEW.certainty = 'not_sent' AND NEW.attempts = 0) THEN 'released_was_never_sent'
    WHEN NOT ((NEW.runner IS NULL) = (NEW.runner_until IS NULL)) THEN 'runner_is_whole'
    WHEN NOT ((NEW.sealed IS NULL) = (NEW.sealed_key_id IS NULL) AND (NEW.sealed IS NULL) = (NEW.sealed_kind IS NULL)) THEN 'sealed_is_whole'
    WHEN NOT (NEW.answer IS DISTINCT FROM 'serving'
      OR NEW.status = 'settled' AND NEW.answer_token IS NOT NULL AND NEW.answer_until IS NOT NULL) THEN 'serving_is_somebodys'
    WHEN NOT (NEW.status <> 'settled' OR NEW.certainty = 'done' AND NEW.settled_at IS NOT NULL) THEN 'settled_is_certain'
    WHEN NOT (NEW.answer IN ('due', 'serving', 'given')) THEN 'settlements_answer_check'
    WHEN NOT (NEW.cap >= 0) THEN 'settlements_cap_check'
    WHEN NOT (NEW.certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')) THEN 'settlements_certainty_check'
    WHEN NOT (NEW.decimals BETWEEN 0 AND 78) THEN 'settlements_decimals_check'
    WHEN NOT (NEW.delivery IN ('delivered', 'aborted', 'unknown')) THEN 'settlements_delivery_check'
    WHEN NOT (NEW.identity <> '') THEN 'settlements_identity_check'
    WHEN NOT (NEW.key <> '') THEN 'settlements_key_check'
    WHEN NOT (NEW.protocol IN ('atxp', 'x402', 'mpp')) THEN 'settlements_protocol_check'
    WHEN NOT (NEW.released_by IN ('failed_answer', 'not_modified', 'client_left')) THEN 'settlements_released_by_check'
    WHEN NOT (NEW.sealed_kind IN ('credential', 'body')) THEN 'settlements_sealed_kind_check'
    WHEN NOT (NEW.source IN ('session', 'api', 'channel')) THEN 'settlements_source_check'
    WHEN NOT (NEW.spent >= 0) THEN 'settlements_spent_check'
    WHEN NOT (NEW.unserved > 0) THEN 'settlements_unserved_check'
    WHEN NOT (NEW.cap IS NULL OR NEW.spent <= NEW.cap) THEN 'spent_within_cap'
    WHEN NOT (NEW.tops_up IS NULL OR NEW.spent = 0 AND NEW.voucher_channel IS NULL) THEN 'top_up_takes_nothing'
    WHEN NOT ((NEW.status IN ('settled', 'released', 'written_off')) = (NEW.next_check_at IS NULL)) THEN 'unfinished_is_found_again'
    WHEN NOT ((NEW.voucher_channel IS NULL) = (NEW.voucher_cumulative IS NULL)
      AND (NEW.voucher_channel IS NULL) = (NEW.voucher_place IS NULL)) THEN 'voucher_is_whole'
    WHEN NOT (NEW.released_by IS NULL OR NEW.spent = 0) THEN 'what_is_released_costs_nothing'
  END;
  IF v_broken IS NOT NULL THEN
    RAISE EXCEPTION 'settlement %: %', NEW.id, v_broken USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
  END IF;
  RETURN NEW;
END $$;

ALTER TABLE settlements
  DROP CONSTRAINT answer_is_paid_for,
  DROP CONSTRAINT attention_has_a_reason,
  DROP CONSTRAINT attention_is_whole,
  DROP CONSTRAINT capture_is_whole,
  DROP CONSTRAINT capture_says_what_it_takes,
  DROP CONSTRAINT close_takes_nothing,
  DROP CONSTRAINT pending_has_a_body,
  DROP CONSTRAINT released_owes_nothing,
  DROP CONSTRAINT released_was_never_sent,
  DROP CONSTRAINT runner_is_whole,
  DROP CONSTRAINT sealed_is_whole,
  DROP CONSTRAINT serving_is_somebodys,
  DROP CONSTRAINT settled_is_certain,
  DROP CONSTRAINT settlements_answer_check,
  DROP CONSTRAINT settlements_cap_check,
  DROP CONSTRAINT settlements_certainty_check,
  DROP CONSTRAINT settlements_decimals_check,
  DROP CONSTRAINT settlements_delivery_check,
  DROP CONSTRAINT settlements_identity_check,
  DROP CONSTRAINT settlements_key_check,
  DROP CONSTRAINT settlements_protocol_check,
  DROP CONSTRAINT settlements_released_by_check,
  DROP CONSTRAINT settlements_sealed_kind_check,
  DROP CONSTRAINT settlements_source_check,
  DROP CONSTRAINT settlements_spent_check,
  DROP CONSTRAINT settlements_status_check,
  DROP CONSTRAINT settlements_unserved_check,
  DROP CONSTRAINT spent_within_cap,
  DROP CONSTRAINT top_up_takes_nothing,
  DROP CONSTRAINT unfinished_is_found_again,
  DROP CONSTRAINT unreadable_is_a_question,
  DROP CONSTRAINT voucher_is_whole,
  DROP CONSTRAINT what_is_released_costs_nothing;
