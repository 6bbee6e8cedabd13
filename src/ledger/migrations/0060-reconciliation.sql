-- What providers hold is compared with the ledger: one run at a time, part by part, so that it goes on where it was.
CREATE TABLE reconciliations (
  id uuid PRIMARY KEY,
  requested_by text NOT NULL CHECK (requested_by <> ''),
  -- From when on is compared; null: every part from where its last finished run began.
  since timestamptz,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'finished')),
  started_at timestamptz NOT NULL DEFAULT clock_now(),
  finished_at timestamptz,
  CONSTRAINT reconciliation_end_is_whole CHECK ((state = 'finished') = (finished_at IS NOT NULL))
);
CREATE UNIQUE INDEX one_reconciliation_at_a_time ON reconciliations ((true)) WHERE state = 'running';

CREATE TABLE reconciliation_parts (
  run_id uuid NOT NULL REFERENCES reconciliations (id),
  part text NOT NULL CHECK (part <> ''),
  place int NOT NULL,
  since timestamptz NOT NULL,
  until timestamptz NOT NULL,
  cursor text,
  pages int NOT NULL DEFAULT 0,
  looked_at bigint NOT NULL DEFAULT 0,
  suspected int NOT NULL DEFAULT 0,
  -- What the provider has is listed; what the ledger has is compared next.
  listed boolean NOT NULL DEFAULT false,
  tried_at timestamptz,
  finished_at timestamptz,
  -- Why it could not be compared in this run: nothing was concluded then, and the next run begins where this one did.
  left_because text CHECK (left_because <> ''),
  PRIMARY KEY (run_id, part)
);

-- How far each part was compared by its last finished run.
CREATE TABLE reconciliation_marks (
  part text PRIMARY KEY,
  reached timestamptz NOT NULL
);

-- What a provider's list named in this run: whatever of the ledger is not in it is looked at by itself. Emptied at its end.
CREATE TABLE reconciled_objects (
  run_id uuid NOT NULL REFERENCES reconciliations (id),
  part text NOT NULL,
  provider_id text NOT NULL,
  PRIMARY KEY (run_id, part, provider_id)
);

CREATE TABLE drifts (
  id uuid PRIMARY KEY,
  kind text NOT NULL CHECK (kind ~ '^(transfer|reversal|dispute|payment|refund)_(unknown|missing|differs)$'
    OR kind IN ('settlement_unknown', 'settlement_missing', 'workflow_gone')),
  provider text NOT NULL CHECK (provider IN ('stripe', 'hyperswitch', 'chain', 'temporal')),
  provider_id text NOT NULL CHECK (provider_id <> ''),
  -- Of a reversal the transfer at Stripe, of a refund its payment: what is read to look at it again.
  parent_id text,
  item_kind text CHECK (item_kind IN ('settlement', 'payment', 'refund', 'transfer', 'reversal', 'dispute')),
  item_id uuid,
  amount numeric(78,0),
  currency text,
  ledger_says text NOT NULL CHECK (ledger_says <> ''),
  provider_says text NOT NULL CHECK (provider_says <> ''),
  -- suspected: seen once, which proves nothing. open: seen again, and a person is asked.
  state text NOT NULL DEFAULT 'suspected' CHECK (state IN ('suspected', 'open', 'closed')),
  run_id uuid NOT NULL REFERENCES reconciliations (id),
  looked_run uuid,
  suspected_at timestamptz NOT NULL DEFAULT clock_now(),
  last_seen_at timestamptz NOT NULL DEFAULT clock_now(),
  opened_at timestamptz,
  closed_at timestamptz,
  closed_why text CHECK (closed_why IN ('agrees', 'accepted', 'repaired')),
  closed_by text,
  closed_note text,
  CONSTRAINT drift_item_is_whole CHECK ((item_kind IS NULL) = (item_id IS NULL)),
  CONSTRAINT drift_amount_is_whole CHECK ((amount IS NULL) = (currency IS NULL)),
  CONSTRAINT drift_opens_before_it_closes CHECK ((state = 'suspected') = (opened_at IS NULL)),
  CONSTRAINT drift_end_is_whole CHECK ((state = 'closed') = (closed_at IS NOT NULL) AND (state = 'closed') = (closed_why IS NOT NULL)),
  CONSTRAINT accepted_by_somebody CHECK ((closed_why IS NOT DISTINCT FROM 'accepted') = (closed_by IS NOT NULL AND closed_note IS NOT NULL))
);
CREATE UNIQUE INDEX drifts_told_once ON drifts (kind, provider_id, coalesce(item_id::text, '')) WHERE state <> 'closed';
CREATE INDEX drifts_open ON drifts (kind, id DESC) WHERE state = 'open';
CREATE INDEX drifts_to_look_at ON drifts (id) WHERE state <> 'closed';
CREATE INDEX drifts_accepted ON drifts (kind, provider_id) WHERE closed_why = 'accepted';
CREATE INDEX drifts_of_item ON drifts (item_id) WHERE item_id IS NOT NULL;
CREATE INDEX drifts_by_provider_id ON drifts (provider_id);

/* What was told to a person stays as it was told: it is closed, once, and never taken back; only a suspicion that came to nothing goes. */
CREATE FUNCTION guard_drift() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state <> 'suspected' THEN RAISE EXCEPTION 'drift % was told, and is kept', OLD.id; END IF;
    RETURN OLD;
  END IF;
  IF OLD.state = 'closed' THEN RAISE EXCEPTION 'drift % is closed', OLD.id; END IF;
  IF OLD.state = 'open' AND NEW.state = 'suspected' THEN RAISE EXCEPTION 'drift % was told already', OLD.id; END IF;
  IF (NEW.id, NEW.kind, NEW.provider, NEW.provider_id, NEW.item_id) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.provider, OLD.provider_id, OLD.item_id)
  THEN RAISE EXCEPTION 'drift % is about something else', OLD.id; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER drifts_guard BEFORE UPDATE OR DELETE ON drifts FOR EACH ROW EXECUTE FUNCTION guard_drift();

-- What a run compares, by when it happened.
CREATE INDEX seller_transfers_completed ON seller_transfers (completed_at) WHERE stripe_transfer_id IS NOT NULL;
CREATE INDEX reversals_reversed ON reversals (reversed_at) WHERE stripe_reversal_id IS NOT NULL;
CREATE INDEX settlements_exact ON settlements (created_at) WHERE protocol = 'x402';

ALTER TABLE operation_events DROP CONSTRAINT operation_events_item_kind_check,
  ADD CONSTRAINT operation_events_item_kind_check CHECK (item_kind IN ('settlement', 'provider', 'lease', 'order', 'payment', 'refund', 'transfer',
    'reversal', 'seller', 'webhook', 'backfill', 'dispute', 'drift'));
