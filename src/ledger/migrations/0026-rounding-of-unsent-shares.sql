-- As in 0007, but that a reversal which was surely not sent may be made larger or smaller: by the cents that rounding leaves
-- when refunds fail and succeed in another order. What was frozen with a key is never another amount under the same key.
CREATE OR REPLACE FUNCTION guard_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transfer seller_transfers;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.refund_id, NEW.transfer_id, NEW.order_id, NEW.seller_account, NEW.currency) IS DISTINCT FROM
       (OLD.refund_id, OLD.transfer_id, OLD.order_id, OLD.seller_account, OLD.currency)
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
