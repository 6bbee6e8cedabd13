-- What belongs to whom in an order: lines of sellers and of the platform, the fees it keeps, and what each refund gives back of each
-- line. Beside refunds, disputes are causes for which sellers give back.

CREATE FUNCTION new_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
    substring(int8send((extract(epoch FROM clock_now()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Items get an id of their order's time; those of before are sellers' whole, without a fee.
ALTER TABLE order_items
  ADD COLUMN id uuid,
  ADD COLUMN kind text NOT NULL DEFAULT 'item' CHECK (kind IN ('item', 'shipping', 'tax')),
  ADD COLUMN fee numeric(78,0) NOT NULL DEFAULT 0,
  ALTER COLUMN seller_account DROP NOT NULL;
ALTER TABLE order_items DISABLE TRIGGER order_items_keep;
UPDATE order_items SET id = overlay(order_id::text PLACING substr(gen_random_uuid()::text, 25) FROM 25)::uuid;
ALTER TABLE order_items ENABLE TRIGGER order_items_keep;
ALTER TABLE order_items
  ALTER COLUMN id SET NOT NULL,
  ALTER COLUMN id SET DEFAULT new_uuid_v7(),
  ADD CONSTRAINT order_items_id UNIQUE (id),
  ADD CONSTRAINT fee_is_a_part CHECK (fee >= 0 AND fee <= amount AND (seller_account IS NOT NULL OR fee = 0));

-- From the first refund on that says which lines it gives back, or who bears the fee, shares follow `cause_parts` alone.
ALTER TABLE orders ADD COLUMN by_line boolean NOT NULL DEFAULT false;

-- Who bears the fee of what is given back; NULL: from before there were fees.
ALTER TABLE refunds ADD COLUMN fee text CHECK (fee IN ('keep', 'return_proportionally'));

CREATE TABLE disputes (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  payment_id uuid NOT NULL REFERENCES payments (id),
  -- Whose record it is, and what it is called there: one dispute, whoever tells of it.
  psp_account text NOT NULL CHECK (psp_account <> ''),
  provider_dispute_id text NOT NULL CHECK (provider_dispute_id <> ''),
  hyperswitch_dispute_id text UNIQUE CHECK (hyperswitch_dispute_id <> ''),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  status text NOT NULL DEFAULT 'open' CHECK (status IN ('inquiry', 'open', 'won', 'lost', 'cancelled')),
  funds text NOT NULL DEFAULT 'none' CHECK (funds IN ('none', 'out', 'back')),
  -- The provider's own words.
  provider_status text,
  reason text,
  read_at timestamptz,
  next_check_at timestamptz,
  attention_reason text,
  attention_since timestamptz,
  attention_detail text,
  workflow_id text,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  UNIQUE (psp_account, provider_dispute_id),
  CONSTRAINT dispute_attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL))
);
CREATE INDEX disputes_of_order ON disputes (order_id);
CREATE INDEX disputes_due ON disputes (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX disputes_attention ON disputes (id DESC) WHERE attention_reason IS NOT NULL;

-- Each time the money of a dispute leaves: a cause until it is back.
CREATE TABLE dispute_withdrawals (
  id uuid PRIMARY KEY,
  dispute_id uuid NOT NULL REFERENCES disputes (id),
  order_id uuid NOT NULL REFERENCES orders (id),
  -- The record of it at the PSP; one record is one withdrawal.
  source text NOT NULL CHECK (source <> ''),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  -- The PSP's own fee, where the sellers bear it.
  fee numeric(78,0) NOT NULL DEFAULT 0 CHECK (fee >= 0),
  out_at timestamptz NOT NULL DEFAULT clock_now(),
  back_at timestamptz,
  UNIQUE (dispute_id, source)
);
CREATE INDEX dispute_withdrawals_of_order ON dispute_withdrawals (order_id);

CREATE FUNCTION guard_withdrawal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.dispute_id, NEW.order_id, NEW.source, NEW.amount, NEW.fee, NEW.out_at) IS DISTINCT FROM
     (OLD.dispute_id, OLD.order_id, OLD.source, OLD.amount, OLD.fee, OLD.out_at) OR (OLD.back_at IS NOT NULL AND NEW.back_at IS DISTINCT FROM OLD.back_at) THEN
    RAISE EXCEPTION 'withdrawal %: what left, and when it came back, never changes: the next is another one', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dispute_withdrawals_guard BEFORE UPDATE ON dispute_withdrawals FOR EACH ROW EXECUTE FUNCTION guard_withdrawal();
CREATE TRIGGER dispute_withdrawals_keep BEFORE DELETE ON dispute_withdrawals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER disputes_keep BEFORE DELETE ON disputes FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Why sellers give back. `stands`: the buyer, or his bank, has the money now. `reserved`: it may be given back.
CREATE VIEW causes AS
  SELECT id, 'refund' AS kind, order_id, amount, 0::numeric AS fee, fee AS fee_policy, status = 'succeeded' AS stands,
    status IN ('pending', 'review') AS reserved, succeeded_at AS since, created_at FROM refunds
  UNION ALL
  SELECT id, 'withdrawal', order_id, amount, fee, NULL, back_at IS NULL, false, out_at, out_at FROM dispute_withdrawals;

-- What a cause gives back of each line (position 0: what belongs to no line), and how much of that its seller bears.
CREATE TABLE cause_parts (
  cause_id uuid NOT NULL,
  order_id uuid NOT NULL REFERENCES orders (id),
  position int NOT NULL CHECK (position >= 0),
  amount numeric(78,0) NOT NULL CHECK (amount >= 0),
  from_seller numeric(78,0) NOT NULL CHECK (from_seller >= 0 AND (position > 0 OR from_seller = 0)),
  at timestamptz NOT NULL DEFAULT clock_now(),
  CHECK (amount > 0 OR from_seller > 0)
);
CREATE INDEX cause_parts_of_order ON cause_parts (order_id);
CREATE TRIGGER cause_parts_keep BEFORE UPDATE OR DELETE ON cause_parts FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A part is of a cause of its order, and never more than the cause. Serialised by the order's row.
CREATE FUNCTION guard_cause_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_cause causes;
  v_total numeric;
BEGIN
  PERFORM 1 FROM orders WHERE id = NEW.order_id FOR UPDATE;
  SELECT * INTO v_cause FROM causes WHERE id = NEW.cause_id AND order_id = NEW.order_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'cause %: it is none of order %', NEW.cause_id, NEW.order_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.position > 0 AND NOT EXISTS (SELECT 1 FROM order_items WHERE order_id = NEW.order_id AND position = NEW.position
      AND (seller_account IS NOT NULL OR NEW.from_seller = 0)) THEN
    RAISE EXCEPTION 'cause %: line % of order % has no seller who could bear it', NEW.cause_id, NEW.position, NEW.order_id
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(amount), 0) + NEW.amount INTO v_total FROM cause_parts WHERE cause_id = NEW.cause_id;
  IF v_total > v_cause.amount THEN
    RAISE EXCEPTION 'cause %: its parts come to % of %', NEW.cause_id, v_total, v_cause.amount USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER cause_parts_guard BEFORE INSERT ON cause_parts FOR EACH ROW EXECUTE FUNCTION guard_cause_part();

ALTER TABLE reversals
  ALTER COLUMN refund_id DROP NOT NULL,
  ADD COLUMN withdrawal_id uuid REFERENCES dispute_withdrawals (id),
  ADD CONSTRAINT reversal_has_one_cause CHECK (num_nonnulls(refund_id, withdrawal_id) = 1),
  ADD CONSTRAINT reversals_withdrawal_id_transfer_id_key UNIQUE (withdrawal_id, transfer_id);

ALTER TABLE seller_transfers
  ADD COLUMN compensates_withdrawal uuid REFERENCES dispute_withdrawals (id),
  DROP CONSTRAINT compensation_is_whole,
  ADD CONSTRAINT compensation_is_whole CHECK (
    (origin = 'compensation') = (compensates_transfer IS NOT NULL)
    AND num_nonnulls(compensates_refund, compensates_withdrawal) = (origin = 'compensation')::int);
CREATE UNIQUE INDEX seller_transfers_one_restoration ON seller_transfers (compensates_withdrawal, compensates_transfer)
  WHERE compensates_withdrawal IS NOT NULL;

-- As in 0026, with the other kind of cause.
CREATE OR REPLACE FUNCTION guard_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transfer seller_transfers;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.refund_id, NEW.withdrawal_id, NEW.transfer_id, NEW.order_id, NEW.seller_account, NEW.currency) IS DISTINCT FROM
       (OLD.refund_id, OLD.withdrawal_id, OLD.transfer_id, OLD.order_id, OLD.seller_account, OLD.currency)
      OR (NEW.amount <> OLD.amount AND NOT (OLD.certainty IN ('not_sent', 'absent') AND NEW.params IS NULL
        AND OLD.status IN ('pending', 'waiting_balance') AND NEW.status = OLD.status AND OLD.counted = 0)) THEN
      RAISE EXCEPTION 'reversal %: what it takes back, and from whom, never changes once it may have been sent', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stripe_reversal_id IS NOT NULL AND NEW.stripe_reversal_id IS DISTINCT FROM OLD.stripe_reversal_id THEN
      RAISE EXCEPTION 'reversal %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.amount = OLD.amount AND (NEW.status = OLD.status OR OLD.status <> 'written_off') THEN RETURN NEW; END IF;
  END IF;
  SELECT * INTO v_transfer FROM seller_transfers WHERE id = NEW.transfer_id FOR UPDATE;
  IF (v_transfer.order_id, v_transfer.seller_account, v_transfer.currency) IS DISTINCT FROM (NEW.order_id, NEW.seller_account, NEW.currency) THEN
    RAISE EXCEPTION 'reversal %: it belongs to another order, seller or currency than its transfer', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM reversals
    WHERE transfer_id = NEW.transfer_id AND id <> NEW.id AND status <> 'written_off';
  IF v_total + NEW.amount > v_transfer.amount THEN
    RAISE EXCEPTION 'reversal %: % with % already taken back exceeds the transfer of %', NEW.id, NEW.amount, v_total, v_transfer.amount
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- As in 0007, with the other kind of cause.
CREATE OR REPLACE FUNCTION reversal_before(p_id uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT r.id FROM reversals x JOIN reversals r ON r.transfer_id = x.transfer_id AND r.id <> x.id
      JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)
    WHERE x.id = p_id AND ((r.runner IS NOT NULL AND r.runner_until > clock_now())
      OR (r.status = 'pending' AND c.stands AND r.place < x.place))
    ORDER BY r.place LIMIT 1
