-- A top-up is settled first and takes nothing: what is due of it is not an answer that was paid for, but to be told what became of
-- it, and where it is refused nobody owes it. It alone has nothing to take.
ALTER TABLE settlements DROP CONSTRAINT answer_is_paid_for;
UPDATE settlements SET answer = 'due'
  WHERE source = 'session' AND cap = 0 AND voucher_channel IS NULL AND answer IS NULL;
ALTER TABLE settlements ADD CONSTRAINT answer_is_paid_for CHECK (answer IS NULL OR spent > 0 OR cap = 0);
