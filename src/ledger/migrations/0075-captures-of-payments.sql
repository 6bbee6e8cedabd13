-- Payments that are captured by hand, in one part or several, and what is passed on when they are made.

-- Whose Hyperswitch this is, whatever profile a payment is made under: the first answer pins. An order may name a profile of its own.
CREATE TABLE hyperswitch_merchant (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  merchant_id text NOT NULL CHECK (merchant_id <> ''),
  pinned_at timestamptz NOT NULL DEFAULT clock_now()
);
INSERT INTO hyperswitch_merchant (merchant_id, pinned_at) SELECT merchant_id, pinned_at FROM hyperswitch_account;
CREATE TRIGGER hyperswitch_merchant_keep BEFORE UPDATE OR DELETE ON hyperswitch_merchant
  FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE payments
  ADD COLUMN capture_method text NOT NULL DEFAULT 'automatic' CHECK (capture_method IN ('automatic', 'manual', 'manual_multiple')),
  -- Named by whoever made it; null: the one that is pinned.
  ADD COLUMN profile_id text CHECK (profile_id <> ''),
  -- Customer, return_url and metadata, as they are passed on.
  ADD COLUMN passed_on jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(passed_on) = 'object'),
  -- Since when its buyer's money is held for it; null: it is not, or not any more.
  ADD COLUMN authorized_at timestamptz,
  -- By the last part that was captured, or by calling the rest off: what is captured then is all of it.
  ADD COLUMN captures_closed_at timestamptz,
  -- So much was captured, and paid the order, which is of that much now; null: the whole, or nothing yet.
  ADD COLUMN accepted numeric(78,0),
  ADD CONSTRAINT accepted_is_a_part CHECK (accepted > 0 AND accepted < amount),
  -- Payments at Stripe are captured by themselves, and nothing is passed on.
  ADD CONSTRAINT payment_at_stripe_has_no_terms CHECK (provider = 'hyperswitch' OR (capture_method = 'automatic' AND profile_id IS NULL AND passed_on = '{}'));

CREATE FUNCTION payment_keeps_its_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'payment %: how it is captured, for whom, and what of it paid the order never changes', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER payments_terms BEFORE UPDATE ON payments FOR EACH ROW
  WHEN ((NEW.capture_method, NEW.profile_id, NEW.passed_on) IS DISTINCT FROM (OLD.capture_method, OLD.profile_id, OLD.passed_on)
    OR (OLD.accepted IS NOT NULL AND NEW.accepted IS DISTINCT FROM OLD.accepted))
  EXECUTE FUNCTION payment_keeps_its_terms();

-- One part of a payment that is to be captured: a money call of its own. Hyperswitch honours no key here, so what is read of the payment
-- before and after tells whether it was carried out.
CREATE TABLE payment_captures (
  id uuid PRIMARY KEY,
  payment_id uuid NOT NULL REFERENCES payments (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  -- Nothing more is to be captured after it.
  final boolean NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'refused')),
  certainty text NOT NULL DEFAULT 'not_sent' CHECK (certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),
  idempotency_key text NOT NULL UNIQUE CHECK (idempotency_key <> ''),
  attempts int NOT NULL DEFAULT 0,
  -- What was captured of the payment when it was sent last.
  captured_before numeric(78,0),
  -- The attempt that has sent it.
  sent_by text,
  absences int NOT NULL DEFAULT 0,
  last_absence_at timestamptz,
  detail text,
  asked_by text NOT NULL CHECK (asked_by <> ''),
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  ended_at timestamptz,
  CONSTRAINT capture_ends_known CHECK (CASE status WHEN 'done' THEN certainty = 'done' WHEN 'refused' THEN certainty IN ('not_sent', 'absent')
    ELSE certainty <> 'done' END AND (status = 'open') = (ended_at IS NULL)),
  CONSTRAINT capture_was_measured CHECK (attempts = 0 OR captured_before IS NOT NULL)
);
CREATE INDEX payment_captures_of_payment ON payment_captures (payment_id, id);
-- The next part only once it is known what became of the one before.
CREATE UNIQUE INDEX payment_captures_one_open ON payment_captures (payment_id) WHERE status = 'open';
CREATE TRIGGER payment_captures_keep BEFORE DELETE ON payment_captures FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What guard_money_call holds of the other calls. An unknown outcome is closed by a reading that shows it, by three that do not, ten minutes
-- apart, or by the end of the payment without it; until then nothing is sent again.
CREATE FUNCTION guard_capture() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.payment_id, NEW.amount, NEW.final, NEW.idempotency_key, NEW.asked_by) IS DISTINCT FROM
     (OLD.payment_id, OLD.amount, OLD.final, OLD.idempotency_key, OLD.asked_by) THEN
    RAISE EXCEPTION 'capture %: what is captured never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'open' AND NOT (OLD.status = 'refused' AND NEW.status = 'done') THEN
    RAISE EXCEPTION 'capture %: it has ended', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION 'capture %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts > OLD.attempts AND OLD.certainty NOT IN ('not_sent', 'absent') THEN
    RAISE EXCEPTION 'capture %: it may have been carried out, and is not sent again before that is known', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.absences > OLD.absences AND (NEW.absences <> OLD.absences + 1 OR NEW.last_absence_at IS NULL
      OR NEW.last_absence_at < OLD.last_absence_at + interval '10 minutes') THEN
    RAISE EXCEPTION 'capture %: absences this close together are one proof', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') AND NOT (NEW.certainty = 'absent' AND (NEW.absences >= 3
      OR (SELECT provider_final FROM payments WHERE id = NEW.payment_id))) THEN
    RAISE EXCEPTION 'capture %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_captures_guard BEFORE UPDATE ON payment_captures FOR EACH ROW EXECUTE FUNCTION guard_capture();

