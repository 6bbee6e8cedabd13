-- What needs a person, and who has been told of it.

-- Everything that waits for a person, of whatever kind.
CREATE VIEW items_asked AS
  SELECT 'settlement' AS kind, id, NULL::uuid AS order_id, attention_reason AS reason, attention_since AS since, spent AS amount,
    asset AS currency, decimals FROM settlements WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'payment', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM payments
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'refund', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM refunds
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'transfer', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM seller_transfers
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'reversal', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM reversals
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'dispute', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM disputes
    WHERE attention_reason IS NOT NULL;

-- One time that an item needed a person. The sweep writes it from the items themselves, which say so in the transaction that makes it so:
-- nothing is lost where the sweep dies, and no payment waits for this table.
CREATE TABLE notices (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_kind text NOT NULL,
  item_id uuid NOT NULL,
  order_id uuid,
  reason text NOT NULL,
  since timestamptz NOT NULL,
  amount numeric(78,0) NOT NULL,
  currency text NOT NULL,
  decimals int,
  noted_at timestamptz NOT NULL DEFAULT clock_now(),
  ended_at timestamptz,
  UNIQUE (item_kind, item_id, reason, since)
);
CREATE INDEX notices_open ON notices (reason, noted_at) WHERE ended_at IS NULL;
CREATE INDEX notices_ended ON notices (ended_at) WHERE ended_at IS NOT NULL;

-- Those of the settings, and how they are. An address or a secret is never here.
CREATE TABLE notice_destinations (
  id text PRIMARY KEY,
  stage text NOT NULL CHECK (stage IN ('first', 'escalation')),
  -- When a worker that has it in its settings last said so.
  seen_at timestamptz NOT NULL DEFAULT clock_now(),
  delivered_at timestamptz,
  failing_since timestamptz,
  failures int NOT NULL DEFAULT 0,
  last_failure text,
  -- It answered that nobody is there any more: nothing is sent until a person has tried it.
  gone_at timestamptz
);

CREATE TABLE notice_messages (
  -- What a receiver knows it by, however often it comes.
  id uuid PRIMARY KEY,
  destination text NOT NULL REFERENCES notice_destinations (id),
  stage text NOT NULL CHECK (stage IN ('first', 'escalation')),
  reason text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'withdrawn', 'given_up')),
  made_at timestamptz NOT NULL DEFAULT clock_now(),
  attempts int NOT NULL DEFAULT 0,
  -- What it tells: frozen before the first attempt, the same for all of them.
  contents jsonb,
  next_check_at timestamptz DEFAULT clock_now(),
  ended_at timestamptz,
  CONSTRAINT message_ends_once CHECK ((state = 'waiting') = (ended_at IS NULL) AND (state = 'waiting') = (next_check_at IS NOT NULL)),
  CONSTRAINT sent_is_frozen CHECK (attempts = 0 OR contents IS NOT NULL)
);
CREATE INDEX notice_messages_due ON notice_messages (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX notice_messages_ended ON notice_messages (ended_at) WHERE ended_at IS NOT NULL;
-- Where one waits to be delivered, what comes up meanwhile is gathered for the next.
CREATE UNIQUE INDEX notice_messages_one_waits ON notice_messages (destination, reason) WHERE state = 'waiting';

CREATE FUNCTION message_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'waiting' AND NEW IS DISTINCT FROM OLD OR OLD.contents IS NOT NULL AND NEW.contents IS DISTINCT FROM OLD.contents THEN
    RAISE EXCEPTION 'message % has ended, or its contents are frozen', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER notice_messages_stay BEFORE UPDATE ON notice_messages FOR EACH ROW EXECUTE FUNCTION message_stays();

CREATE TABLE notice_message_items (
  message_id uuid NOT NULL REFERENCES notice_messages (id) ON DELETE CASCADE,
  notice bigint NOT NULL REFERENCES notices (seq) ON DELETE CASCADE,
  destination text NOT NULL,
  -- False: that message was given up or withdrawn, and what still stands is told by another.
  stands boolean NOT NULL DEFAULT true,
  PRIMARY KEY (message_id, notice)
);
-- Nobody is told of the same thing twice.
CREATE UNIQUE INDEX notice_told_once ON notice_message_items (notice, destination) WHERE stands;

CREATE TABLE notice_attempts (
  message_id uuid NOT NULL REFERENCES notice_messages (id) ON DELETE CASCADE,
  number int NOT NULL CHECK (number > 0),
  begun_at timestamptz NOT NULL DEFAULT clock_now(),
  ended_at timestamptz,
  -- Null: it is at work, or nobody lived to say.
  outcome text CHECK (outcome IN ('delivered', 'failed', 'gone')),
  detail text,
  PRIMARY KEY (message_id, number),
  CONSTRAINT attempt_ends_whole CHECK ((ended_at IS NULL) = (outcome IS NULL) AND (outcome IS NULL) = (detail IS NULL))
);
