-- Payments and refunds that are made from here at Stripe itself. Their keys are no names there: one has generations, as those of transfers do.

ALTER TABLE payments
  -- Another checkout took it, and nothing of it is ever sent from here.
  ADD COLUMN taken_elsewhere boolean NOT NULL DEFAULT false,
  -- Stripe repeats a no to a key for a day, so each cancel has a key of its own: how many were asked for.
  ADD COLUMN cancel_attempts int NOT NULL DEFAULT 0;
UPDATE payments SET taken_elsewhere = true WHERE provider = 'stripe';
ALTER TABLE payments
  DROP CONSTRAINT payment_has_one_key,
  ADD CONSTRAINT payment_has_one_key CHECK (generation = 1 OR provider = 'stripe'),
  DROP CONSTRAINT payment_at_stripe_is_named,
  ADD CONSTRAINT payment_at_stripe_is_named CHECK (provider = 'hyperswitch' OR (hyperswitch_payment_id IS NULL AND connector = 'stripe'
    AND (connector_transaction_id IS NOT NULL OR (NOT taken_elsewhere AND captured = 0)))),
  ADD CONSTRAINT payment_taken_elsewhere_was_read CHECK (NOT taken_elsewhere
    OR (provider = 'stripe' AND connector_transaction_id IS NOT NULL AND certainty = 'done' AND attempts = 0));

ALTER TABLE refunds
  DROP CONSTRAINT refund_has_one_key,
  ADD CONSTRAINT refund_has_one_key CHECK (generation = 1 OR hyperswitch_refund_id IS NULL);

DROP TRIGGER payments_stay ON payments;
CREATE TRIGGER payments_stay BEFORE UPDATE ON payments FOR EACH ROW
  WHEN (NEW.provider <> OLD.provider OR NEW.taken_elsewhere <> OLD.taken_elsewhere
    OR (OLD.provider = 'stripe' AND OLD.connector_transaction_id IS NOT NULL AND NEW.connector_transaction_id IS DISTINCT FROM OLD.connector_transaction_id))
  EXECUTE FUNCTION payment_stays_where_it_is();

-- As in 0036; a new generation, for which guard_money_call wants evidence, has another key.
CREATE OR REPLACE FUNCTION guard_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_captured numeric;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.order_id, NEW.payment_id, NEW.amount, NEW.currency, NEW.origin) IS DISTINCT FROM
       (OLD.order_id, OLD.payment_id, OLD.amount, OLD.currency, OLD.origin)
      OR (NEW.generation = OLD.generation AND NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key) THEN
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
