-- Hyperswitch may name a dispute under one payment and later under the right one. As long as nothing was taken because of it, it moves.

ALTER TABLE disputes
  -- Whether the processor's own record is of its payment; NULL: that is not known.
  ADD COLUMN is_of_payment boolean;

CREATE OR REPLACE FUNCTION guard_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.psp_account, NEW.provider_dispute_id) IS DISTINCT FROM (OLD.psp_account, OLD.provider_dispute_id)
    OR (OLD.named_by IS NOT NULL AND NEW.named_by IS NULL) THEN
    RAISE EXCEPTION 'dispute %: which one it is never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.order_id, NEW.payment_id) IS DISTINCT FROM (OLD.order_id, OLD.payment_id) THEN
    IF OLD.holds OR NEW.holds OR EXISTS (SELECT 1 FROM dispute_withdrawals WHERE dispute_id = OLD.id) THEN
      RAISE EXCEPTION 'dispute %: something followed from it, so it stays with its payment', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM payments WHERE id = NEW.payment_id AND order_id = NEW.order_id) THEN
      RAISE EXCEPTION 'dispute %: its payment is of another order', OLD.id USING ERRCODE = 'check_violation';
    END IF;
  ELSIF OLD.hyperswitch_dispute_id IS NOT NULL AND NEW.hyperswitch_dispute_id IS DISTINCT FROM OLD.hyperswitch_dispute_id THEN
    RAISE EXCEPTION 'dispute %: which one it is never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER disputes_moved_to_archived AFTER UPDATE OF order_id ON disputes FOR EACH ROW
  WHEN (NEW.order_id IS DISTINCT FROM OLD.order_id) EXECUTE FUNCTION order_is_taken_out();
