-- API_TOKENS refuses two names that differ in case alone, today. Between a request and its approval somebody may have written a name
-- otherwise, and is the same person. Decisions of before are left as they were taken.
ALTER TABLE decisions
  DROP CONSTRAINT approver_is_another,
  ADD CONSTRAINT approver_is_another
    CHECK (approved_by IS NULL OR NOT authenticated OR lower(approved_by) <> lower("by")) NOT VALID,
  DROP CONSTRAINT approvers_differ,
  ADD CONSTRAINT approvers_differ
    CHECK (first_approver IS NULL OR approved_by IS NULL OR lower(first_approver) <> lower(approved_by)) NOT VALID;

-- So is what a person gives up alone summed.
DROP INDEX decisions_alone;
CREATE INDEX decisions_alone ON decisions (lower(principal), currency, requested_at) WHERE state = 'applied' AND rests_on = 'one';
