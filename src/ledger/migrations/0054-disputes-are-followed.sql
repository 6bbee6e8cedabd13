-- Disputes are found, read again and decided about, and what left our balance because of them is recorded as it is at the processor.

ALTER TABLE payments
  -- When it is looked at for disputes and refunds that nobody told of; NULL: nothing was captured, or no network takes one any more.
  ADD COLUMN disputes_look_at timestamptz;
CREATE INDEX payments_looked_at ON payments (disputes_look_at) WHERE disputes_look_at IS NOT NULL;
CREATE INDEX payments_at_processor ON payments (connector_transaction_id) WHERE connector_transaction_id IS NOT NULL;

-- However money of a buyer becomes known: captured in whole, in part, or nobody knows.
CREATE FUNCTION payment_may_be_disputed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.disputes_look_at := clock_now() + interval '1 hour';
  RETURN NEW;
END $$;
CREATE TRIGGER payments_disputable BEFORE UPDATE ON payments FOR EACH ROW
  WHEN (NEW.hyperswitch_payment_id IS NOT NULL AND NEW.captured > 0 AND OLD.captured = 0) EXECUTE FUNCTION payment_may_be_disputed();

-- What was captured before this, spread over a day.
UPDATE payments SET disputes_look_at = clock_now() + random() * interval '1 day'
  WHERE hyperswitch_payment_id IS NOT NULL AND captured > 0 AND created_at > clock_now() - interval '540 days';

-- A refund is known by the processor's own id too: whoever tells of it, it is one.
ALTER TABLE refunds
  ADD COLUMN connector_refund_id text CHECK (connector_refund_id <> ''),
  -- Whether the processor itself holds it as succeeded; NULL: not read since it last changed here.
  ADD COLUMN connector_succeeded boolean,
  -- When sellers were paid again what it had taken before it failed; NULL: not since it failed last.
  ADD COLUMN made_good_at timestamptz;
UPDATE refunds r SET made_good_at = (SELECT max(created_at) FROM seller_transfers
    WHERE order_id = r.order_id AND compensates_refund IS NOT NULL AND created_at >= r.failed_at)
  WHERE status = 'failed' AND succeeded_at IS NOT NULL;
CREATE UNIQUE INDEX refunds_at_processor ON refunds (connector_refund_id) WHERE connector_refund_id IS NOT NULL;

-- Refunds that the processor holds and Hyperswitch has not named: an hour later a person is asked.
CREATE TABLE unnamed_refunds (
  provider_refund_id text PRIMARY KEY CHECK (provider_refund_id <> ''),
  payment_id uuid NOT NULL REFERENCES payments (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  succeeded boolean NOT NULL,
  -- What it was made from at Hyperswitch, where its connector wrote that on it: the refund of that id is this one.
  made_from text CHECK (made_from <> ''),
  seen_at timestamptz NOT NULL DEFAULT clock_now(),
  -- A person has said what is to become of it.
  decided_at timestamptz
);
CREATE INDEX unnamed_refunds_of_payment ON unnamed_refunds (payment_id);
CREATE TRIGGER unnamed_refunds_keep BEFORE DELETE ON unnamed_refunds FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE disputes
  -- Who makes it a cause: the payment's own provider, or a person where that names it not. NULL: only the processor has told of it.
  ADD COLUMN named_by text CHECK (named_by IN ('hyperswitch', 'decision')),
  -- When anything of it was last found changed: it is read ever less often since then.
  ADD COLUMN changed_at timestamptz NOT NULL DEFAULT clock_now(),
  ADD COLUMN last_answer text,
  ADD COLUMN detail text,
  ADD CONSTRAINT named_by_hyperswitch_has_its_id CHECK (named_by IS DISTINCT FROM 'hyperswitch' OR hyperswitch_dispute_id IS NOT NULL);

-- While DISPUTE_POLICY leaves it with the platform it is no cause for sellers to give back; from then on it is one until it is back.
ALTER TABLE dispute_withdrawals ADD COLUMN platform_bears boolean NOT NULL DEFAULT false,
  -- What was out before it of the same money: the rest of that, or what the record has where persons had said it.
  ADD COLUMN continues uuid REFERENCES dispute_withdrawals (id),
  -- It is back by word alone: where the record has it out, it is out again.
  ADD COLUMN said_back boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION guard_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.dispute_id, NEW.order_id, NEW.source, NEW.amount, NEW.fee, NEW.out_at, NEW.continues) IS DISTINCT FROM
     (OLD.dispute_id, OLD.order_id, OLD.source, OLD.amount, OLD.fee, OLD.out_at, OLD.continues)
    OR (OLD.back_at IS NOT NULL AND NEW.back_at IS DISTINCT FROM OLD.back_at) THEN
    RAISE EXCEPTION 'withdrawal %: what left, and when it came back, never changes: the next is another one', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.platform_bears AND NOT OLD.platform_bears THEN
    RAISE EXCEPTION 'withdrawal %: what sellers bear goes back to them when it is back, and not before', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- Only what its own provider, or a person, has named is a cause; one record at the processor is one withdrawal.
