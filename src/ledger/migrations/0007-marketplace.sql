-- Orders paid through Hyperswitch, sellers' shares sent as Stripe transfers, refunds, and the reversals that take the
-- shares back. Amounts are integers in minor units. Every change of a status is one of the moves in `may_become`.

ALTER TABLE operation_events DROP CONSTRAINT operation_events_item_kind_check;
ALTER TABLE operation_events ADD CONSTRAINT operation_events_item_kind_check CHECK (item_kind IN (
  'settlement', 'provider', 'lease', 'order', 'payment', 'refund', 'transfer', 'reversal', 'seller', 'webhook', 'backfill'));
ALTER TABLE decisions DROP CONSTRAINT decisions_item_kind_check;
ALTER TABLE decisions ADD CONSTRAINT decisions_item_kind_check CHECK (item_kind IN ('settlement', 'transfer', 'reversal', 'refund'));
ALTER TABLE decisions DROP CONSTRAINT decisions_action_check;
ALTER TABLE decisions ADD CONSTRAINT decisions_action_check CHECK ((item_kind, action) IN (
  ('settlement', 'retry'), ('settlement', 'settled'), ('settlement', 'write_off'),
  ('transfer', 'retry'), ('transfer', 'adopt'), ('transfer', 'write_off'),
  ('reversal', 'retry'), ('reversal', 'adopt'), ('reversal', 'write_off'),
  ('refund', 'retry'), ('refund', 'compensate'), ('refund', 'write_off')));

CREATE FUNCTION may_become(kind text, was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (kind, was, becomes) IN (
    ('order', 'pending', 'paid'), ('order', 'pending', 'payment_failed'), ('order', 'payment_failed', 'paid'),
    ('order', 'paid', 'partially_refunded'), ('order', 'paid', 'refunded'),
    ('order', 'partially_refunded', 'refunded'), ('order', 'partially_refunded', 'paid'),
    ('order', 'refunded', 'partially_refunded'), ('order', 'refunded', 'paid'),
    ('payment', 'pending', 'processing'), ('payment', 'pending', 'succeeded'), ('payment', 'pending', 'failed'),
    ('payment', 'pending', 'cancelled'), ('payment', 'processing', 'pending'), ('payment', 'processing', 'succeeded'),
    ('payment', 'processing', 'failed'), ('payment', 'processing', 'cancelled'), ('payment', 'failed', 'pending'),
    ('payment', 'failed', 'processing'), ('payment', 'failed', 'succeeded'), ('payment', 'failed', 'cancelled'),
    ('payment', 'cancelled', 'succeeded'),
    ('refund', 'pending', 'review'), ('refund', 'pending', 'succeeded'), ('refund', 'pending', 'failed'),
    ('refund', 'review', 'pending'), ('refund', 'review', 'succeeded'), ('refund', 'review', 'failed'),
    ('refund', 'succeeded', 'failed'), ('refund', 'failed', 'succeeded'),
    ('transfer', 'pending', 'completed'), ('transfer', 'pending', 'failed'), ('transfer', 'pending', 'cancelled'),
    ('transfer', 'failed', 'completed'), ('transfer', 'failed', 'cancelled'), ('transfer', 'failed', 'permanently_failed'),
    ('transfer', 'completed', 'reversal_pending'),
    ('transfer', 'reversal_pending', 'reversed'), ('transfer', 'reversal_pending', 'partially_reversed'),
    ('transfer', 'reversal_pending', 'completed'), ('transfer', 'reversal_pending', 'permanently_failed'),
    ('transfer', 'partially_reversed', 'reversal_pending'), ('transfer', 'partially_reversed', 'reversed'),
    ('transfer', 'permanently_failed', 'reversal_pending'), ('transfer', 'permanently_failed', 'reversed'),
    ('transfer', 'permanently_failed', 'partially_reversed'), ('transfer', 'permanently_failed', 'completed'),
    ('reversal', 'pending', 'waiting_balance'), ('reversal', 'pending', 'reversed'),
    ('reversal', 'pending', 'permanently_failed'), ('reversal', 'pending', 'written_off'),
    ('reversal', 'waiting_balance', 'pending'), ('reversal', 'waiting_balance', 'reversed'),
    ('reversal', 'waiting_balance', 'permanently_failed'), ('reversal', 'waiting_balance', 'written_off'),
    ('reversal', 'permanently_failed', 'pending'), ('reversal', 'permanently_failed', 'reversed'),
    ('reversal', 'permanently_failed', 'written_off'), ('reversal', 'written_off', 'reversed'),
    ('reversal', 'written_off', 'pending'))
$$;

-- One trigger for every table with a status; its argument names the kind.
CREATE FUNCTION guard_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> OLD.status AND NOT may_become(TG_ARGV[0], OLD.status, NEW.status) THEN
    RAISE EXCEPTION '% %: % cannot become %', TG_ARGV[0], OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TABLE orders (
  id uuid PRIMARY KEY,
  -- What a historical order was called before it came here; Stripe's metadata[order_id] then carries this.
  reference text UNIQUE CHECK (reference <> ''),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'paid', 'partially_refunded', 'refunded', 'payment_failed')),
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  paid_at timestamptz,
  CONSTRAINT paid_since CHECK ((status IN ('pending', 'payment_failed')) = (paid_at IS NULL))
);