$$;

-- What each party of an order was promised of what the buyer paid, and how much of that is the buyer's again: the sellers, and as
-- the rest the platform (no seller). Written wherever one of the sums changes, and checked when the transaction ends.
CREATE TABLE order_shares (
  order_id uuid NOT NULL REFERENCES orders (id),
  seller_account text CHECK (seller_account <> ''),
  promised numeric(78,0) NOT NULL,
  due_back numeric(78,0) NOT NULL,
  UNIQUE NULLS NOT DISTINCT (order_id, seller_account),
  CONSTRAINT seller_gives_back_what_he_was_promised CHECK (seller_account IS NULL OR due_back BETWEEN 0 AND promised)
);

-- What is not the sellers' is the platform's: its lines, the fees, and what refunds and disputes leave it, which may be a debt. A row
-- where that has changed.
CREATE FUNCTION book_platform(p_order uuid) RETURNS TABLE (now_promised numeric, now_due_back numeric) LANGUAGE sql AS $$
  INSERT INTO order_shares (order_id, seller_account, promised, due_back)
    SELECT p_order, NULL,
      coalesce((SELECT captured FROM payments WHERE order_id = p_order), 0) - coalesce(sum(promised), 0),
      coalesce((SELECT sum(amount) FROM causes WHERE order_id = p_order AND stands), 0) - coalesce(sum(due_back), 0)
    FROM order_shares WHERE order_id = p_order AND seller_account IS NOT NULL
  ON CONFLICT (order_id, seller_account) DO UPDATE SET promised = EXCLUDED.promised, due_back = EXCLUDED.due_back
    WHERE (order_shares.promised, order_shares.due_back) IS DISTINCT FROM (EXCLUDED.promised, EXCLUDED.due_back)
  RETURNING promised, due_back
