-- Payments at Stripe are captured by hand as well, once, and take a customer and metadata.

-- Its captures in parts exclude transfers that are drawn from the charge, and it has no profiles.
ALTER TABLE payments
  DROP CONSTRAINT payment_at_stripe_has_no_terms,
  ADD CONSTRAINT payment_at_stripe_is_captured_once CHECK (provider = 'hyperswitch' OR (capture_method <> 'manual_multiple' AND profile_id IS NULL));

ALTER TABLE payment_captures
  ADD COLUMN sent_at timestamptz,
  -- Since when Stripe may know its key; null: Hyperswitch, which honours none.
  ADD COLUMN key_first_sent_at timestamptz;

-- As in 0075; what Stripe may have is asked for again with its key while Stripe surely has that (23 hours), and what it refuses then, it has
-- refused from the first.
CREATE OR REPLACE FUNCTION guard_capture() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_key_is_known boolean := coalesce(OLD.key_first_sent_at > clock_now() - interval '23 hours', false);
BEGIN
  IF (NEW.payment_id, NEW.amount, NEW.final, NEW.idempotency_key, NEW.asked_by) IS DISTINCT FROM
     (OLD.payment_id, OLD.amount, OLD.final, OLD.idempotency_key, OLD.asked_by)
    OR (OLD.key_first_sent_at IS NOT NULL AND NEW.key_first_sent_at IS DISTINCT FROM OLD.key_first_sent_at) THEN
    RAISE EXCEPTION 'capture %: what is captured never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'open' AND NOT (OLD.status = 'refused' AND NEW.status = 'done') THEN
    RAISE EXCEPTION 'capture %: it has ended', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION 'capture %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts > OLD.attempts AND OLD.certainty NOT IN ('not_sent', 'absent') AND NOT (OLD.certainty = 'unknown' AND v_key_is_known) THEN
    RAISE EXCEPTION 'capture %: it may have been carried out, and is not sent again before that is known', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.absences > OLD.absences AND (NEW.absences <> OLD.absences + 1 OR NEW.last_absence_at IS NULL
      OR NEW.last_absence_at < OLD.last_absence_at + interval '10 minutes') THEN
    RAISE EXCEPTION 'capture %: absences this close together are one proof', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') AND NOT (NEW.certainty = 'absent' AND (NEW.absences >= 3
      OR (NEW.status = 'refused' AND v_key_is_known) OR (SELECT provider_final FROM payments WHERE id = NEW.payment_id))) THEN
    RAISE EXCEPTION 'capture %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
