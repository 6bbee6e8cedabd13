-- Refunds made at Stripe that the platform's balance does not cover: nobody is to blame, and they go on by themselves.

ALTER TABLE refunds
  ADD COLUMN waiting_since timestamptz,
  ADD COLUMN waiting_detail text,
  -- What the balance was short of when it was read last; null: not read, or of another currency.
  ADD COLUMN waiting_missing numeric(78,0) CHECK (waiting_missing >= 0),
  ADD CONSTRAINT refund_wait_is_told CHECK ((waiting_since IS NULL) = (waiting_detail IS NULL) AND (waiting_missing IS NULL OR waiting_since IS NOT NULL));

CREATE INDEX refunds_waiting ON refunds (id) WHERE waiting_since IS NOT NULL AND status = 'pending';
