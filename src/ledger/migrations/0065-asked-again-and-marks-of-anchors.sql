-- A question that was not asked for a while and is asked again is told again, although it bears the time at which it was first asked: one
-- notice of it is open, not one for ever.
ALTER TABLE notices DROP CONSTRAINT notices_item_kind_item_id_reason_since_key;
CREATE UNIQUE INDEX notices_one_is_open ON notices (item_kind, item_id, reason, since) WHERE ended_at IS NULL;

-- Which anchor was written last, so that one that is dropped from the directory, or put there by somebody else, is missed or known for what it is.
-- A file is meant before it has its name and written after: whoever dies in between has left one that is known. Number 0: a new directory.
CREATE TABLE anchor_marks (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number bigint NOT NULL CHECK (number >= 0),
  day text NOT NULL CHECK (day ~ '^\d{4}-\d{2}-\d{2}$'),
  digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
  step text NOT NULL CHECK (step IN ('meant', 'written')),
  at timestamptz NOT NULL DEFAULT clock_now()
);
CREATE TRIGGER anchor_marks_append_only
  BEFORE UPDATE OR DELETE ON anchor_marks FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER anchor_marks_no_truncate
  BEFORE TRUNCATE ON anchor_marks FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
