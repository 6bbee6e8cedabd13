-- DISPUTE_POLICY=hold: while funds of a dispute are out and nobody knows yet whose they are, what was not sent of its order is held.

ALTER TABLE disputes ADD COLUMN holds boolean NOT NULL DEFAULT false;
CREATE INDEX disputes_that_hold ON disputes (order_id) WHERE holds;

ALTER TABLE seller_transfers
  DROP CONSTRAINT seller_transfers_status_check,
  ADD CONSTRAINT seller_transfers_status_check CHECK (status IN ('pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed',
    'cancelled', 'completed', 'reversal_pending', 'partially_reversed', 'reversed', 'permanently_failed')),
  DROP CONSTRAINT failed_has_no_transfer,
  ADD CONSTRAINT failed_has_no_transfer CHECK (
    status NOT IN ('pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed', 'cancelled') OR stripe_transfer_id IS NULL),
  DROP CONSTRAINT unfinished_transfer_is_found_again,
  ADD CONSTRAINT unfinished_transfer_is_found_again CHECK (
    status NOT IN ('pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed') OR next_check_at IS NOT NULL),
  ADD CONSTRAINT held_was_not_sent CHECK (status <> 'held' OR (certainty IN ('not_sent', 'absent') AND completed_at IS NULL));

-- As in 0053, with what is held.
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
    ('transfer', 'pending', 'held'), ('transfer', 'held', 'pending'), ('transfer', 'held', 'cancelled'),
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
