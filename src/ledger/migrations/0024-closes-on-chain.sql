-- When the payer asked the chain to close, as the chain last said: a quarter of an hour later the deposit can be taken back.
-- Only a top-up takes that request back, so only a higher deposit does here. A close that was asked for at this server stays.
ALTER TABLE channels ADD COLUMN chain_close_at timestamptz;

ALTER TABLE channels DISABLE TRIGGER channels_guard;
UPDATE channels SET chain_close_at = close_requested_at WHERE close_requested_at IS NOT NULL AND close_signature IS NULL;
ALTER TABLE channels ENABLE TRIGGER channels_guard;

ALTER TABLE channels ADD CONSTRAINT close_on_chain_is_a_close CHECK (chain_close_at IS NULL OR close_requested_at IS NOT NULL);

-- Watched on chain: whatever could still be lost to a close that the payer asks the chain for, also by one after another.
DROP INDEX channels_to_read;
CREATE INDEX channels_to_read ON channels (chain_read_at)
  WHERE NOT finalized AND (earned > settled OR spent > earned OR close_requested_at IS NOT NULL);

CREATE OR REPLACE FUNCTION channels_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.channel_id, NEW.chain_id, NEW.escrow, NEW.payer, NEW.payee, NEW.token, NEW.operator)
    IS DISTINCT FROM (OLD.channel_id, OLD.chain_id, OLD.escrow, OLD.payer, OLD.payee, OLD.token, OLD.operator) THEN
    RAISE EXCEPTION 'channel %: what its id is made of never changes', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.deposit < OLD.deposit OR NEW.accepted < OLD.accepted OR NEW.earned < OLD.earned OR NEW.settled < OLD.settled THEN
    RAISE EXCEPTION 'channel %: deposit, accepted, earned and settled never shrink', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revealed < OLD.revealed OR (OLD.revealed IS NOT NULL AND NEW.revealed IS NULL) THEN
    RAISE EXCEPTION 'channel %: a voucher that was sent for capture stays public', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.finalized AND NOT NEW.finalized THEN
    RAISE EXCEPTION 'channel %: a finalized channel stays finalized', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.close_requested_at IS NOT NULL AND NEW.close_requested_at IS NULL THEN
    RAISE EXCEPTION 'channel %: a close request is taken back on chain alone', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.chain_close_at IS NOT NULL THEN
    NEW.close_requested_at := coalesce(NEW.close_requested_at, NEW.chain_close_at);
  ELSIF OLD.chain_close_at IS NOT NULL THEN
    IF NEW.deposit <= OLD.deposit THEN
      RAISE EXCEPTION 'channel %: only a top-up takes a close request back', OLD.channel_id USING ERRCODE = 'check_violation';
    END IF;
    -- What is closed by its payer here, or is being closed by us, goes on being closed.
    IF NEW.close_signature IS NULL AND NOT NEW.finalized AND NOT EXISTS (SELECT 1 FROM settlements
        WHERE channel_id = NEW.channel_id AND lookup ->> 'kind' = 'close' AND status <> 'written_off') THEN
      NEW.close_requested_at := NULL;
    END IF;
  END IF;
  NEW.updated_at := clock_now();
  IF NEW.finalized THEN NEW.next_check_at := NULL; END IF;
  NEW.unsettled_since := CASE WHEN NEW.earned > NEW.settled THEN coalesce(OLD.unsettled_since, clock_now()) END;
  IF NEW.settled > OLD.settled AND NEW.earned > NEW.settled THEN NEW.unsettled_since := clock_now(); END IF;
  RETURN NEW;
END $$;
