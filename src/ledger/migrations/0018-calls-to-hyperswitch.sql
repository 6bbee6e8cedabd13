-- Payments and refunds are money calls like transfers and reversals: an unknown outcome is closed only by evidence, and the
-- same guard stands over all four tables. Payments may wait for a person. Whose Hyperswitch this ledger belongs to is pinned.

-- Like stripe_account: the first use pins, for ever.
CREATE TABLE hyperswitch_account (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  merchant_id text NOT NULL CHECK (merchant_id <> ''),
  -- Null where Hyperswitch names no profile.
  profile_id text CHECK (profile_id <> ''),
  pinned_at timestamptz NOT NULL DEFAULT clock_now()
);
CREATE TRIGGER hyperswitch_account_keep BEFORE UPDATE OR DELETE ON hyperswitch_account
  FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE payments
  ADD COLUMN generation int NOT NULL DEFAULT 1,
  ADD COLUMN key_first_sent_at timestamptz,
  ADD COLUMN params text,
  ADD COLUMN absences int NOT NULL DEFAULT 0,
  ADD COLUMN last_absence_at timestamptz,
  -- A no that was given while an earlier attempt's outcome was unknown: nothing is sent any more, absence is waited for.
  ADD COLUMN refusal text,
  -- What the buyer has surely paid, whatever the payment is called: as much can be given back.
  ADD COLUMN captured numeric(78,0) NOT NULL DEFAULT 0,
  -- Cancelling is a money call of its own; whatever it says, what is read of the payment decides.
  ADD COLUMN cancel_asked_at timestamptz,
  ADD COLUMN cancel_asked_by text,
  ADD COLUMN cancel_certainty text NOT NULL DEFAULT 'not_sent',
  ADD COLUMN written_off_at timestamptz,
  ADD COLUMN attention_reason text,
  ADD COLUMN attention_since timestamptz,
  ADD COLUMN attention_detail text,
  DROP CONSTRAINT unfinished_payment_is_found_again;
ALTER TABLE refunds
  ADD COLUMN generation int NOT NULL DEFAULT 1,
  ADD COLUMN key_first_sent_at timestamptz,
  ADD COLUMN params text,
  ADD COLUMN absences int NOT NULL DEFAULT 0,
  ADD COLUMN last_absence_at timestamptz,
  ADD COLUMN refusal text;

-- Of payments that succeeded, exactly the whole amount was taken: nothing else was ever called succeeded here.
UPDATE payments SET captured = amount WHERE status = 'succeeded';

ALTER TABLE payments
  -- At Hyperswitch the id is the key, and it stands for one payment for ever.
  ADD CONSTRAINT payment_has_one_key CHECK (generation = 1),
  ADD CONSTRAINT captured_is_no_debt CHECK (captured >= 0),
  ADD CONSTRAINT payment_succeeded_is_captured CHECK (status <> 'succeeded' OR captured > 0),
  ADD CONSTRAINT payment_cancel_is_whole CHECK ((cancel_asked_at IS NULL) = (cancel_asked_by IS NULL)),
  ADD CONSTRAINT payment_cancel_certainty CHECK (cancel_certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),
  ADD CONSTRAINT payment_attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL)),
  ADD CONSTRAINT unfinished_payment_is_found_again CHECK (status NOT IN ('pending', 'processing') OR next_check_at IS NOT NULL);
ALTER TABLE refunds ADD CONSTRAINT refund_has_one_key CHECK (generation = 1);
CREATE INDEX payments_attention ON payments (id DESC) WHERE attention_reason IS NOT NULL;

-- As before, for all four tables. Its second argument says how many proofs of absence close an unknown, its third how far
-- apart they have to be; what was seen absent once before it was sent again proves nothing.
CREATE OR REPLACE FUNCTION guard_money_call() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  what text := TG_ARGV[0] || ' ' || OLD.id;
  proofs int := coalesce(TG_ARGV[1]::int, 1);
  apart interval := TG_ARGV[2]::interval;
BEGIN
  IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
    RAISE EXCEPTION '%: what is done stays done', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION '%: attempts are never forgotten', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.absences > OLD.absences AND apart IS NOT NULL
    AND (NEW.absences <> OLD.absences + 1 OR NEW.last_absence_at IS NULL OR NEW.last_absence_at < OLD.last_absence_at + apart) THEN
    RAISE EXCEPTION '%: absences this close together are one proof', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.generation = OLD.generation THEN
    IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') AND NOT (NEW.certainty = 'absent' AND NEW.absences >= proofs) THEN
      RAISE EXCEPTION '%: an unknown outcome is closed only by evidence', what USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.idempotency_key <> OLD.idempotency_key OR (OLD.params IS NOT NULL AND NEW.params IS DISTINCT FROM OLD.params)
      OR (OLD.key_first_sent_at IS NOT NULL AND NEW.key_first_sent_at IS DISTINCT FROM OLD.key_first_sent_at) THEN
      RAISE EXCEPTION '%: key and parameters are frozen for a generation', what USING ERRCODE = 'check_violation';
    END IF;
  ELSIF NEW.generation <> OLD.generation + 1 OR NEW.idempotency_key = OLD.idempotency_key OR NEW.certainty <> 'not_sent'
    OR NEW.key_first_sent_at IS NOT NULL
    OR NOT (OLD.certainty IN ('not_sent', 'absent') OR (OLD.certainty = 'unknown' AND OLD.absences >= 2)) THEN
    RAISE EXCEPTION '%: a new generation needs evidence that the earlier one moved nothing', what USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION guard_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.order_id, NEW.amount, NEW.currency, NEW.origin) IS DISTINCT FROM (OLD.order_id, OLD.amount, OLD.currency, OLD.origin) THEN
    RAISE EXCEPTION 'payment %: its order and amount never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.hyperswitch_payment_id IS NOT NULL AND NEW.hyperswitch_payment_id IS DISTINCT FROM OLD.hyperswitch_payment_id THEN
    RAISE EXCEPTION 'payment %: the id at the provider is never replaced', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- What was refunded, or may still be, is at most what was captured, whether or not it paid the order. Serialised by the
-- order's row. A refund made in the provider's dashboard is measured when it has succeeded.
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
  SELECT captured INTO v_captured FROM payments WHERE id = NEW.payment_id AND order_id = NEW.order_id AND captured > 0;
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

CREATE TRIGGER payments_call BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION guard_money_call('payment', '3', '10 minutes');
CREATE TRIGGER payments_guard BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION guard_payment();
CREATE TRIGGER refunds_call BEFORE UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION guard_money_call('refund', '3', '10 minutes');
