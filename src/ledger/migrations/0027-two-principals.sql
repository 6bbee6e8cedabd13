-- Two persons are two authenticated principals: who was not authenticated counts for nobody, and all of these share one budget.
ALTER TABLE decisions
  -- Whose word this is; null: nobody's.
  ADD COLUMN principal text GENERATED ALWAYS AS (CASE WHEN authenticated THEN by END) STORED,
  -- On how many persons' word it stands, or will once it is approved: `nobody` where it gives nothing up or the provider
  -- itself has said so. Null: ignored, or decided before this was recorded.
  ADD COLUMN rests_on text CHECK (rests_on IN ('nobody', 'one', 'two')),
  -- What is given up or paid again; minor units, or hundredths of an asset's unit.
  ADD COLUMN amount numeric CHECK (amount >= 0),
  ADD COLUMN currency text CHECK (currency = lower(currency)),
  -- What the item waited for when this was asked.
  ADD COLUMN asked_reason text,
  ADD COLUMN asked_detail text,
  -- Of a request that nobody authenticated: the first of the two persons it takes.
  ADD COLUMN first_approver text,
  ADD COLUMN first_approval_note text,
  ADD COLUMN first_approved_at timestamptz;

-- What was given up by one person alone within the last day counts from the first moment on.
UPDATE decisions SET rests_on = CASE action WHEN 'write_off' THEN 'one' ELSE 'nobody' END
  WHERE state = 'applied' AND approved_by IS NULL;
UPDATE decisions d SET amount = ceil(s.spent * 100 / power(10::numeric, s.decimals)), currency = lower(s.asset)
  FROM settlements s WHERE d.item_kind = 'settlement' AND s.id = d.item_id;
UPDATE decisions d SET amount = r.amount, currency = lower(r.currency)
  FROM refunds r WHERE d.item_kind = 'refund' AND r.id = d.item_id;
UPDATE decisions d SET amount = r.amount, currency = lower(r.currency)
  FROM reversals r WHERE d.item_kind = 'reversal' AND r.id = d.item_id;
UPDATE decisions d SET amount = p.amount, currency = lower(p.currency)
  FROM payments p WHERE d.item_kind = 'payment' AND p.id = d.item_id;
UPDATE decisions d SET amount = t.promised, currency = lower(t.currency)
  FROM seller_transfers t WHERE d.item_kind = 'transfer' AND t.id = d.item_id;

-- What waits for an approval goes on waiting: for one other person where the requester was authenticated, else for two.
WITH waiting AS (
  SELECT id, attention_detail AS detail FROM settlements WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM refunds WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM payments WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM reversals WHERE attention_reason = 'approval_pending'
  UNION ALL SELECT id, attention_detail FROM seller_transfers WHERE attention_reason = 'approval_pending'
)
UPDATE decisions d SET rests_on = 'two',
    asked_reason = substring(w.detail FROM '; before that: ([a-z_]+): '),
    asked_detail = substring(w.detail FROM '; before that: [a-z_]+: (.*)$')
  FROM waiting w WHERE w.id = d.item_id AND d.state = 'pending_approval';
UPDATE decisions SET rests_on = 'two' WHERE state = 'pending_approval';

ALTER TABLE decisions
  DROP CONSTRAINT two_persons,
  ADD CONSTRAINT approver_is_another CHECK (approved_by IS NULL OR NOT authenticated OR approved_by <> by),
  ADD CONSTRAINT first_approval_is_whole CHECK (
    (first_approver IS NULL) = (first_approved_at IS NULL) AND (first_approver IS NULL OR NOT authenticated)),
  ADD CONSTRAINT approvers_differ CHECK (first_approver IS NULL OR approved_by IS NULL OR first_approver <> approved_by),
  ADD CONSTRAINT two_principals CHECK (state <> 'applied' OR rests_on IS DISTINCT FROM 'two'
    OR (approved_by IS NOT NULL AND (authenticated OR first_approver IS NOT NULL))),
  ADD CONSTRAINT alone_is_counted CHECK (rests_on IS DISTINCT FROM 'one' OR (amount IS NOT NULL AND currency IS NOT NULL)),
  -- Not of what was decided before this was recorded.
  ADD CONSTRAINT rests_on_is_said CHECK (state = 'ignored' OR rests_on IS NOT NULL) NOT VALID,
  ADD CONSTRAINT compensation_takes_two CHECK (action <> 'compensate' OR state = 'ignored' OR rests_on = 'two') NOT VALID;

CREATE INDEX decisions_alone ON decisions (principal, currency, requested_at) WHERE state = 'applied' AND rests_on = 'one';

-- What was asked, and by whom, is not rewritten; what was decided stays decided.
CREATE FUNCTION keep_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'pending_approval' THEN
    RAISE EXCEPTION 'decision % is % and stays so', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.id, NEW.item_kind, NEW.item_id, NEW.action, NEW."by", NEW.authenticated, NEW.note, NEW.evidence, NEW.requested_at,
      NEW.rests_on, NEW.amount, NEW.currency, NEW.asked_reason, NEW.asked_detail)
    IS DISTINCT FROM (OLD.id, OLD.item_kind, OLD.item_id, OLD.action, OLD."by", OLD.authenticated, OLD.note, OLD.evidence,
      OLD.requested_at, OLD.rests_on, OLD.amount, OLD.currency, OLD.asked_reason, OLD.asked_detail)
    OR (OLD.first_approver IS NOT NULL AND NEW.first_approver IS DISTINCT FROM OLD.first_approver) THEN
    RAISE EXCEPTION 'decision %: what was asked cannot be changed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions FOR EACH ROW EXECUTE FUNCTION keep_decision();
