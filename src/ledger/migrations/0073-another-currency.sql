-- Where the platform's balance has another currency than an order, sellers are sent what the buyer's charge became there, at the
-- charge's own rate. Shares and what is due of them stay in the order's currency; what Stripe is asked for is kept beside them.

-- All that was captured, in the currency that the buyer paid in, and what the balance transaction says it became in `charge_currency`.
ALTER TABLE payments
  ADD COLUMN charge_captured numeric(78, 0) CHECK (charge_captured > 0),
  ADD COLUMN charge_paid_in text,
  ADD COLUMN charge_became numeric(78, 0) CHECK (charge_became > 0),
  -- Stripe's own figure, for people.
  ADD COLUMN exchange_rate text,
  ADD CONSTRAINT rate_is_read_whole CHECK ((charge_captured IS NULL) = (charge_paid_in IS NULL) AND (charge_captured IS NULL) = (charge_became IS NULL)
    AND (charge_captured IS NULL OR charge_id IS NOT NULL) AND (exchange_rate IS NULL OR charge_became IS NOT NULL));

ALTER TABLE seller_transfers
  -- What is with Stripe of it where that is another currency than the order's.
  ADD COLUMN sent_currency text,
  ADD COLUMN sent_amount numeric(78, 0) CHECK (sent_amount > 0),
  ADD COLUMN exchange_rate text,
  ADD CONSTRAINT sent_is_whole CHECK ((sent_currency IS NULL) = (sent_amount IS NULL) AND (exchange_rate IS NULL OR sent_amount IS NOT NULL)
    AND sent_currency IS DISTINCT FROM currency);

ALTER TABLE reversals
  -- In the currency of its transfer at Stripe, where that is another than the order's.
  ADD COLUMN sent_amount numeric(78, 0) CHECK (sent_amount > 0),
  -- What it was for its seller, in the currency of his own balance: what that part had brought him, and what was taken.
  ADD COLUMN seller_currency text,
  ADD COLUMN seller_got numeric(78, 0),
  ADD COLUMN seller_gave numeric(78, 0),
  -- When that is read, or was; neither: there is nothing to read.
  ADD COLUMN seller_read_next_at timestamptz,
  ADD COLUMN seller_read_at timestamptz,
  ADD CONSTRAINT seller_is_read_whole CHECK ((seller_currency IS NULL) = (seller_got IS NULL) AND (seller_currency IS NULL) = (seller_gave IS NULL)
    AND (seller_currency IS NULL OR seller_read_at IS NOT NULL) AND (seller_read_at IS NULL OR seller_read_next_at IS NULL));
CREATE INDEX reversals_seller_unread ON reversals (seller_read_next_at) WHERE seller_read_next_at IS NOT NULL;

-- Null: that of its transfer at Stripe.
ALTER TABLE foreign_reversals ADD COLUMN currency text;

-- As in 0040, and in the currency that was read: a transfer leaves in its order's, or in that of the balance which its charge is in.
CREATE OR REPLACE FUNCTION guard_sent_amount() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_due numeric;
BEGIN
  IF TG_TABLE_NAME = 'reversals' THEN v_due := coalesce(NEW.sent_amount, NEW.amount - NEW.counted);
  ELSE v_due := coalesce(NEW.sent_amount, NEW.amount); END IF;
  IF (NEW.params::jsonb ->> 'amount')::numeric IS DISTINCT FROM v_due THEN
    RAISE EXCEPTION '% %: % are to be sent, not what is frozen: %', TG_TABLE_NAME, OLD.id, v_due, NEW.params USING ERRCODE = 'check_violation';
  END IF;
  IF TG_TABLE_NAME = 'seller_transfers' AND NEW.sent_amount IS NOT NULL THEN
    PERFORM 1 FROM payments WHERE order_id = NEW.order_id AND charge_currency = NEW.sent_currency
      AND NEW.sent_amount * charge_captured <= NEW.amount * charge_became;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'transfer %: % % is more than its share of what the charge became', OLD.id, NEW.sent_amount, NEW.sent_currency
        USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

