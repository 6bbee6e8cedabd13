-- When an answer that is due was asked for and cost the asker's server work, but was not had: RELEASED_LIMIT holds for these as well.
ALTER TABLE settlements ADD COLUMN answer_released_at timestamptz[] NOT NULL DEFAULT '{}';
