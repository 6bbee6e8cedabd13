-- How far a backfill of transfer ids has come, so that a killed worker goes on where it was and lists nothing twice.

-- Two at once would list everything twice and report each other's findings as taken.
CREATE UNIQUE INDEX backfills_one_running ON backfills (state) WHERE state = 'running';

-- The transfers a run answers for, fixed at its beginning.
CREATE TABLE backfill_scope (
  backfill_id uuid NOT NULL REFERENCES backfills (id),
  transfer_id uuid NOT NULL REFERENCES seller_transfers (id),
  destination text NOT NULL,
  -- What Stripe's metadata[order_id] has to say.
  order_mark text NOT NULL,
  PRIMARY KEY (backfill_id, transfer_id)
);
CREATE INDEX backfill_scope_orders ON backfill_scope (backfill_id, destination, order_mark);

CREATE TABLE backfill_destinations (
  backfill_id uuid NOT NULL REFERENCES backfills (id),
  destination text NOT NULL,
  -- Transfers at Stripe are listed from here on: what was sent before our oldest cannot be one of ours.
  created_since timestamptz NOT NULL,
  -- The last transfer that was listed; null: none yet.
  cursor text,
  pages int NOT NULL DEFAULT 0,
  listed boolean NOT NULL DEFAULT false,
  -- Whoever was tried longest ago is tried next, so that one destination that cannot be listed delays no other.
  tried_at timestamptz,
  finished_at timestamptz,
  PRIMARY KEY (backfill_id, destination)
);

-- Transfers at Stripe that carry the mark of an order in scope; kept until their destination is finished, because only
-- the last page tells that a candidate is the only one.
CREATE TABLE backfill_candidates (
  backfill_id uuid NOT NULL REFERENCES backfills (id),
  stripe_transfer_id text NOT NULL,
  destination text NOT NULL,
  order_mark text NOT NULL,
  amount numeric(78,0) NOT NULL,
  currency text NOT NULL,
  livemode boolean NOT NULL,
  -- Metadata[seller_transfer_id], where it has one.
  named_transfer text,
  PRIMARY KEY (backfill_id, stripe_transfer_id)
);
CREATE INDEX backfill_candidates_orders ON backfill_candidates (backfill_id, destination, order_mark);