CREATE FUNCTION guard_withdrawal_is_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM disputes WHERE id = NEW.dispute_id AND order_id = NEW.order_id AND named_by IS NOT NULL) THEN
    RAISE EXCEPTION 'withdrawal %: its dispute is of another order, or nobody has named it', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dispute_withdrawals_named BEFORE INSERT ON dispute_withdrawals FOR EACH ROW EXECUTE FUNCTION guard_withdrawal_is_named();

CREATE FUNCTION guard_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.order_id, NEW.payment_id, NEW.psp_account, NEW.provider_dispute_id) IS DISTINCT FROM
     (OLD.order_id, OLD.payment_id, OLD.psp_account, OLD.provider_dispute_id)
    OR (OLD.hyperswitch_dispute_id IS NOT NULL AND NEW.hyperswitch_dispute_id IS DISTINCT FROM OLD.hyperswitch_dispute_id)
    OR (OLD.named_by IS NOT NULL AND NEW.named_by IS NULL) THEN
    RAISE EXCEPTION 'dispute %: which one it is never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER disputes_guard BEFORE UPDATE ON disputes FOR EACH ROW EXECUTE FUNCTION guard_dispute();

CREATE OR REPLACE VIEW causes AS
  SELECT id, 'refund' AS kind, order_id, amount, 0::numeric AS fee, fee AS fee_policy, status = 'succeeded' AS stands,
    status IN ('pending', 'review') AS reserved, succeeded_at AS since, created_at, false AS borne FROM refunds
  UNION ALL
  SELECT id, 'withdrawal', order_id, amount, fee, NULL, back_at IS NULL AND NOT platform_bears, false, out_at, out_at,
    back_at IS NULL AND platform_bears FROM dispute_withdrawals;

-- As in 0052; what the platform bears while DISPUTE_POLICY has the sellers wait is back with the buyer too, and all of it the platform's.
CREATE OR REPLACE FUNCTION book_platform(p_order uuid) RETURNS TABLE (now_promised numeric, now_due_back numeric) LANGUAGE sql AS $$
  INSERT INTO order_shares (order_id, seller_account, promised, due_back)
    SELECT p_order, NULL,
      coalesce((SELECT captured FROM payments WHERE order_id = p_order), 0) - coalesce(sum(promised), 0),
      coalesce((SELECT sum(amount) FROM causes WHERE order_id = p_order AND (stands OR borne)), 0) - coalesce(sum(due_back), 0)
    FROM order_shares WHERE order_id = p_order AND seller_account IS NOT NULL
  ON CONFLICT (order_id, seller_account) DO UPDATE SET promised = EXCLUDED.promised, due_back = EXCLUDED.due_back
    WHERE (order_shares.promised, order_shares.due_back) IS DISTINCT FROM (EXCLUDED.promised, EXCLUDED.due_back)
  RETURNING promised, due_back
$$;
CREATE OR REPLACE FUNCTION guard_order_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_paid numeric := coalesce((SELECT captured FROM payments WHERE order_id = NEW.order_id), 0);
  v_back numeric := coalesce((SELECT sum(amount) FROM causes WHERE order_id = NEW.order_id AND (stands OR borne)), 0);
  v_promised numeric;
  v_due numeric;
BEGIN
  SELECT coalesce(sum(promised), 0), coalesce(sum(due_back), 0) INTO v_promised, v_due FROM order_shares WHERE order_id = NEW.order_id;
  IF (v_promised, v_due) IS DISTINCT FROM (v_paid, v_back) THEN
    RAISE EXCEPTION 'order %: % captured and % back with the buyer are shared out as % and %', NEW.order_id, v_paid, v_back, v_promised, v_due
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

ALTER TABLE operation_events DROP CONSTRAINT operation_events_item_kind_check;
ALTER TABLE operation_events ADD CONSTRAINT operation_events_item_kind_check CHECK (item_kind IN (
  'settlement', 'provider', 'lease', 'order', 'payment', 'refund', 'transfer', 'reversal', 'seller', 'webhook', 'backfill', 'dispute'));
ALTER TABLE decisions
  DROP CONSTRAINT decisions_item_kind_check,
  ADD CONSTRAINT decisions_item_kind_check CHECK (item_kind IN ('settlement', 'transfer', 'reversal', 'refund', 'payment', 'dispute'));
