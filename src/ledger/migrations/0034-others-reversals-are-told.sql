-- What others reversed of a transfer, by id, and whether a person was told. Until now a sum was kept as seen although nobody had
-- been asked: while a share was under way, or while the transfer asked something else. Who is not told now is told later.
CREATE TABLE foreign_reversals (
  stripe_reversal_id text PRIMARY KEY,
  transfer_id uuid NOT NULL REFERENCES seller_transfers (id),
  amount numeric(78,0) NOT NULL CHECK (amount > 0),
  told boolean NOT NULL DEFAULT false
);
CREATE INDEX foreign_reversals_untold ON foreign_reversals (transfer_id) WHERE NOT told;

-- Where no share is under way, whose look would ask, and nothing else is asked, the transfer asks about what nobody was told of.
-- Told is also what a share was asked about, decided about, or adopted as. The caller holds the transfer.
CREATE FUNCTION ask_about_others(p_transfer uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t seller_transfers;
  v_ids text[];
  v_taken numeric;
  v_gone numeric;
BEGIN
  SELECT array_agg(f.stripe_reversal_id ORDER BY f.stripe_reversal_id) INTO v_ids
    FROM foreign_reversals f WHERE f.transfer_id = p_transfer AND NOT f.told
      AND NOT EXISTS (SELECT 1 FROM foreign_decisions d WHERE d.stripe_reversal_id = f.stripe_reversal_id)
      AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.transfer_id = p_transfer
        AND (r.stripe_reversal_id = f.stripe_reversal_id OR f.stripe_reversal_id = ANY (r.others_shown)));
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
      attention_detail = format('somebody else took %s %s of it back at Stripe (not told so far: %s), and no share is due now: the next refund will ask what that stands for; acknowledge with adopt',
        v_taken, currency, array_to_string(v_ids[1:5], ', '))
    WHERE id = p_transfer;
END $$;

CREATE FUNCTION transfer_asks_about_others() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ask_about_others(NEW.id);
  RETURN NULL;
END $$;
-- However a share ends (refresh_transfer), and whoever acknowledges what the transfer asked before.
CREATE TRIGGER seller_transfers_others AFTER UPDATE ON seller_transfers FOR EACH ROW
  WHEN (NEW.attention_reason IS NULL AND NEW.stripe_transfer_id IS NOT NULL) EXECUTE FUNCTION transfer_asks_about_others();

-- Its name at Stripe is known at last (a late answer, a lookup, the backfill): an event that named it was not ours so far.
CREATE FUNCTION transfer_is_known() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE webhook_events SET processed_at = NULL, outcome = NULL, next_check_at = clock_now()
    WHERE provider = 'stripe' AND type = 'transfer.reversed' AND object_id = NEW.stripe_transfer_id;
  RETURN NULL;
END $$;
CREATE TRIGGER seller_transfers_known AFTER UPDATE OF stripe_transfer_id ON seller_transfers FOR EACH ROW
  WHEN (OLD.stripe_transfer_id IS NULL AND NEW.stripe_transfer_id IS NOT NULL) EXECUTE FUNCTION transfer_is_known();
