-- Payments are decided about too. Which kinds and actions there are is said in one place, src/domain/decisions.ts; here only
-- that they are words.
ALTER TABLE decisions
  DROP CONSTRAINT decisions_item_kind_check,
  DROP CONSTRAINT decisions_action_check,
  ADD CONSTRAINT decisions_item_kind_check CHECK (item_kind IN ('settlement', 'transfer', 'reversal', 'refund', 'payment')),
  ADD CONSTRAINT decisions_action_check CHECK (action ~ '^[a-z][a-z_]{0,39}$');