-- What is frozen with a key says what is sent; another currency than the order's has to be that of the charge which it is drawn from.
CREATE FUNCTION note_sent_money() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_currency text := upper(NEW.params::jsonb ->> 'currency');
  v_rate text;
BEGIN
  NEW.sent_currency := NULL;
  NEW.sent_amount := NULL;
  NEW.exchange_rate := NULL;
  IF NEW.params IS NULL OR v_currency = NEW.currency THEN RETURN NEW; END IF;
  SELECT exchange_rate INTO v_rate FROM payments WHERE order_id = NEW.order_id AND charge_id = NEW.params::jsonb ->> 'source_transaction'
    AND charge_currency = v_currency AND charge_paid_in = NEW.currency AND charge_became IS NOT NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'transfer %: nothing is sent in %, a currency that was not read for it: %', OLD.id, v_currency, NEW.params USING ERRCODE = 'check_violation';
  END IF;
  NEW.sent_currency := v_currency;
  NEW.sent_amount := (NEW.params::jsonb ->> 'amount')::numeric;
  NEW.exchange_rate := v_rate;
  RETURN NEW;
END $$;
-- Before the guards, which are called in order of their names.
CREATE TRIGGER a_seller_transfers_money BEFORE UPDATE OF params ON seller_transfers FOR EACH ROW
  WHEN (NEW.params IS DISTINCT FROM OLD.params AND (OLD.params IS NULL OR NEW.generation <> OLD.generation)) EXECUTE FUNCTION note_sent_money();

CREATE FUNCTION guard_sent_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.completed_at IS NOT NULL THEN
    RAISE EXCEPTION 'transfer %: in which currency it was sent, and how much, never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER seller_transfers_sent_money BEFORE UPDATE ON seller_transfers FOR EACH ROW
  WHEN ((NEW.sent_currency, NEW.sent_amount) IS DISTINCT FROM (OLD.sent_currency, OLD.sent_amount)) EXECUTE FUNCTION guard_sent_money();

-- Of a reversal: what others of its transfer took or may have taken, in both currencies.
CREATE FUNCTION taken_beside(p_transfer uuid, p_reversal uuid, OUT share numeric, OUT taken numeric) LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(amount - counted), 0), coalesce(sum(sent_amount), 0) FROM reversals
    WHERE transfer_id = p_transfer AND id <> p_reversal AND sent_amount IS NOT NULL
      AND (status = 'reversed' OR certainty IN ('in_flight', 'unknown'))
$$;

CREATE FUNCTION note_reversed_money() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_sent numeric;
  v_taken numeric;
BEGIN
  IF NEW.params IS DISTINCT FROM OLD.params THEN NEW.sent_amount := NULL; END IF;
  SELECT sent_amount INTO v_sent FROM seller_transfers WHERE id = OLD.transfer_id;
  IF v_sent IS NULL THEN
    IF NEW.sent_amount IS NOT NULL THEN
      RAISE EXCEPTION 'reversal %: its transfer was sent in its own currency', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.counted > 0 THEN
    RAISE EXCEPTION 'reversal %: amounts of different currencies are never counted for one another', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.params IS NOT NULL AND NEW.params IS DISTINCT FROM OLD.params THEN NEW.sent_amount := (NEW.params::jsonb ->> 'amount')::numeric; END IF;
  IF NEW.sent_amount IS NULL OR NEW.sent_amount IS NOT DISTINCT FROM OLD.sent_amount THEN RETURN NEW; END IF;
  SELECT taken INTO v_taken FROM taken_beside(OLD.transfer_id, OLD.id);
  IF v_taken + NEW.sent_amount > v_sent THEN
    RAISE EXCEPTION 'reversal %: % with % already taken back exceeds the % that were sent', OLD.id, NEW.sent_amount, v_taken, v_sent
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER a_reversals_money BEFORE UPDATE ON reversals FOR EACH ROW
  WHEN (NEW.params IS DISTINCT FROM OLD.params OR NEW.sent_amount IS DISTINCT FROM OLD.sent_amount OR NEW.counted > OLD.counted)
  EXECUTE FUNCTION note_reversed_money();

