-- MPP payment channels: what a payer has put down on chain, what vouchers allow us to take of it, what requests have used.
-- earned <= spent <= accepted <= deposit: what was served, plus what is being served, within what was signed, within what
-- is there. Amounts are atomic units of the token; addresses and ids are lower-case hex.

CREATE TABLE channels (
  channel_id text PRIMARY KEY CHECK (channel_id ~ '^0x[0-9a-f]{64}$'),
  -- the channel as npm mppx keeps it, in its JSON; what has a column of its own is taken from there
  state text NOT NULL,
  chain_id bigint NOT NULL CHECK (chain_id > 0),
  escrow text NOT NULL CHECK (escrow ~ '^0x[0-9a-f]{40}$'),
  payer text NOT NULL CHECK (payer ~ '^0x[0-9a-f]{40}$'),
  payee text NOT NULL CHECK (payee ~ '^0x[0-9a-f]{40}$'),
  token text NOT NULL CHECK (token ~ '^0x[0-9a-f]{40}$'),
  operator text NOT NULL CHECK (operator ~ '^0x[0-9a-f]{40}$'),
  -- who the payer is to the application, where it authenticates its clients
  identity text CHECK (identity <> ''),

  deposit numeric(78, 0) NOT NULL,
  -- cumulative amount of the highest voucher
  accepted numeric(78, 0) NOT NULL,
  -- earned, plus what requests under way have reserved
  spent numeric(78, 0) NOT NULL,
  -- charged by responses that were served, durable before their last byte left
  earned numeric(78, 0) NOT NULL DEFAULT 0 CHECK (earned >= 0),
  -- cumulative amount captured on chain
  settled numeric(78, 0) NOT NULL DEFAULT 0 CHECK (settled >= 0),
  CONSTRAINT earned_within_spent CHECK (earned <= spent),
  CONSTRAINT spent_within_accepted CHECK (spent <= accepted),
  CONSTRAINT accepted_within_deposit CHECK (accepted <= deposit),
  CONSTRAINT settled_within_deposit CHECK (settled <= deposit),

  finalized boolean NOT NULL DEFAULT false,
  -- the payer asked to close, here or on chain: no request is paid from this channel any more
  close_requested_at timestamptz,
  -- the voucher that the payer signed for the close
  close_cumulative numeric(78, 0),
  close_signature text,
  CONSTRAINT close_voucher_is_whole CHECK ((close_cumulative IS NULL) = (close_signature IS NULL)),
  CONSTRAINT close_voucher_covers CHECK (close_cumulative IS NULL OR (close_requested_at IS NOT NULL
    AND earned <= close_cumulative AND settled <= close_cumulative AND close_cumulative <= deposit)),

  -- when deposit, settled and the close request were last seen on chain
  chain_read_at timestamptz NOT NULL DEFAULT clock_now(),
  -- since when something earned has waited to be captured; a capture on a schedule goes by it
  unsettled_since timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  updated_at timestamptz NOT NULL DEFAULT clock_now(),
  next_check_at timestamptz,
  CONSTRAINT open_channel_is_looked_at CHECK (finalized = (next_check_at IS NULL))
);
CREATE INDEX channels_by_payer ON channels (payer, chain_id, escrow, payee, token, updated_at DESC)
  WHERE NOT finalized AND close_requested_at IS NULL;
CREATE INDEX channels_by_identity ON channels (identity, chain_id, escrow, payee, token, updated_at DESC)
  WHERE identity IS NOT NULL AND NOT finalized AND close_requested_at IS NULL;
CREATE INDEX channels_due ON channels (next_check_at) WHERE next_check_at IS NOT NULL;

CREATE FUNCTION channels_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.channel_id, NEW.chain_id, NEW.escrow, NEW.payer, NEW.payee, NEW.token, NEW.operator)
    IS DISTINCT FROM (OLD.channel_id, OLD.chain_id, OLD.escrow, OLD.payer, OLD.payee, OLD.token, OLD.operator) THEN
    RAISE EXCEPTION 'channel %: what its id is made of never changes', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.deposit < OLD.deposit OR NEW.accepted < OLD.accepted OR NEW.earned < OLD.earned OR NEW.settled < OLD.settled THEN
    RAISE EXCEPTION 'channel %: deposit, accepted, earned and settled never shrink', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.finalized AND NOT NEW.finalized THEN
    RAISE EXCEPTION 'channel %: a finalized channel stays finalized', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.close_requested_at IS NOT NULL AND NEW.close_requested_at IS NULL THEN
    RAISE EXCEPTION 'channel %: a close request is not taken back', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  NEW.updated_at := clock_now();
  IF NEW.finalized THEN NEW.next_check_at := NULL; END IF;
  NEW.unsettled_since := CASE WHEN NEW.earned > NEW.settled THEN coalesce(OLD.unsettled_since, clock_now()) END;
  IF NEW.settled > OLD.settled AND NEW.earned > NEW.settled THEN NEW.unsettled_since := clock_now(); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER channels_guard BEFORE UPDATE ON channels FOR EACH ROW EXECUTE FUNCTION channels_guard();

