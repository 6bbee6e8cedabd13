-- What a waiting request is about was read from the first words that looked like it, and these may stand in the name that its
-- requester claimed. It stands behind "<by> asks to <action> (decision <id>".
ALTER TABLE decisions DISABLE TRIGGER decisions_stay;
WITH waiting AS (
  SELECT id, attention_detail AS detail FROM settlements WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM refunds WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM payments WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM reversals WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM seller_transfers WHERE attention_reason = 'approval_pending'
), asked AS (
  SELECT d.id, substring(w.detail FROM length(p.said) + 1) AS rest
  FROM decisions d JOIN waiting w ON w.id = d.item_id,
    LATERAL (SELECT d."by" || ' asks to ' || d.action || ' (decision ' || d.id AS said) p
  WHERE d.state = 'pending_approval' AND starts_with(w.detail, p.said)
)
UPDATE decisions d SET asked_reason = substring(a.rest FROM '^[^;]*; before that: ([a-z_]+): '),
    asked_detail = substring(a.rest FROM '^[^;]*; before that: [a-z_]+: (.*)$')
  FROM asked a WHERE a.id = d.id AND a.rest ~ '^[^;]*; before that: [a-z_]+: ';
ALTER TABLE decisions ENABLE TRIGGER decisions_stay;

-- A payer whose charge waits for the approval of its write-off was let in again. Of several the oldest stands in the way.
UPDATE settlements s SET uncollectable = true FROM (
  SELECT w.id, row_number() OVER (PARTITION BY coalesce(w.payer, w.id::text) ORDER BY w.created_at, w.id) AS nth
  FROM settlements w JOIN decisions d ON d.item_kind = 'settlement' AND d.item_id = w.id AND d.state = 'pending_approval'
  WHERE w.status = 'needs_attention' AND NOT w.uncollectable AND d.asked_reason = 'uncollectable'
    AND NOT EXISTS (SELECT 1 FROM settlements o WHERE o.payer = w.payer AND o.status = 'needs_attention' AND o.uncollectable)
) n WHERE n.id = s.id AND n.nth = 1;
