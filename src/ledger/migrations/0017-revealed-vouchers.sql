-- A voucher that was sent for capture can be read on chain by anybody: from then on it proves nothing of who shows it.
ALTER TABLE channels ADD COLUMN revealed numeric(78, 0);
-- The challenge that a voucher answered is known to its payer alone, also after the voucher itself is public.
ALTER TABLE channel_vouchers ADD COLUMN challenge_id text;

ALTER TABLE channels DISABLE TRIGGER channels_guard;
UPDATE channels c SET revealed = sent.cumulative
  FROM (SELECT channel_id, max((lookup ->> 'cumulative')::numeric) AS cumulative FROM settlements
        WHERE channel_id IS NOT NULL GROUP BY channel_id) sent
  WHERE sent.channel_id = c.channel_id;
ALTER TABLE channels ENABLE TRIGGER channels_guard;

ALTER TABLE channels ADD CONSTRAINT revealed_is_an_amount CHECK (revealed >= 0);

/* In the transaction that freezes a capture, whoever opens it: what may leave counts as public before it does. */
CREATE FUNCTION capture_reveals_its_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE channels SET revealed = greatest(revealed, (NEW.lookup ->> 'cumulative')::numeric) WHERE channel_id = NEW.channel_id;
  RETURN NULL;
END $$;
CREATE TRIGGER capture_reveals_its_voucher AFTER INSERT ON settlements FOR EACH ROW
  WHEN (NEW.channel_id IS NOT NULL) EXECUTE FUNCTION capture_reveals_its_voucher();