-- As in 0047, in the currency that the transfer has at Stripe; what is there in another one is told and added to nothing.
CREATE OR REPLACE FUNCTION ask_about_others(p_transfer uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t seller_transfers;
  v_ids text[];
  v_taken numeric;
  v_gone numeric;
  v_currency text;
  v_other text;
BEGIN
  SELECT array_agg(f.stripe_reversal_id ORDER BY f.stripe_reversal_id) INTO v_ids
    FROM foreign_reversals f WHERE f.transfer_id = p_transfer AND NOT f.told
      AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.transfer_id = p_transfer AND (r.stripe_reversal_id = f.stripe_reversal_id
        OR f.stripe_reversal_id = ANY (r.others_shown) AND NOT r.voided AND NOT f.freed))
      AND coalesce((SELECT sum(d.amount) FROM foreign_decisions d WHERE d.stripe_reversal_id = f.stripe_reversal_id), 0)
        < CASE WHEN f.freed THEN f.amount ELSE 1 END;
  IF v_ids IS NULL THEN RETURN; END IF;
  SELECT * INTO t FROM seller_transfers WHERE id = p_transfer;
  IF t.attention_reason IS NOT NULL OR t.stripe_transfer_id IS NULL OR EXISTS (SELECT 1 FROM reversals
    WHERE transfer_id = p_transfer AND status IN ('pending', 'waiting_balance', 'permanently_failed')) THEN RETURN; END IF;
  v_currency := coalesce(t.sent_currency, t.currency);
  SELECT array_to_string((array_agg(format('%s (%s %s)', stripe_reversal_id, amount, currency) ORDER BY stripe_reversal_id))[1:5], ', ')
    INTO v_other FROM foreign_reversals WHERE stripe_reversal_id = ANY (v_ids) AND currency <> v_currency;
  UPDATE foreign_reversals SET told = true WHERE stripe_reversal_id = ANY (v_ids);
  IF v_other IS NOT NULL THEN
    UPDATE seller_transfers SET attention_since = clock_now(), attention_reason = 'conflict',
        attention_detail = format('Stripe holds reversals of it in another currency than %s: %s; amounts of different currencies are never compared: look at it there, then acknowledge with adopt', v_currency, v_other)
      WHERE id = p_transfer;
    RETURN;
  END IF;
  SELECT sum(f.amount) INTO v_taken FROM foreign_reversals f WHERE f.transfer_id = p_transfer AND coalesce(f.currency, v_currency) = v_currency
    AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.stripe_reversal_id = f.stripe_reversal_id);
  SELECT v_taken + coalesce(sum(coalesce(sent_amount, amount - counted)), 0) INTO v_gone FROM reversals
    WHERE transfer_id = p_transfer AND status = 'reversed' AND (t.sent_amount IS NULL OR sent_amount IS NOT NULL);
  UPDATE seller_transfers SET attention_since = clock_now(),
      attention_reason = CASE WHEN v_gone >= coalesce(t.sent_amount, t.amount) THEN 'foreign_reversal' ELSE 'partly_foreign_reversal' END,
      attention_detail = format('somebody else took %s %s of it back at Stripe (not told so far, or for a share that is no longer due: %s), and no share is due now: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt',
        v_taken, v_currency, array_to_string(v_ids[1:5], ', '))
    WHERE id = p_transfer;
END $$;

-- Charges in a balance of another currency were sent of what the platform had in the order's. What they became is read before anything
-- more is sent, so whoever waits for that balance is looked at once.
UPDATE seller_transfers x SET next_check_at = clock_now() WHERE x.status = 'waiting_platform_balance' AND EXISTS (
  SELECT 1 FROM payments p WHERE p.order_id = x.order_id AND p.charge_currency <> p.currency);