-- Never more than the payment.
CREATE FUNCTION guard_new_capture() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_payment payments;
  v_total numeric;
BEGIN
  SELECT * INTO v_payment FROM payments WHERE id = NEW.payment_id FOR UPDATE;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM payment_captures WHERE payment_id = NEW.payment_id AND status <> 'refused';
  IF v_payment.capture_method = 'automatic' OR greatest(v_total, v_payment.captured) + NEW.amount > v_payment.amount THEN
    RAISE EXCEPTION 'capture %: % cannot be captured of payment %', NEW.id, NEW.amount, NEW.payment_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER payment_captures_new BEFORE INSERT ON payment_captures FOR EACH ROW EXECUTE FUNCTION guard_new_capture();

-- An order of which a part was captured, for good, is of that part from then on: each line is what is paid of it, before anybody is
-- promised anything.
ALTER TABLE orders ADD COLUMN ordered numeric(78,0), ADD CONSTRAINT ordered_was_more CHECK (ordered > amount);
ALTER TABLE order_items
  ADD COLUMN ordered numeric(78,0),
  DROP CONSTRAINT order_items_amount_check,
  ADD CONSTRAINT order_items_amount_check CHECK (amount > 0 OR (amount = 0 AND ordered > 0)),
  ADD CONSTRAINT ordered_was_more CHECK (ordered >= amount);

CREATE FUNCTION guard_order_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.ordered IS NOT NULL OR NEW.ordered IS DISTINCT FROM OLD.amount OR OLD.status NOT IN ('pending', 'payment_failed') THEN
    RAISE EXCEPTION 'order %: what it comes to changes once, to what was captured, before it is paid', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER orders_amount BEFORE UPDATE ON orders FOR EACH ROW
  WHEN ((NEW.amount, NEW.ordered) IS DISTINCT FROM (OLD.amount, OLD.ordered)) EXECUTE FUNCTION guard_order_amount();

CREATE FUNCTION guard_order_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.ordered IS NOT NULL OR NEW.ordered IS DISTINCT FROM OLD.amount OR NEW.amount > OLD.amount OR NEW.fee > OLD.fee
    OR (NEW.order_id, NEW.position, NEW.id, NEW.kind, NEW.seller_account, NEW.description, NEW.release_kind, NEW.release_after_ms) IS DISTINCT FROM
       (OLD.order_id, OLD.position, OLD.id, OLD.kind, OLD.seller_account, OLD.description, OLD.release_kind, OLD.release_after_ms)
    OR EXISTS (SELECT 1 FROM seller_transfers WHERE order_id = OLD.order_id) THEN
    RAISE EXCEPTION 'order %: a line becomes less once, before anybody is promised anything of it', OLD.order_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER order_items_keep ON order_items;
CREATE TRIGGER order_items_keep BEFORE DELETE ON order_items FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_items_guard BEFORE UPDATE ON order_items FOR EACH ROW EXECUTE FUNCTION guard_order_item();

ALTER TABLE request_keys
  DROP CONSTRAINT request_keys_operation_check,
  ADD CONSTRAINT request_keys_operation_check CHECK (operation IN ('orders', 'payments', 'refunds', 'captures'));
CREATE INDEX payments_profiles ON payments (profile_id) WHERE profile_id IS NOT NULL;
