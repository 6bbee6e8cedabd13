-- Payouts of sellers are compared with Stripe too.
ALTER TABLE drifts DROP CONSTRAINT drifts_kind_check,
  ADD CONSTRAINT drifts_kind_check CHECK (kind ~ '^(transfer|reversal|dispute|payment|refund|payout)_(unknown|missing|differs)$'
    OR kind IN ('settlement_unknown', 'settlement_missing', 'workflow_gone'));
CREATE INDEX payouts_made ON payouts (made_at);
