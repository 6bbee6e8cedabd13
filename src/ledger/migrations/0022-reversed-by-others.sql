-- What somebody else reversed of a transfer at Stripe. A person decides about it once; then only more of it is asked about.
ALTER TABLE seller_transfers
  -- Told to a person, with an event that nothing of ours stood behind.
  ADD COLUMN foreign_seen numeric(78,0) NOT NULL DEFAULT 0 CHECK (foreign_seen >= 0),
  -- Decided about: counted as shares, or left beside them.
  ADD COLUMN foreign_decided numeric(78,0) NOT NULL DEFAULT 0 CHECK (foreign_decided >= 0);

-- Of a share, what somebody else's reversal stands for; only the rest is taken. Where that is all of it, nothing of ours is at
-- Stripe, and the share is back all the same.
ALTER TABLE reversals ADD COLUMN counted numeric(78,0) NOT NULL DEFAULT 0;
ALTER TABLE reversals
  ADD CONSTRAINT counted_is_a_part CHECK (counted >= 0 AND counted <= amount),
  DROP CONSTRAINT reversed_is_proved,
  ADD CONSTRAINT reversed_is_proved CHECK ((status = 'reversed') = (stripe_reversal_id IS NOT NULL OR counted = amount)
    AND (status <> 'reversed' OR (certainty = 'done' AND reversed_at IS NOT NULL)));

-- What others took is counted once, and what a key was sent with never changes. The caller holds the transfer's row.
CREATE FUNCTION guard_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_counted numeric;
  v_decided numeric;
BEGIN
  IF NEW.counted = OLD.counted THEN RETURN NEW; END IF;
  IF NEW.params IS NOT NULL AND NEW.status <> 'reversed' THEN
    RAISE EXCEPTION 'reversal %: what is frozen with a key is not made smaller', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(counted), 0) + NEW.counted INTO v_counted FROM reversals WHERE transfer_id = OLD.transfer_id AND id <> OLD.id;
  SELECT foreign_decided INTO v_decided FROM seller_transfers WHERE id = OLD.transfer_id;
  IF v_counted > v_decided THEN
    RAISE EXCEPTION 'reversal %: % are counted of the % that others took', OLD.id, v_counted, v_decided USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reversals_counted BEFORE UPDATE ON reversals FOR EACH ROW EXECUTE FUNCTION guard_counted();
