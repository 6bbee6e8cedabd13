-- Ship first, pay later: a seller's share may wait for its release. What is there already needs none.

ALTER TABLE order_items
  ADD COLUMN release_kind text NOT NULL DEFAULT 'immediately' CHECK (release_kind IN ('immediately', 'on_request', 'after')),
  ADD COLUMN release_after_ms bigint CHECK (release_after_ms > 0),
  ADD CONSTRAINT release_is_whole CHECK ((release_kind = 'after') = (release_after_ms IS NOT NULL)),
  ADD CONSTRAINT release_is_of_a_seller CHECK (seller_account IS NOT NULL OR release_kind = 'immediately');

-- Released: by its date, by somebody's word, or because Stripe turned out to hold it. Before that nothing of it was ever taken for a send.
ALTER TABLE seller_transfers
  ADD COLUMN release_kind text NOT NULL DEFAULT 'immediately' CHECK (release_kind IN ('immediately', 'on_request', 'after')),
  ADD COLUMN release_at timestamptz,
  ADD COLUMN released_at timestamptz,
  ADD CONSTRAINT release_is_whole CHECK ((release_kind = 'after') = (release_at IS NOT NULL) AND (release_kind <> 'immediately' OR released_at IS NULL)),
  ADD CONSTRAINT unreleased_was_not_sent CHECK (release_kind = 'immediately' OR released_at IS NOT NULL
    OR (certainty = 'not_sent' AND completed_at IS NULL AND params IS NULL AND key_first_sent_at IS NULL AND runner IS NULL
      AND (status IN ('held', 'cancelled') OR (status = 'permanently_failed' AND written_off_at IS NOT NULL))));

-- Lines of one seller with the same release are one transfer, and those with others are others.
DROP INDEX seller_transfers_one_per_seller;
CREATE UNIQUE INDEX seller_transfers_one_per_release ON seller_transfers (order_id, seller_account, release_kind, release_at)
  NULLS NOT DISTINCT WHERE origin = 'order';

CREATE FUNCTION guard_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.release_kind, NEW.release_at) IS DISTINCT FROM (OLD.release_kind, OLD.release_at)
    OR (OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at) THEN
    RAISE EXCEPTION 'transfer %: when it may be sent never changes, and it is released once', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER seller_transfers_release BEFORE UPDATE ON seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_release();

-- It is never pending before it is released, not for a moment: no sweep could send it.
CREATE FUNCTION begins_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.status := 'held';
  RETURN NEW;
END $$;
CREATE TRIGGER seller_transfers_begin_held BEFORE INSERT ON seller_transfers FOR EACH ROW
  WHEN (NEW.release_kind <> 'immediately' AND NEW.status = 'pending') EXECUTE FUNCTION begins_held();

-- As in 0055: what nobody released may be given up.
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
    ('transfer', 'pending', 'held'), ('transfer', 'held', 'pending'), ('transfer', 'held', 'cancelled'), ('transfer', 'held', 'permanently_failed'),
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
