-- A person who has signed in to the console. The secret of the cookie is kept by its digest alone, and the token it was made with by a proof
-- that only the secret can check: whoever reads this table can neither be that person nor try tokens against it.
CREATE TABLE console_sessions (
  secret_sha256 bytea PRIMARY KEY CHECK (length(secret_sha256) = 32),
  name text NOT NULL CHECK (name <> ''),
  role text NOT NULL CHECK (role IN ('viewer', 'operator', 'approver')),
  token_proof bytea NOT NULL CHECK (length(token_proof) = 32),
  created_at timestamptz NOT NULL DEFAULT clock_now(),
  used_at timestamptz NOT NULL DEFAULT clock_now(),
  expires_at timestamptz NOT NULL CHECK (expires_at > created_at)
);
CREATE INDEX console_sessions_by_expiry ON console_sessions (expires_at);

-- How much was done, failed and waited, minute by minute, for pictures: what waited an hour ago is in no other table. Nothing is decided by it.
CREATE TABLE figure_samples (
  at timestamptz PRIMARY KEY CHECK (at = date_trunc('minute', at)),
  upto bigint NOT NULL CHECK (upto >= 0),
  done int NOT NULL CHECK (done >= 0),
  failed int NOT NULL CHECK (failed >= 0),
  backlog int NOT NULL CHECK (backlog >= 0),
  needs_attention int NOT NULL CHECK (needs_attention >= 0)
);

-- Lists that are read newest first, page by page.
CREATE INDEX channels_newest ON channels (created_at DESC, channel_id DESC);
CREATE INDEX decisions_newest ON decisions (requested_at DESC, id DESC);
CREATE INDEX webhook_events_newest ON webhook_events (received_at DESC, (provider || ':' || event_id) DESC);
