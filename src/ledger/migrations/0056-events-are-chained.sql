-- Each item's events are a chain: every row carries its place in it and a digest over the digest before it and over all of its own columns, so
-- that whoever changes, drops or adds a row breaks the chain from there on, or has to write all that follows anew.
-- docs/proof.md describes the text and the digest; src/domain/proof/chain.ts computes the same without this.

/* The text of one event: a JSON array in the form in which Postgres writes jsonb, whatever the settings of the session. No two different rows
   have the same. */
CREATE FUNCTION event_text(e operation_events, p_place bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_array(e.item_kind, e.item_id, p_place, e.seq, e.at AT TIME ZONE 'UTC', e.kind, e.certainty, e.idempotency_key,
    e.answer_class, e.detail)::text
$$;

ALTER TABLE operation_events
  ADD COLUMN place bigint CHECK (place > 0),
  ADD COLUMN digest bytea CHECK (length(digest) = 32);

-- Rows from before, in the order in which they were written: one pass over the index for the digests, one over the table to write them
-- while it has no index to be kept.
CREATE FUNCTION next_digest(p_before bytea, p_text text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN sha256(p_before || convert_to(p_text, 'UTF8'));
END $$;
CREATE AGGREGATE chained(text) (
  SFUNC = next_digest, STYPE = bytea, INITCOND = '\x0000000000000000000000000000000000000000000000000000000000000000');
CREATE TEMPORARY TABLE chained_before ON COMMIT DROP AS
  SELECT seq, place, chained(event_text(event, place)) OVER (PARTITION BY item_kind, item_id ORDER BY seq ROWS UNBOUNDED PRECEDING) AS digest
  FROM (SELECT e AS event, seq, item_kind, item_id, row_number() OVER (PARTITION BY item_kind, item_id ORDER BY seq) AS place
    FROM operation_events e) placed;
ANALYZE chained_before;
DROP AGGREGATE chained(text);
DROP FUNCTION next_digest;

ALTER TABLE operation_events DISABLE TRIGGER operation_events_append_only;
DROP INDEX operation_events_by_item;
ALTER TABLE operation_events DROP CONSTRAINT operation_events_pkey;
UPDATE operation_events e SET place = c.place, digest = c.digest FROM chained_before c WHERE c.seq = e.seq;
ALTER TABLE operation_events ENABLE TRIGGER operation_events_append_only;
ALTER TABLE operation_events ADD PRIMARY KEY (seq);

ALTER TABLE operation_events ALTER COLUMN place SET NOT NULL, ALTER COLUMN digest SET NOT NULL;
CREATE UNIQUE INDEX operation_events_chain ON operation_events (item_kind, item_id, place);

/* Whatever a writer says of place and digest: these are what they are. Writers of one item go one after the other until they commit. All of
   them hold that item's own row before, or nothing else, so nobody waits for another in a circle.
   The plan is kept, and one that was made while the table was small must go by the index too. */
CREATE FUNCTION chain_event() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_digest bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('chain ' || NEW.item_kind || '/' || NEW.item_id, 0));
  -- A statement of its own, so that it sees what was committed while it waited.
  SELECT place + 1, digest INTO NEW.place, v_digest FROM operation_events
    WHERE item_kind = NEW.item_kind AND item_id = NEW.item_id ORDER BY place DESC LIMIT 1;
  IF NOT FOUND THEN
    NEW.place := 1;
    v_digest := '\x0000000000000000000000000000000000000000000000000000000000000000';
  END IF;
  NEW.digest := sha256(v_digest || convert_to(event_text(NEW, NEW.place), 'UTF8'));
  RETURN NEW;
END $$;
CREATE TRIGGER operation_events_chained BEFORE INSERT ON operation_events FOR EACH ROW EXECUTE FUNCTION chain_event();
