-- What surrounds the marketplace's money: payouts, the inbox of webhooks, our own clients' keys, the pinned Stripe account,
-- the budget of requests, fair turns between sellers, waits for a balance, and backfills.

-- Payouts of connected accounts, as Stripe reports them.
CREATE TABLE payouts (
  external_payout_id text PRIMARY KEY CHECK (external_payout_id <> ''),
  seller_account text NOT NULL,
  amount numeric(78,0) NOT NULL,
  currency text NOT NULL,
  status text NOT NULL CHECK (status IN ('paid', 'pending', 'in_transit', 'canceled', 'failed')),
  arrival_at timestamptz,
  failure_code text,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  updated_at timestamptz NOT NULL DEFAULT clock_now()
);

-- Every webhook, once per event; kept for ever, because a provider may deliver it again at any time.
CREATE TABLE webhook_events (
  provider text NOT NULL CHECK (provider IN ('hyperswitch', 'stripe')),
  event_id text NOT NULL CHECK (event_id <> ''),
  type text NOT NULL,
  object_id text,
  -- Of a refund event, the payment it belongs to.
  parent_id text,
  -- The connected account it came from.
  account text,
  body_sha256 text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_now(),
  deliveries int NOT NULL DEFAULT 1,
  -- Null: nothing is left to do.
  next_check_at timestamptz,
  processed_at timestamptz,
  outcome text,
  PRIMARY KEY (provider, event_id),
  CONSTRAINT unprocessed_event_is_found_again CHECK ((processed_at IS NULL) = (next_check_at IS NOT NULL))
);
CREATE INDEX webhook_events_due ON webhook_events (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX webhook_events_of_object ON webhook_events (object_id);

-- The Idempotency-Key of our own clients: one key, one item, one answer.
CREATE TABLE request_keys (
  principal text NOT NULL,
  operation text NOT NULL CHECK (operation IN ('orders', 'payments', 'refunds')),
  key text NOT NULL CHECK (key <> ''),
  body_sha256 text NOT NULL,
  item_id uuid,
  -- While a request works on it; a process that died holds it no longer than this.
  held_until timestamptz,
  -- Without the buyer's client secret, which is kept encrypted with the payment.
  answer_status int,
  answer jsonb,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  PRIMARY KEY (principal, operation, key),
  CONSTRAINT answer_is_whole CHECK ((answer_status IS NULL) = (answer IS NULL))
);

-- The one Stripe account and mode this ledger belongs to: a key of another would find nothing, or move other money.
CREATE TABLE stripe_account (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  account_id text NOT NULL,
  livemode boolean NOT NULL,
  pinned_at timestamptz NOT NULL DEFAULT clock_now()
);
CREATE TRIGGER stripe_account_keep BEFORE UPDATE OR DELETE ON stripe_account FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE stripe_tokens (
  endpoint text PRIMARY KEY,
  next_at timestamptz NOT NULL
);

-- One request may be sent to this endpoint so many milliseconds from now. Evenly spaced, whoever asks: all workers and
-- backfills share the row. Judged by Postgres' running clock, which a test's moved ledger clock does not touch.
CREATE FUNCTION take_stripe_token(p_endpoint text, p_per_second float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  v_at timestamptz;
BEGIN
  INSERT INTO stripe_tokens (endpoint, next_at) VALUES (p_endpoint, clock_timestamp()) ON CONFLICT DO NOTHING;
  UPDATE stripe_tokens SET next_at = greatest(next_at, clock_timestamp()) + interval '1 second' / p_per_second
    WHERE endpoint = p_endpoint RETURNING next_at - interval '1 second' / p_per_second INTO v_at;
  RETURN greatest(0, extract(epoch FROM v_at - clock_timestamp()) * 1000);
END $$;

-- Turns between sellers are given in rounds: in each round every busy seller has one. The rounds before the present one are
-- over and forgotten; a round lasts as long as its turns take.
CREATE TABLE seller_turns (
  seller_account text PRIMARY KEY,
  -- Of its last turn.
  round bigint NOT NULL
);
CREATE TABLE turn_rounds (
  round bigint PRIMARY KEY,
  turns int NOT NULL
);
CREATE TABLE turn_clock (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  round bigint NOT NULL DEFAULT 1,
  begins_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- When the next call for this seller should begin, in milliseconds from now. A seller alone gets the whole pace; among busy
-- ones each gets as many turns as the others, so a seller with one refund never stands behind another's thousand, and
-- sellers with little to do leave the rest of the pace to those with much. Who comes late into a round makes it longer than
-- its successors were told: this is order, the tokens above are the limit.
CREATE FUNCTION take_seller_turn(p_seller text, p_per_second float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  v_step interval := interval '1 second' / p_per_second;
  c turn_clock;
  v_now timestamptz;
  v_turns int;
  v_round bigint;
  v_before bigint;
BEGIN
  INSERT INTO turn_clock DEFAULT VALUES ON CONFLICT DO NOTHING;
  SELECT * INTO c FROM turn_clock FOR UPDATE;
  v_now := clock_timestamp();
  LOOP
    DELETE FROM turn_rounds WHERE round = c.round AND c.begins_at + turns * v_step <= v_now RETURNING turns INTO v_turns;
    EXIT WHEN NOT FOUND;
    c.round := c.round + 1;
    c.begins_at := c.begins_at + v_turns * v_step;
  END LOOP;
  IF NOT EXISTS (SELECT 1 FROM turn_rounds WHERE round = c.round) THEN
    c.begins_at := greatest(c.begins_at, v_now);
  END IF;
  INSERT INTO seller_turns AS s (seller_account, round) VALUES (p_seller, c.round)
    ON CONFLICT (seller_account) DO UPDATE SET round = greatest(s.round + 1, c.round) RETURNING round INTO v_round;
  SELECT coalesce(sum(turns), 0) INTO v_before FROM turn_rounds WHERE round < v_round;
  INSERT INTO turn_rounds AS r (round, turns) VALUES (v_round, 1)
    ON CONFLICT (round) DO UPDATE SET turns = r.turns + 1 RETURNING turns - 1 INTO v_turns;
  UPDATE turn_clock SET round = c.round, begins_at = c.begins_at;
  RETURN greatest(0, extract(epoch FROM c.begins_at + (v_before + v_turns) * v_step - clock_timestamp()) * 1000);
END $$;

-- A row: this seller's balance was too low, and only one reversal at a time, the oldest, asks again.
CREATE TABLE seller_gates (
  seller_account text NOT NULL,
  currency text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_now(),
  probe_at timestamptz NOT NULL,
  probe_every interval NOT NULL,
  PRIMARY KEY (seller_account, currency)
);

-- Parks a provider, or one seller at it, at once: a key that is refused once is refused until a person mends it.
CREATE FUNCTION park_provider(p_provider text, p_detail text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  v_every interval;
BEGIN
  INSERT INTO provider_breakers (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
  SELECT least(coalesce(probe_every * 2, interval '1 second'), interval '1 minute') INTO v_every
    FROM provider_breakers WHERE provider = p_provider FOR UPDATE;
  INSERT INTO operation_events (item_kind, item_id, kind, answer_class, detail)
    SELECT 'provider', p_provider, 'parked', 'config', jsonb_build_object('detail', p_detail)
    FROM provider_breakers WHERE provider = p_provider AND state = 'closed';
  UPDATE provider_breakers SET state = 'open', reason = 'config', detail = p_detail,
      opened_at = coalesce(opened_at, v_now), probe_every = v_every, probe_at = v_now + v_every
    WHERE provider = p_provider AND (state <> 'open' OR probe_at <= v_now);
END $$;

CREATE TABLE backfills (
  id uuid PRIMARY KEY,
  -- False: a dry run, which writes no id.
  apply boolean NOT NULL,
  since timestamptz,
  destination text,
  requested_by text NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished')),
  started_at timestamptz NOT NULL DEFAULT clock_now(),
  finished_at timestamptz
);

-- One line of the report for each transfer that had no id; written once, also when the run is repeated after a crash.
CREATE TABLE backfill_results (
  backfill_id uuid NOT NULL REFERENCES backfills (id),
  transfer_id uuid NOT NULL REFERENCES seller_transfers (id),
  outcome text NOT NULL CHECK (outcome IN ('matched', 'written', 'not_found', 'ambiguous', 'mismatch', 'taken')),
  stripe_transfer_id text,
  candidates jsonb NOT NULL DEFAULT '[]',
  detail text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_now(),
  PRIMARY KEY (backfill_id, transfer_id)
);
