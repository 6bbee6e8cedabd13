-- What somebody else reversed of a transfer is decided about one by one, by its id at Stripe: how much of each, and with
-- which share. One sum let a small share decide about all, and what came to nothing left room for the next one.
CREATE TABLE foreign_decisions (
  stripe_reversal_id text NOT NULL,
  reversal_id uuid NOT NULL REFERENCES reversals (id),
  transfer_id uuid NOT NULL REFERENCES seller_transfers (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  PRIMARY KEY (stripe_reversal_id, reversal_id)
);
CREATE INDEX foreign_decisions_of_a_transfer ON foreign_decisions (transfer_id);

-- What the person who is asked was shown, by its ids at Stripe; null: it was asked before this was kept.
ALTER TABLE reversals ADD COLUMN others_shown text[];

-- Of a transfer, by id. What was decided as one sum (foreign_decided, no longer written) names no ids: it is asked about again.
CREATE FUNCTION decided_of_others(p_transfer uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_object_agg(stripe_reversal_id, amount::text), '{}') FROM (
    SELECT stripe_reversal_id, sum(amount) AS amount FROM foreign_decisions WHERE transfer_id = p_transfer GROUP BY 1) d
$$;

CREATE OR REPLACE FUNCTION guard_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_counted numeric := NEW.counted;
  v_decided numeric;
BEGIN
  -- What stood for a share that is not due any more stands for nothing again, and a person hears of it.
  IF NEW.status = 'written_off' AND OLD.status <> 'written_off' AND OLD.counted > 0 THEN
    NEW.counted := 0;
    DELETE FROM foreign_decisions WHERE reversal_id = OLD.id;
    UPDATE seller_transfers SET attention_reason = 'partly_foreign_reversal', attention_since = clock_now(),
        attention_detail = format('somebody else took %s %s of it back at Stripe for a share that is no longer due: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt', v_counted, OLD.currency)
      WHERE id = OLD.transfer_id AND attention_reason IS NULL;
    RETURN NEW;
  END IF;
  IF NEW.counted = OLD.counted THEN RETURN NEW; END IF;
  IF NEW.params IS NOT NULL AND NEW.status <> 'reversed' THEN
    RAISE EXCEPTION 'reversal %: what is frozen with a key is not made smaller', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(counted), 0) + NEW.counted INTO v_counted FROM reversals WHERE transfer_id = OLD.transfer_id AND id <> OLD.id;
  SELECT foreign_decided + coalesce((SELECT sum(amount) FROM foreign_decisions WHERE transfer_id = OLD.transfer_id), 0)
    INTO v_decided FROM seller_transfers WHERE id = OLD.transfer_id;
  IF v_counted > v_decided THEN
    RAISE EXCEPTION 'reversal %: % are counted of the % that others took', OLD.id, v_counted, v_decided USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