CREATE TABLE order_items (
  order_id uuid NOT NULL REFERENCES orders (id),
  position int NOT NULL CHECK (position >= 1),
  seller_account text NOT NULL CHECK (seller_account <> ''),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  description text NOT NULL,
  PRIMARY KEY (order_id, position)
);

CREATE TABLE payments (
  id uuid PRIMARY KEY,
  -- Its key is the order's id, so an order has one payment for ever.
  order_id uuid NOT NULL UNIQUE REFERENCES orders (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'processing', 'succeeded', 'failed', 'cancelled')),
  provider_status text,
  certainty text NOT NULL DEFAULT 'not_sent' CHECK (certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),
  idempotency_key text NOT NULL UNIQUE,
  hyperswitch_payment_id text,
  sealed_client_secret bytea,
  sealed_key_id text,
  attempts int NOT NULL DEFAULT 0,
  runner text,
  runner_until timestamptz,
  last_answer text,
  detail text,
  read_at timestamptz,
  next_check_at timestamptz,
  workflow_id text,
  origin text NOT NULL DEFAULT 'api' CHECK (origin IN ('api', 'import')),
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  CONSTRAINT payment_runner_is_whole CHECK ((runner IS NULL) = (runner_until IS NULL)),
  CONSTRAINT payment_secret_is_whole CHECK ((sealed_client_secret IS NULL) = (sealed_key_id IS NULL)),
  CONSTRAINT payment_succeeded_is_certain CHECK (status <> 'succeeded' OR certainty = 'done'),
  CONSTRAINT unfinished_payment_is_found_again CHECK ((status IN ('pending', 'processing')) = (next_check_at IS NOT NULL))
);
CREATE UNIQUE INDEX payments_hyperswitch ON payments (hyperswitch_payment_id)
  WHERE hyperswitch_payment_id IS NOT NULL AND hyperswitch_payment_id <> '';
