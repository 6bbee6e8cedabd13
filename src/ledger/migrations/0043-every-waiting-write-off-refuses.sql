-- A build of before let a payer in again while the write-off of a charge that he could not pay waited for its approval, so several
-- may wait. Each of them stands in his way, and not the oldest alone: that one may be the first to be decided about.
DROP INDEX settlements_one_uncollectable_per_payer;
UPDATE settlements s SET uncollectable = true FROM decisions d
  WHERE d.item_kind = 'settlement' AND d.item_id = s.id AND d.state = 'pending_approval' AND d.asked_reason = 'uncollectable'
    AND s.status = 'needs_attention' AND NOT s.uncollectable;
-- One question for each payer, as before; what is decided but for an approval is none.
CREATE UNIQUE INDEX settlements_one_uncollectable_per_payer ON settlements (payer)
  WHERE status = 'needs_attention' AND uncollectable AND payer IS NOT NULL AND attention_reason <> 'approval_pending';
CREATE INDEX settlements_uncollectable ON settlements (payer) WHERE status = 'needs_attention' AND uncollectable;
