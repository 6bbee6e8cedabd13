-- A session that could not be read when it was abandoned, can be read now and charged nothing owes nobody anything: it is
-- released, as it would have been. What owes something never is.
CREATE OR REPLACE FUNCTION settlement_may_become(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (was, becomes) IN (
    ('open', 'pending'), ('open', 'released'), ('open', 'needs_attention'),
    ('pending', 'settled'), ('pending', 'needs_attention'),
    ('needs_attention', 'pending'), ('needs_attention', 'settled'), ('needs_attention', 'written_off'),
    ('needs_attention', 'released'), ('written_off', 'settled'))
$$;
ALTER TABLE settlements ADD CONSTRAINT released_owes_nothing CHECK (status <> 'released' OR spent = 0);