CREATE INDEX payments_due ON payments (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE TABLE refunds (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  payment_id uuid NOT NULL REFERENCES payments (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  reason text NOT NULL,
  -- `provider`: made in the provider's own dashboard and found by us.
  origin text NOT NULL DEFAULT 'api' CHECK (origin IN ('api', 'provider')),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'review', 'succeeded', 'failed')),
  certainty text NOT NULL DEFAULT 'not_sent' CHECK (certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),
  idempotency_key text NOT NULL UNIQUE,
  hyperswitch_refund_id text,
  attempts int NOT NULL DEFAULT 0,
  runner text,
  runner_until timestamptz,
  last_answer text,
  detail text,
  read_at timestamptz,
  next_check_at timestamptz,
  attention_reason text,
  attention_since timestamptz,
  attention_detail text,
  workflow_id text,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  succeeded_at timestamptz,
  failed_at timestamptz,
  CONSTRAINT refund_runner_is_whole CHECK ((runner IS NULL) = (runner_until IS NULL)),
  CONSTRAINT refund_attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL)),
  CONSTRAINT refund_succeeded_is_certain CHECK (status <> 'succeeded' OR (certainty = 'done' AND succeeded_at IS NOT NULL)),
  CONSTRAINT unfinished_refund_is_found_again CHECK (status NOT IN ('pending', 'review') OR next_check_at IS NOT NULL)
);
CREATE UNIQUE INDEX refunds_hyperswitch ON refunds (hyperswitch_refund_id)
  WHERE hyperswitch_refund_id IS NOT NULL AND hyperswitch_refund_id <> '';
CREATE INDEX refunds_of_order ON refunds (order_id);
CREATE INDEX refunds_due ON refunds (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX refunds_attention ON refunds (id DESC) WHERE attention_reason IS NOT NULL;

CREATE TABLE seller_transfers (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES orders (id),
  seller_account text NOT NULL CHECK (seller_account <> ''),
  currency text NOT NULL,
  -- What the seller was to get; less what was withheld because a refund came before the transfer was sent.
  promised numeric(78,0) NOT NULL CHECK (promised > 0),
  withheld numeric(78,0) NOT NULL DEFAULT 0 CHECK (withheld >= 0),
  amount numeric(78,0) NOT NULL,
  amount_reversed numeric(78,0) NOT NULL DEFAULT 0,
  -- Paid to the seller again by compensations, after a refund failed that had already been taken back.
  compensated numeric(78,0) NOT NULL DEFAULT 0 CHECK (compensated >= 0),
  origin text NOT NULL DEFAULT 'order' CHECK (origin IN ('order', 'import', 'compensation')),
  compensates_refund uuid REFERENCES refunds (id),
  compensates_transfer uuid REFERENCES seller_transfers (id),
  status text NOT NULL DEFAULT 'pending' CHECK (status IN (
    'pending', 'failed', 'cancelled', 'completed', 'reversal_pending', 'partially_reversed', 'reversed', 'permanently_failed')),
  certainty text NOT NULL DEFAULT 'not_sent' CHECK (certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),
  stripe_transfer_id text,
  completed_at timestamptz,
  written_off_at timestamptz,
  attempts int NOT NULL DEFAULT 0,
  retry_count int NOT NULL DEFAULT 0,
  generation int NOT NULL DEFAULT 1 CHECK (generation >= 1),
  idempotency_key text NOT NULL UNIQUE,
  key_first_sent_at timestamptz,
  params text,
  absences int NOT NULL DEFAULT 0,
  last_absence_at timestamptz,
  runner text,
  runner_until timestamptz,
  last_answer text,
  provider_request_id text,
  next_retry_at timestamptz,
  next_check_at timestamptz,
  attention_reason text,
  attention_since timestamptz,
  attention_detail text,
  workflow_id text,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  CONSTRAINT amount_is_what_remains CHECK (amount = promised - withheld AND amount >= 0),
  CONSTRAINT reversed_within_transfer CHECK (amount_reversed BETWEEN 0 AND amount),
  CONSTRAINT compensated_within_taken CHECK (compensated <= withheld + amount_reversed),
  CONSTRAINT compensation_is_whole CHECK (
    (origin = 'compensation') = (compensates_refund IS NOT NULL) AND (origin = 'compensation') = (compensates_transfer IS NOT NULL)),
  CONSTRAINT completed_is_certain CHECK (completed_at IS NULL OR certainty = 'done'),
  CONSTRAINT completed_has_a_date CHECK (status NOT IN ('completed', 'reversal_pending', 'partially_reversed', 'reversed') OR completed_at IS NOT NULL),
  CONSTRAINT failed_has_no_transfer CHECK (status NOT IN ('pending', 'failed', 'cancelled') OR stripe_transfer_id IS NULL),
  CONSTRAINT cancelled_was_not_sent CHECK (status <> 'cancelled' OR (amount = 0 AND certainty IN ('not_sent', 'absent'))),
  CONSTRAINT transfer_runner_is_whole CHECK ((runner IS NULL) = (runner_until IS NULL)),
  CONSTRAINT transfer_attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL)),
  CONSTRAINT unfinished_transfer_is_found_again CHECK (status NOT IN ('pending', 'failed') OR next_check_at IS NOT NULL)
);
CREATE UNIQUE INDEX seller_transfers_stripe ON seller_transfers (stripe_transfer_id)
  WHERE stripe_transfer_id IS NOT NULL AND stripe_transfer_id <> '';
