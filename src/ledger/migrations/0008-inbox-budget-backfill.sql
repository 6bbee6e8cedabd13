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

CREATE TABLE seller_turns (
  seller_account text PRIMARY KEY,
  next_at timestamptz NOT NULL
);
CREATE INDEX seller_turns_next ON seller_turns (next_at);

-- When the next call for this seller should begin, in milliseconds from now. A seller alone gets the whole pace; with n
-- busy sellers each gets an n-th, so a seller with one refund never stands behind another's thousand.
CREATE FUNCTION take_seller_turn(p_seller text, p_per_second float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_step interval;
  v_at timestamptz;
BEGIN
  SELECT greatest(1, count(*) + CASE WHEN bool_or(seller_account = p_seller) THEN 0 ELSE 1 END) * interval '1 second' / p_per_second
    INTO v_step FROM seller_turns WHERE next_at > v_now;
  INSERT INTO seller_turns (seller_account, next_at) VALUES (p_seller, v_now) ON CONFLICT DO NOTHING;
  UPDATE seller_turns SET next_at = greatest(next_at, v_now) + v_step WHERE seller_account = p_seller
    RETURNING next_at - v_step INTO v_at;
  RETURN greatest(0, extract(epoch FROM v_at - clock_timestamp()) * 1000);
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
