-- Stripe limits all requests of an account together as well (100 a second, 25 in test mode), however they are spread over
-- endpoints. So a request takes two tokens at once, its endpoint's and one of '*', and gives both back when it was answered:
-- what 0013 says of an endpoint holds of all of them together. '*' is always locked last, so that no two wait for each other.
DROP FUNCTION take_stripe_token(text, int, timestamptz);
DROP FUNCTION return_stripe_token(text, int, bigint, float8, timestamptz);

-- Holds an endpoint's row, made on its first use, and answers its next place.
CREATE FUNCTION hold_stripe_endpoint(p_endpoint text, p_tokens int, p_lease interval, p_now timestamptz) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
  v_next_at timestamptz;
BEGIN
  INSERT INTO stripe_endpoints (endpoint, next_at) VALUES (p_endpoint, p_now) ON CONFLICT DO NOTHING;
  SELECT next_at INTO v_next_at FROM stripe_endpoints WHERE endpoint = p_endpoint FOR UPDATE;
  IF v_next_at > p_now + interval '1 second' + p_lease THEN
    -- Never given so far ahead: the clock was set back, and these dates mean nothing any more.
    v_next_at := p_now;
    UPDATE stripe_endpoints SET next_at = p_now WHERE endpoint = p_endpoint;
    UPDATE stripe_tokens SET free_at = p_now + interval '1 second' WHERE endpoint = p_endpoint;
  END IF;
  -- Also where the limit was raised since.
  IF NOT EXISTS (SELECT 1 FROM stripe_tokens WHERE endpoint = p_endpoint AND token = p_tokens) THEN
    INSERT INTO stripe_tokens (endpoint, token, free_at) SELECT p_endpoint, nth, p_now FROM generate_series(1, p_tokens) nth
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN v_next_at;
END $$;

-- Takes a token of an endpoint that allows so many requests a second, and one of the `p_overall` of all endpoints; the request
-- may be sent at `send_at`. No token when all of either are out: ask again at `send_at`. `p_now` is Postgres' running clock,
-- which a test's moved ledger clock does not touch.
CREATE FUNCTION take_stripe_token(
  p_endpoint text, p_per_second int, p_overall int, p_now timestamptz DEFAULT clock_timestamp(),
  OUT token int, OUT taken bigint, OUT overall_token int, OUT overall_taken bigint, OUT send_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  -- A fifth closer than the limit, so that a moment in which nothing was sent is made up for; the tokens are the limit. All
  -- endpoints together are not spaced: one that asks ahead would push the others' requests behind its own.
  v_spacing interval := interval '1 second' / (1.2 * p_per_second);
  -- Of a request that is not answered, so that a process which died keeps nothing for ever: counted within three seconds.
  v_lease interval := interval '4 seconds';
  v_free_at timestamptz;
  v_overall_free_at timestamptz;
BEGIN
  send_at := greatest(p_now, hold_stripe_endpoint(p_endpoint, p_per_second, v_lease, p_now));
  PERFORM hold_stripe_endpoint('*', p_overall, v_lease, p_now);
  SELECT t.token, t.free_at INTO token, v_free_at FROM stripe_tokens t
    WHERE t.endpoint = p_endpoint AND t.token <= p_per_second ORDER BY t.free_at, t.token LIMIT 1;
  SELECT t.token, t.free_at INTO overall_token, v_overall_free_at FROM stripe_tokens t
    WHERE t.endpoint = '*' AND t.token <= p_overall ORDER BY t.free_at, t.token LIMIT 1;
  IF greatest(v_free_at, v_overall_free_at) > send_at + v_spacing THEN
    -- It may well be given back sooner, but nobody knows yet.
    token := NULL;
    overall_token := NULL;
    send_at := send_at + v_spacing;
    RETURN;
  END IF;
  send_at := greatest(send_at, v_free_at, v_overall_free_at);
  UPDATE stripe_tokens t SET taken = t.taken + 1, free_at = take_stripe_token.send_at + v_lease
    WHERE t.endpoint = p_endpoint AND t.token = take_stripe_token.token RETURNING t.taken INTO taken;
  UPDATE stripe_tokens t SET taken = t.taken + 1, free_at = take_stripe_token.send_at + v_lease
    WHERE t.endpoint = '*' AND t.token = take_stripe_token.overall_token RETURNING t.taken INTO overall_taken;
  UPDATE stripe_endpoints SET next_at = send_at + v_spacing WHERE endpoint = p_endpoint;
  UPDATE stripe_endpoints SET next_at = greatest(next_at, send_at) WHERE endpoint = '*';
END $$;

-- The request was answered or given up; Stripe has counted it at least `p_since_ms` ago. The milliseconds more are for
-- clocks that do not run alike and timers that are early.
CREATE FUNCTION return_stripe_token(
  p_endpoint text, p_token int, p_taken bigint, p_overall_token int, p_overall_taken bigint, p_since_ms float8,
  p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql AS $$
  UPDATE stripe_tokens SET free_at = p_now - p_since_ms * interval '1 millisecond' + interval '1005 milliseconds'
    WHERE endpoint = p_endpoint AND token = p_token AND taken = p_taken;
  UPDATE stripe_tokens SET free_at = p_now - p_since_ms * interval '1 millisecond' + interval '1005 milliseconds'
    WHERE endpoint = '*' AND token = p_overall_token AND taken = p_overall_taken;
$$;
