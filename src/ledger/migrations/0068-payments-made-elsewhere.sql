-- Payments that a team's own checkout took at this Stripe account: Stripe is their provider, and its records alone make causes of them.

ALTER TABLE payments
  ADD COLUMN provider text NOT NULL DEFAULT 'hyperswitch' CHECK (provider IN ('hyperswitch', 'stripe')),
  -- Nothing of it is ever sent from here: it was read at Stripe before it was written.
  ADD CONSTRAINT payment_at_stripe_is_named CHECK (provider = 'hyperswitch' OR (hyperswitch_payment_id IS NULL
    AND connector = 'stripe' AND connector_transaction_id IS NOT NULL AND certainty = 'done' AND attempts = 0));

-- One PaymentIntent pays one order, whoever tells of it.
CREATE UNIQUE INDEX payments_once_at_stripe ON payments (connector_transaction_id) WHERE connector = 'stripe';

CREATE FUNCTION payment_stays_where_it_is() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'payment %: its provider, and what Stripe calls it, never change', OLD.id USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER payments_stay BEFORE UPDATE ON payments FOR EACH ROW
  WHEN (NEW.provider <> OLD.provider OR (OLD.provider = 'stripe' AND NEW.connector_transaction_id IS DISTINCT FROM OLD.connector_transaction_id))
  EXECUTE FUNCTION payment_stays_where_it_is();

-- As in 0054, with those of Stripe's.
DROP TRIGGER payments_disputable ON payments;
CREATE TRIGGER payments_disputable BEFORE UPDATE ON payments FOR EACH ROW
  WHEN ((NEW.hyperswitch_payment_id IS NOT NULL OR NEW.provider = 'stripe') AND NEW.captured > 0 AND OLD.captured = 0)
  EXECUTE FUNCTION payment_may_be_disputed();

-- Who made it a cause: the provider that the payment is of.
ALTER TABLE disputes
  DROP CONSTRAINT disputes_named_by_check,
  ADD CONSTRAINT disputes_named_by_check CHECK (named_by IN ('hyperswitch', 'stripe', 'decision'));
