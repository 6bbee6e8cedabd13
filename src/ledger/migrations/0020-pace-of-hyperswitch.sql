-- Reads of Hyperswitch leave at a pace, all processes together, each lane by its own: the read before a reversal never stands
-- behind those of checkouts that nobody finishes.
CREATE TABLE hyperswitch_pace (
  lane text PRIMARY KEY CHECK (lane IN ('first', 'in_turn')),
  next_at timestamptz NOT NULL
);

-- Milliseconds until this read may leave; null: too many wait already, and this one is to come back later.
CREATE FUNCTION take_hyperswitch_turn(p_lane text, p_per_second int, p_longest interval) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  v_step interval := interval '1 second' / p_per_second;
  v_now timestamptz;
  v_next timestamptz;
BEGIN
  INSERT INTO hyperswitch_pace (lane, next_at) VALUES (p_lane, clock_timestamp()) ON CONFLICT DO NOTHING;
  SELECT next_at INTO v_next FROM hyperswitch_pace WHERE lane = p_lane FOR UPDATE;
  v_now := clock_timestamp();
  -- Never given so far ahead: the clock was set back.
  IF v_next > v_now + p_longest + interval '1 second' THEN v_next := v_now; END IF;
  v_next := greatest(v_next, v_now);
  IF v_next > v_now + p_longest THEN RETURN NULL; END IF;
  UPDATE hyperswitch_pace SET next_at = v_next + v_step WHERE lane = p_lane;
  RETURN extract(epoch FROM v_next - v_now) * 1000;
END $$;