$$;

INSERT INTO order_shares (order_id, seller_account, promised, due_back)
  SELECT order_id, seller_account, sum(promised), sum(CASE WHEN refunded >= paid THEN promised ELSE whole - whole % step END)
  FROM (SELECT t.order_id, t.seller_account, t.promised, s.paid, s.refunded, s.step, div(t.promised * s.refunded, s.paid) AS whole
    FROM seller_transfers t JOIN (SELECT o.id, o.amount AS paid,
        least(o.amount, coalesce((SELECT sum(amount) FROM refunds WHERE order_id = o.id AND status = 'succeeded'), 0)) AS refunded,
        CASE WHEN o.currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 10 WHEN o.currency IN ('ISK', 'UGX') THEN 100 ELSE 1 END AS step
      FROM orders o) AS s ON s.id = t.order_id
    WHERE t.compensates_transfer IS NULL) AS promises
  GROUP BY order_id, seller_account;
SELECT book_platform(order_id) FROM payments WHERE captured > 0 OR order_id IN (SELECT order_id FROM order_shares);

-- What was captured, less what the buyer has again, is what the parties are entitled to.
CREATE FUNCTION guard_order_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_paid numeric := coalesce((SELECT captured FROM payments WHERE order_id = NEW.order_id), 0);
  v_back numeric := coalesce((SELECT sum(amount) FROM causes WHERE order_id = NEW.order_id AND stands), 0);
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
CREATE CONSTRAINT TRIGGER payments_shared_out AFTER UPDATE OF captured ON payments DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.captured <> OLD.captured) EXECUTE FUNCTION guard_order_shares();
CREATE CONSTRAINT TRIGGER refunds_shared_out AFTER UPDATE OF status ON refunds DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN ((NEW.status = 'succeeded') <> (OLD.status = 'succeeded')) EXECUTE FUNCTION guard_order_shares();
CREATE CONSTRAINT TRIGGER withdrawals_shared_out AFTER INSERT OR UPDATE ON dispute_withdrawals DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION guard_order_shares();
CREATE CONSTRAINT TRIGGER shares_shared_out AFTER INSERT OR UPDATE ON order_shares DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION guard_order_shares();
