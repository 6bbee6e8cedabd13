-- Answers that cost nothing are free work, and what is under way may become one: both are limited per payer, whether the auth
-- server or a channel of ours pays. Only what has a durable charge cannot become free any more.
ALTER TABLE channel_requests ADD COLUMN payer text,
  ADD COLUMN released_by text CHECK (released_by IN ('failed_answer', 'not_modified'));
ALTER TABLE channel_requests ADD CONSTRAINT what_is_released_costs_nothing CHECK (released_by IS NULL OR status = 'released');
UPDATE channel_requests r SET payer = c.payer FROM channels c WHERE c.channel_id = r.channel_id AND r.status = 'reserved';
CREATE INDEX channel_requests_released_free ON channel_requests (payer, closed_at) WHERE released_by IS NOT NULL;
CREATE INDEX channel_requests_under_way ON channel_requests (payer) WHERE status = 'reserved' AND spent = 0;
CREATE INDEX settlements_under_way ON settlements (payer) WHERE status = 'open' AND spent = 0;

/* NULL where this payer may have one more answer that could cost nothing; else how long there is no room. Takes the payer's
   lock, which is held to the commit, so that many at once are counted one after the other. */
CREATE FUNCTION free_answers_full_for(p_payer text, p_limit int) RETURNS interval LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  v_given timestamptz[];
  v_under_way bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('free answers ' || p_payer, 0));
  SELECT array_agg(closed_at ORDER BY closed_at DESC) INTO v_given FROM (
    (SELECT closed_at FROM settlements WHERE payer = p_payer AND released_by IS NOT NULL AND closed_at > v_now - interval '1 hour'
      ORDER BY closed_at DESC LIMIT p_limit)
    UNION ALL
    (SELECT closed_at FROM channel_requests WHERE payer = p_payer AND released_by IS NOT NULL AND closed_at > v_now - interval '1 hour'
      ORDER BY closed_at DESC LIMIT p_limit)) AS given;
  IF cardinality(v_given) >= p_limit THEN RETURN v_given[p_limit] + interval '1 hour' - v_now; END IF;
  SELECT count(*) INTO v_under_way FROM (
    (SELECT 1 FROM settlements WHERE payer = p_payer AND status = 'open' AND spent = 0 LIMIT p_limit)
    UNION ALL
    (SELECT 1 FROM channel_requests WHERE payer = p_payer AND status = 'reserved' AND spent = 0 LIMIT p_limit)) AS under_way;
  -- As soon as one of them is paid for.
  RETURN CASE WHEN coalesce(cardinality(v_given), 0) + v_under_way >= p_limit THEN interval '1 second' END;
END $$;

/* Opens a paid session, in one round trip and one commit.
   Exposure: charging after serving is credit, so the open caps plus the unsettled charges of a payer (or of the whole
   route) are summed under a lock that is held to the commit; two openings can never both take the last of the credit.
   Answers 'opened', 'identity_used', 'payer_uncollectable', 'released_limit' with the time after which there is room again,
   'voucher_spent', 'exposure_payer', 'exposure_total' or 'lease_lost'. */
CREATE OR REPLACE FUNCTION open_payment_session(
  p_settlement jsonb, p_sealed bytea, p_lease uuid, p_epoch bigint, p_close_token uuid, p_longest interval,
  p_limit_payer numeric, p_limit_total numeric, p_limit_released int,
  OUT outcome text, OUT room_after interval
) LANGUAGE plpgsql AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM 1 FROM server_leases WHERE id = p_lease AND epoch = p_epoch AND ended_at IS NULL AND lapses_at > v_now;
  IF NOT FOUND THEN outcome := 'lease_lost'; RETURN; END IF;
  IF s.payer IS NOT NULL THEN
    IF EXISTS (SELECT 1 FROM settlements WHERE payer = s.payer AND status = 'needs_attention' AND uncollectable)
    THEN outcome := 'payer_uncollectable'; RETURN; END IF;
    room_after := free_answers_full_for(s.payer, p_limit_released);
    IF room_after IS NOT NULL THEN outcome := 'released_limit'; RETURN; END IF;
  END IF;
  IF s.voucher_channel IS NOT NULL THEN
    s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, s.cap);
    IF s.voucher_place IS NULL THEN
      -- The same voucher again is not one that is too low.
      outcome := CASE WHEN EXISTS (SELECT 1 FROM settlements WHERE identity = s.identity AND status <> 'released')
        THEN 'identity_used' ELSE 'voucher_spent' END;
      RETURN;
    END IF;
  END IF;
  IF p_limit_total IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND status IN ('open', 'pending', 'needs_attention')) > p_limit_total
    THEN outcome := 'exposure_total'; RETURN; END IF;
  END IF;
  IF p_limit_payer IS NOT NULL AND s.payer IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route || ' ' || s.payer, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND payer = s.payer AND status IN ('open', 'pending', 'needs_attention')) > p_limit_payer
    THEN outcome := 'exposure_payer'; RETURN; END IF;
  END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap,
      payer, route, lookup, context, sealed, sealed_kind, sealed_key_id, expires_at, erase_at, next_check_at, created_at,
      voucher_channel, voucher_cumulative, voucher_place)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'open', s.asset, s.decimals, s.cap,
      s.payer, s.route, s.lookup, s.context, p_sealed, 'credential', s.sealed_key_id, s.expires_at,
      erase_date(s.expires_at), v_now + p_longest, v_now, s.voucher_channel, s.voucher_cumulative, s.voucher_place)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN outcome := 'identity_used'; RETURN; END IF;
  INSERT INTO payment_sessions (id, lease_id, epoch, close_token, deadline, opened_at)
    VALUES (s.id, p_lease, p_epoch, p_close_token, v_now + p_longest, v_now);
  outcome := 'opened';
END $$;
