-- How fast Stripe is called, by a person's word: the lower of it and of STRIPE_MAX_RPS holds, for every process at its next token.
CREATE TABLE stripe_rate (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  per_second int NOT NULL CHECK (per_second BETWEEN 1 AND 10000),
  set_by text NOT NULL CHECK (set_by <> ''),
  -- False: a name that anybody may type.
  authenticated boolean NOT NULL,
  note text NOT NULL,
  set_at timestamptz NOT NULL DEFAULT clock_now()
);