CREATE UNIQUE INDEX seller_transfers_one_per_seller ON seller_transfers (order_id, seller_account) WHERE origin = 'order';
CREATE UNIQUE INDEX seller_transfers_one_compensation ON seller_transfers (compensates_refund, compensates_transfer) WHERE origin = 'compensation';
CREATE INDEX seller_transfers_of_order ON seller_transfers (order_id);
CREATE INDEX seller_transfers_due ON seller_transfers (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX seller_transfers_attention ON seller_transfers (id DESC) WHERE attention_reason IS NOT NULL;
CREATE INDEX seller_transfers_without_id ON seller_transfers (seller_account) WHERE completed_at IS NOT NULL AND stripe_transfer_id IS NULL;

CREATE TABLE reversals (
  id uuid PRIMARY KEY,
  -- First in, first out among the reversals of one transfer: their ids are derived and have no order.
  place bigint GENERATED ALWAYS AS IDENTITY,
  refund_id uuid NOT NULL REFERENCES refunds (id),
  transfer_id uuid NOT NULL REFERENCES seller_transfers (id),
  order_id uuid NOT NULL REFERENCES orders (id),
  seller_account text NOT NULL,
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'waiting_balance', 'reversed', 'permanently_failed', 'written_off')),
  certainty text NOT NULL DEFAULT 'not_sent' CHECK (certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),
  stripe_reversal_id text,
  reversed_at timestamptz,
  waiting_since timestamptz,
  -- Given up because nothing was due any more (its refund failed, or its transfer was never sent), not by an operator.
  voided boolean NOT NULL DEFAULT false,
  attempts int NOT NULL DEFAULT 0,
  retry_count int NOT NULL DEFAULT 0,
  generation int NOT NULL DEFAULT 1 CHECK (generation >= 1),
  idempotency_key text NOT NULL UNIQUE,
  key_first_sent_at timestamptz,
  params text,
  absences int NOT NULL DEFAULT 0,
  last_absence_at timestamptz,
  runner text,
  runner_until timestamptz,
  last_answer text,
  provider_request_id text,
  next_retry_at timestamptz,
  next_check_at timestamptz,
  attention_reason text,
  attention_since timestamptz,
  attention_detail text,
  workflow_id text,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  UNIQUE (refund_id, transfer_id),
  CONSTRAINT reversed_is_proved CHECK ((status = 'reversed') = (stripe_reversal_id IS NOT NULL)
    AND (status <> 'reversed' OR (certainty = 'done' AND reversed_at IS NOT NULL))),
  CONSTRAINT written_off_is_absent CHECK (status <> 'written_off' OR certainty IN ('not_sent', 'absent')),
  CONSTRAINT voided_is_written_off CHECK (NOT voided OR status IN ('written_off', 'reversed')),
  CONSTRAINT reversal_runner_is_whole CHECK ((runner IS NULL) = (runner_until IS NULL)),
  CONSTRAINT reversal_attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL)),
  CONSTRAINT failed_reversal_says_why CHECK (status <> 'permanently_failed' OR attention_reason IS NOT NULL),
  CONSTRAINT unfinished_reversal_is_found_again CHECK (
    NOT (status IN ('pending', 'waiting_balance') OR (status = 'permanently_failed' AND certainty IN ('unknown', 'in_flight')))
    OR next_check_at IS NOT NULL)
);
CREATE UNIQUE INDEX reversals_stripe ON reversals (stripe_reversal_id) WHERE stripe_reversal_id IS NOT NULL AND stripe_reversal_id <> '';
-- I8: one claim at a time on one transfer.
CREATE UNIQUE INDEX reversals_one_in_flight ON reversals (transfer_id) WHERE runner IS NOT NULL;
CREATE INDEX reversals_of_transfer ON reversals (transfer_id, place);
CREATE INDEX reversals_of_order ON reversals (order_id);
CREATE INDEX reversals_due ON reversals (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX reversals_waiting ON reversals (seller_account, currency, place) WHERE status = 'waiting_balance';
CREATE INDEX reversals_attention ON reversals (id DESC) WHERE attention_reason IS NOT NULL;

-- What holds for every call that carries a key (I3, I4): the same for transfers and reversals.
CREATE FUNCTION guard_money_call() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  what text := TG_ARGV[0] || ' ' || OLD.id;
BEGIN
  IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
    RAISE EXCEPTION '%: what is done stays done', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION '%: attempts are never forgotten', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.generation = OLD.generation THEN
    IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') AND NOT (NEW.certainty = 'absent' AND NEW.absences > 0) THEN
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

CREATE FUNCTION guard_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.order_id, NEW.seller_account, NEW.currency, NEW.promised, NEW.origin) IS DISTINCT FROM
     (OLD.order_id, OLD.seller_account, OLD.currency, OLD.promised, OLD.origin) THEN
    RAISE EXCEPTION 'transfer %: order, seller, currency and promise never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.withheld <> OLD.withheld AND OLD.certainty NOT IN ('not_sent', 'absent') THEN
    RAISE EXCEPTION 'transfer %: only what was surely not sent can be withheld', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.stripe_transfer_id IS NOT NULL AND NEW.stripe_transfer_id IS DISTINCT FROM OLD.stripe_transfer_id THEN
    RAISE EXCEPTION 'transfer %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

