-- What lists and sweeps read without passing over the whole table.

-- Ids of reversals have no order, so their list is ordered by date.
CREATE INDEX reversals_newest ON reversals (created_at DESC, id DESC);
-- An order is found by the key its client gave it, whoever the client was.
CREATE INDEX request_keys_by_key ON request_keys (key);
-- Client secrets are erased or encrypted anew; hardly any payment has one at any time.
CREATE INDEX payments_sealed ON payments (sealed_key_id) WHERE sealed_key_id IS NOT NULL;
