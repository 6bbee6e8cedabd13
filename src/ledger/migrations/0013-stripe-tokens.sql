-- Evenly spaced places alone hold a limit only while every request comes in time: one that was late, in this process, on
-- its way or at Stripe, came into the second of those behind it. Therefore an endpoint has as many tokens as requests are
-- allowed in a second. A request takes one, and it is free again a second after Stripe has counted that request: whatever
-- is late, no second sees more requests than there are tokens. The even spacing stays; it keeps bursts away.
DROP FUNCTION take_stripe_token(text, float8);
DROP TABLE stripe_tokens;

CREATE TABLE stripe_endpoints (
  endpoint text PRIMARY KEY,
  -- The next place of the even spacing.
  next_at timestamptz NOT NULL
);
CREATE TABLE stripe_tokens (
  endpoint text NOT NULL REFERENCES stripe_endpoints,
  token int NOT NULL,
  -- How often it was taken: who gives it back late gives back nothing of the next one's.
  taken bigint NOT NULL DEFAULT 0,
  free_at timestamptz NOT NULL,
  PRIMARY KEY (endpoint, token)
);

-- Takes a token of an endpoint that allows so many requests a second; its request may be sent at `send_at`. No token when all
-- are out: ask again at `send_at`. `p_now` is Postgres' running clock, which a test's moved ledger clock does not touch.
CREATE FUNCTION take_stripe_token(
  p_endpoint text, p_per_second int, p_now timestamptz DEFAULT clock_timestamp(),
  OUT token int, OUT taken bigint, OUT send_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
  -- A fifth closer than the limit, so that a moment in which nothing was sent is made up for; the tokens are the limit.
  v_spacing interval := interval '1 second' / (1.2 * p_per_second);
  -- Of a request that is not answered, so that a process which died keeps nothing for ever: counted within three seconds.
  v_lease interval := interval '4 seconds';
  v_next_at timestamptz;
  v_free_at timestamptz;
BEGIN
  INSERT INTO stripe_endpoints (endpoint, next_at) VALUES (p_endpoint, p_now) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    INSERT INTO stripe_tokens (endpoint, token, free_at) SELECT p_endpoint, nth, p_now FROM generate_series(1, p_per_second) nth;
  END IF;
  SELECT next_at INTO v_next_at FROM stripe_endpoints WHERE endpoint = p_endpoint FOR UPDATE;
  IF v_next_at > p_now + interval '1 second' + v_lease THEN
    -- Never given so far ahead: the clock was set back, and these dates mean nothing any more.
    v_next_at := p_now;
    UPDATE stripe_endpoints SET next_at = p_now WHERE endpoint = p_endpoint;
    UPDATE stripe_tokens SET free_at = p_now + interval '1 second' WHERE endpoint = p_endpoint;
  END IF;
  SELECT t.token, t.free_at INTO token, v_free_at FROM stripe_tokens t WHERE endpoint = p_endpoint
    ORDER BY t.free_at, t.token LIMIT 1;
  send_at := greatest(p_now, v_next_at);
  IF v_free_at > send_at + v_spacing THEN
    -- It may well be given back sooner, but nobody knows yet.
    token := NULL;
    send_at := send_at + v_spacing;
    RETURN;
  END IF;
  send_at := greatest(send_at, v_free_at);
  UPDATE stripe_tokens t SET taken = t.taken + 1, free_at = take_stripe_token.send_at + v_lease
    WHERE t.endpoint = p_endpoint AND t.token = take_stripe_token.token RETURNING t.taken INTO taken;
  UPDATE stripe_endpoints SET next_at = send_at + v_spacing WHERE endpoint = p_endpoint;
END $$;

-- The request was answered or given up; Stripe has counted it at least `p_since_ms` ago. The milliseconds more are for
-- clocks that do not run alike and timers that are early.
CREATE FUNCTION return_stripe_token(
  p_endpoint text, p_token int, p_taken bigint, p_since_ms float8, p_now timestamptz DEFAULT clock_timestamp()
) RETURNS void LANGUAGE sql AS $$
  UPDATE stripe_tokens SET free_at = p_now - p_since_ms * interval '1 millisecond' + interval '1005 milliseconds'
    WHERE endpoint = p_endpoint AND token = p_token AND taken = p_taken;
$$;

-- As in 0008, but that no turn waits for a clock that was set back.
CREATE OR REPLACE FUNCTION take_seller_turn(p_seller text, p_per_second float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  v_step interval := interval '1 second' / p_per_second;
  c turn_clock;
  v_now timestamptz;
  v_turns int;
  v_round bigint;
  v_before bigint;
BEGIN
  INSERT INTO turn_clock DEFAULT VALUES ON CONFLICT DO NOTHING;
  SELECT * INTO c FROM turn_clock FOR UPDATE;
  v_now := clock_timestamp();
  -- A round never begins in the future: the clock was set back.
  c.begins_at := least(c.begins_at, v_now);
  LOOP
    DELETE FROM turn_rounds WHERE round = c.round AND c.begins_at + turns * v_step <= v_now RETURNING turns INTO v_turns;
    EXIT WHEN NOT FOUND;
    c.round := c.round + 1;
    c.begins_at := c.begins_at + v_turns * v_step;
  END LOOP;
  IF NOT EXISTS (SELECT 1 FROM turn_rounds WHERE round = c.round) THEN
    c.begins_at := greatest(c.begins_at, v_now);
  END IF;
  INSERT INTO seller_turns AS s (seller_account, round) VALUES (p_seller, c.round)
    ON CONFLICT (seller_account) DO UPDATE SET round = greatest(s.round + 1, c.round) RETURNING round INTO v_round;
  SELECT coalesce(sum(turns), 0) INTO v_before FROM turn_rounds WHERE round < v_round;
  INSERT INTO turn_rounds AS r (round, turns) VALUES (v_round, 1)
    ON CONFLICT (round) DO UPDATE SET turns = r.turns + 1 RETURNING turns - 1 INTO v_turns;
  UPDATE turn_clock SET round = c.round, begins_at = c.begins_at;
  RETURN greatest(0, extract(epoch FROM c.begins_at + (v_before + v_turns) * v_step - clock_timestamp()) * 1000);
END $$;
