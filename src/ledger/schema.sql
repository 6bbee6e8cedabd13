-- columns
decisions.id uuid NOT NULL
decisions.item_kind text NOT NULL
decisions.item_id uuid NOT NULL
decisions.action text NOT NULL
decisions.state text NOT NULL
decisions.by text NOT NULL
decisions.authenticated boolean NOT NULL
decisions.note text NOT NULL
decisions.evidence jsonb
decisions.requested_at timestamp with time zone NOT NULL DEFAULT clock_now()
decisions.approved_by text
decisions.approval_note text
decisions.approved_at timestamp with time zone
operation_events.seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY
operation_events.item_kind text NOT NULL
operation_events.item_id text NOT NULL
operation_events.at timestamp with time zone NOT NULL DEFAULT clock_now()
operation_events.kind text NOT NULL
operation_events.certainty text
operation_events.idempotency_key text
operation_events.answer_class text
operation_events.detail jsonb NOT NULL DEFAULT '{}'::jsonb
payment_sessions.id uuid NOT NULL
payment_sessions.lease_id uuid NOT NULL
payment_sessions.epoch bigint NOT NULL
payment_sessions.close_token uuid NOT NULL
payment_sessions.deadline timestamp with time zone NOT NULL
payment_sessions.opened_at timestamp with time zone NOT NULL DEFAULT clock_now()
payment_sessions.closed_at timestamp with time zone
payment_sessions.closed_by text
provider_breakers.provider text NOT NULL
provider_breakers.state text NOT NULL DEFAULT 'closed'::text
provider_breakers.reason text
provider_breakers.failures integer NOT NULL DEFAULT 0
provider_breakers.successes integer NOT NULL DEFAULT 0
provider_breakers.window_until timestamp with time zone NOT NULL DEFAULT clock_now()
provider_breakers.opened_at timestamp with time zone
provider_breakers.probe_at timestamp with time zone
provider_breakers.probe_every interval
provider_breakers.detail text
schema_migrations.number integer NOT NULL
schema_migrations.name text NOT NULL
schema_migrations.sha256 text NOT NULL
schema_migrations.applied_at timestamp with time zone NOT NULL DEFAULT now()
server_leases.id uuid NOT NULL
server_leases.epoch bigint NOT NULL DEFAULT 1
server_leases.holder text NOT NULL
server_leases.started_at timestamp with time zone NOT NULL DEFAULT clock_now()
server_leases.lapses_at timestamp with time zone NOT NULL
server_leases.ended_at timestamp with time zone
settlements.id uuid NOT NULL
settlements.key text NOT NULL
settlements.identity text NOT NULL
settlements.content_sha256 text NOT NULL
settlements.source text NOT NULL
settlements.protocol text NOT NULL
settlements.provider text NOT NULL
settlements.status text NOT NULL
settlements.certainty text NOT NULL DEFAULT 'not_sent'::text
settlements.asset text NOT NULL
settlements.decimals integer NOT NULL
settlements.cap numeric(78,0)
settlements.spent numeric(78,0) NOT NULL DEFAULT 0
settlements.payer text
settlements.route text
settlements.lookup jsonb NOT NULL DEFAULT '{}'::jsonb
settlements.context jsonb NOT NULL DEFAULT '{}'::jsonb
settlements.sealed bytea
settlements.sealed_kind text
settlements.sealed_key_id text
settlements.body_sha256 text
settlements.expires_at timestamp with time zone
settlements.erase_at timestamp with time zone
settlements.erased_at timestamp with time zone
settlements.attempts integer NOT NULL DEFAULT 0
settlements.first_sent_at timestamp with time zone
settlements.first_failure_at timestamp with time zone
settlements.first_failure_reason text
settlements.last_answer text
settlements.runner text
settlements.runner_until timestamp with time zone
settlements.next_retry_at timestamp with time zone
settlements.next_check_at timestamp with time zone
settlements.blocked_by uuid
settlements.workflow_id text
settlements.tx_hash text
settlements.already_settled boolean NOT NULL DEFAULT false
settlements.suspected_elsewhere boolean NOT NULL DEFAULT false
settlements.delivery text
settlements.attention_reason text
settlements.attention_since timestamp with time zone
settlements.attention_detail text
settlements.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
settlements.closed_at timestamp with time zone
settlements.settled_at timestamp with time zone
sweeps.name text NOT NULL
sweeps.started_at timestamp with time zone NOT NULL
sweeps.succeeded_at timestamp with time zone
sweeps.report jsonb NOT NULL DEFAULT '{}'::jsonb

