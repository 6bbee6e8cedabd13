-- A buyer may name the answer that a payment is for (x402's payment-identifier): lost on its way, it is had again by that name,
-- from here, and nothing is paid for twice. Kept are digests, and the answer itself for a while, encrypted.
CREATE TABLE named_answers (
  id uuid PRIMARY KEY REFERENCES settlements (id),
  -- of the payer and the name that the payer gave
  name_sha256 text NOT NULL UNIQUE,
  -- of the payment to the letter, method, URL and body: the same name for anything else is an error of the client
  request_sha256 text NOT NULL,
  -- how long it is kept once it is charged
  keep interval NOT NULL,
  -- the whole answer; NULL: not charged yet, larger than may be kept, or a stream that had left before it was whole
  sealed bytea,
  sealed_key_id text,
  -- what it was charged with: one that was billed for less since, because not all of it left, is not given whole
  spent numeric(78, 0),
  erase_at timestamptz NOT NULL,
  CONSTRAINT sealed_with_a_key CHECK ((sealed IS NULL) = (sealed_key_id IS NULL) AND (sealed IS NULL) = (spent IS NULL))
);
CREATE INDEX named_answers_to_erase ON named_answers (erase_at);

-- In the transaction that opens the session. A name is free again when what it stood for cost nothing, was given up without having
-- moved anything, or is forgotten.
CREATE FUNCTION name_answer(p_id uuid, p_name text, p_request text, p_keep interval, p_longest interval)
 RETURNS boolean
 LANGUAGE plpgsql
AS $$
BEGIN
  DELETE FROM named_answers a USING settlements s
    WHERE a.name_sha256 = p_name AND s.id = a.id AND (s.status = 'released' OR a.erase_at <= clock_now()
      OR (s.status = 'written_off' AND s.certainty IN ('not_sent', 'absent')));
  INSERT INTO named_answers (id, name_sha256, request_sha256, keep, erase_at)
    VALUES (p_id, p_name, p_request, p_keep, clock_now() + p_longest + p_keep);
  RETURN true;
END $$;
