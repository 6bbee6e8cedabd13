-- Every list by each of its filters, newest first, by an index that has the filter and then the order of the list: a page is read from where it
-- begins, however many rows there are and however rare is what is asked for. And what a person searches by has an index.
--
-- Upgrade: each index is built with its table locked against writes, all of them in one transaction. With 1,000,000 settlements and 200,000
-- orders that takes about half a minute; servers and workers are stopped meanwhile, as for every upgrade.

-- Finished long ago and put aside: lists leave it out, so the indexes of their filters do (0062).
ALTER TABLE settlements ADD COLUMN archived_at timestamptz;
ALTER TABLE orders ADD COLUMN archived_at timestamptz;
ALTER TABLE payments ADD COLUMN archived_at timestamptz;
ALTER TABLE refunds ADD COLUMN archived_at timestamptz;
ALTER TABLE seller_transfers ADD COLUMN archived_at timestamptz;
ALTER TABLE reversals ADD COLUMN archived_at timestamptz;
ALTER TABLE disputes ADD COLUMN archived_at timestamptz;

/* Ids are UUIDv7 and carry the time, so that a period of a list is found by the ids. Those whose time is not that of their row, because two clocks
   differed by more than a minute, are few or none, and found by an index of their own (src/ledger/list-conditions.ts). */
CREATE FUNCTION is_out_of_step(id uuid, at timestamptz) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN abs(('x' || substr(id::text, 1, 8) || substr(id::text, 10, 4))::bit(48)::bigint - extract(epoch FROM at) * 1000) > 60000;
END $$;

CREATE INDEX settlements_by_status ON settlements (status, id DESC) WHERE archived_at IS NULL;
CREATE INDEX settlements_by_protocol ON settlements (protocol, id DESC) WHERE archived_at IS NULL;
CREATE INDEX settlements_by_asset ON settlements (asset, id DESC) WHERE archived_at IS NULL;
CREATE INDEX settlements_by_payer ON settlements (lower(payer), id DESC) WHERE payer IS NOT NULL;
CREATE INDEX settlements_out_of_step ON settlements (id DESC) WHERE is_out_of_step(id, created_at);
-- What is released no longer keeps its names to itself, and is found by them all the same.
CREATE INDEX settlements_released_key ON settlements (key) WHERE status = 'released';
CREATE INDEX settlements_released_identity ON settlements (identity) WHERE status = 'released';
CREATE INDEX settlements_released_request ON settlements ((context ->> 'paymentRequestId')) WHERE status = 'released' AND context ? 'paymentRequestId';
CREATE INDEX settlements_by_nonce ON settlements USING hash ((lookup ->> 'nonce')) WHERE lookup ? 'nonce';
CREATE INDEX settlements_of_channel ON settlements (channel_id, id DESC) WHERE channel_id IS NOT NULL;

CREATE INDEX orders_by_status ON orders (status, id DESC) WHERE archived_at IS NULL;
CREATE INDEX orders_by_currency ON orders (currency, id DESC) WHERE archived_at IS NULL;
CREATE INDEX orders_out_of_step ON orders (id DESC) WHERE is_out_of_step(id, created_at);

CREATE INDEX payments_by_status ON payments (status, id DESC) WHERE archived_at IS NULL;
CREATE INDEX payments_by_currency ON payments (currency, id DESC) WHERE archived_at IS NULL;
CREATE INDEX payments_out_of_step ON payments (id DESC) WHERE is_out_of_step(id, created_at);
CREATE INDEX payments_by_charge ON payments (charge_id) WHERE charge_id IS NOT NULL;
CREATE INDEX payments_by_charge_of ON payments (charge_of) WHERE charge_of IS NOT NULL;

CREATE INDEX refunds_by_status ON refunds (status, id DESC) WHERE archived_at IS NULL;
CREATE INDEX refunds_by_currency ON refunds (currency, id DESC) WHERE archived_at IS NULL;
CREATE INDEX refunds_out_of_step ON refunds (id DESC) WHERE is_out_of_step(id, created_at);

CREATE INDEX seller_transfers_by_status ON seller_transfers (status, id DESC) WHERE archived_at IS NULL;
CREATE INDEX seller_transfers_by_currency ON seller_transfers (currency, id DESC) WHERE archived_at IS NULL;
CREATE INDEX seller_transfers_orders_of_seller ON seller_transfers (seller_account, order_id DESC);
CREATE INDEX seller_transfers_out_of_step ON seller_transfers (id DESC) WHERE is_out_of_step(id, created_at);
CREATE INDEX seller_transfers_by_request ON seller_transfers (provider_request_id) WHERE provider_request_id IS NOT NULL;

CREATE INDEX reversals_by_status ON reversals (status, created_at DESC, id DESC) WHERE archived_at IS NULL;
CREATE INDEX reversals_by_currency ON reversals (currency, created_at DESC, id DESC) WHERE archived_at IS NULL;
CREATE INDEX reversals_of_seller ON reversals (seller_account, created_at DESC, id DESC);
CREATE INDEX reversals_by_request ON reversals (provider_request_id) WHERE provider_request_id IS NOT NULL;

CREATE INDEX disputes_by_status ON disputes (status, id DESC) WHERE archived_at IS NULL;
CREATE INDEX disputes_by_currency ON disputes (currency, id DESC) WHERE archived_at IS NULL;
CREATE INDEX disputes_by_name ON disputes (provider_dispute_id);
CREATE INDEX disputes_out_of_step ON disputes (id DESC) WHERE is_out_of_step(id, created_at);

-- A voucher that comes changes an open channel, which is in neither.
CREATE INDEX channels_ended ON channels (finalized, created_at DESC, channel_id DESC) WHERE finalized OR close_requested_at IS NOT NULL;
CREATE INDEX channels_ended_of_payer ON channels (payer) WHERE finalized OR close_requested_at IS NOT NULL;

CREATE INDEX webhook_events_by_type ON webhook_events (type, received_at DESC, (provider || ':' || event_id) DESC);
CREATE INDEX webhook_events_by_provider ON webhook_events (provider, received_at DESC, (provider || ':' || event_id) DESC);

CREATE INDEX decisions_by_state ON decisions (state, requested_at DESC, id DESC);
CREATE INDEX decisions_by_kind ON decisions (item_kind, requested_at DESC, id DESC);
CREATE INDEX decisions_by_action ON decisions (action, requested_at DESC, id DESC);
CREATE INDEX decisions_by_reason ON decisions (asked_reason, requested_at DESC, id DESC);
CREATE INDEX decisions_by_person ON decisions USING gin ((ARRAY[lower(by), lower(first_approver), lower(approved_by)]));

CREATE INDEX drifts_told ON drifts (kind, id DESC) WHERE state <> 'suspected';
CREATE INDEX drifts_closed ON drifts (id DESC) WHERE state = 'closed';

CREATE INDEX operation_events_by_key ON operation_events USING hash (idempotency_key) WHERE idempotency_key IS NOT NULL;
