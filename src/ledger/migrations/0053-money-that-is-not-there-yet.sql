-- Money that is not there yet: a transfer is drawn from the buyer's own charge where that is at this Stripe account, and waits, as a
-- status of its own, for the platform's balance or for a seller who cannot receive. Neither wait counts as a failure.

-- Which call of its connector's stands behind a payment, and the charge that it names there once that was read. `charge_of` is what
-- was read; what is known of another attempt of the buyer's says nothing of this one.
ALTER TABLE payments
  ADD COLUMN connector text,
  ADD COLUMN connector_transaction_id text,
  ADD COLUMN charge_of text,
  ADD COLUMN charge_id text,
  ADD COLUMN charge_currency text,
  ADD COLUMN charge_unfit text,
  ADD CONSTRAINT charge_is_read_whole CHECK (
    (charge_id IS NULL) = (charge_currency IS NULL)
    AND (charge_of IS NOT NULL) = (charge_id IS NOT NULL OR charge_unfit IS NOT NULL)
    AND (charge_id IS NULL OR charge_unfit IS NULL)
  );

ALTER TABLE seller_transfers
  ADD COLUMN waiting_since timestamptz,
  -- Why it waits, in words.
  ADD COLUMN waiting_detail text,
  -- Until then it may be sent although others wait for the platform's balance: what Stripe showed last is enough for it.
  ADD COLUMN admitted_until timestamptz,
  -- Stripe did not let it be drawn from the buyer's charge: it comes from the balance.
  ADD COLUMN sourceless boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT seller_transfers_status_check,
  ADD CONSTRAINT seller_transfers_status_check CHECK (status IN ('pending', 'waiting_platform_balance', 'waiting_seller', 'failed',
    'cancelled', 'completed', 'reversal_pending', 'partially_reversed', 'reversed', 'permanently_failed')),
  DROP CONSTRAINT failed_has_no_transfer,
  ADD CONSTRAINT failed_has_no_transfer CHECK (
    status NOT IN ('pending', 'waiting_platform_balance', 'waiting_seller', 'failed', 'cancelled') OR stripe_transfer_id IS NULL),
  DROP CONSTRAINT unfinished_transfer_is_found_again,
  ADD CONSTRAINT unfinished_transfer_is_found_again CHECK (
    status NOT IN ('pending', 'waiting_platform_balance', 'waiting_seller', 'failed') OR next_check_at IS NOT NULL),
  ADD CONSTRAINT waiting_was_not_sent CHECK (status NOT IN ('waiting_platform_balance', 'waiting_seller')
    OR (certainty IN ('not_sent', 'absent') AND completed_at IS NULL AND waiting_since IS NOT NULL)),
  -- It is new money of ours, and not the buyer's a second time.
  ADD CONSTRAINT compensation_is_from_the_balance CHECK (
    origin <> 'compensation' OR params IS NULL OR NOT params::jsonb ? 'source_transaction');

CREATE INDEX seller_transfers_of_seller ON seller_transfers (seller_account, id);
-- A seller of years has few that he does not have.
CREATE INDEX seller_transfers_not_with_seller ON seller_transfers (seller_account, id) WHERE completed_at IS NULL;
CREATE INDEX seller_transfers_waiting_for_balance ON seller_transfers (currency, id) WHERE status = 'waiting_platform_balance';

-- One for each currency in which the platform's balance at Stripe is too low for somebody.
CREATE TABLE platform_gates (
  currency text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_now(),
  -- What Stripe showed when it was read last; null: it was not read since.
  available numeric(78, 0),
  read_at timestamptz,
  -- When it is read again if Stripe tells nothing before.
  read_next_at timestamptz NOT NULL,
  -- Stripe refused what it had shown to be enough: one transfer at a time until one succeeds or Stripe tells of money.
  doubted boolean NOT NULL DEFAULT false,
  CONSTRAINT gate_was_read CHECK ((available IS NULL) = (read_at IS NULL))
);

