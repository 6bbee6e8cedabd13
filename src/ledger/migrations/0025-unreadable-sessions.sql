-- An open session whose credential cannot be decrypted can be neither closed nor left alone: it is a question for a person.
CREATE OR REPLACE FUNCTION settlement_may_become(was text, becomes text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT (was, becomes) IN (
    ('open', 'pending'), ('open', 'released'), ('open', 'needs_attention'),
    ('pending', 'settled'), ('pending', 'needs_attention'),
    ('needs_attention', 'pending'), ('needs_attention', 'settled'), ('needs_attention', 'written_off'),
    ('written_off', 'settled'))
$$;
ALTER TABLE settlements ADD CONSTRAINT unreadable_is_a_question CHECK (
  attention_reason <> 'unreadable_session' OR status = 'needs_attention');
CREATE INDEX settlements_unreadable ON settlements (id) WHERE attention_reason = 'unreadable_session';