-- I8: everything taken back, or still to be taken back, is at most the transfer. Serialised by the transfer's row.
CREATE FUNCTION guard_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transfer seller_transfers;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.refund_id, NEW.transfer_id, NEW.order_id, NEW.seller_account, NEW.amount, NEW.currency) IS DISTINCT FROM
       (OLD.refund_id, OLD.transfer_id, OLD.order_id, OLD.seller_account, OLD.amount, OLD.currency) THEN
      RAISE EXCEPTION 'reversal %: what it takes back, and from whom, never changes', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stripe_reversal_id IS NOT NULL AND NEW.stripe_reversal_id IS DISTINCT FROM OLD.stripe_reversal_id THEN
      RAISE EXCEPTION 'reversal %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = OLD.status OR OLD.status <> 'written_off' THEN RETURN NEW; END IF;
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

-- What was refunded, or may still be, is at most what was paid. Serialised by the order's row. A refund made in the
-- provider's dashboard is stored however late we learn of another one's failure: it is measured when it has succeeded.
CREATE FUNCTION guard_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_paid numeric;
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
  SELECT amount INTO v_paid FROM orders WHERE id = NEW.order_id AND paid_at IS NOT NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'refund %: order % is not paid', NEW.id, NEW.order_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.origin = 'provider' AND NEW.status <> 'succeeded' THEN RETURN NEW; END IF;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM refunds WHERE order_id = NEW.order_id AND id <> NEW.id
    AND (status = 'succeeded' OR (TG_OP = 'INSERT' AND NEW.origin = 'api' AND status IN ('pending', 'review')));
  IF v_total + NEW.amount > v_paid THEN
    RAISE EXCEPTION 'refund %: % with % already refunded exceeds the % that were paid', NEW.id, NEW.amount, v_total, v_paid
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER orders_status BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION guard_status('order');
CREATE TRIGGER payments_status BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION guard_status('payment');
CREATE TRIGGER refunds_guard BEFORE INSERT OR UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION guard_refund();
CREATE TRIGGER refunds_status BEFORE UPDATE ON refunds FOR EACH ROW EXECUTE FUNCTION guard_status('refund');
CREATE TRIGGER seller_transfers_call BEFORE UPDATE ON seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_money_call('transfer');
CREATE TRIGGER seller_transfers_guard BEFORE UPDATE ON seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_transfer();
CREATE TRIGGER seller_transfers_status BEFORE UPDATE ON seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_status('transfer');
CREATE TRIGGER reversals_call BEFORE UPDATE ON reversals FOR EACH ROW EXECUTE FUNCTION guard_money_call('reversal');
CREATE TRIGGER reversals_guard BEFORE INSERT OR UPDATE ON reversals FOR EACH ROW EXECUTE FUNCTION guard_reversal();
CREATE TRIGGER reversals_status BEFORE UPDATE ON reversals FOR EACH ROW EXECUTE FUNCTION guard_status('reversal');
CREATE TRIGGER orders_keep BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_items_keep BEFORE UPDATE OR DELETE ON order_items FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payments_keep BEFORE DELETE ON payments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER refunds_keep BEFORE DELETE ON refunds FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER seller_transfers_keep BEFORE DELETE ON seller_transfers FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER reversals_keep BEFORE DELETE ON reversals FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The reversal that goes before this one, or none. First in, first out on each transfer; what waits for a balance or for a
-- person does not hold the place, nor what is never sent again because its refund has failed, and is only looked for.
CREATE FUNCTION reversal_before(p_id uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT r.id FROM reversals x JOIN reversals r ON r.transfer_id = x.transfer_id AND r.id <> x.id JOIN refunds f ON f.id = r.refund_id
    WHERE x.id = p_id AND ((r.runner IS NOT NULL AND r.runner_until > clock_now())
      OR (r.status = 'pending' AND f.status = 'succeeded' AND r.place < x.place))
    ORDER BY r.place LIMIT 1
$$;

-- The one place that derives a completed transfer's status, its reversed amount and its next date from its reversals.
-- Called in the transaction that changed one of them; the caller holds the transfer's row. What is taken back without ever
-- having been pending again (a share found taken after it was written off) passes through reversal_pending all the same.
CREATE FUNCTION refresh_transfer(p_id uuid) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_was text;
  v_now text;
  v_reversed numeric;
  v_retry timestamptz;
BEGIN
  SELECT s.status, coalesce(sum(v.amount) FILTER (WHERE v.status = 'reversed'), 0),
      min(v.next_retry_at) FILTER (WHERE v.status IN ('pending', 'waiting_balance')),
      CASE
        WHEN bool_or(v.status = 'permanently_failed') THEN 'permanently_failed'
        WHEN bool_or(v.status IN ('pending', 'waiting_balance')) THEN 'reversal_pending'
        WHEN coalesce(sum(v.amount) FILTER (WHERE v.status = 'reversed'), 0) = s.amount THEN 'reversed'
        WHEN bool_or(v.status = 'reversed') THEN 'partially_reversed'
        ELSE 'completed'
      END
    INTO v_was, v_reversed, v_retry, v_now
    FROM seller_transfers s LEFT JOIN reversals v ON v.transfer_id = s.id
    WHERE s.id = p_id AND s.completed_at IS NOT NULL GROUP BY s.id;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF v_was <> v_now AND NOT may_become('transfer', v_was, v_now) THEN
    UPDATE seller_transfers SET status = 'reversal_pending' WHERE id = p_id;
  END IF;
  UPDATE seller_transfers SET amount_reversed = v_reversed, status = v_now,
      next_retry_at = CASE WHEN v_now = 'reversal_pending' THEN v_retry END
    WHERE id = p_id;
  RETURN v_now;
END $$;
