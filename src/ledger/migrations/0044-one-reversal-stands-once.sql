-- What a person adopted as one share is not counted as another one as well. Adopting kept no decision about it, so that one that was
-- taken at the same moment, by what had been read before, still found it undecided.
CREATE OR REPLACE FUNCTION decided_of_others(p_transfer uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_object_agg(stripe_reversal_id, amount::text), '{}') FROM (
    SELECT stripe_reversal_id, sum(amount) AS amount FROM (
      SELECT stripe_reversal_id, amount FROM foreign_decisions WHERE transfer_id = p_transfer
      UNION ALL SELECT stripe_reversal_id, amount - counted FROM reversals WHERE transfer_id = p_transfer AND stripe_reversal_id IS NOT NULL
    ) AS each GROUP BY 1) AS d
$$;

CREATE FUNCTION guard_stands_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'reversals' AND EXISTS (SELECT 1 FROM foreign_decisions WHERE stripe_reversal_id = NEW.stripe_reversal_id)
    OR TG_TABLE_NAME <> 'reversals' AND EXISTS (SELECT 1 FROM reversals WHERE stripe_reversal_id = NEW.stripe_reversal_id) THEN
    RAISE EXCEPTION '% stands for another share already', NEW.stripe_reversal_id USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER foreign_decisions_stand_once BEFORE INSERT ON foreign_decisions FOR EACH ROW EXECUTE FUNCTION guard_stands_once();
CREATE TRIGGER reversals_stand_once BEFORE UPDATE OF stripe_reversal_id ON reversals FOR EACH ROW
  WHEN (NEW.stripe_reversal_id IS NOT NULL AND NEW.stripe_reversal_id IS DISTINCT FROM OLD.stripe_reversal_id)
  EXECUTE FUNCTION guard_stands_once();
