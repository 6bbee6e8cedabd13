-- A channel that the auth server settles is closed by its payer: the close is the last settlement of the channel, of nothing, and
-- is sent when everything before it is decided. `voucher_challenge`: the challenge that a voucher answered, which only its payer
-- was given; who answers it again is the payer.
ALTER TABLE settlements ADD COLUMN voucher_challenge text, ADD COLUMN voucher_closes boolean NOT NULL DEFAULT false;
ALTER TABLE settlements ADD CONSTRAINT close_takes_nothing CHECK (NOT voucher_closes OR (voucher_channel IS NOT NULL AND spent = 0));
CREATE UNIQUE INDEX settlements_one_close_per_voucher_channel ON settlements (voucher_channel)
  WHERE voucher_closes AND status <> 'written_off';

CREATE FUNCTION voucher_channel_closes(p_channel text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM settlements WHERE voucher_channel = p_channel AND voucher_closes AND status <> 'written_off')
$$;

/* The place of one more voucher of its channel, or NULL where the channel closes, or where the voucher does not cover what is
   collected, owed and being served on the channel together with p_more. Takes the channel's lock, which is held to the commit. */
CREATE OR REPLACE FUNCTION place_of_voucher(p_channel text, p_cumulative numeric, p_more numeric) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_taken numeric;
  v_last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || p_channel, 0));
  IF voucher_channel_closes(p_channel) THEN RETURN NULL; END IF;
  -- What was given up although nobody knows where it is may have been collected.
  SELECT coalesce(sum(CASE WHEN status = 'released' OR (status = 'written_off' AND certainty IN ('absent', 'not_sent')) THEN 0
      WHEN status = 'open' THEN cap ELSE spent END), 0), coalesce(max(voucher_place), 0)
    INTO v_taken, v_last FROM settlements WHERE voucher_channel = p_channel;
  RETURN CASE WHEN p_cumulative >= v_taken + p_more THEN v_last + 1 END;
END $$;

/* Vouchers of one channel are settled in the order in which they were accepted: a lower one is worth nothing once a higher one
   has taken what it covers. After a close nothing can be taken any more: it waits also for what waits for a person. */
CREATE OR REPLACE FUNCTION waits_for_earlier_voucher(p_channel text, p_place bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM settlements e WHERE e.voucher_channel = p_channel AND e.voucher_place < p_place
    AND (e.status IN ('open', 'pending') OR (e.status = 'needs_attention' AND EXISTS (SELECT 1 FROM settlements c
      WHERE c.voucher_channel = p_channel AND c.voucher_place = p_place AND c.voucher_closes))))
$$;

/* Makes a payer's close durable; from here on nothing is sold on the channel. Answers 'closing' with the settlement that closes it,
   also when it is asked for again; 'channel_closes' where another close came first; 'unknown_channel'; 'unproven' where its voucher
   may be public and nothing else says that it is the payer who closes; 'voucher_spent' where it covers less than is taken. */
CREATE FUNCTION close_voucher_channel(p_settlement jsonb, p_sealed bytea, p_given_to boolean, OUT outcome text, OUT id uuid)
LANGUAGE plpgsql AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || s.voucher_channel, 0));
  SELECT c.id INTO id FROM settlements c WHERE c.identity = s.identity AND c.voucher_closes AND c.status <> 'written_off';
  IF FOUND THEN outcome := 'closing'; RETURN; END IF;
  IF voucher_channel_closes(s.voucher_channel) OR EXISTS (SELECT 1 FROM settlements c WHERE c.identity = s.identity AND c.status <> 'released')
  THEN outcome := 'channel_closes'; RETURN; END IF;
  IF NOT EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel)
  THEN outcome := 'unknown_channel'; RETURN; END IF;
  IF NOT p_given_to
    AND NOT EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel AND c.voucher_challenge = s.voucher_challenge)
    -- What was sent for settlement may be read on chain.
    AND EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel AND c.attempts > 0
      AND c.voucher_cumulative >= s.voucher_cumulative)
  THEN outcome := 'unproven'; RETURN; END IF;
  s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, 0);
  IF s.voucher_place IS NULL THEN outcome := 'voucher_spent'; RETURN; END IF;
  id := s.id;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, route,
      lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, erase_at, next_check_at, created_at, closed_at, workflow_id,
      voucher_channel, voucher_cumulative, voucher_place, voucher_challenge, voucher_closes)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'pending', s.asset, s.decimals, 0, 0, s.route,
      s.lookup, s.context, p_sealed, 'body', s.sealed_key_id, s.body_sha256, erase_date(NULL), v_now + interval '15 seconds', v_now,
      v_now, 'settlement/' || s.id, s.voucher_channel, s.voucher_cumulative, s.voucher_place, s.voucher_challenge, true);
  INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', s.id, 'channel_close', 'not_sent', s.key, jsonb_build_object('channel', s.voucher_channel));
  outcome := 'closing';
END $$;

/* Opens a paid session, in one round trip and one commit.
   Exposure: charging after serving is credit, so the open caps plus the unsettled charges of a payer (or of the whole
   route) are summed under a lock that is held to the commit; two openings can never both take the last of the credit.
   Answers 'opened', 'identity_used', 'payer_uncollectable', 'released_limit' with the time after which there is room again,
   'channel_closes', 'voucher_spent', 'exposure_payer', 'exposure_total' or 'lease_lost'. */
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
        THEN 'identity_used' WHEN voucher_channel_closes(s.voucher_channel) THEN 'channel_closes' ELSE 'voucher_spent' END;
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
      voucher_channel, voucher_cumulative, voucher_place, voucher_challenge)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'open', s.asset, s.decimals, s.cap,
      s.payer, s.route, s.lookup, s.context, p_sealed, 'credential', s.sealed_key_id, s.expires_at,
      erase_date(s.expires_at), v_now + p_longest, v_now, s.voucher_channel, s.voucher_cumulative, s.voucher_place,
      s.voucher_challenge)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN outcome := 'identity_used'; RETURN; END IF;
  INSERT INTO payment_sessions (id, lease_id, epoch, close_token, deadline, opened_at)
    VALUES (s.id, p_lease, p_epoch, p_close_token, v_now + p_longest, v_now);
  outcome := 'opened';
END $$;
