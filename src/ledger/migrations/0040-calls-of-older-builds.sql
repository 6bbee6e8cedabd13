-- What leaves is what the ledger holds now: whoever freezes or repeats other parameters sends nothing. A build that does not know of
-- `counted` froze a whole share of which others had taken a part, and the next build sent what was frozen.
CREATE FUNCTION guard_sent_amount() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_due numeric := NEW.amount;
BEGIN
  IF TG_TABLE_NAME = 'reversals' THEN v_due := NEW.amount - NEW.counted; END IF;
  IF (NEW.params::jsonb ->> 'amount')::numeric IS DISTINCT FROM v_due THEN
    RAISE EXCEPTION '% %: % are to be sent, not what is frozen: %', TG_TABLE_NAME, OLD.id, v_due, NEW.params USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reversals_sent_amount BEFORE UPDATE ON reversals FOR EACH ROW
  WHEN (NEW.attempts > OLD.attempts AND NEW.params IS NOT NULL) EXECUTE FUNCTION guard_sent_amount();
CREATE TRIGGER seller_transfers_sent_amount BEFORE UPDATE ON seller_transfers FOR EACH ROW
  WHEN (NEW.attempts > OLD.attempts AND NEW.params IS NOT NULL) EXECUTE FUNCTION guard_sent_amount();

-- A process says with every connection which migration is the newest it knows. One that does not know the newest there is takes
-- no item any more, however long it has been running: what it would send may mean something else by now.
CREATE FUNCTION guard_build() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_knows int := coalesce(nullif(current_setting('makegood.knows', true), ''), '0')::int;
  v_newest int;
BEGIN
  SELECT max(number) INTO v_newest FROM schema_migrations;
  IF v_knows < v_newest THEN
    RAISE EXCEPTION 'this process is older than the database (it knows migration %, the newest is %), so it takes nothing: stop it and start the build that ran makegood migrate', v_knows, v_newest
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reversals_build BEFORE UPDATE OF runner ON reversals FOR EACH ROW
  WHEN (NEW.runner IS NOT NULL AND NEW.runner IS DISTINCT FROM OLD.runner) EXECUTE FUNCTION guard_build();
CREATE TRIGGER seller_transfers_build BEFORE UPDATE OF runner ON seller_transfers FOR EACH ROW
  WHEN (NEW.runner IS NOT NULL AND NEW.runner IS DISTINCT FROM OLD.runner) EXECUTE FUNCTION guard_build();
CREATE TRIGGER payments_build BEFORE UPDATE OF runner ON payments FOR EACH ROW
  WHEN (NEW.runner IS NOT NULL AND NEW.runner IS DISTINCT FROM OLD.runner) EXECUTE FUNCTION guard_build();
CREATE TRIGGER refunds_build BEFORE UPDATE OF runner ON refunds FOR EACH ROW
  WHEN (NEW.runner IS NOT NULL AND NEW.runner IS DISTINCT FROM OLD.runner) EXECUTE FUNCTION guard_build();
CREATE TRIGGER settlements_build BEFORE UPDATE OF runner ON settlements FOR EACH ROW
  WHEN (NEW.runner IS NOT NULL AND NEW.runner IS DISTINCT FROM OLD.runner) EXECUTE FUNCTION guard_build();
