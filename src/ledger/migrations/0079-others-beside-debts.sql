-- As in 0073, with what 0072 had said of debts and 0073 left out: a debt looks at Stripe no more, so what others take of its transfer is told
-- at once; and what was kept of another transfer is not gone from this one at Stripe.
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
    WHERE transfer_id = p_transfer AND status IN ('pending', 'waiting_balance', 'permanently_failed') AND debt_since IS NULL) THEN RETURN; END IF;
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
    WHERE transfer_id = p_transfer AND status = 'reversed' AND NOT offset_done AND (t.sent_amount IS NULL OR sent_amount IS NOT NULL);
  UPDATE seller_transfers SET attention_since = clock_now(),
      attention_reason = CASE WHEN v_gone >= coalesce(t.sent_amount, t.amount) THEN 'foreign_reversal' ELSE 'partly_foreign_reversal' END,
      attention_detail = format('somebody else took %s %s of it back at Stripe (not told so far, or for a share that is no longer due: %s), and no share is due now: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt',
        v_taken, v_currency, array_to_string(v_ids[1:5], ', '))
    WHERE id = p_transfer;
END $$;
