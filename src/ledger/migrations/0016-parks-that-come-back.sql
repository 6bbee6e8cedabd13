-- A provider, or one seller at it, that is let go and parked again within minutes is not mended, and somebody has to know: an
-- alert counts the returns. Whoever opens or closes it, this is where it is noticed.
ALTER TABLE provider_breakers
  ADD COLUMN closed_at timestamptz,
  -- How often in a row it came back within ten minutes, and when last.
  ADD COLUMN returns int NOT NULL DEFAULT 0,
  ADD COLUMN returned_at timestamptz;

CREATE FUNCTION note_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'closed' AND NEW.state = 'closed' THEN
    NEW.closed_at := clock_now();
  ELSIF OLD.state = 'closed' AND NEW.state <> 'closed' THEN
    IF OLD.closed_at > clock_now() - interval '10 minutes' THEN
      NEW.returns := OLD.returns + 1;
      NEW.returned_at := clock_now();
    ELSE
      NEW.returns := 0;
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER provider_breakers_returns BEFORE UPDATE ON provider_breakers FOR EACH ROW EXECUTE FUNCTION note_return();