-- One paid exchange on a channel. Its reservation is within what was signed before anything is served for it.
CREATE TABLE channel_requests (
  id uuid PRIMARY KEY,
  channel_id text NOT NULL REFERENCES channels (channel_id),
  route text NOT NULL,
  reserved numeric(78, 0) NOT NULL CHECK (reserved > 0),
  -- what is durable of the charge: grows by checkpoints, final at the close
  spent numeric(78, 0) NOT NULL DEFAULT 0 CHECK (spent >= 0),
  CONSTRAINT spent_within_reserved CHECK (spent <= reserved),
  status text NOT NULL CHECK (status IN ('reserved', 'charged', 'released')),
  CONSTRAINT status_says_what_was_spent CHECK (
    status = 'reserved' OR (status = 'charged') = (spent > 0)),
  lease_id uuid NOT NULL REFERENCES server_leases (id),
  epoch bigint NOT NULL,
  close_token uuid NOT NULL,
  -- the longest this route may serve; the sweep closes what is reserved past it
  deadline timestamptz NOT NULL,
  delivery text CHECK (delivery IN ('delivered', 'aborted', 'unknown')),
  opened_at timestamptz NOT NULL DEFAULT clock_now(),
  closed_at timestamptz,
  closed_by text CHECK (closed_by IN ('end', 'abort', 'error', 'sweep')),
  CONSTRAINT close_is_whole CHECK (
    (status = 'reserved') = (closed_at IS NULL) AND (closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX channel_requests_reserved ON channel_requests (channel_id, lease_id) WHERE status = 'reserved';
CREATE INDEX channel_requests_undelivered ON channel_requests (id) WHERE delivery = 'unknown';

-- The vouchers that were presented, each with the one request that it paid for: presented again it pays for nothing. The
-- highest one within what was earned may be captured while the channel lives. Those below what is captured are pruned.
CREATE TABLE channel_vouchers (
  channel_id text NOT NULL REFERENCES channels (channel_id),
  cumulative numeric(78, 0) NOT NULL CHECK (cumulative >= 0),
  signature text NOT NULL,
  request_id uuid,
  presented_at timestamptz NOT NULL DEFAULT clock_now(),
  PRIMARY KEY (channel_id, cumulative)
);

-- The arithmetic of a channel in one place: whoever writes a request moves its channel with it.
CREATE FUNCTION channel_requests_move_their_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'reserved' OR NEW.spent <> 0 THEN
      RAISE EXCEPTION 'a request begins with a reservation and nothing spent' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE channels SET spent = spent + NEW.reserved
      WHERE channel_id = NEW.channel_id AND NOT finalized AND close_requested_at IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'channel % pays for nothing any more', NEW.channel_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.channel_id, NEW.reserved, NEW.close_token) IS DISTINCT FROM (OLD.channel_id, OLD.reserved, OLD.close_token) THEN
    RAISE EXCEPTION 'request %: its channel and its reservation never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'reserved' AND (NEW.status, NEW.spent) IS DISTINCT FROM (OLD.status, OLD.spent) THEN
    RAISE EXCEPTION 'request %: it is closed, its amount is frozen', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.spent < OLD.spent THEN
    RAISE EXCEPTION 'request %: what was spent cannot shrink', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status = 'reserved' AND (NEW.spent <> OLD.spent OR NEW.status <> 'reserved') THEN
    UPDATE channels SET
      earned = earned + NEW.spent - OLD.spent,
      spent = spent - CASE NEW.status WHEN 'reserved' THEN 0 ELSE NEW.reserved - NEW.spent END,
      -- a close waits for the last request under way
      next_check_at = CASE WHEN close_requested_at IS NOT NULL AND NOT finalized AND NEW.status <> 'reserved'
        THEN clock_now() ELSE next_check_at END
      WHERE channel_id = NEW.channel_id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER channel_requests_move_their_channel BEFORE INSERT OR UPDATE ON channel_requests
  FOR EACH ROW EXECUTE FUNCTION channel_requests_move_their_channel();
CREATE TRIGGER channel_requests_keep BEFORE DELETE ON channel_requests FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Whatever else npm mppx keeps: one row for each of its keys.
CREATE TABLE atomic_store (
  key text PRIMARY KEY CHECK (key <> ''),
  value text NOT NULL,
  expires_at timestamptz,
  updated_at timestamptz NOT NULL DEFAULT clock_now()
);
CREATE INDEX atomic_store_expired ON atomic_store (expires_at) WHERE expires_at IS NOT NULL;
