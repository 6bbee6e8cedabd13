-- The ledger's clock. Postgres is the only judge of time; a test may move it by the session setting
-- `makegood.clock_offset`, which nothing in the product sets.
CREATE FUNCTION clock_now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT now() + coalesce(nullif(current_setting('makegood.clock_offset', true), '')::interval, interval '0')
$$;

-- What happened to each item, in order: every attempt with its key, certainty and answer class, and every decision.
-- Never holds a credential. Append-only: corrections are further events.
CREATE TABLE operation_events (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  item_kind text NOT NULL CHECK (item_kind IN ('settlement', 'provider', 'lease')),
  item_id text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_now(),
  kind text NOT NULL,
  certainty text,
  idempotency_key text,
  answer_class text,
  detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX operation_events_by_item ON operation_events (item_kind, item_id, seq);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', HINT = 'Write a further row that corrects the earlier one.';
END $$;

CREATE TRIGGER operation_events_append_only
  BEFORE UPDATE OR DELETE ON operation_events FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER operation_events_no_truncate
  BEFORE TRUNCATE ON operation_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
