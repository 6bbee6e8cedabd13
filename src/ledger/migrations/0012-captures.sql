-- What is captured of a payment channel on chain is a settlement like any other, with the chain as its provider.
ALTER TABLE settlements DROP CONSTRAINT settlements_source_check;
ALTER TABLE settlements ADD CONSTRAINT settlements_source_check CHECK (source IN ('session', 'api', 'channel'));
ALTER TABLE settlements ADD COLUMN channel_id text REFERENCES channels (channel_id);
ALTER TABLE settlements ADD CONSTRAINT capture_is_whole CHECK (
  (source = 'channel') = (channel_id IS NOT NULL) AND (source = 'channel') = (provider = 'tempo'));
ALTER TABLE settlements ADD CONSTRAINT capture_says_what_it_takes CHECK (
  channel_id IS NULL OR (lookup ->> 'kind' IN ('settle', 'close') AND lookup ->> 'capture' ~ '^[0-9]+$') IS TRUE);
-- One at a time: two captures of one channel would race, and only the chain would know which amount each took.
CREATE UNIQUE INDEX settlements_one_capture_per_channel ON settlements (channel_id)
  WHERE channel_id IS NOT NULL AND status IN ('pending', 'needs_attention');

-- A lane is a provider's, not a protocol's: an ill chain must not hold up what the auth server settles for the same protocol.
DROP INDEX settlements_due;
CREATE INDEX settlements_due ON settlements (provider, status, next_check_at) WHERE next_check_at IS NOT NULL;
DROP INDEX settlements_unsettled;
CREATE INDEX settlements_unsettled ON settlements (status, provider) INCLUDE (protocol, created_at, certainty)
  WHERE status IN ('pending', 'needs_attention');

/* The channel learns of its capture in the same transaction, whoever records it: an attempt, an operator, late evidence. */
CREATE FUNCTION capture_moves_its_channel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE channels SET
      settled = greatest(settled, (NEW.lookup ->> 'capture')::numeric),
      finalized = finalized OR NEW.lookup ->> 'kind' = 'close',
      next_check_at = CASE WHEN NOT finalized AND NEW.lookup ->> 'kind' <> 'close' THEN clock_now() END
    WHERE channel_id = NEW.channel_id;
  RETURN NULL;
END $$;
CREATE TRIGGER capture_moves_its_channel AFTER UPDATE OF status ON settlements FOR EACH ROW
  WHEN (NEW.channel_id IS NOT NULL AND NEW.status = 'settled' AND OLD.status <> 'settled')
  EXECUTE FUNCTION capture_moves_its_channel();