-- constraints
decisions approval_is_whole CHECK (((approved_by IS NULL) = (approved_at IS NULL)))
decisions decisions_action_check CHECK ((action = ANY (ARRAY['retry'::text, 'settled'::text, 'write_off'::text])))
decisions decisions_by_check CHECK ((by <> ''::text))
decisions decisions_item_kind_check CHECK ((item_kind = 'settlement'::text))
decisions decisions_pkey PRIMARY KEY (id)
decisions decisions_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'pending_approval'::text, 'ignored'::text])))
decisions two_persons CHECK (((approved_by IS NULL) OR (approved_by <> by)))
operation_events operation_events_item_kind_check CHECK ((item_kind = ANY (ARRAY['settlement'::text, 'provider'::text, 'lease'::text])))
operation_events operation_events_pkey PRIMARY KEY (seq)
payment_sessions close_is_whole CHECK (((closed_at IS NULL) = (closed_by IS NULL)))
payment_sessions payment_sessions_closed_by_check CHECK ((closed_by = ANY (ARRAY['end'::text, 'abort'::text, 'error'::text, 'sweep'::text])))
payment_sessions payment_sessions_id_fkey FOREIGN KEY (id) REFERENCES settlements(id)
payment_sessions payment_sessions_lease_id_fkey FOREIGN KEY (lease_id) REFERENCES server_leases(id)
payment_sessions payment_sessions_pkey PRIMARY KEY (id)
provider_breakers open_is_probed CHECK (((state = 'closed'::text) = (probe_at IS NULL)))
provider_breakers provider_breakers_pkey PRIMARY KEY (provider)
provider_breakers provider_breakers_reason_check CHECK ((reason = ANY (ARRAY['outage'::text, 'config'::text])))
provider_breakers provider_breakers_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])))
schema_migrations schema_migrations_pkey PRIMARY KEY (number)
server_leases server_leases_pkey PRIMARY KEY (id)
settlements attention_has_a_reason CHECK ((((status = 'needs_attention'::text) = (attention_reason IS NOT NULL)) OR ((status = 'settled'::text) AND (attention_reason = 'late_success'::text))))
settlements attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
settlements pending_has_a_body CHECK (((status <> 'pending'::text) OR (sealed_kind = 'body'::text) OR (erased_at IS NOT NULL)))
settlements released_was_never_sent CHECK (((status <> 'released'::text) OR ((certainty = 'not_sent'::text) AND (attempts = 0))))
settlements runner_is_whole CHECK (((runner IS NULL) = (runner_until IS NULL)))
settlements sealed_is_whole CHECK ((((sealed IS NULL) = (sealed_key_id IS NULL)) AND ((sealed IS NULL) = (sealed_kind IS NULL))))
settlements settled_is_certain CHECK (((status <> 'settled'::text) OR ((certainty = 'done'::text) AND (settled_at IS NOT NULL))))
settlements settlements_blocked_by_fkey FOREIGN KEY (blocked_by) REFERENCES settlements(id)
settlements settlements_cap_check CHECK ((cap >= (0)::numeric))
settlements settlements_certainty_check CHECK ((certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
settlements settlements_decimals_check CHECK (((decimals >= 0) AND (decimals <= 78)))
settlements settlements_delivery_check CHECK ((delivery = ANY (ARRAY['delivered'::text, 'aborted'::text, 'unknown'::text])))
settlements settlements_identity_check CHECK ((identity <> ''::text))
settlements settlements_key_check CHECK ((key <> ''::text))
settlements settlements_pkey PRIMARY KEY (id)
settlements settlements_protocol_check CHECK ((protocol = ANY (ARRAY['atxp'::text, 'x402'::text, 'mpp'::text])))
settlements settlements_sealed_kind_check CHECK ((sealed_kind = ANY (ARRAY['credential'::text, 'body'::text])))
settlements settlements_source_check CHECK ((source = ANY (ARRAY['session'::text, 'api'::text])))
settlements settlements_spent_check CHECK ((spent >= (0)::numeric))
settlements settlements_status_check CHECK ((status = ANY (ARRAY['open'::text, 'pending'::text, 'settled'::text, 'released'::text, 'needs_attention'::text, 'written_off'::text])))
settlements spent_within_cap CHECK (((cap IS NULL) OR (spent <= cap)))
settlements unfinished_is_found_again CHECK (((status = ANY (ARRAY['settled'::text, 'released'::text, 'written_off'::text])) = (next_check_at IS NULL)))
sweeps sweeps_pkey PRIMARY KEY (name)

-- indexes
CREATE INDEX decisions_by_item ON public.decisions USING btree (item_kind, item_id, requested_at)
CREATE INDEX operation_events_by_item ON public.operation_events USING btree (item_kind, item_id, seq)
CREATE INDEX payment_sessions_open ON public.payment_sessions USING btree (lease_id) WHERE (closed_at IS NULL)
CREATE INDEX server_leases_alive ON public.server_leases USING btree (lapses_at) WHERE (ended_at IS NULL)
CREATE INDEX settlements_attention ON public.settlements USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX settlements_blocked ON public.settlements USING btree (blocked_by) WHERE (blocked_by IS NOT NULL)
CREATE INDEX settlements_due ON public.settlements USING btree (protocol, status, next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX settlements_exposed ON public.settlements USING btree (route, payer) INCLUDE (status, cap, spent) WHERE (status = ANY (ARRAY['open'::text, 'pending'::text, 'needs_attention'::text]))
CREATE INDEX settlements_first_failures ON public.settlements USING btree (protocol, first_failure_reason) WHERE (first_failure_at IS NOT NULL)
CREATE INDEX settlements_to_erase ON public.settlements USING btree (erase_at) WHERE (sealed IS NOT NULL)
CREATE INDEX settlements_undelivered ON public.settlements USING btree (id) WHERE (delivery = 'unknown'::text)
CREATE INDEX settlements_unsettled ON public.settlements USING btree (status, protocol) INCLUDE (created_at, certainty) WHERE (status = ANY (ARRAY['pending'::text, 'needs_attention'::text]))
CREATE UNIQUE INDEX decisions_one_waiting_per_item ON public.decisions USING btree (item_kind, item_id) WHERE (state = 'pending_approval'::text)
CREATE UNIQUE INDEX decisions_pkey ON public.decisions USING btree (id)
CREATE UNIQUE INDEX operation_events_pkey ON public.operation_events USING btree (seq)
CREATE UNIQUE INDEX payment_sessions_pkey ON public.payment_sessions USING btree (id)
CREATE UNIQUE INDEX provider_breakers_pkey ON public.provider_breakers USING btree (provider)
CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (number)
CREATE UNIQUE INDEX server_leases_pkey ON public.server_leases USING btree (id)
CREATE UNIQUE INDEX settlements_identity ON public.settlements USING btree (identity) WHERE (status <> 'released'::text)
CREATE UNIQUE INDEX settlements_key ON public.settlements USING btree (key) WHERE (status <> 'released'::text)
CREATE UNIQUE INDEX settlements_one_uncollectable_per_payer ON public.settlements USING btree (payer) WHERE ((status = 'needs_attention'::text) AND (attention_reason = 'uncollectable'::text) AND (payer IS NOT NULL))
CREATE UNIQUE INDEX settlements_payment_request ON public.settlements USING btree (((context ->> 'paymentRequestId'::text))) WHERE ((status <> 'released'::text) AND (context ? 'paymentRequestId'::text))
CREATE UNIQUE INDEX settlements_pkey ON public.settlements USING btree (id)
CREATE UNIQUE INDEX sweeps_pkey ON public.sweeps USING btree (name)

-- triggers
CREATE TRIGGER decisions_keep BEFORE DELETE ON public.decisions FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER operation_events_append_only BEFORE DELETE OR UPDATE ON public.operation_events FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER operation_events_no_truncate BEFORE TRUNCATE ON public.operation_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER settlements_guard BEFORE INSERT OR UPDATE ON public.settlements FOR EACH ROW EXECUTE FUNCTION settlements_guard()
CREATE TRIGGER settlements_keep BEFORE DELETE ON public.settlements FOR EACH ROW EXECUTE FUNCTION refuse_change()

-- functions
CREATE OR REPLACE FUNCTION public.certainty_at_send(was text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT CASE WHEN was IN ('in_flight', 'unknown') THEN 'unknown' WHEN was = 'done' THEN 'done' ELSE 'in_flight' END
$function$
CREATE OR REPLACE FUNCTION public.claim_settlements(p_ids uuid[], p_runner text, p_hold interval)
 RETURNS SETOF settlements
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
  v_now timestamptz := clock_now();
  v_allowed uuid[] := '{}';
  b record;
BEGIN
  FOR b IN
    SELECT c.provider, array_agg(c.id ORDER BY c.next_check_at, c.id) AS ids FROM (
      SELECT id, provider, next_check_at FROM settlements
      WHERE id = ANY (p_ids) AND status = 'pending' AND blocked_by IS NULL AND sealed_kind = 'body'
        AND (runner IS NULL OR runner = p_runner OR runner_until < v_now)
      ORDER BY id FOR UPDATE) c
    GROUP BY c.provider ORDER BY c.provider
  LOOP
    IF NOT EXISTS (SELECT 1 FROM provider_breakers WHERE provider = b.provider AND state <> 'closed') THEN
      v_allowed := v_allowed || b.ids;
    ELSE
      UPDATE provider_breakers SET state = 'half_open', probe_at = v_now + p_hold
        WHERE provider = b.provider AND state <> 'closed' AND probe_at <= v_now;
      IF FOUND THEN
        v_allowed := v_allowed || b.ids[1];
        b.ids := b.ids[2:];
      END IF;
      UPDATE settlements SET next_check_at = v_now WHERE id = ANY (b.ids) AND next_check_at > v_now;
    END IF;
  END LOOP;
  IF v_allowed = '{}' THEN RETURN; END IF;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, detail)
    SELECT 'settlement', id, v_now, 'sent', certainty_at_send(certainty), key,
      jsonb_build_object('attempt', attempts + 1, 'runner', p_runner, 'body_sha256', body_sha256)
    FROM settlements WHERE id = ANY (v_allowed) ORDER BY id;
  RETURN QUERY UPDATE settlements SET
      runner = p_runner, runner_until = v_now + p_hold,
      attempts = attempts + 1, certainty = certainty_at_send(certainty),
      first_sent_at = coalesce(first_sent_at, v_now),
      next_retry_at = NULL, next_check_at = v_now + p_hold + interval '15 seconds'
    WHERE id = ANY (v_allowed) RETURNING *;
END $function$
CREATE OR REPLACE FUNCTION public.clock_now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  SELECT now() + coalesce(nullif(current_setting('makegood.clock_offset', true), '')::interval, interval '0')
$function$
CREATE OR REPLACE FUNCTION public.erase_date(expires_at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$
  SELECT coalesce(expires_at + interval '7 days', clock_now() + interval '30 days')
$function$
CREATE OR REPLACE FUNCTION public.note_provider(p_provider text, p_outcome text, p_detail text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_now timestamptz := clock_now();
  b provider_breakers;
  v_every interval;
BEGIN
  SELECT * INTO b FROM provider_breakers WHERE provider = p_provider;
  IF p_outcome = 'ok' AND (NOT FOUND OR (b.state = 'closed' AND (b.failures = 0 OR b.window_until < v_now))) THEN RETURN; END IF;
  INSERT INTO provider_breakers (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
  SELECT * INTO b FROM provider_breakers WHERE provider = p_provider FOR UPDATE;
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
END $function$
CREATE OR REPLACE FUNCTION public.open_payment_session(p_settlement jsonb, p_sealed bytea, p_lease uuid, p_epoch bigint, p_close_token uuid, p_longest interval, p_limit_payer numeric, p_limit_total numeric)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM 1 FROM server_leases WHERE id = p_lease AND epoch = p_epoch AND ended_at IS NULL AND lapses_at > v_now;
  IF NOT FOUND THEN RETURN 'lease_lost'; END IF;
  IF s.payer IS NOT NULL AND EXISTS (
    SELECT 1 FROM settlements WHERE payer = s.payer AND status = 'needs_attention' AND attention_reason = 'uncollectable'
  ) THEN RETURN 'payer_uncollectable'; END IF;
  IF p_limit_total IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND status IN ('open', 'pending', 'needs_attention')) > p_limit_total
    THEN RETURN 'exposure_total'; END IF;
  END IF;
  IF p_limit_payer IS NOT NULL AND s.payer IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route || ' ' || s.payer, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND payer = s.payer AND status IN ('open', 'pending', 'needs_attention')) > p_limit_payer
    THEN RETURN 'exposure_payer'; END IF;
  END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap,
      payer, route, lookup, context, sealed, sealed_kind, sealed_key_id, expires_at, erase_at, next_check_at, created_at)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'open', s.asset, s.decimals, s.cap,
      s.payer, s.route, s.lookup, s.context, p_sealed, 'credential', s.sealed_key_id, s.expires_at,
      erase_date(s.expires_at), v_now + p_longest, v_now)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'identity_used'; END IF;
  INSERT INTO payment_sessions (id, lease_id, epoch, close_token, deadline, opened_at)
    VALUES (s.id, p_lease, p_epoch, p_close_token, v_now + p_longest, v_now);
  RETURN 'opened';
END $function$
CREATE OR REPLACE FUNCTION public.record_attempt(p jsonb)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_now timestamptz := clock_now();
  v_id uuid := (p ->> 'id')::uuid;
  v_do text := p ->> 'do';
  v_failed_at timestamptz := CASE WHEN (p ->> 'failed')::boolean THEN v_now END;
  v_failure text := CASE WHEN (p ->> 'failed')::boolean THEN p ->> 'answer' END;
  v_status text;
  v_blocker uuid;
  s settlements;
BEGIN
  SELECT * INTO s FROM settlements WHERE id = v_id FOR UPDATE;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, answer_class, detail)
    VALUES ('settlement', v_id::text, v_now, 'answered', p ->> 'certainty', s.key, p ->> 'answer',
      jsonb_strip_nulls(jsonb_build_object('runner', p -> 'runner', 'detail', p -> 'detail', 'decision', p -> 'do',
        'reason', p -> 'reason', 'after_ms', p -> 'after_ms')));
  IF p ->> 'provider_outcome' IS NOT NULL THEN
    PERFORM note_provider(s.provider, p ->> 'provider_outcome', p ->> 'detail');
  END IF;

  IF v_do = 'finish' THEN
    UPDATE settlements SET
        status = 'settled', certainty = 'done', settled_at = coalesce(settled_at, v_now),
        tx_hash = coalesce(p ->> 'tx_hash', tx_hash), already_settled = already_settled OR (p ->> 'already_settled')::boolean,
        attention_reason = CASE WHEN status = 'pending' THEN NULL ELSE 'late_success' END,
        attention_since = CASE WHEN status = 'pending' THEN NULL ELSE v_now END,
        attention_detail = CASE WHEN status = 'pending' THEN NULL
          ELSE 'the provider confirmed the charge after this item was ' || status END,
        runner = NULL, runner_until = NULL, next_retry_at = NULL, next_check_at = NULL, blocked_by = NULL,
        sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = v_now, last_answer = p ->> 'answer'
      WHERE id = v_id AND status IN ('pending', 'needs_attention', 'written_off')
      RETURNING status INTO v_status;
    RETURN coalesce(v_status, s.status);
  END IF;

  IF s.status <> 'pending' OR s.runner IS DISTINCT FROM p ->> 'runner' THEN RETURN NULL; END IF;

  IF v_do = 'ask' THEN
    IF p ->> 'reason' = 'uncollectable' AND s.payer IS NOT NULL THEN
      -- One attention item per payer: the lock makes "is there one already?" certain.
      PERFORM pg_advisory_xact_lock(hashtextextended('uncollectable ' || s.payer, 0));
      SELECT id INTO v_blocker FROM settlements
        WHERE payer = s.payer AND status = 'needs_attention' AND attention_reason = 'uncollectable';
    END IF;
    UPDATE settlements SET
        status = CASE WHEN v_blocker IS NULL THEN 'needs_attention' ELSE status END,
        attention_reason = CASE WHEN v_blocker IS NULL THEN p ->> 'reason' END,
        attention_since = CASE WHEN v_blocker IS NULL THEN v_now END,
        attention_detail = CASE WHEN v_blocker IS NULL THEN p ->> 'detail' END,
        blocked_by = v_blocker,
        certainty = p ->> 'certainty',
        already_settled = already_settled OR (p ->> 'already_settled')::boolean,
        suspected_elsewhere = suspected_elsewhere OR p ->> 'reason' = 'settled_elsewhere_suspected',
        tx_hash = coalesce(p ->> 'tx_hash', tx_hash),
        runner = NULL, runner_until = NULL, next_retry_at = NULL, last_answer = p ->> 'answer',
        -- a shared workflow has no signal of its own: whoever did not settle in it goes on alone
        workflow_id = 'settlement/' || v_id,
        first_failure_at = coalesce(first_failure_at, v_failed_at), first_failure_reason = coalesce(first_failure_reason, v_failure),
        next_check_at = v_now + interval '1 minute'
      WHERE id = v_id RETURNING status INTO v_status;
    RETURN v_status;
  END IF;

  -- retry and park: the row stays pending; a call we stopped waiting for keeps its claim until it cannot be at work.
  UPDATE settlements SET
      certainty = p ->> 'certainty', last_answer = p ->> 'answer', workflow_id = 'settlement/' || v_id,
      first_failure_at = coalesce(first_failure_at, v_failed_at), first_failure_reason = coalesce(first_failure_reason, v_failure),
      runner = CASE WHEN (p ->> 'still_at_work')::boolean THEN runner END,
      runner_until = CASE WHEN (p ->> 'still_at_work')::boolean THEN v_now + (p ->> 'after_ms')::bigint * interval '1 millisecond' END,
      next_retry_at = v_now + (p ->> 'after_ms')::bigint * interval '1 millisecond',
      next_check_at = v_now + (p ->> 'after_ms')::bigint * interval '1 millisecond'
        + CASE v_do WHEN 'park' THEN interval '0' ELSE interval '15 seconds' END
    WHERE id = v_id RETURNING status INTO v_status;
  RETURN v_status;
END $function$
CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', HINT = 'Write a further row that corrects the earlier one.';
END $function$
CREATE OR REPLACE FUNCTION public.settlement_may_become(was text, becomes text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT (was, becomes) IN (
    ('open', 'pending'), ('open', 'released'),
    ('pending', 'settled'), ('pending', 'needs_attention'),
    ('needs_attention', 'pending'), ('needs_attention', 'settled'), ('needs_attention', 'written_off'),
    ('written_off', 'settled'))
$function$
CREATE OR REPLACE FUNCTION public.settlements_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status NOT IN ('open', 'pending', 'needs_attention') THEN
      RAISE EXCEPTION 'a settlement cannot begin as %', NEW.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.status <> OLD.status AND NOT settlement_may_become(OLD.status, NEW.status) THEN
    RAISE EXCEPTION 'settlement %: % cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
    RAISE EXCEPTION 'settlement %: what is done stays done', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') THEN
    RAISE EXCEPTION 'settlement %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'open' AND (NEW.spent <> OLD.spent OR NEW.cap IS DISTINCT FROM OLD.cap) THEN
    RAISE EXCEPTION 'settlement %: the amount is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.spent < OLD.spent THEN
    RAISE EXCEPTION 'settlement %: what was spent cannot shrink', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.body_sha256 IS NOT NULL AND NEW.body_sha256 IS DISTINCT FROM OLD.body_sha256 THEN
    RAISE EXCEPTION 'settlement %: the body is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.identity, NEW.key, NEW.protocol, NEW.asset, NEW.decimals) IS DISTINCT FROM (OLD.identity, OLD.key, OLD.protocol, OLD.asset, OLD.decimals) THEN
    RAISE EXCEPTION 'settlement %: its identity, key, protocol and asset never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION 'settlement %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
