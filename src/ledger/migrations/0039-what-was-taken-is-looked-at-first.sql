-- Whether a credential was taken before is looked at before anything that may be wrong with its payer: one whose payment is
-- unknown, or whose answer is due, is never told to pay, nor that nothing was charged. Of two at once the second waits for the
-- first, so that it does not meet limits that the first alone has used up.
CREATE OR REPLACE FUNCTION open_payment_session(p_settlement jsonb, p_sealed bytea, p_lease uuid, p_epoch bigint, p_close_token uuid, p_longest interval, p_limit_payer numeric, p_limit_total numeric, p_limit_released integer, OUT outcome text, OUT room_after interval)
 RETURNS record
 LANGUAGE plpgsql
AS $$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM 1 FROM server_leases WHERE id = p_lease AND epoch = p_epoch AND ended_at IS NULL AND lapses_at > v_now;
  IF NOT FOUND THEN outcome := 'lease_lost'; RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('identity ' || s.identity, 0));
  IF EXISTS (SELECT 1 FROM settlements WHERE identity = s.identity AND status <> 'released')
  THEN outcome := 'identity_used'; RETURN; END IF;
  IF s.payer IS NOT NULL THEN
    IF EXISTS (SELECT 1 FROM settlements WHERE payer = s.payer AND status = 'needs_attention' AND uncollectable)
    THEN outcome := 'payer_uncollectable'; RETURN; END IF;
    room_after := free_answers_full_for(s.payer, p_limit_released);
    IF room_after IS NOT NULL THEN outcome := 'released_limit'; RETURN; END IF;
  END IF;
  IF s.voucher_channel IS NOT NULL THEN
    s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, s.cap);
    IF s.voucher_place IS NULL THEN
      outcome := CASE WHEN voucher_channel_closes(s.voucher_channel) THEN 'channel_closes' ELSE 'voucher_spent' END;
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
