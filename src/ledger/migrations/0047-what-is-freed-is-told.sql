-- What others took and stood for a share that is no longer due is told again, whatever the transfer asks at that moment; so is what a
-- share was asked about whose refund failed before anybody had answered.
ALTER TABLE foreign_reversals ADD freed boolean NOT NULL DEFAULT false;

CREATE OR REPLACE FUNCTION ask_about_others(p_transfer uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t seller_transfers;
  v_ids text[];
  v_taken numeric;
  v_gone numeric;
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
  SELECT sum(f.amount) INTO v_taken FROM foreign_reversals f WHERE f.transfer_id = p_transfer
    AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.stripe_reversal_id = f.stripe_reversal_id);
  SELECT v_taken + coalesce(sum(amount - counted), 0) INTO v_gone FROM reversals WHERE transfer_id = p_transfer AND status = 'reversed';
  UPDATE foreign_reversals SET told = true WHERE stripe_reversal_id = ANY (v_ids);
  UPDATE seller_transfers SET attention_since = clock_now(),
      attention_reason = CASE WHEN v_gone >= amount THEN 'foreign_reversal' ELSE 'partly_foreign_reversal' END,
      attention_detail = format('somebody else took %s %s of it back at Stripe (not told so far, or for a share that is no longer due: %s), and no share is due now: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt',
        v_taken, currency, array_to_string(v_ids[1:5], ', '))
    WHERE id = p_transfer;
END $$;

CREATE OR REPLACE FUNCTION guard_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_counted numeric := NEW.counted;
  v_decided numeric;
BEGIN
  -- What stood for a share that is not due any more stands for nothing again, and a person hears of it (ask_about_others).
  IF NEW.status = 'written_off' AND OLD.status <> 'written_off' AND OLD.counted > 0 THEN
    NEW.counted := 0;
    WITH freed AS (DELETE FROM foreign_decisions WHERE reversal_id = OLD.id RETURNING *)
      INSERT INTO foreign_reversals (stripe_reversal_id, transfer_id, amount, freed)
        SELECT stripe_reversal_id, transfer_id, amount, true FROM freed
      ON CONFLICT (stripe_reversal_id) DO UPDATE SET told = false, freed = true;
    -- What was counted before ids were kept.
    IF NOT FOUND THEN
      UPDATE seller_transfers SET attention_reason = 'partly_foreign_reversal', attention_since = clock_now(),
          attention_detail = format('somebody else took %s %s of it back at Stripe for a share that is no longer due: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt', v_counted, OLD.currency)
        WHERE id = OLD.transfer_id AND attention_reason IS NULL;
    END IF;
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
