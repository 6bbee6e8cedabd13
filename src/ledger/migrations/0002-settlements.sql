CREATE TABLE settlements (
  id uuid PRIMARY KEY,
  key text NOT NULL CHECK (key <> ''),
  identity text NOT NULL CHECK (identity <> ''),
  -- digest of what was asked, to tell the same request from another one under the same key
  content_sha256 text NOT NULL,
  source text NOT NULL CHECK (source IN ('session', 'api')),
  protocol text NOT NULL CHECK (protocol IN ('atxp', 'x402', 'mpp')),
  provider text NOT NULL,
  status text NOT NULL CHECK (status IN ('open', 'pending', 'settled', 'released', 'needs_attention', 'written_off')),
  certainty text NOT NULL DEFAULT 'not_sent' CHECK (certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')),

  asset text NOT NULL,
  decimals int NOT NULL CHECK (decimals BETWEEN 0 AND 78),
  cap numeric(78, 0) CHECK (cap >= 0),
  spent numeric(78, 0) NOT NULL DEFAULT 0 CHECK (spent >= 0),
  CONSTRAINT spent_within_cap CHECK (cap IS NULL OR spent <= cap),

  payer text,
  route text,
  -- network, asset, from, nonce: what a person needs to look the payment up; never a secret
  lookup jsonb NOT NULL DEFAULT '{}',
  -- what the body is built from, beside the credential; never a secret
  context jsonb NOT NULL DEFAULT '{}',

  -- the credential while open, the exact body to send from the close on; encrypted, erased at the end
  sealed bytea,
  sealed_kind text CHECK (sealed_kind IN ('credential', 'body')),
  sealed_key_id text,
  body_sha256 text,
  CONSTRAINT sealed_is_whole CHECK ((sealed IS NULL) = (sealed_key_id IS NULL) AND (sealed IS NULL) = (sealed_kind IS NULL)),
  expires_at timestamptz,
  erase_at timestamptz,
  erased_at timestamptz,

  attempts int NOT NULL DEFAULT 0,
  first_sent_at timestamptz,
  first_failure_at timestamptz,
  first_failure_reason text,
  -- class of the newest answer; 'misdirected' while pending: parked until the provider is itself again
  last_answer text,
  runner text,
  runner_until timestamptz,
  CONSTRAINT runner_is_whole CHECK ((runner IS NULL) = (runner_until IS NULL)),
  next_retry_at timestamptz,
  next_check_at timestamptz,
  -- an uncollectable charge of the same payer that a person must deal with first
  blocked_by uuid REFERENCES settlements (id),
  workflow_id text,

  tx_hash text,
  already_settled boolean NOT NULL DEFAULT false,
  suspected_elsewhere boolean NOT NULL DEFAULT false,
  delivery text CHECK (delivery IN ('delivered', 'aborted', 'unknown')),
  attention_reason text,
  attention_since timestamptz,
  attention_detail text,
  CONSTRAINT attention_is_whole CHECK (
    (attention_reason IS NULL) = (attention_since IS NULL) AND (attention_reason IS NULL) = (attention_detail IS NULL)),
  CONSTRAINT attention_has_a_reason CHECK (
    (status = 'needs_attention') = (attention_reason IS NOT NULL) OR (status = 'settled' AND attention_reason = 'late_success')),

  created_at timestamptz NOT NULL DEFAULT clock_now(),
  closed_at timestamptz,
  settled_at timestamptz,

  CONSTRAINT settled_is_certain CHECK (status <> 'settled' OR (certainty = 'done' AND settled_at IS NOT NULL)),
  CONSTRAINT released_was_never_sent CHECK (status <> 'released' OR (certainty = 'not_sent' AND attempts = 0)),
  CONSTRAINT pending_has_a_body CHECK (status <> 'pending' OR sealed_kind = 'body' OR erased_at IS NOT NULL),
  CONSTRAINT unfinished_is_found_again CHECK (
    (status IN ('settled', 'released', 'written_off')) = (next_check_at IS NULL))
);

-- An identity or a key may be used again only after its session was released uncharged.
CREATE UNIQUE INDEX settlements_identity ON settlements (identity) WHERE status <> 'released';
CREATE UNIQUE INDEX settlements_key ON settlements (key) WHERE status <> 'released';
-- The auth server settles one payment request once, whatever credential answers it: so it is accepted once.
CREATE UNIQUE INDEX settlements_payment_request ON settlements ((context ->> 'paymentRequestId'))
  WHERE status <> 'released' AND context ? 'paymentRequestId';
-- One attention item per payer who cannot pay; the payer's further refused charges wait behind it.
CREATE UNIQUE INDEX settlements_one_uncollectable_per_payer ON settlements (payer)
  WHERE status = 'needs_attention' AND attention_reason = 'uncollectable' AND payer IS NOT NULL;

CREATE INDEX settlements_due ON settlements (protocol, status, next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX settlements_exposed ON settlements (route, payer) INCLUDE (status, cap, spent)
  WHERE status IN ('open', 'pending', 'needs_attention');
CREATE INDEX settlements_unsettled ON settlements (status, protocol) INCLUDE (created_at, certainty)
  WHERE status IN ('pending', 'needs_attention');
CREATE INDEX settlements_attention ON settlements (id DESC) WHERE attention_reason IS NOT NULL;
CREATE INDEX settlements_blocked ON settlements (blocked_by) WHERE blocked_by IS NOT NULL;
CREATE INDEX settlements_to_erase ON settlements (erase_at) WHERE sealed IS NOT NULL;
CREATE INDEX settlements_first_failures ON settlements (protocol, first_failure_reason) WHERE first_failure_at IS NOT NULL;
CREATE INDEX settlements_undelivered ON settlements (id) WHERE delivery = 'unknown';

CREATE FUNCTION settlement_may_become(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (was, becomes) IN (
    ('open', 'pending'), ('open', 'released'),
    ('pending', 'settled'), ('pending', 'needs_attention'),
    ('needs_attention', 'pending'), ('needs_attention', 'settled'), ('needs_attention', 'written_off'),
    ('written_off', 'settled'))
$$;

-- The database holds the rules itself: whoever writes, an illegal move is refused.
CREATE FUNCTION settlements_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status NOT IN ('open', 'pending', 'needs_attention') THEN
      RAISE EXCEPTION 'a settlement cannot begin as %', NEW.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.status <> OLD.status AND NOT settlement_may_become(OLD.status, NEW.status) THEN
    RAISE EXCEPTION 'settlement %: % cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
    RAISE EXCEPTION 'settlement %: what is done stays done', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') THEN
    RAISE EXCEPTION 'settlement %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'open' AND (NEW.spent <> OLD.spent OR NEW.cap IS DISTINCT FROM OLD.cap) THEN
    RAISE EXCEPTION 'settlement %: the amount is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.spent < OLD.spent THEN
    RAISE EXCEPTION 'settlement %: what was spent cannot shrink', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.body_sha256 IS NOT NULL AND NEW.body_sha256 IS DISTINCT FROM OLD.body_sha256 THEN
    RAISE EXCEPTION 'settlement %: the body is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.identity, NEW.key, NEW.protocol, NEW.asset, NEW.decimals) IS DISTINCT FROM (OLD.identity, OLD.key, OLD.protocol, OLD.asset, OLD.decimals) THEN
    RAISE EXCEPTION 'settlement %: its identity, key, protocol and asset never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION 'settlement %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER settlements_guard BEFORE INSERT OR UPDATE ON settlements FOR EACH ROW EXECUTE FUNCTION settlements_guard();
CREATE TRIGGER settlements_keep BEFORE DELETE ON settlements FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- What an operator decided, or asked an approver to confirm.
CREATE TABLE decisions (
  id uuid PRIMARY KEY,
  item_kind text NOT NULL CHECK (item_kind IN ('settlement')),
  item_id uuid NOT NULL,
  action text NOT NULL CHECK (action IN ('retry', 'settled', 'write_off')),
  state text NOT NULL CHECK (state IN ('applied', 'pending_approval', 'ignored')),
  by text NOT NULL CHECK (by <> ''),
  -- false: the name came from a signal or update of the Temporal CLI, which proves nothing
  authenticated boolean NOT NULL,
  note text NOT NULL,
  evidence jsonb,
  requested_at timestamptz NOT NULL DEFAULT clock_now(),
  approved_by text,
  approval_note text,
  approved_at timestamptz,
  CONSTRAINT two_persons CHECK (approved_by IS NULL OR approved_by <> by),
  CONSTRAINT approval_is_whole CHECK ((approved_by IS NULL) = (approved_at IS NULL))
);
CREATE UNIQUE INDEX decisions_one_waiting_per_item ON decisions (item_kind, item_id) WHERE state = 'pending_approval';
CREATE INDEX decisions_by_item ON decisions (item_kind, item_id, requested_at);
CREATE TRIGGER decisions_keep BEFORE DELETE ON decisions FOR EACH ROW EXECUTE FUNCTION refuse_change();
