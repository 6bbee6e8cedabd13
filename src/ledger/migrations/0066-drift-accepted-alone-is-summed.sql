-- What one person accepts alone is summed over a day with what he gives up alone, so that many small ones do not pass where one large one
-- would not. The amount as the threshold compares it; no principal: whom nobody authenticated, all of whom share one budget. What was
-- accepted before this was there counts for nothing: a day later that makes no difference.
ALTER TABLE drifts
  ADD COLUMN alone_amount numeric(78, 0) CHECK (alone_amount >= 0),
  ADD COLUMN alone_principal text CHECK (alone_principal <> ''),
  ADD CONSTRAINT drift_alone_is_accepted CHECK (alone_amount IS NULL OR closed_why IS NOT DISTINCT FROM 'accepted'),
  ADD CONSTRAINT drift_alone_is_whole CHECK (alone_principal IS NULL OR alone_amount IS NOT NULL);
CREATE INDEX drifts_accepted_alone ON drifts (lower(alone_principal), lower(currency), closed_at) WHERE alone_amount IS NOT NULL;
