-- What is listed of one seller is read from the index alone, in its order: without these Postgres walks through all that is newer than a
-- seller of long ago.

CREATE INDEX seller_transfers_by_seller ON seller_transfers (seller_account, id DESC) WHERE archived_at IS NULL;
CREATE INDEX seller_transfers_orders_by_seller ON seller_transfers (seller_account, order_id DESC) WHERE archived_at IS NULL;
