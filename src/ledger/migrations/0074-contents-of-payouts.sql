-- Payouts with what they contain, as far as Stripe says so, with dates of their own at which they are read, and a person where one failed.

ALTER TABLE payouts
  -- What a person's question is known by; Stripe's own name stays the key.
  ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Null: nobody has read yet whether Stripe made it by itself.
  ADD COLUMN automatic boolean,
  -- When Stripe made it; null: of before this was read.
  ADD COLUMN made_at timestamptz,
  ADD COLUMN contents text NOT NULL DEFAULT 'unread' CHECK (contents IN ('unread', 'listed', 'not_told', 'unreadable')),
  ADD COLUMN contents_detail text,
  -- The last of Stripe's list that is read; null: nothing of it, or all.
  ADD COLUMN contents_after text,
  -- Of the list, what is nobody's transfer of ours.
  ADD COLUMN others int NOT NULL DEFAULT 0 CHECK (others >= 0),
  -- Stripe has not let us in to the seller's account since then.
  ADD COLUMN refused_since timestamptz,
  -- Null: nothing is left to read.
  ADD COLUMN next_check_at timestamptz,
  ADD COLUMN attention_reason text CHECK (attention_reason = 'payout_failed'),
  ADD COLUMN attention_since timestamptz,
  ADD COLUMN attention_detail text,
  ADD COLUMN failure_ended text CHECK (failure_ended IN ('paid_later', 'dismissed')),
  ADD CONSTRAINT payouts_id_key UNIQUE (id),
  ADD CONSTRAINT payout_attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL)),
  ADD CONSTRAINT only_failed_payouts_ask CHECK (
    (status = 'failed') = (attention_reason IS NOT NULL OR failure_ended IS NOT NULL) OR made_at IS NULL),
  ADD CONSTRAINT unread_payout_is_found_again CHECK (contents <> 'unread' OR next_check_at IS NOT NULL OR made_at IS NULL);

-- What came before is read once more, at leisure.
UPDATE payouts SET next_check_at = clock_now() + random() * interval '1 hour';

CREATE INDEX payouts_due ON payouts (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX payouts_newest ON payouts (created_at DESC, external_payout_id DESC);
CREATE INDEX payouts_of_seller ON payouts (seller_account, created_at DESC);
CREATE INDEX payouts_asked ON payouts (attention_since) WHERE attention_reason IS NOT NULL;

-- Which of our transfers a payout took to the seller's bank: one line of the seller's balance each.
CREATE TABLE payout_transfers (
  external_payout_id text NOT NULL REFERENCES payouts (external_payout_id),
  balance_transaction_id text NOT NULL CHECK (balance_transaction_id <> ''),
  stripe_transfer_id text NOT NULL CHECK (stripe_transfer_id <> ''),
  -- As the seller got it: his account may settle in another currency than the transfer.
  amount numeric(78,0) NOT NULL,
  currency text NOT NULL,
  PRIMARY KEY (external_payout_id, balance_transaction_id)
);
CREATE INDEX payout_transfers_of_transfer ON payout_transfers (stripe_transfer_id);

-- As in 0064, with the last line.
CREATE OR REPLACE VIEW items_asked AS
  SELECT 'settlement' AS kind, id, NULL::uuid AS order_id, attention_reason AS reason, attention_since AS since, spent AS amount,
    asset AS currency, decimals FROM settlements WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'payment', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM payments
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'refund', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM refunds
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'transfer', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM seller_transfers
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'reversal', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM reversals
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'dispute', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM disputes
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'drift/' || d.kind, d.id, NULL, 'drift', d.opened_at, coalesce(d.amount, 0)::numeric(78,0), coalesce(d.currency, 'XXX'),
    (SELECT s.decimals FROM settlements s WHERE d.item_kind = 'settlement' AND s.id = d.item_id) FROM drifts d WHERE d.state = 'open'
  UNION ALL SELECT 'payout', id, NULL, attention_reason, attention_since, abs(amount)::numeric(78,0), currency, NULL FROM payouts
    WHERE attention_reason IS NOT NULL;
