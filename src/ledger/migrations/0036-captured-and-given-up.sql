-- Of some payments nobody says how much was captured, or it was captured in another currency: then it is not nothing.
ALTER TABLE payments ADD COLUMN captured_known boolean NOT NULL DEFAULT true;

-- Nothing more is captured of it. What was given up before that is read on, ever less often, at last once a week: its webhook
-- may be lost, and captured money has an owner.
ALTER TABLE payments ADD COLUMN provider_final boolean NOT NULL DEFAULT false;
UPDATE payments SET provider_final = true WHERE provider_status IN
  ('succeeded', 'failed', 'cancelled', 'expired', 'partially_captured', 'cancelled_post_capture');

CREATE OR REPLACE FUNCTION guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.order_id, NEW.amount, NEW.currency, NEW.origin) IS DISTINCT FROM (OLD.order_id, OLD.amount, OLD.currency, OLD.origin) THEN
    RAISE EXCEPTION 'payment %: its order and amount never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.hyperswitch_payment_id IS NOT NULL AND NEW.hyperswitch_payment_id IS DISTINCT FROM OLD.hyperswitch_payment_id THEN
    RAISE EXCEPTION 'payment %: the id at the provider is never replaced', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  -- Whoever writes it off, and whoever has looked and found it ended here.
  IF NEW.next_check_at IS NULL AND NEW.written_off_at IS NOT NULL AND NEW.status IN ('failed', 'cancelled')
    AND NEW.certainty = 'done' AND NOT NEW.provider_final THEN
    NEW.next_check_at := clock_now() + least(greatest(clock_now() - NEW.written_off_at, interval '1 day'), interval '7 days');
  END IF;
  RETURN NEW;
END $$;
-- What was given up until now is read from tomorrow on.
UPDATE payments SET next_check_at = clock_now() + interval '1 day' WHERE next_check_at IS NULL AND written_off_at IS NOT NULL
  AND status IN ('failed', 'cancelled') AND certainty = 'done' AND NOT provider_final;

-- What was given back at the provider was captured: where nobody says how much was, it is measured against the whole.
CREATE OR REPLACE FUNCTION guard_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_captured numeric;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.order_id, NEW.payment_id, NEW.amount, NEW.currency, NEW.origin, NEW.idempotency_key) IS DISTINCT FROM
       (OLD.order_id, OLD.payment_id, OLD.amount, OLD.currency, OLD.origin, OLD.idempotency_key) THEN
      RAISE EXCEPTION 'refund %: its order, amount and key never change', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.hyperswitch_refund_id IS NOT NULL AND NEW.hyperswitch_refund_id IS DISTINCT FROM OLD.hyperswitch_refund_id THEN
      RAISE EXCEPTION 'refund %: the id at the provider is never replaced', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = OLD.status OR NEW.status <> 'succeeded' THEN RETURN NEW; END IF;
  END IF;
  PERFORM 1 FROM orders WHERE id = NEW.order_id FOR UPDATE;
  SELECT CASE WHEN captured_known OR NEW.origin = 'api' THEN captured ELSE greatest(captured, amount) END INTO v_captured
    FROM payments WHERE id = NEW.payment_id AND order_id = NEW.order_id
      AND (captured > 0 OR NOT (captured_known OR NEW.origin = 'api'));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'refund %: order % is not paid', NEW.id, NEW.order_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.origin = 'provider' AND NEW.status <> 'succeeded' THEN RETURN NEW; END IF;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM refunds WHERE order_id = NEW.order_id AND id <> NEW.id
    AND (status = 'succeeded' OR (TG_OP = 'INSERT' AND NEW.origin = 'api' AND status IN ('pending', 'review')));
  IF v_total + NEW.amount > v_captured THEN
    RAISE EXCEPTION 'refund %: % with % already refunded exceeds the % that were paid', NEW.id, NEW.amount, v_total, v_captured
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
