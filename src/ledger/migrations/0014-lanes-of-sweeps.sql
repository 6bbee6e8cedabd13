-- Each provider and kind of work is swept in a lane of its own, under its own name: what was recorded of the passes that did
-- several of them at once says nothing about any.
DELETE FROM sweeps;

-- When the chain was last asked about a channel, answered or not: one whose read comes to nothing lets the others go first.
ALTER TABLE channels ADD COLUMN chain_asked_at timestamptz;
CREATE INDEX channels_to_read ON channels (chain_read_at)
  WHERE NOT finalized AND close_requested_at IS NULL AND earned > settled;
