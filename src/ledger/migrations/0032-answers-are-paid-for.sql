-- A session that cost nothing is settled all the same where that gives a deposit back. Its answer, a failure or a gift, has left,
-- and what would be had later in its place was not paid for.
UPDATE settlements SET answer = NULL, answer_token = NULL, answer_until = NULL WHERE answer IS NOT NULL AND spent = 0;
ALTER TABLE settlements ADD CONSTRAINT answer_is_paid_for CHECK (answer IS NULL OR spent > 0);
