-- What proves our payment request ids. The first server that starts puts in what each derived from the oldest encryption key until now,
-- so that ids that are out stay valid; from then on it outlives that key. Not sealed: it opens nothing that is stored and sends nothing.
CREATE TABLE payment_request_secret (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  secret text NOT NULL CHECK (secret <> ''),
  made_at timestamptz NOT NULL DEFAULT clock_now()
);
