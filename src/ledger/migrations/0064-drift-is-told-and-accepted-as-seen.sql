-- Drift is told to people like everything else that needs one, by its own kinds. As in 0059, with the last line.
CREATE OR REPLACE VIEW items_asked AS
  SELECT 'settlement' AS kind, id, NULL::uuid AS order_id, attention_reason AS reason, attention_since AS since, spent AS amount,
    asset AS currency, decimals FROM settlements WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'payment', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM payments
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'refund', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM refunds
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'transfer', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM seller_transfers
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'reversal', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM reversals
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'dispute', id, order_id, attention_reason, attention_since, amount, currency, NULL FROM disputes
    WHERE attention_reason IS NOT NULL
  UNION ALL SELECT 'drift/' || d.kind, d.id, NULL, 'drift', d.opened_at, coalesce(d.amount, 0)::numeric(78,0), coalesce(d.currency, 'XXX'),
    (SELECT s.decimals FROM settlements s WHERE d.item_kind = 'settlement' AND s.id = d.item_id) FROM drifts d WHERE d.state = 'open';

-- What a person accepts is what he saw: another version is told otherwise by one of the two sides. Above the limit of decisions a second
-- person confirms what the first has asked for.
ALTER TABLE drifts
  ADD COLUMN version int NOT NULL DEFAULT 1,
  ADD COLUMN asked_by text CHECK (asked_by <> ''),
  ADD COLUMN asked_note text,
  ADD COLUMN asked_at timestamptz,
  ADD CONSTRAINT drift_request_is_whole CHECK ((asked_by IS NULL) = (asked_note IS NULL) AND (asked_by IS NULL) = (asked_at IS NULL));

-- What of a part could not be compared, by name, while all the rest of it was.
ALTER TABLE reconciliation_parts ADD COLUMN uncompared text[] NOT NULL DEFAULT '{}';
