-- A person parks a provider by hand: nothing that moves money leaves, and no probe opens it, until a person resumes it.
ALTER TABLE provider_breakers
  ADD COLUMN paused_by text CHECK (paused_by <> ''),
  ADD COLUMN paused_at timestamptz,
  ADD COLUMN paused_note text,
  DROP CONSTRAINT provider_breakers_reason_check,
  ADD CONSTRAINT provider_breakers_reason_check CHECK (reason IN ('outage', 'config', 'paused')),
  ADD CONSTRAINT paused_is_whole CHECK ((paused_by IS NULL) = (paused_at IS NULL) AND (paused_by IS NULL) = (paused_note IS NULL)),
  -- Whatever answers meanwhile: neither a probe nor an answer to an earlier call opens it.
  ADD CONSTRAINT paused_stays_paused CHECK ((reason IS NOT DISTINCT FROM 'paused') = (paused_by IS NOT NULL)
    AND (paused_by IS NULL OR (state = 'open' AND probe_at = 'infinity')));

-- As in 0004; what a provider answers says nothing of one that a person has paused.
CREATE OR REPLACE FUNCTION note_provider(p_provider text, p_outcome text, p_detail text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_now();
  b provider_breakers;
  v_every interval;
BEGIN
  SELECT * INTO b FROM provider_breakers WHERE provider = p_provider;
  IF p_outcome = 'ok' AND (NOT FOUND OR (b.state = 'closed' AND (b.failures = 0 OR b.window_until < v_now))) THEN RETURN; END IF;
  INSERT INTO provider_breakers (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
  SELECT * INTO b FROM provider_breakers WHERE provider = p_provider FOR UPDATE;
  IF b.paused_by IS NOT NULL THEN RETURN; END IF;
  IF p_outcome = 'ok' THEN
    IF b.state = 'closed' THEN
      UPDATE provider_breakers SET successes = successes + 1 WHERE provider = p_provider;
    ELSE
      UPDATE provider_breakers SET state = 'closed', reason = NULL, failures = 0, successes = 0, opened_at = NULL,
        probe_at = NULL, probe_every = NULL, detail = NULL WHERE provider = p_provider;
      INSERT INTO operation_events (item_kind, item_id, kind) VALUES ('provider', p_provider, 'breaker_closed');
    END IF;
  ELSIF b.state = 'half_open' THEN
    v_every := least(b.probe_every * 2, interval '30 seconds');
    UPDATE provider_breakers SET state = 'open', reason = p_outcome, detail = p_detail, probe_every = v_every, probe_at = v_now + v_every
      WHERE provider = p_provider;
  ELSIF b.state = 'closed' THEN
    IF b.window_until <= v_now THEN
      UPDATE provider_breakers SET failures = 1, successes = 0, window_until = v_now + interval '10 seconds' WHERE provider = p_provider;
    ELSIF b.failures + 1 >= 5 AND b.failures + 1 >= 4 * b.successes THEN
      UPDATE provider_breakers SET state = 'open', reason = p_outcome, detail = p_detail, failures = b.failures + 1,
        opened_at = v_now, probe_every = interval '1 second', probe_at = v_now + interval '1 second' WHERE provider = p_provider;
      INSERT INTO operation_events (item_kind, item_id, kind, answer_class, detail)
        VALUES ('provider', p_provider, 'breaker_opened', p_outcome, jsonb_build_object('detail', p_detail));
    ELSE
      UPDATE provider_breakers SET failures = b.failures + 1 WHERE provider = p_provider;
    END IF;
  END IF;
END $$;

-- As in 0016; a person who pauses it again has not found it ill.
CREATE OR REPLACE FUNCTION note_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'closed' AND NEW.state = 'closed' THEN
    NEW.closed_at := clock_now();
  ELSIF OLD.state = 'closed' AND NEW.state <> 'closed' AND NEW.paused_by IS NULL THEN
    IF OLD.closed_at > clock_now() - interval '10 minutes' THEN
      NEW.returns := OLD.returns + 1;
      NEW.returned_at := clock_now();
    ELSE
      NEW.returns := 0;
    END IF;
  END IF;
  RETURN NEW;
END $$;

-- What a person types to find an item by what many share.
CREATE INDEX settlements_by_transaction ON settlements (tx_hash) WHERE tx_hash IS NOT NULL;
CREATE INDEX operation_events_by_request ON operation_events ((detail ->> 'request_id')) WHERE detail ? 'request_id';
