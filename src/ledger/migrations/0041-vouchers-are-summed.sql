-- What the charges of a channel take together was summed over all of them at each new one, under the lock of the channel. Now
-- each change of what a charge takes is written down by the transaction that makes it, which waits for nobody for that; whoever
-- accepts the next voucher adds up what has come since.
CREATE TABLE voucher_channels (
  channel text PRIMARY KEY,
  taken numeric(78,0) NOT NULL CHECK (taken >= 0)
);
CREATE TABLE voucher_changes (
  channel text NOT NULL,
  nth bigint GENERATED ALWAYS AS IDENTITY,
  amount numeric(78,0) NOT NULL CHECK (amount <> 0),
  PRIMARY KEY (channel, nth)
  -- Each lives until the next voucher of its channel; what has gone is read past until it is swept up.
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TRIGGER voucher_channels_keep BEFORE DELETE ON voucher_channels FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER voucher_changes_stay BEFORE UPDATE ON voucher_changes FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION voucher_takes(s settlements) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  -- What was given up although nobody knows where it is may have been collected.
  SELECT CASE WHEN s.status = 'released' OR (s.status = 'written_off' AND s.certainty IN ('absent', 'not_sent')) THEN 0
    WHEN s.status = 'open' THEN coalesce(s.cap, 0) ELSE s.spent END
$$;

CREATE FUNCTION voucher_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_amount numeric := voucher_takes(NEW);
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.voucher_channel, NEW.voucher_place, NEW.voucher_cumulative)
        IS DISTINCT FROM (OLD.voucher_channel, OLD.voucher_place, OLD.voucher_cumulative) THEN
      RAISE EXCEPTION 'settlement %: its voucher never changes', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    v_amount := v_amount - voucher_takes(OLD);
  END IF;
  IF v_amount <> 0 THEN INSERT INTO voucher_changes (channel, amount) VALUES (NEW.voucher_channel, v_amount); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER new_voucher_takes AFTER INSERT ON settlements FOR EACH ROW
  WHEN (NEW.voucher_channel IS NOT NULL) EXECUTE FUNCTION voucher_change();
CREATE TRIGGER voucher_takes_otherwise AFTER UPDATE OF status, certainty, cap, spent, voucher_channel, voucher_place, voucher_cumulative
  ON settlements FOR EACH ROW WHEN (OLD.voucher_channel IS NOT NULL OR NEW.voucher_channel IS NOT NULL) EXECUTE FUNCTION voucher_change();

INSERT INTO voucher_channels (channel, taken)
  SELECT s.voucher_channel, sum(voucher_takes(s)) FROM settlements s WHERE s.voucher_channel IS NOT NULL GROUP BY 1;

CREATE OR REPLACE FUNCTION place_of_voucher(p_channel text, p_cumulative numeric, p_more numeric) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_taken numeric;
  v_last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || p_channel, 0));
  IF voucher_channel_closes(p_channel) THEN RETURN NULL; END IF;
  INSERT INTO voucher_channels (channel, taken) VALUES (p_channel, 0) ON CONFLICT DO NOTHING;
  WITH added AS (DELETE FROM voucher_changes WHERE channel = p_channel RETURNING amount)
    UPDATE voucher_channels SET taken = taken + (SELECT coalesce(sum(amount), 0) FROM added) WHERE channel = p_channel
    RETURNING taken INTO v_taken;
  SELECT coalesce(max(voucher_place), 0) INTO v_last FROM settlements WHERE voucher_channel = p_channel;
  RETURN CASE WHEN p_cumulative >= v_taken + p_more THEN v_last + 1 END;
END $$;

-- Before each attempt: is an earlier one still to be sent? Of a long channel nearly all are settled, and need not be looked at.
DROP INDEX settlements_vouchers;
CREATE UNIQUE INDEX settlements_vouchers ON settlements (voucher_channel, voucher_place) WHERE voucher_channel IS NOT NULL;
CREATE INDEX settlements_vouchers_waiting ON settlements (voucher_channel, voucher_place)
  WHERE voucher_channel IS NOT NULL AND status IN ('open', 'pending', 'needs_attention');

/* As before: what waits for a person holds up no voucher, nor what waits with it for that person; a close waits for these too.
   Looked at in order, so that it is by the small index, whatever is known of how many there are. */
CREATE OR REPLACE FUNCTION waits_for_earlier_voucher(p_channel text, p_place bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM (SELECT FROM settlements e WHERE e.voucher_channel = p_channel AND e.voucher_place < p_place
    AND e.status IN ('open', 'pending', 'needs_attention')
    AND (e.status = 'open' OR (e.status = 'pending' AND e.blocked_by IS NULL)
      OR (SELECT c.voucher_closes FROM settlements c WHERE c.voucher_channel = p_channel AND c.voucher_place = p_place))
    ORDER BY e.voucher_channel, e.voucher_place LIMIT 1) AS earlier)
$$;
