-- One row per server process that holds sessions. A lease past `lapses_at` belongs to a dead or cut-off process.
CREATE TABLE server_leases (
  id uuid PRIMARY KEY,
  epoch bigint NOT NULL DEFAULT 1,
  holder text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_now(),
  lapses_at timestamptz NOT NULL,
  ended_at timestamptz
);
CREATE INDEX server_leases_alive ON server_leases (lapses_at) WHERE ended_at IS NULL;

-- A paid exchange while it is served; its money is the settlement of the same id.
CREATE TABLE payment_sessions (
  id uuid PRIMARY KEY REFERENCES settlements (id),
  lease_id uuid NOT NULL REFERENCES server_leases (id),
  epoch bigint NOT NULL,
  close_token uuid NOT NULL,
  -- the longest this route may serve; the sweep closes what is open past it
  deadline timestamptz NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT clock_now(),
  closed_at timestamptz,
  closed_by text CHECK (closed_by IN ('end', 'abort', 'error', 'sweep')),
  CONSTRAINT close_is_whole CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE INDEX payment_sessions_open ON payment_sessions (lease_id) WHERE closed_at IS NULL;

-- The circuit breaker of each provider. `reason` 'config': it answers, but not as the provider we know.
CREATE TABLE provider_breakers (
  provider text PRIMARY KEY,
  state text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
  reason text CHECK (reason IN ('outage', 'config')),
  failures int NOT NULL DEFAULT 0,
  successes int NOT NULL DEFAULT 0,
  window_until timestamptz NOT NULL DEFAULT clock_now(),
  opened_at timestamptz,
  probe_at timestamptz,
  probe_every interval,
  detail text,
  CONSTRAINT open_is_probed CHECK ((state = 'closed') = (probe_at IS NULL))
);

-- When each recurring job last began and last succeeded: an alert watches the second.
CREATE TABLE sweeps (
  name text PRIMARY KEY,
  started_at timestamptz NOT NULL,
  succeeded_at timestamptz,
  report jsonb NOT NULL DEFAULT '{}'
);

/* I9: a credential is erased at the final state, or 7 days after its expiry, or after 30 days when it has none. */
CREATE FUNCTION erase_date(expires_at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce(expires_at + interval '7 days', clock_now() + interval '30 days')
$$;

/* Opens a paid session, in one round trip and one commit.
   Exposure: charging after serving is credit, so the open caps plus the unsettled charges of a payer (or of the whole
   route) are summed under a lock that is held to the commit; two openings can never both take the last of the credit.
   Answers 'opened', 'identity_used', 'payer_uncollectable', 'exposure_payer', 'exposure_total' or 'lease_lost'. */
CREATE FUNCTION open_payment_session(
  p_settlement jsonb, p_sealed bytea, p_lease uuid, p_epoch bigint, p_close_token uuid, p_longest interval,
  p_limit_payer numeric, p_limit_total numeric
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM 1 FROM server_leases WHERE id = p_lease AND epoch = p_epoch AND ended_at IS NULL AND lapses_at > v_now;
  IF NOT FOUND THEN RETURN 'lease_lost'; END IF;
  IF s.payer IS NOT NULL AND EXISTS (
    SELECT 1 FROM settlements WHERE payer = s.payer AND status = 'needs_attention' AND attention_reason = 'uncollectable'
  ) THEN RETURN 'payer_uncollectable'; END IF;
  IF p_limit_total IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND status IN ('open', 'pending', 'needs_attention')) > p_limit_total
    THEN RETURN 'exposure_total'; END IF;
  END IF;
  IF p_limit_payer IS NOT NULL AND s.payer IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route || ' ' || s.payer, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND payer = s.payer AND status IN ('open', 'pending', 'needs_attention')) > p_limit_payer
    THEN RETURN 'exposure_payer'; END IF;
  END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap,
      payer, route, lookup, context, sealed, sealed_kind, sealed_key_id, expires_at, erase_at, next_check_at, created_at)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'open', s.asset, s.decimals, s.cap,
      s.payer, s.route, s.lookup, s.context, p_sealed, 'credential', s.sealed_key_id, s.expires_at,
      erase_date(s.expires_at), v_now + p_longest, v_now)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'identity_used'; END IF;
  INSERT INTO payment_sessions (id, lease_id, epoch, close_token, deadline, opened_at)
    VALUES (s.id, p_lease, p_epoch, p_close_token, v_now + p_longest, v_now);
  RETURN 'opened';
END $$;