-- What is known of sellers who could not receive at some time; of the others nothing is kept.
CREATE TABLE sellers (
  account text PRIMARY KEY CHECK (account <> ''),
  state text NOT NULL CHECK (state IN ('able', 'waiting', 'gone')),
  reason text,
  since timestamptz NOT NULL DEFAULT clock_now(),
  read_at timestamptz NOT NULL DEFAULT clock_now(),
  read_next_at timestamptz NOT NULL,
  CONSTRAINT able_needs_no_reason CHECK ((state = 'able') = (reason IS NULL))
);

CREATE OR REPLACE FUNCTION may_become(kind text, was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (kind, was, becomes) IN (
    ('order', 'pending', 'paid'), ('order', 'pending', 'payment_failed'), ('order', 'payment_failed', 'paid'),
    ('order', 'paid', 'partially_refunded'), ('order', 'paid', 'refunded'),
    ('order', 'partially_refunded', 'refunded'), ('order', 'partially_refunded', 'paid'),
    ('order', 'refunded', 'partially_refunded'), ('order', 'refunded', 'paid'),
    ('payment', 'pending', 'processing'), ('payment', 'pending', 'succeeded'), ('payment', 'pending', 'failed'),
    ('payment', 'pending', 'cancelled'), ('payment', 'processing', 'pending'), ('payment', 'processing', 'succeeded'),
    ('payment', 'processing', 'failed'), ('payment', 'processing', 'cancelled'), ('payment', 'failed', 'pending'),
    ('payment', 'failed', 'processing'), ('payment', 'failed', 'succeeded'), ('payment', 'failed', 'cancelled'),
    ('payment', 'cancelled', 'succeeded'),
    ('refund', 'pending', 'review'), ('refund', 'pending', 'succeeded'), ('refund', 'pending', 'failed'),
    ('refund', 'review', 'pending'), ('refund', 'review', 'succeeded'), ('refund', 'review', 'failed'),
    ('refund', 'succeeded', 'failed'), ('refund', 'failed', 'succeeded'),
    ('transfer', 'pending', 'completed'), ('transfer', 'pending', 'failed'), ('transfer', 'pending', 'cancelled'),
    ('transfer', 'failed', 'completed'), ('transfer', 'failed', 'cancelled'), ('transfer', 'failed', 'permanently_failed'),
    ('transfer', 'pending', 'waiting_platform_balance'), ('transfer', 'pending', 'waiting_seller'),
    ('transfer', 'failed', 'waiting_platform_balance'), ('transfer', 'failed', 'waiting_seller'),
    ('transfer', 'permanently_failed', 'waiting_platform_balance'), ('transfer', 'permanently_failed', 'waiting_seller'),
    ('transfer', 'waiting_platform_balance', 'pending'), ('transfer', 'waiting_platform_balance', 'cancelled'),
    ('transfer', 'waiting_seller', 'pending'), ('transfer', 'waiting_seller', 'cancelled'),
    ('transfer', 'completed', 'reversal_pending'),
    ('transfer', 'reversal_pending', 'reversed'), ('transfer', 'reversal_pending', 'partially_reversed'),
    ('transfer', 'reversal_pending', 'completed'), ('transfer', 'reversal_pending', 'permanently_failed'),
    ('transfer', 'partially_reversed', 'reversal_pending'), ('transfer', 'partially_reversed', 'reversed'),
    ('transfer', 'permanently_failed', 'reversal_pending'), ('transfer', 'permanently_failed', 'reversed'),
    ('transfer', 'permanently_failed', 'partially_reversed'), ('transfer', 'permanently_failed', 'completed'),
    ('reversal', 'pending', 'waiting_balance'), ('reversal', 'pending', 'reversed'),
    ('reversal', 'pending', 'permanently_failed'), ('reversal', 'pending', 'written_off'),
    ('reversal', 'waiting_balance', 'pending'), ('reversal', 'waiting_balance', 'reversed'),
    ('reversal', 'waiting_balance', 'permanently_failed'), ('reversal', 'waiting_balance', 'written_off'),
    ('reversal', 'permanently_failed', 'pending'), ('reversal', 'permanently_failed', 'reversed'),
    ('reversal', 'permanently_failed', 'written_off'), ('reversal', 'written_off', 'reversed'),
    ('reversal', 'written_off', 'pending'))
$$;
