-- columns
anchor_marks.seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY
anchor_marks.number bigint NOT NULL
anchor_marks.day text NOT NULL
anchor_marks.digest text NOT NULL
anchor_marks.step text NOT NULL
anchor_marks.at timestamp with time zone NOT NULL DEFAULT clock_now()
atomic_store.key text NOT NULL
atomic_store.value text NOT NULL
atomic_store.expires_at timestamp with time zone
atomic_store.updated_at timestamp with time zone NOT NULL DEFAULT clock_now()
backfill_candidates.backfill_id uuid NOT NULL
backfill_candidates.stripe_transfer_id text NOT NULL
backfill_candidates.destination text NOT NULL
backfill_candidates.order_mark text NOT NULL
backfill_candidates.amount numeric(78,0) NOT NULL
backfill_candidates.currency text NOT NULL
backfill_candidates.livemode boolean NOT NULL
backfill_candidates.named_transfer text
backfill_destinations.backfill_id uuid NOT NULL
backfill_destinations.destination text NOT NULL
backfill_destinations.created_since timestamp with time zone NOT NULL
backfill_destinations.cursor text
backfill_destinations.pages integer NOT NULL DEFAULT 0
backfill_destinations.listed boolean NOT NULL DEFAULT false
backfill_destinations.tried_at timestamp with time zone
backfill_destinations.finished_at timestamp with time zone
backfill_results.backfill_id uuid NOT NULL
backfill_results.transfer_id uuid NOT NULL
backfill_results.outcome text NOT NULL
backfill_results.stripe_transfer_id text
backfill_results.candidates jsonb NOT NULL DEFAULT '[]'::jsonb
backfill_results.detail text NOT NULL
backfill_results.at timestamp with time zone NOT NULL DEFAULT clock_now()
backfill_scope.backfill_id uuid NOT NULL
backfill_scope.transfer_id uuid NOT NULL
backfill_scope.destination text NOT NULL
backfill_scope.order_mark text NOT NULL
backfills.id uuid NOT NULL
backfills.apply boolean NOT NULL
backfills.since timestamp with time zone
backfills.destination text
backfills.requested_by text NOT NULL
backfills.state text NOT NULL DEFAULT 'running'::text
backfills.started_at timestamp with time zone NOT NULL DEFAULT clock_now()
backfills.finished_at timestamp with time zone
cause_parts.cause_id uuid NOT NULL
cause_parts.position integer NOT NULL
cause_parts.order_id uuid NOT NULL
cause_parts.named boolean NOT NULL
cause_parts.amount numeric(78,0) NOT NULL
cause_parts.borne numeric(78,0)
channel_requests.id uuid NOT NULL
channel_requests.channel_id text NOT NULL
channel_requests.route text NOT NULL
channel_requests.reserved numeric(78,0) NOT NULL
channel_requests.spent numeric(78,0) NOT NULL DEFAULT 0
channel_requests.status text NOT NULL
channel_requests.lease_id uuid NOT NULL
channel_requests.epoch bigint NOT NULL
channel_requests.close_token uuid NOT NULL
channel_requests.deadline timestamp with time zone NOT NULL
channel_requests.delivery text
channel_requests.opened_at timestamp with time zone NOT NULL DEFAULT clock_now()
channel_requests.closed_at timestamp with time zone
channel_requests.closed_by text
channel_requests.payer text
channel_requests.released_by text
channel_vouchers.channel_id text NOT NULL
channel_vouchers.cumulative numeric(78,0) NOT NULL
channel_vouchers.signature text NOT NULL
channel_vouchers.request_id uuid
channel_vouchers.presented_at timestamp with time zone NOT NULL DEFAULT clock_now()
channel_vouchers.challenge_id text
channels.channel_id text NOT NULL
channels.state text NOT NULL
channels.chain_id bigint NOT NULL
channels.escrow text NOT NULL
channels.payer text NOT NULL
channels.payee text NOT NULL
channels.token text NOT NULL
channels.operator text NOT NULL
channels.identity text
channels.deposit numeric(78,0) NOT NULL
channels.accepted numeric(78,0) NOT NULL
channels.spent numeric(78,0) NOT NULL
channels.earned numeric(78,0) NOT NULL DEFAULT 0
channels.settled numeric(78,0) NOT NULL DEFAULT 0
channels.finalized boolean NOT NULL DEFAULT false
channels.close_requested_at timestamp with time zone
channels.close_cumulative numeric(78,0)
channels.close_signature text
channels.chain_read_at timestamp with time zone NOT NULL DEFAULT clock_now()
channels.unsettled_since timestamp with time zone
channels.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
channels.updated_at timestamp with time zone NOT NULL DEFAULT clock_now()
channels.next_check_at timestamp with time zone
channels.chain_asked_at timestamp with time zone
channels.revealed numeric(78,0)
channels.chain_close_at timestamp with time zone
console_sessions.secret_sha256 bytea NOT NULL
console_sessions.name text NOT NULL
console_sessions.role text NOT NULL
console_sessions.token_proof bytea NOT NULL
console_sessions.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
console_sessions.used_at timestamp with time zone NOT NULL DEFAULT clock_now()
console_sessions.expires_at timestamp with time zone NOT NULL
debt_offsets.id bigint NOT NULL GENERATED ALWAYS AS IDENTITY
debt_offsets.reversal_id uuid NOT NULL
debt_offsets.transfer_id uuid NOT NULL
debt_offsets.amount numeric(78,0) NOT NULL
debt_offsets.currency text NOT NULL
debt_offsets.status text NOT NULL DEFAULT 'reserved'::text
debt_offsets.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
debt_offsets.ended_at timestamp with time zone
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
decisions.principal text DEFAULT 
CASE
    WHEN authenticated THEN by
    ELSE NULL::text
END
decisions.rests_on text
decisions.amount numeric
decisions.currency text
decisions.asked_reason text
decisions.asked_detail text
decisions.first_approver text
decisions.first_approval_note text
decisions.first_approved_at timestamp with time zone
dispute_withdrawals.id uuid NOT NULL
dispute_withdrawals.dispute_id uuid NOT NULL
dispute_withdrawals.order_id uuid NOT NULL
dispute_withdrawals.source text NOT NULL
dispute_withdrawals.amount numeric(78,0) NOT NULL
dispute_withdrawals.fee numeric(78,0) NOT NULL DEFAULT 0
dispute_withdrawals.out_at timestamp with time zone NOT NULL DEFAULT clock_now()
dispute_withdrawals.back_at timestamp with time zone
dispute_withdrawals.platform_bears boolean NOT NULL DEFAULT false
dispute_withdrawals.continues uuid
dispute_withdrawals.said_back boolean NOT NULL DEFAULT false
disputes.id uuid NOT NULL
disputes.order_id uuid NOT NULL
disputes.payment_id uuid NOT NULL
disputes.psp_account text NOT NULL
disputes.provider_dispute_id text NOT NULL
disputes.hyperswitch_dispute_id text
disputes.amount numeric(78,0) NOT NULL
disputes.currency text NOT NULL
disputes.status text NOT NULL DEFAULT 'open'::text
disputes.funds text NOT NULL DEFAULT 'none'::text
disputes.provider_status text
disputes.reason text
disputes.read_at timestamp with time zone
disputes.next_check_at timestamp with time zone
disputes.attention_reason text
disputes.attention_since timestamp with time zone
disputes.attention_detail text
disputes.workflow_id text
disputes.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
disputes.named_by text
disputes.changed_at timestamp with time zone NOT NULL DEFAULT clock_now()
disputes.last_answer text
disputes.detail text
disputes.holds boolean NOT NULL DEFAULT false
disputes.archived_at timestamp with time zone
disputes.is_of_payment boolean
drifts.id uuid NOT NULL
drifts.kind text NOT NULL
drifts.provider text NOT NULL
drifts.provider_id text NOT NULL
drifts.parent_id text
drifts.item_kind text
drifts.item_id uuid
drifts.amount numeric(78,0)
drifts.currency text
drifts.ledger_says text NOT NULL
drifts.provider_says text NOT NULL
drifts.state text NOT NULL DEFAULT 'suspected'::text
drifts.run_id uuid NOT NULL
drifts.looked_run uuid
drifts.suspected_at timestamp with time zone NOT NULL DEFAULT clock_now()
drifts.last_seen_at timestamp with time zone NOT NULL DEFAULT clock_now()
drifts.opened_at timestamp with time zone
drifts.closed_at timestamp with time zone
drifts.closed_why text
drifts.closed_by text
drifts.closed_note text
drifts.version integer NOT NULL DEFAULT 1
drifts.asked_by text
drifts.asked_note text
drifts.asked_at timestamp with time zone
drifts.alone_amount numeric(78,0)
drifts.alone_principal text
figure_samples.at timestamp with time zone NOT NULL
figure_samples.upto bigint NOT NULL
figure_samples.done integer NOT NULL
figure_samples.failed integer NOT NULL
figure_samples.backlog integer NOT NULL
figure_samples.needs_attention integer NOT NULL
foreign_decisions.stripe_reversal_id text NOT NULL
foreign_decisions.reversal_id uuid NOT NULL
foreign_decisions.transfer_id uuid NOT NULL
foreign_decisions.amount numeric(78,0) NOT NULL
foreign_reversals.stripe_reversal_id text NOT NULL
foreign_reversals.transfer_id uuid NOT NULL
foreign_reversals.amount numeric(78,0) NOT NULL
foreign_reversals.told boolean NOT NULL DEFAULT false
foreign_reversals.freed boolean NOT NULL DEFAULT false
foreign_reversals.currency text
hyperswitch_account.only_one boolean NOT NULL DEFAULT true
hyperswitch_account.merchant_id text NOT NULL
hyperswitch_account.profile_id text
hyperswitch_account.pinned_at timestamp with time zone NOT NULL DEFAULT clock_now()
hyperswitch_merchant.only_one boolean NOT NULL DEFAULT true
hyperswitch_merchant.merchant_id text NOT NULL
hyperswitch_merchant.pinned_at timestamp with time zone NOT NULL DEFAULT clock_now()
hyperswitch_pace.lane text NOT NULL
hyperswitch_pace.next_at timestamp with time zone NOT NULL
named_answers.id uuid NOT NULL
named_answers.name_sha256 text NOT NULL
named_answers.request_sha256 text NOT NULL
named_answers.keep interval NOT NULL
named_answers.sealed bytea
named_answers.sealed_key_id text
named_answers.spent numeric(78,0)
named_answers.erase_at timestamp with time zone NOT NULL
notice_attempts.message_id uuid NOT NULL
notice_attempts.number integer NOT NULL
notice_attempts.begun_at timestamp with time zone NOT NULL DEFAULT clock_now()
notice_attempts.ended_at timestamp with time zone
notice_attempts.outcome text
notice_attempts.detail text
notice_destinations.id text NOT NULL
notice_destinations.stage text NOT NULL
notice_destinations.seen_at timestamp with time zone NOT NULL DEFAULT clock_now()
notice_destinations.delivered_at timestamp with time zone
notice_destinations.failing_since timestamp with time zone
notice_destinations.failures integer NOT NULL DEFAULT 0
notice_destinations.last_failure text
notice_destinations.gone_at timestamp with time zone
notice_message_items.message_id uuid NOT NULL
notice_message_items.notice bigint NOT NULL
notice_message_items.destination text NOT NULL
notice_message_items.stands boolean NOT NULL DEFAULT true
notice_messages.id uuid NOT NULL
notice_messages.destination text NOT NULL
notice_messages.stage text NOT NULL
notice_messages.reason text NOT NULL
notice_messages.state text NOT NULL DEFAULT 'waiting'::text
notice_messages.made_at timestamp with time zone NOT NULL DEFAULT clock_now()
notice_messages.attempts integer NOT NULL DEFAULT 0
notice_messages.contents jsonb
notice_messages.next_check_at timestamp with time zone DEFAULT clock_now()
notice_messages.ended_at timestamp with time zone
notices.seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY
notices.item_kind text NOT NULL
notices.item_id uuid NOT NULL
notices.order_id uuid
notices.reason text NOT NULL
notices.since timestamp with time zone NOT NULL
notices.amount numeric(78,0) NOT NULL
notices.currency text NOT NULL
notices.decimals integer
notices.noted_at timestamp with time zone NOT NULL DEFAULT clock_now()
notices.ended_at timestamp with time zone
operation_events.seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY
operation_events.item_kind text NOT NULL
operation_events.item_id text NOT NULL
operation_events.at timestamp with time zone NOT NULL DEFAULT clock_now()
operation_events.kind text NOT NULL
operation_events.certainty text
operation_events.idempotency_key text
operation_events.answer_class text
operation_events.detail jsonb NOT NULL DEFAULT '{}'::jsonb
operation_events.place bigint NOT NULL
operation_events.digest bytea NOT NULL
order_items.order_id uuid NOT NULL
order_items.position integer NOT NULL
order_items.seller_account text
order_items.amount numeric(78,0) NOT NULL
order_items.description text NOT NULL
order_items.id uuid NOT NULL DEFAULT new_uuid_v7()
order_items.kind text NOT NULL DEFAULT 'item'::text
order_items.fee numeric(78,0) NOT NULL DEFAULT 0
order_items.release_kind text NOT NULL DEFAULT 'immediately'::text
order_items.release_after_ms bigint
order_items.ordered numeric(78,0)
order_shares.order_id uuid NOT NULL
order_shares.seller_account text
order_shares.promised numeric(78,0) NOT NULL
order_shares.due_back numeric(78,0) NOT NULL
orders.id uuid NOT NULL
orders.reference text
orders.currency text NOT NULL
orders.amount numeric(78,0) NOT NULL
orders.status text NOT NULL DEFAULT 'pending'::text
orders.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
orders.paid_at timestamp with time zone
orders.by_line boolean NOT NULL DEFAULT false
orders.archived_at timestamp with time zone
orders.ordered numeric(78,0)
payment_captures.id uuid NOT NULL
payment_captures.payment_id uuid NOT NULL
payment_captures.amount numeric(78,0) NOT NULL
payment_captures.final boolean NOT NULL
payment_captures.status text NOT NULL DEFAULT 'open'::text
payment_captures.certainty text NOT NULL DEFAULT 'not_sent'::text
payment_captures.idempotency_key text NOT NULL
payment_captures.attempts integer NOT NULL DEFAULT 0
payment_captures.captured_before numeric(78,0)
payment_captures.sent_by text
payment_captures.absences integer NOT NULL DEFAULT 0
payment_captures.last_absence_at timestamp with time zone
payment_captures.detail text
payment_captures.asked_by text NOT NULL
payment_captures.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
payment_captures.ended_at timestamp with time zone
payment_captures.sent_at timestamp with time zone
payment_captures.key_first_sent_at timestamp with time zone
payment_request_secret.only_one boolean NOT NULL DEFAULT true
payment_request_secret.secret text NOT NULL
payment_request_secret.made_at timestamp with time zone NOT NULL DEFAULT clock_now()
payment_sessions.id uuid NOT NULL
payment_sessions.lease_id uuid NOT NULL
payment_sessions.epoch bigint NOT NULL
payment_sessions.close_token uuid NOT NULL
payment_sessions.deadline timestamp with time zone NOT NULL
payment_sessions.opened_at timestamp with time zone NOT NULL DEFAULT clock_now()
payment_sessions.closed_at timestamp with time zone
payment_sessions.closed_by text
payment_sessions.had_again boolean NOT NULL DEFAULT false
payments.id uuid NOT NULL
payments.order_id uuid NOT NULL
payments.amount numeric(78,0) NOT NULL
payments.currency text NOT NULL
payments.status text NOT NULL DEFAULT 'pending'::text
payments.provider_status text
payments.certainty text NOT NULL DEFAULT 'not_sent'::text
payments.idempotency_key text NOT NULL
payments.hyperswitch_payment_id text
payments.sealed_client_secret bytea
payments.sealed_key_id text
payments.attempts integer NOT NULL DEFAULT 0
payments.runner text
payments.runner_until timestamp with time zone
payments.last_answer text
payments.detail text
payments.read_at timestamp with time zone
payments.next_check_at timestamp with time zone
payments.workflow_id text
payments.origin text NOT NULL DEFAULT 'api'::text
payments.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
payments.generation integer NOT NULL DEFAULT 1
payments.key_first_sent_at timestamp with time zone
payments.params text
payments.absences integer NOT NULL DEFAULT 0
payments.last_absence_at timestamp with time zone
payments.refusal text
payments.captured numeric(78,0) NOT NULL DEFAULT 0
payments.cancel_asked_at timestamp with time zone
payments.cancel_asked_by text
payments.cancel_certainty text NOT NULL DEFAULT 'not_sent'::text
payments.written_off_at timestamp with time zone
payments.attention_reason text
payments.attention_since timestamp with time zone
payments.attention_detail text
payments.captured_known boolean NOT NULL DEFAULT true
payments.provider_final boolean NOT NULL DEFAULT false
payments.connector text
payments.connector_transaction_id text
payments.charge_of text
payments.charge_id text
payments.charge_currency text
payments.charge_unfit text
payments.disputes_look_at timestamp with time zone
payments.archived_at timestamp with time zone
payments.provider text NOT NULL DEFAULT 'hyperswitch'::text
payments.taken_elsewhere boolean NOT NULL DEFAULT false
payments.cancel_attempts integer NOT NULL DEFAULT 0
payments.charge_captured numeric(78,0)
payments.charge_paid_in text
payments.charge_became numeric(78,0)
payments.exchange_rate text
payments.capture_method text NOT NULL DEFAULT 'automatic'::text
payments.profile_id text
payments.passed_on jsonb NOT NULL DEFAULT '{}'::jsonb
payments.authorized_at timestamp with time zone
payments.captures_closed_at timestamp with time zone
payments.accepted numeric(78,0)
payout_transfers.external_payout_id text NOT NULL
payout_transfers.balance_transaction_id text NOT NULL
payout_transfers.stripe_transfer_id text NOT NULL
payout_transfers.amount numeric(78,0) NOT NULL
payout_transfers.currency text NOT NULL
payouts.external_payout_id text NOT NULL
payouts.seller_account text NOT NULL
payouts.amount numeric(78,0) NOT NULL
payouts.currency text NOT NULL
payouts.status text NOT NULL
payouts.arrival_at timestamp with time zone
payouts.failure_code text
payouts.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
payouts.updated_at timestamp with time zone NOT NULL DEFAULT clock_now()
payouts.id uuid NOT NULL DEFAULT gen_random_uuid()
payouts.automatic boolean
payouts.made_at timestamp with time zone
payouts.contents text NOT NULL DEFAULT 'unread'::text
payouts.contents_detail text
payouts.contents_after text
payouts.others integer NOT NULL DEFAULT 0
payouts.refused_since timestamp with time zone
payouts.next_check_at timestamp with time zone
payouts.attention_reason text
payouts.attention_since timestamp with time zone
payouts.attention_detail text
payouts.failure_ended text
platform_gates.currency text NOT NULL
platform_gates.since timestamp with time zone NOT NULL DEFAULT clock_now()
platform_gates.available numeric(78,0)
platform_gates.read_at timestamp with time zone
platform_gates.read_next_at timestamp with time zone NOT NULL
platform_gates.doubted boolean NOT NULL DEFAULT false
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
provider_breakers.closed_at timestamp with time zone
provider_breakers.returns integer NOT NULL DEFAULT 0
provider_breakers.returned_at timestamp with time zone
provider_breakers.paused_by text
provider_breakers.paused_at timestamp with time zone
provider_breakers.paused_note text
reconciled_objects.run_id uuid NOT NULL
reconciled_objects.part text NOT NULL
reconciled_objects.provider_id text NOT NULL
reconciliation_marks.part text NOT NULL
reconciliation_marks.reached timestamp with time zone NOT NULL
reconciliation_parts.run_id uuid NOT NULL
reconciliation_parts.part text NOT NULL
reconciliation_parts.place integer NOT NULL
reconciliation_parts.since timestamp with time zone NOT NULL
reconciliation_parts.until timestamp with time zone NOT NULL
reconciliation_parts.cursor text
reconciliation_parts.pages integer NOT NULL DEFAULT 0
reconciliation_parts.looked_at bigint NOT NULL DEFAULT 0
reconciliation_parts.suspected integer NOT NULL DEFAULT 0
reconciliation_parts.listed boolean NOT NULL DEFAULT false
reconciliation_parts.tried_at timestamp with time zone
reconciliation_parts.finished_at timestamp with time zone
reconciliation_parts.left_because text
reconciliation_parts.uncompared text[] NOT NULL DEFAULT '{}'::text[]
reconciliations.id uuid NOT NULL
reconciliations.requested_by text NOT NULL
reconciliations.since timestamp with time zone
reconciliations.state text NOT NULL DEFAULT 'running'::text
reconciliations.started_at timestamp with time zone NOT NULL DEFAULT clock_now()
reconciliations.finished_at timestamp with time zone
refunds.id uuid NOT NULL
refunds.order_id uuid NOT NULL
refunds.payment_id uuid NOT NULL
refunds.amount numeric(78,0) NOT NULL
refunds.currency text NOT NULL
refunds.reason text NOT NULL
refunds.origin text NOT NULL DEFAULT 'api'::text
refunds.status text NOT NULL DEFAULT 'pending'::text
refunds.certainty text NOT NULL DEFAULT 'not_sent'::text
refunds.idempotency_key text NOT NULL
refunds.hyperswitch_refund_id text
refunds.attempts integer NOT NULL DEFAULT 0
refunds.runner text
refunds.runner_until timestamp with time zone
refunds.last_answer text
refunds.detail text
refunds.read_at timestamp with time zone
refunds.next_check_at timestamp with time zone
refunds.attention_reason text
refunds.attention_since timestamp with time zone
refunds.attention_detail text
refunds.workflow_id text
refunds.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
refunds.succeeded_at timestamp with time zone
refunds.failed_at timestamp with time zone
refunds.generation integer NOT NULL DEFAULT 1
refunds.key_first_sent_at timestamp with time zone
refunds.params text
refunds.absences integer NOT NULL DEFAULT 0
refunds.last_absence_at timestamp with time zone
refunds.refusal text
refunds.fee text
refunds.connector_refund_id text
refunds.connector_succeeded boolean
refunds.made_good_at timestamp with time zone
refunds.archived_at timestamp with time zone
refunds.waiting_since timestamp with time zone
refunds.waiting_detail text
refunds.waiting_missing numeric(78,0)
request_keys.principal text NOT NULL
request_keys.operation text NOT NULL
request_keys.key text NOT NULL
request_keys.body_sha256 text NOT NULL
request_keys.item_id uuid
request_keys.held_until timestamp with time zone
request_keys.answer_status integer
request_keys.answer jsonb
request_keys.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
retention_marks.kind text NOT NULL
retention_marks.after uuid
retention_marks.at timestamp with time zone NOT NULL DEFAULT clock_now()
reversals.id uuid NOT NULL
reversals.place bigint NOT NULL GENERATED ALWAYS AS IDENTITY
reversals.refund_id uuid
reversals.transfer_id uuid NOT NULL
reversals.order_id uuid NOT NULL
reversals.seller_account text NOT NULL
reversals.amount numeric(78,0) NOT NULL
reversals.currency text NOT NULL
reversals.status text NOT NULL DEFAULT 'pending'::text
reversals.certainty text NOT NULL DEFAULT 'not_sent'::text
reversals.stripe_reversal_id text
reversals.reversed_at timestamp with time zone
reversals.waiting_since timestamp with time zone
reversals.voided boolean NOT NULL DEFAULT false
reversals.attempts integer NOT NULL DEFAULT 0
reversals.retry_count integer NOT NULL DEFAULT 0
reversals.generation integer NOT NULL DEFAULT 1
reversals.idempotency_key text NOT NULL
reversals.key_first_sent_at timestamp with time zone
reversals.params text
reversals.absences integer NOT NULL DEFAULT 0
reversals.last_absence_at timestamp with time zone
reversals.runner text
reversals.runner_until timestamp with time zone
reversals.last_answer text
reversals.provider_request_id text
reversals.next_retry_at timestamp with time zone
reversals.next_check_at timestamp with time zone
reversals.attention_reason text
reversals.attention_since timestamp with time zone
reversals.attention_detail text
reversals.workflow_id text
reversals.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
reversals.counted numeric(78,0) NOT NULL DEFAULT 0
reversals.others_shown text[]
reversals.withdrawal_id uuid
reversals.archived_at timestamp with time zone
reversals.part integer NOT NULL DEFAULT 0
reversals.debt_since timestamp with time zone
reversals.offset_done boolean NOT NULL DEFAULT false
reversals.takes_available boolean NOT NULL DEFAULT false
reversals.sent_amount numeric(78,0)
reversals.seller_currency text
reversals.seller_got numeric(78,0)
reversals.seller_gave numeric(78,0)
reversals.seller_read_next_at timestamp with time zone
reversals.seller_read_at timestamp with time zone
schema_migrations.number integer NOT NULL
schema_migrations.name text NOT NULL
schema_migrations.sha256 text NOT NULL
schema_migrations.applied_at timestamp with time zone NOT NULL DEFAULT now()
seller_gates.seller_account text NOT NULL
seller_gates.currency text NOT NULL
seller_gates.since timestamp with time zone NOT NULL DEFAULT clock_now()
seller_gates.probe_at timestamp with time zone NOT NULL
seller_gates.probe_every interval NOT NULL
seller_transfers.id uuid NOT NULL
seller_transfers.order_id uuid NOT NULL
seller_transfers.seller_account text NOT NULL
seller_transfers.currency text NOT NULL
seller_transfers.promised numeric(78,0) NOT NULL
seller_transfers.withheld numeric(78,0) NOT NULL DEFAULT 0
seller_transfers.amount numeric(78,0) NOT NULL
seller_transfers.amount_reversed numeric(78,0) NOT NULL DEFAULT 0
seller_transfers.compensated numeric(78,0) NOT NULL DEFAULT 0
seller_transfers.origin text NOT NULL DEFAULT 'order'::text
seller_transfers.compensates_refund uuid
seller_transfers.compensates_transfer uuid
seller_transfers.status text NOT NULL DEFAULT 'pending'::text
seller_transfers.certainty text NOT NULL DEFAULT 'not_sent'::text
seller_transfers.stripe_transfer_id text
seller_transfers.completed_at timestamp with time zone
seller_transfers.written_off_at timestamp with time zone
seller_transfers.attempts integer NOT NULL DEFAULT 0
seller_transfers.retry_count integer NOT NULL DEFAULT 0
seller_transfers.generation integer NOT NULL DEFAULT 1
seller_transfers.idempotency_key text NOT NULL
seller_transfers.key_first_sent_at timestamp with time zone
seller_transfers.params text
seller_transfers.absences integer NOT NULL DEFAULT 0
seller_transfers.last_absence_at timestamp with time zone
seller_transfers.runner text
seller_transfers.runner_until timestamp with time zone
seller_transfers.last_answer text
seller_transfers.provider_request_id text
seller_transfers.next_retry_at timestamp with time zone
seller_transfers.next_check_at timestamp with time zone
seller_transfers.attention_reason text
seller_transfers.attention_since timestamp with time zone
seller_transfers.attention_detail text
seller_transfers.workflow_id text
seller_transfers.created_at timestamp with time zone NOT NULL DEFAULT clock_now()
seller_transfers.foreign_seen numeric(78,0) NOT NULL DEFAULT 0
seller_transfers.foreign_decided numeric(78,0) NOT NULL DEFAULT 0
seller_transfers.compensates_withdrawal uuid
seller_transfers.waiting_since timestamp with time zone
seller_transfers.waiting_detail text
seller_transfers.admitted_until timestamp with time zone
seller_transfers.sourceless boolean NOT NULL DEFAULT false
seller_transfers.archived_at timestamp with time zone
seller_transfers.release_kind text NOT NULL DEFAULT 'immediately'::text
seller_transfers.release_at timestamp with time zone
seller_transfers.released_at timestamp with time zone
seller_transfers.offset_amount numeric(78,0) NOT NULL DEFAULT 0
seller_transfers.sent_currency text
seller_transfers.sent_amount numeric(78,0)
seller_transfers.exchange_rate text
seller_turns.seller_account text NOT NULL
seller_turns.round bigint NOT NULL
sellers.account text NOT NULL
sellers.state text NOT NULL
sellers.reason text
sellers.since timestamp with time zone NOT NULL DEFAULT clock_now()
sellers.read_at timestamp with time zone NOT NULL DEFAULT clock_now()
sellers.read_next_at timestamp with time zone NOT NULL
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
settlements.channel_id text
settlements.uncollectable boolean NOT NULL DEFAULT false
settlements.released_by text
settlements.voucher_channel text
settlements.voucher_cumulative numeric(78,0)
settlements.voucher_place bigint
settlements.answer text
settlements.answer_token uuid
settlements.answer_until timestamp with time zone
settlements.settled_amount text
settlements.voucher_challenge text
settlements.voucher_closes boolean NOT NULL DEFAULT false
settlements.unserved numeric(78,0)
settlements.tops_up text
settlements.answer_released_at timestamp with time zone[] NOT NULL DEFAULT '{}'::timestamp with time zone[]
settlements.archived_at timestamp with time zone
stripe_account.only_one boolean NOT NULL DEFAULT true
stripe_account.account_id text NOT NULL
stripe_account.livemode boolean NOT NULL
stripe_account.pinned_at timestamp with time zone NOT NULL DEFAULT clock_now()
stripe_endpoints.endpoint text NOT NULL
stripe_endpoints.next_at timestamp with time zone NOT NULL
stripe_rate.only_one boolean NOT NULL DEFAULT true
stripe_rate.per_second integer NOT NULL
stripe_rate.set_by text NOT NULL
stripe_rate.authenticated boolean NOT NULL
stripe_rate.note text NOT NULL
stripe_rate.set_at timestamp with time zone NOT NULL DEFAULT clock_now()
stripe_tokens.endpoint text NOT NULL
stripe_tokens.token integer NOT NULL
stripe_tokens.taken bigint NOT NULL DEFAULT 0
stripe_tokens.free_at timestamp with time zone NOT NULL
sweeps.name text NOT NULL
sweeps.started_at timestamp with time zone NOT NULL
sweeps.succeeded_at timestamp with time zone
sweeps.report jsonb NOT NULL DEFAULT '{}'::jsonb
turn_clock.only_one boolean NOT NULL DEFAULT true
turn_clock.round bigint NOT NULL DEFAULT 1
turn_clock.begins_at timestamp with time zone NOT NULL DEFAULT clock_timestamp()
turn_rounds.round bigint NOT NULL
turn_rounds.turns integer NOT NULL
unnamed_refunds.provider_refund_id text NOT NULL
unnamed_refunds.payment_id uuid NOT NULL
unnamed_refunds.amount numeric(78,0) NOT NULL
unnamed_refunds.currency text NOT NULL
unnamed_refunds.succeeded boolean NOT NULL
unnamed_refunds.made_from text
unnamed_refunds.seen_at timestamp with time zone NOT NULL DEFAULT clock_now()
unnamed_refunds.decided_at timestamp with time zone
voucher_changes.channel text NOT NULL
voucher_changes.nth bigint NOT NULL GENERATED ALWAYS AS IDENTITY
voucher_changes.amount numeric(78,0) NOT NULL
voucher_channels.channel text NOT NULL
voucher_channels.taken numeric(78,0) NOT NULL
webhook_events.provider text NOT NULL
webhook_events.event_id text NOT NULL
webhook_events.type text NOT NULL
webhook_events.object_id text
webhook_events.parent_id text
webhook_events.account text
webhook_events.body_sha256 text NOT NULL
webhook_events.received_at timestamp with time zone NOT NULL DEFAULT clock_now()
webhook_events.deliveries integer NOT NULL DEFAULT 1
webhook_events.next_check_at timestamp with time zone
webhook_events.processed_at timestamp with time zone
webhook_events.outcome text

-- constraints
anchor_marks anchor_marks_day_check CHECK ((day ~ '^\d{4}-\d{2}-\d{2}$'::text))
anchor_marks anchor_marks_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
anchor_marks anchor_marks_number_check CHECK ((number >= 0))
anchor_marks anchor_marks_pkey PRIMARY KEY (seq)
anchor_marks anchor_marks_step_check CHECK ((step = ANY (ARRAY['meant'::text, 'written'::text])))
atomic_store atomic_store_key_check CHECK ((key <> ''::text))
atomic_store atomic_store_pkey PRIMARY KEY (key)
backfill_candidates backfill_candidates_backfill_id_fkey FOREIGN KEY (backfill_id) REFERENCES backfills(id)
backfill_candidates backfill_candidates_pkey PRIMARY KEY (backfill_id, stripe_transfer_id)
backfill_destinations backfill_destinations_backfill_id_fkey FOREIGN KEY (backfill_id) REFERENCES backfills(id)
backfill_destinations backfill_destinations_pkey PRIMARY KEY (backfill_id, destination)
backfill_results backfill_results_backfill_id_fkey FOREIGN KEY (backfill_id) REFERENCES backfills(id)
backfill_results backfill_results_outcome_check CHECK ((outcome = ANY (ARRAY['matched'::text, 'written'::text, 'not_found'::text, 'ambiguous'::text, 'mismatch'::text, 'taken'::text])))
backfill_results backfill_results_pkey PRIMARY KEY (backfill_id, transfer_id)
backfill_results backfill_results_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES seller_transfers(id)
backfill_scope backfill_scope_backfill_id_fkey FOREIGN KEY (backfill_id) REFERENCES backfills(id)
backfill_scope backfill_scope_pkey PRIMARY KEY (backfill_id, transfer_id)
backfill_scope backfill_scope_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES seller_transfers(id)
backfills backfills_pkey PRIMARY KEY (id)
backfills backfills_state_check CHECK ((state = ANY (ARRAY['running'::text, 'finished'::text])))
cause_parts cause_parts_amount_check CHECK ((amount >= (0)::numeric))
cause_parts cause_parts_borne_check CHECK ((borne >= (0)::numeric))
cause_parts cause_parts_check CHECK (((amount > (0)::numeric) OR (borne > (0)::numeric)))
cause_parts cause_parts_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
cause_parts cause_parts_pkey PRIMARY KEY (cause_id, "position")
cause_parts cause_parts_position_check CHECK (("position" >= 0))
channel_requests channel_requests_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels(channel_id)
channel_requests channel_requests_closed_by_check CHECK ((closed_by = ANY (ARRAY['end'::text, 'abort'::text, 'error'::text, 'sweep'::text])))
channel_requests channel_requests_delivery_check CHECK ((delivery = ANY (ARRAY['delivered'::text, 'aborted'::text, 'unknown'::text])))
channel_requests channel_requests_lease_id_fkey FOREIGN KEY (lease_id) REFERENCES server_leases(id)
channel_requests channel_requests_pkey PRIMARY KEY (id)
channel_requests channel_requests_released_by_check CHECK ((released_by = ANY (ARRAY['failed_answer'::text, 'not_modified'::text, 'client_left'::text])))
channel_requests channel_requests_reserved_check CHECK ((reserved > (0)::numeric))
channel_requests channel_requests_spent_check CHECK ((spent >= (0)::numeric))
channel_requests channel_requests_status_check CHECK ((status = ANY (ARRAY['reserved'::text, 'charged'::text, 'released'::text])))
channel_requests close_is_whole CHECK ((((status = 'reserved'::text) = (closed_at IS NULL)) AND ((closed_at IS NULL) = (closed_by IS NULL))))
channel_requests spent_within_reserved CHECK ((spent <= reserved))
channel_requests status_says_what_was_spent CHECK (((status = 'reserved'::text) OR ((status = 'charged'::text) = (spent > (0)::numeric))))
channel_requests what_is_released_costs_nothing CHECK (((released_by IS NULL) OR (status = 'released'::text)))
channel_vouchers channel_vouchers_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels(channel_id)
channel_vouchers channel_vouchers_cumulative_check CHECK ((cumulative >= (0)::numeric))
channel_vouchers channel_vouchers_pkey PRIMARY KEY (channel_id, cumulative)
channels accepted_within_deposit CHECK ((accepted <= deposit))
channels channels_chain_id_check CHECK ((chain_id > 0))
channels channels_channel_id_check CHECK ((channel_id ~ '^0x[0-9a-f]{64}$'::text))
channels channels_earned_check CHECK ((earned >= (0)::numeric))
channels channels_escrow_check CHECK ((escrow ~ '^0x[0-9a-f]{40}$'::text))
channels channels_identity_check CHECK ((identity <> ''::text))
channels channels_operator_check CHECK ((operator ~ '^0x[0-9a-f]{40}$'::text))
channels channels_payee_check CHECK ((payee ~ '^0x[0-9a-f]{40}$'::text))
channels channels_payer_check CHECK ((payer ~ '^0x[0-9a-f]{40}$'::text))
channels channels_pkey PRIMARY KEY (channel_id)
channels channels_settled_check CHECK ((settled >= (0)::numeric))
channels channels_token_check CHECK ((token ~ '^0x[0-9a-f]{40}$'::text))
channels close_on_chain_is_a_close CHECK (((chain_close_at IS NULL) OR (close_requested_at IS NOT NULL)))
channels close_voucher_covers CHECK (((close_cumulative IS NULL) OR ((close_requested_at IS NOT NULL) AND (earned <= close_cumulative) AND (settled <= close_cumulative) AND (close_cumulative <= deposit))))
channels close_voucher_is_whole CHECK (((close_cumulative IS NULL) = (close_signature IS NULL)))
channels earned_within_spent CHECK ((earned <= spent))
channels open_channel_is_looked_at CHECK ((finalized = (next_check_at IS NULL)))
channels revealed_is_an_amount CHECK ((revealed >= (0)::numeric))
channels settled_within_deposit CHECK ((settled <= deposit))
channels spent_within_accepted CHECK ((spent <= accepted))
console_sessions console_sessions_check CHECK ((expires_at > created_at))
console_sessions console_sessions_name_check CHECK ((name <> ''::text))
console_sessions console_sessions_pkey PRIMARY KEY (secret_sha256)
console_sessions console_sessions_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'operator'::text, 'approver'::text])))
console_sessions console_sessions_secret_sha256_check CHECK ((length(secret_sha256) = 32))
console_sessions console_sessions_token_proof_check CHECK ((length(token_proof) = 32))
debt_offsets debt_offsets_amount_check CHECK ((amount > (0)::numeric))
debt_offsets debt_offsets_pkey PRIMARY KEY (id)
debt_offsets debt_offsets_reversal_id_fkey FOREIGN KEY (reversal_id) REFERENCES reversals(id)
debt_offsets debt_offsets_status_check CHECK ((status = ANY (ARRAY['reserved'::text, 'moved'::text, 'reopened'::text])))
debt_offsets debt_offsets_sum TRIGGER DEFERRABLE INITIALLY DEFERRED
debt_offsets debt_offsets_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES seller_transfers(id)
debt_offsets offset_has_an_end CHECK (((status = 'reserved'::text) = (ended_at IS NULL)))
decisions alone_is_counted CHECK (((rests_on IS DISTINCT FROM 'one'::text) OR ((amount IS NOT NULL) AND (currency IS NOT NULL))))
decisions approval_is_whole CHECK (((approved_by IS NULL) = (approved_at IS NULL)))
decisions approver_is_another CHECK (((approved_by IS NULL) OR (NOT authenticated) OR (lower(approved_by) <> lower(by)))) NOT VALID
decisions approvers_differ CHECK (((first_approver IS NULL) OR (approved_by IS NULL) OR (lower(first_approver) <> lower(approved_by)))) NOT VALID
decisions compensation_takes_two CHECK (((action <> 'compensate'::text) OR (state = 'ignored'::text) OR (rests_on = 'two'::text))) NOT VALID
decisions decisions_action_check CHECK ((action ~ '^[a-z][a-z_]{0,39}$'::text))
decisions decisions_amount_check CHECK ((amount >= (0)::numeric))
decisions decisions_by_check CHECK ((by <> ''::text))
decisions decisions_currency_check CHECK ((currency = lower(currency)))
decisions decisions_item_kind_check CHECK ((item_kind = ANY (ARRAY['settlement'::text, 'transfer'::text, 'reversal'::text, 'refund'::text, 'payment'::text, 'dispute'::text])))
decisions decisions_pkey PRIMARY KEY (id)
decisions decisions_rests_on_check CHECK ((rests_on = ANY (ARRAY['nobody'::text, 'one'::text, 'two'::text])))
decisions decisions_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'pending_approval'::text, 'ignored'::text])))
decisions first_approval_is_whole CHECK ((((first_approver IS NULL) = (first_approved_at IS NULL)) AND ((first_approver IS NULL) OR (NOT authenticated))))
decisions rests_on_is_said CHECK (((state = 'ignored'::text) OR (rests_on IS NOT NULL))) NOT VALID
decisions two_principals CHECK (((state <> 'applied'::text) OR (rests_on IS DISTINCT FROM 'two'::text) OR ((approved_by IS NOT NULL) AND (authenticated OR (first_approver IS NOT NULL)))))
dispute_withdrawals dispute_withdrawals_amount_check CHECK ((amount > (0)::numeric))
dispute_withdrawals dispute_withdrawals_continues_fkey FOREIGN KEY (continues) REFERENCES dispute_withdrawals(id)
dispute_withdrawals dispute_withdrawals_dispute_id_fkey FOREIGN KEY (dispute_id) REFERENCES disputes(id)
dispute_withdrawals dispute_withdrawals_dispute_id_source_key UNIQUE (dispute_id, source)
dispute_withdrawals dispute_withdrawals_fee_check CHECK ((fee >= (0)::numeric))
dispute_withdrawals dispute_withdrawals_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
dispute_withdrawals dispute_withdrawals_pkey PRIMARY KEY (id)
dispute_withdrawals dispute_withdrawals_source_check CHECK ((source <> ''::text))
dispute_withdrawals withdrawals_shared_out TRIGGER DEFERRABLE INITIALLY DEFERRED
disputes dispute_attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
disputes disputes_amount_check CHECK ((amount > (0)::numeric))
disputes disputes_funds_check CHECK ((funds = ANY (ARRAY['none'::text, 'out'::text, 'back'::text])))
disputes disputes_hyperswitch_dispute_id_check CHECK ((hyperswitch_dispute_id <> ''::text))
disputes disputes_hyperswitch_dispute_id_key UNIQUE (hyperswitch_dispute_id)
disputes disputes_named_by_check CHECK ((named_by = ANY (ARRAY['hyperswitch'::text, 'stripe'::text, 'decision'::text])))
disputes disputes_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
disputes disputes_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id)
disputes disputes_pkey PRIMARY KEY (id)
disputes disputes_provider_dispute_id_check CHECK ((provider_dispute_id <> ''::text))
disputes disputes_psp_account_check CHECK ((psp_account <> ''::text))
disputes disputes_psp_account_provider_dispute_id_key UNIQUE (psp_account, provider_dispute_id)
disputes disputes_status_check CHECK ((status = ANY (ARRAY['inquiry'::text, 'open'::text, 'won'::text, 'lost'::text, 'cancelled'::text])))
disputes named_by_hyperswitch_has_its_id CHECK (((named_by IS DISTINCT FROM 'hyperswitch'::text) OR (hyperswitch_dispute_id IS NOT NULL)))
drifts accepted_by_somebody CHECK (((NOT (closed_why IS DISTINCT FROM 'accepted'::text)) = ((closed_by IS NOT NULL) AND (closed_note IS NOT NULL))))
drifts drift_alone_is_accepted CHECK (((alone_amount IS NULL) OR (NOT (closed_why IS DISTINCT FROM 'accepted'::text))))
drifts drift_alone_is_whole CHECK (((alone_principal IS NULL) OR (alone_amount IS NOT NULL)))
drifts drift_amount_is_whole CHECK (((amount IS NULL) = (currency IS NULL)))
drifts drift_end_is_whole CHECK ((((state = 'closed'::text) = (closed_at IS NOT NULL)) AND ((state = 'closed'::text) = (closed_why IS NOT NULL))))
drifts drift_item_is_whole CHECK (((item_kind IS NULL) = (item_id IS NULL)))
drifts drift_opens_before_it_closes CHECK (((state = 'suspected'::text) = (opened_at IS NULL)))
drifts drift_request_is_whole CHECK ((((asked_by IS NULL) = (asked_note IS NULL)) AND ((asked_by IS NULL) = (asked_at IS NULL))))
drifts drifts_alone_amount_check CHECK ((alone_amount >= (0)::numeric))
drifts drifts_alone_principal_check CHECK ((alone_principal <> ''::text))
drifts drifts_asked_by_check CHECK ((asked_by <> ''::text))
drifts drifts_closed_why_check CHECK ((closed_why = ANY (ARRAY['agrees'::text, 'accepted'::text, 'repaired'::text])))
drifts drifts_item_kind_check CHECK ((item_kind = ANY (ARRAY['settlement'::text, 'payment'::text, 'refund'::text, 'transfer'::text, 'reversal'::text, 'dispute'::text])))
drifts drifts_kind_check CHECK (((kind ~ '^(transfer|reversal|dispute|payment|refund|payout)_(unknown|missing|differs)$'::text) OR (kind = ANY (ARRAY['settlement_unknown'::text, 'settlement_missing'::text, 'workflow_gone'::text]))))
drifts drifts_ledger_says_check CHECK ((ledger_says <> ''::text))
drifts drifts_pkey PRIMARY KEY (id)
drifts drifts_provider_check CHECK ((provider = ANY (ARRAY['stripe'::text, 'hyperswitch'::text, 'chain'::text, 'temporal'::text])))
drifts drifts_provider_id_check CHECK ((provider_id <> ''::text))
drifts drifts_provider_says_check CHECK ((provider_says <> ''::text))
drifts drifts_run_id_fkey FOREIGN KEY (run_id) REFERENCES reconciliations(id)
drifts drifts_state_check CHECK ((state = ANY (ARRAY['suspected'::text, 'open'::text, 'closed'::text])))
figure_samples figure_samples_at_check CHECK ((at = date_trunc('minute'::text, at)))
figure_samples figure_samples_backlog_check CHECK ((backlog >= 0))
figure_samples figure_samples_done_check CHECK ((done >= 0))
figure_samples figure_samples_failed_check CHECK ((failed >= 0))
figure_samples figure_samples_needs_attention_check CHECK ((needs_attention >= 0))
figure_samples figure_samples_pkey PRIMARY KEY (at)
figure_samples figure_samples_upto_check CHECK ((upto >= 0))
foreign_decisions foreign_decisions_amount_check CHECK ((amount > (0)::numeric))
foreign_decisions foreign_decisions_pkey PRIMARY KEY (stripe_reversal_id, reversal_id)
foreign_decisions foreign_decisions_reversal_id_fkey FOREIGN KEY (reversal_id) REFERENCES reversals(id)
foreign_decisions foreign_decisions_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES seller_transfers(id)
foreign_reversals foreign_reversals_amount_check CHECK ((amount > (0)::numeric))
foreign_reversals foreign_reversals_pkey PRIMARY KEY (stripe_reversal_id)
foreign_reversals foreign_reversals_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES seller_transfers(id)
hyperswitch_account hyperswitch_account_merchant_id_check CHECK ((merchant_id <> ''::text))
hyperswitch_account hyperswitch_account_only_one_check CHECK (only_one)
hyperswitch_account hyperswitch_account_pkey PRIMARY KEY (only_one)
hyperswitch_account hyperswitch_account_profile_id_check CHECK ((profile_id <> ''::text))
hyperswitch_merchant hyperswitch_merchant_merchant_id_check CHECK ((merchant_id <> ''::text))
hyperswitch_merchant hyperswitch_merchant_only_one_check CHECK (only_one)
hyperswitch_merchant hyperswitch_merchant_pkey PRIMARY KEY (only_one)
hyperswitch_pace hyperswitch_pace_lane_check CHECK ((lane = ANY (ARRAY['first'::text, 'in_turn'::text])))
hyperswitch_pace hyperswitch_pace_pkey PRIMARY KEY (lane)
named_answers named_answers_id_fkey FOREIGN KEY (id) REFERENCES settlements(id)
named_answers named_answers_name_sha256_key UNIQUE (name_sha256)
named_answers named_answers_pkey PRIMARY KEY (id)
named_answers sealed_with_a_key CHECK ((((sealed IS NULL) = (sealed_key_id IS NULL)) AND ((sealed IS NULL) = (spent IS NULL))))
notice_attempts attempt_ends_whole CHECK ((((ended_at IS NULL) = (outcome IS NULL)) AND ((outcome IS NULL) = (detail IS NULL))))
notice_attempts notice_attempts_message_id_fkey FOREIGN KEY (message_id) REFERENCES notice_messages(id) ON DELETE CASCADE
notice_attempts notice_attempts_number_check CHECK ((number > 0))
notice_attempts notice_attempts_outcome_check CHECK ((outcome = ANY (ARRAY['delivered'::text, 'failed'::text, 'gone'::text])))
notice_attempts notice_attempts_pkey PRIMARY KEY (message_id, number)
notice_destinations notice_destinations_pkey PRIMARY KEY (id)
notice_destinations notice_destinations_stage_check CHECK ((stage = ANY (ARRAY['first'::text, 'escalation'::text])))
notice_message_items notice_message_items_message_id_fkey FOREIGN KEY (message_id) REFERENCES notice_messages(id) ON DELETE CASCADE
notice_message_items notice_message_items_notice_fkey FOREIGN KEY (notice) REFERENCES notices(seq) ON DELETE CASCADE
notice_message_items notice_message_items_pkey PRIMARY KEY (message_id, notice)
notice_messages message_ends_once CHECK ((((state = 'waiting'::text) = (ended_at IS NULL)) AND ((state = 'waiting'::text) = (next_check_at IS NOT NULL))))
notice_messages notice_messages_destination_fkey FOREIGN KEY (destination) REFERENCES notice_destinations(id)
notice_messages notice_messages_pkey PRIMARY KEY (id)
notice_messages notice_messages_stage_check CHECK ((stage = ANY (ARRAY['first'::text, 'escalation'::text])))
notice_messages notice_messages_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'withdrawn'::text, 'given_up'::text])))
notice_messages sent_is_frozen CHECK (((attempts = 0) OR (contents IS NOT NULL)))
notices notices_pkey PRIMARY KEY (seq)
operation_events operation_events_digest_check CHECK ((length(digest) = 32))
operation_events operation_events_item_kind_check CHECK ((item_kind = ANY (ARRAY['settlement'::text, 'provider'::text, 'lease'::text, 'order'::text, 'payment'::text, 'refund'::text, 'transfer'::text, 'reversal'::text, 'seller'::text, 'webhook'::text, 'backfill'::text, 'dispute'::text, 'drift'::text])))
operation_events operation_events_pkey PRIMARY KEY (seq)
operation_events operation_events_place_check CHECK ((place > 0))
order_items fee_is_a_part CHECK (((fee >= (0)::numeric) AND (fee <= amount) AND ((seller_account IS NOT NULL) OR (fee = (0)::numeric))))
order_items order_items_amount_check CHECK (((amount > (0)::numeric) OR ((amount = (0)::numeric) AND (ordered > (0)::numeric))))
order_items order_items_id UNIQUE (id)
order_items order_items_kind_check CHECK ((kind = ANY (ARRAY['item'::text, 'shipping'::text, 'tax'::text])))
order_items order_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
order_items order_items_pkey PRIMARY KEY (order_id, "position")
order_items order_items_position_check CHECK (("position" >= 1))
order_items order_items_release_after_ms_check CHECK ((release_after_ms > 0))
order_items order_items_release_kind_check CHECK ((release_kind = ANY (ARRAY['immediately'::text, 'on_request'::text, 'after'::text])))
order_items order_items_seller_account_check CHECK ((seller_account <> ''::text))
order_items ordered_was_more CHECK ((ordered >= amount))
order_items release_is_of_a_seller CHECK (((seller_account IS NOT NULL) OR (release_kind = 'immediately'::text)))
order_items release_is_whole CHECK (((release_kind = 'after'::text) = (release_after_ms IS NOT NULL)))
order_shares order_shares_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
order_shares order_shares_order_id_seller_account_key UNIQUE NULLS NOT DISTINCT (order_id, seller_account)
order_shares order_shares_seller_account_check CHECK ((seller_account <> ''::text))
order_shares seller_gives_back_what_he_was_promised CHECK (((seller_account IS NULL) OR ((due_back >= (0)::numeric) AND (due_back <= promised))))
order_shares shares_shared_out TRIGGER DEFERRABLE INITIALLY DEFERRED
orders ordered_was_more CHECK ((ordered > amount))
orders orders_amount_check CHECK ((amount > (0)::numeric))
orders orders_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text))
orders orders_pkey PRIMARY KEY (id)
orders orders_reference_check CHECK ((reference <> ''::text))
orders orders_reference_key UNIQUE (reference)
orders orders_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'paid'::text, 'partially_refunded'::text, 'refunded'::text, 'payment_failed'::text])))
orders paid_since CHECK (((status = ANY (ARRAY['pending'::text, 'payment_failed'::text])) = (paid_at IS NULL)))
payment_captures capture_ends_known CHECK ((
CASE status
    WHEN 'done'::text THEN (certainty = 'done'::text)
    WHEN 'refused'::text THEN (certainty = ANY (ARRAY['not_sent'::text, 'absent'::text]))
    ELSE (certainty <> 'done'::text)
END AND ((status = 'open'::text) = (ended_at IS NULL))))
payment_captures capture_was_measured CHECK (((attempts = 0) OR (captured_before IS NOT NULL)))
payment_captures payment_captures_amount_check CHECK ((amount > (0)::numeric))
payment_captures payment_captures_asked_by_check CHECK ((asked_by <> ''::text))
payment_captures payment_captures_certainty_check CHECK ((certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
payment_captures payment_captures_idempotency_key_check CHECK ((idempotency_key <> ''::text))
payment_captures payment_captures_idempotency_key_key UNIQUE (idempotency_key)
payment_captures payment_captures_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id)
payment_captures payment_captures_pkey PRIMARY KEY (id)
payment_captures payment_captures_status_check CHECK ((status = ANY (ARRAY['open'::text, 'done'::text, 'refused'::text])))
payment_request_secret payment_request_secret_only_one_check CHECK (only_one)
payment_request_secret payment_request_secret_pkey PRIMARY KEY (only_one)
payment_request_secret payment_request_secret_secret_check CHECK ((secret <> ''::text))
payment_sessions close_is_whole CHECK (((closed_at IS NULL) = (closed_by IS NULL)))
payment_sessions payment_sessions_closed_by_check CHECK ((closed_by = ANY (ARRAY['end'::text, 'abort'::text, 'error'::text, 'sweep'::text])))
payment_sessions payment_sessions_id_fkey FOREIGN KEY (id) REFERENCES settlements(id)
payment_sessions payment_sessions_lease_id_fkey FOREIGN KEY (lease_id) REFERENCES server_leases(id)
payment_sessions payment_sessions_pkey PRIMARY KEY (id)
payments accepted_is_a_part CHECK (((accepted > (0)::numeric) AND (accepted < amount)))
payments captured_is_no_debt CHECK ((captured >= (0)::numeric))
payments charge_is_read_whole CHECK ((((charge_id IS NULL) = (charge_currency IS NULL)) AND ((charge_of IS NOT NULL) = ((charge_id IS NOT NULL) OR (charge_unfit IS NOT NULL))) AND ((charge_id IS NULL) OR (charge_unfit IS NULL))))
payments payment_at_stripe_is_captured_once CHECK (((provider = 'hyperswitch'::text) OR ((capture_method <> 'manual_multiple'::text) AND (profile_id IS NULL))))
payments payment_at_stripe_is_named CHECK (((provider = 'hyperswitch'::text) OR ((hyperswitch_payment_id IS NULL) AND (connector = 'stripe'::text) AND ((connector_transaction_id IS NOT NULL) OR ((NOT taken_elsewhere) AND (captured = (0)::numeric))))))
payments payment_attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
payments payment_cancel_certainty CHECK ((cancel_certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
payments payment_cancel_is_whole CHECK (((cancel_asked_at IS NULL) = (cancel_asked_by IS NULL)))
payments payment_has_one_key CHECK (((generation = 1) OR (provider = 'stripe'::text)))
payments payment_runner_is_whole CHECK (((runner IS NULL) = (runner_until IS NULL)))
payments payment_secret_is_whole CHECK (((sealed_client_secret IS NULL) = (sealed_key_id IS NULL)))
payments payment_succeeded_is_captured CHECK (((status <> 'succeeded'::text) OR (captured > (0)::numeric)))
payments payment_succeeded_is_certain CHECK (((status <> 'succeeded'::text) OR (certainty = 'done'::text)))
payments payment_taken_elsewhere_was_read CHECK (((NOT taken_elsewhere) OR ((provider = 'stripe'::text) AND (connector_transaction_id IS NOT NULL) AND (certainty = 'done'::text) AND (attempts = 0))))
payments payments_amount_check CHECK ((amount > (0)::numeric))
payments payments_capture_method_check CHECK ((capture_method = ANY (ARRAY['automatic'::text, 'manual'::text, 'manual_multiple'::text])))
payments payments_certainty_check CHECK ((certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
payments payments_charge_became_check CHECK ((charge_became > (0)::numeric))
payments payments_charge_captured_check CHECK ((charge_captured > (0)::numeric))
payments payments_idempotency_key_key UNIQUE (idempotency_key)
payments payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
payments payments_order_id_key UNIQUE (order_id)
payments payments_origin_check CHECK ((origin = ANY (ARRAY['api'::text, 'import'::text])))
payments payments_passed_on_check CHECK ((jsonb_typeof(passed_on) = 'object'::text))
payments payments_pkey PRIMARY KEY (id)
payments payments_profile_id_check CHECK ((profile_id <> ''::text))
payments payments_provider_check CHECK ((provider = ANY (ARRAY['hyperswitch'::text, 'stripe'::text])))
payments payments_shared_out TRIGGER DEFERRABLE INITIALLY DEFERRED
payments payments_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'processing'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
payments rate_is_read_whole CHECK ((((charge_captured IS NULL) = (charge_paid_in IS NULL)) AND ((charge_captured IS NULL) = (charge_became IS NULL)) AND ((charge_captured IS NULL) OR (charge_id IS NOT NULL)) AND ((exchange_rate IS NULL) OR (charge_became IS NOT NULL))))
payments unfinished_payment_is_found_again CHECK (((status <> ALL (ARRAY['pending'::text, 'processing'::text])) OR (next_check_at IS NOT NULL)))
payout_transfers payout_transfers_balance_transaction_id_check CHECK ((balance_transaction_id <> ''::text))
payout_transfers payout_transfers_external_payout_id_fkey FOREIGN KEY (external_payout_id) REFERENCES payouts(external_payout_id)
payout_transfers payout_transfers_pkey PRIMARY KEY (external_payout_id, balance_transaction_id)
payout_transfers payout_transfers_stripe_transfer_id_check CHECK ((stripe_transfer_id <> ''::text))
payouts only_failed_payouts_ask CHECK ((((status = 'failed'::text) = ((attention_reason IS NOT NULL) OR (failure_ended IS NOT NULL))) OR (made_at IS NULL)))
payouts payout_attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
payouts payouts_attention_reason_check CHECK ((attention_reason = 'payout_failed'::text))
payouts payouts_contents_check CHECK ((contents = ANY (ARRAY['unread'::text, 'listed'::text, 'not_told'::text, 'unreadable'::text])))
payouts payouts_external_payout_id_check CHECK ((external_payout_id <> ''::text))
payouts payouts_failure_ended_check CHECK ((failure_ended = ANY (ARRAY['paid_later'::text, 'dismissed'::text])))
payouts payouts_id_key UNIQUE (id)
payouts payouts_others_check CHECK ((others >= 0))
payouts payouts_pkey PRIMARY KEY (external_payout_id)
payouts payouts_status_check CHECK ((status = ANY (ARRAY['paid'::text, 'pending'::text, 'in_transit'::text, 'canceled'::text, 'failed'::text])))
payouts unread_payout_is_found_again CHECK (((contents <> 'unread'::text) OR (next_check_at IS NOT NULL) OR (made_at IS NULL)))
platform_gates gate_was_read CHECK (((available IS NULL) = (read_at IS NULL)))
platform_gates platform_gates_pkey PRIMARY KEY (currency)
provider_breakers open_is_probed CHECK (((state = 'closed'::text) = (probe_at IS NULL)))
provider_breakers paused_is_whole CHECK ((((paused_by IS NULL) = (paused_at IS NULL)) AND ((paused_by IS NULL) = (paused_note IS NULL))))
provider_breakers paused_stays_paused CHECK ((((NOT (reason IS DISTINCT FROM 'paused'::text)) = (paused_by IS NOT NULL)) AND ((paused_by IS NULL) OR ((state = 'open'::text) AND (probe_at = 'infinity'::timestamp with time zone)))))
provider_breakers provider_breakers_paused_by_check CHECK ((paused_by <> ''::text))
provider_breakers provider_breakers_pkey PRIMARY KEY (provider)
provider_breakers provider_breakers_reason_check CHECK ((reason = ANY (ARRAY['outage'::text, 'config'::text, 'paused'::text])))
provider_breakers provider_breakers_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])))
reconciled_objects reconciled_objects_pkey PRIMARY KEY (run_id, part, provider_id)
reconciled_objects reconciled_objects_run_id_fkey FOREIGN KEY (run_id) REFERENCES reconciliations(id)
reconciliation_marks reconciliation_marks_pkey PRIMARY KEY (part)
reconciliation_parts reconciliation_parts_left_because_check CHECK ((left_because <> ''::text))
reconciliation_parts reconciliation_parts_part_check CHECK ((part <> ''::text))
reconciliation_parts reconciliation_parts_pkey PRIMARY KEY (run_id, part)
reconciliation_parts reconciliation_parts_run_id_fkey FOREIGN KEY (run_id) REFERENCES reconciliations(id)
reconciliations reconciliation_end_is_whole CHECK (((state = 'finished'::text) = (finished_at IS NOT NULL)))
reconciliations reconciliations_pkey PRIMARY KEY (id)
reconciliations reconciliations_requested_by_check CHECK ((requested_by <> ''::text))
reconciliations reconciliations_state_check CHECK ((state = ANY (ARRAY['running'::text, 'finished'::text])))
refunds refund_attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
refunds refund_has_one_key CHECK (((generation = 1) OR (hyperswitch_refund_id IS NULL)))
refunds refund_runner_is_whole CHECK (((runner IS NULL) = (runner_until IS NULL)))
refunds refund_succeeded_is_certain CHECK (((status <> 'succeeded'::text) OR ((certainty = 'done'::text) AND (succeeded_at IS NOT NULL))))
refunds refund_wait_is_told CHECK ((((waiting_since IS NULL) = (waiting_detail IS NULL)) AND ((waiting_missing IS NULL) OR (waiting_since IS NOT NULL))))
refunds refunds_amount_check CHECK ((amount > (0)::numeric))
refunds refunds_certainty_check CHECK ((certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
refunds refunds_connector_refund_id_check CHECK ((connector_refund_id <> ''::text))
refunds refunds_fee_check CHECK ((fee = ANY (ARRAY['keep'::text, 'return_proportionally'::text])))
refunds refunds_idempotency_key_key UNIQUE (idempotency_key)
refunds refunds_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
refunds refunds_origin_check CHECK ((origin = ANY (ARRAY['api'::text, 'provider'::text])))
refunds refunds_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id)
refunds refunds_pkey PRIMARY KEY (id)
refunds refunds_shared_out TRIGGER DEFERRABLE INITIALLY DEFERRED
refunds refunds_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'review'::text, 'succeeded'::text, 'failed'::text])))
refunds refunds_waiting_missing_check CHECK ((waiting_missing >= (0)::numeric))
refunds unfinished_refund_is_found_again CHECK (((status <> ALL (ARRAY['pending'::text, 'review'::text])) OR (next_check_at IS NOT NULL)))
request_keys answer_is_whole CHECK (((answer_status IS NULL) = (answer IS NULL)))
request_keys request_keys_key_check CHECK ((key <> ''::text))
request_keys request_keys_operation_check CHECK ((operation = ANY (ARRAY['orders'::text, 'payments'::text, 'refunds'::text, 'captures'::text])))
request_keys request_keys_pkey PRIMARY KEY (principal, operation, key)
retention_marks retention_marks_kind_check CHECK ((kind = ANY (ARRAY['settlement'::text, 'order'::text])))
retention_marks retention_marks_pkey PRIMARY KEY (kind)
reversals counted_is_a_part CHECK (((counted >= (0)::numeric) AND (counted <= amount)))
reversals debt_is_not_sent CHECK (((debt_since IS NULL) OR ((runner IS NULL) AND (params IS NULL) AND (counted = (0)::numeric) AND (status = ANY (ARRAY['waiting_balance'::text, 'reversed'::text])))))
reversals failed_reversal_says_why CHECK (((status <> 'permanently_failed'::text) OR (attention_reason IS NOT NULL)))
reversals offset_leaves_nothing_at_stripe CHECK (((NOT offset_done) OR ((status = 'reversed'::text) AND (stripe_reversal_id IS NULL) AND (counted = (0)::numeric))))
reversals reversal_attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
reversals reversal_has_one_cause CHECK ((num_nonnulls(refund_id, withdrawal_id) = 1))
reversals reversal_runner_is_whole CHECK (((runner IS NULL) = (runner_until IS NULL)))
reversals reversals_amount_check CHECK ((amount > (0)::numeric))
reversals reversals_certainty_check CHECK ((certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
reversals reversals_generation_check CHECK ((generation >= 1))
reversals reversals_idempotency_key_key UNIQUE (idempotency_key)
reversals reversals_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
reversals reversals_part_check CHECK ((part >= 0))
reversals reversals_pkey PRIMARY KEY (id)
reversals reversals_refund_id_fkey FOREIGN KEY (refund_id) REFERENCES refunds(id)
reversals reversals_refund_id_transfer_id_key UNIQUE (refund_id, transfer_id, part)
reversals reversals_sent_amount_check CHECK ((sent_amount > (0)::numeric))
reversals reversals_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'waiting_balance'::text, 'reversed'::text, 'permanently_failed'::text, 'written_off'::text])))
reversals reversals_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES seller_transfers(id)
reversals reversals_withdrawal_id_fkey FOREIGN KEY (withdrawal_id) REFERENCES dispute_withdrawals(id)
reversals reversals_withdrawal_id_transfer_id_key UNIQUE (withdrawal_id, transfer_id, part)
reversals reversed_is_proved CHECK ((((status = 'reversed'::text) = ((stripe_reversal_id IS NOT NULL) OR (counted = amount) OR offset_done)) AND ((status <> 'reversed'::text) OR ((certainty = 'done'::text) AND (reversed_at IS NOT NULL)))))
reversals seller_is_read_whole CHECK ((((seller_currency IS NULL) = (seller_got IS NULL)) AND ((seller_currency IS NULL) = (seller_gave IS NULL)) AND ((seller_currency IS NULL) OR (seller_read_at IS NOT NULL)) AND ((seller_read_at IS NULL) OR (seller_read_next_at IS NULL))))
reversals unfinished_reversal_is_found_again CHECK (((NOT ((status = ANY (ARRAY['pending'::text, 'waiting_balance'::text])) OR ((status = 'permanently_failed'::text) AND (certainty = ANY (ARRAY['unknown'::text, 'in_flight'::text]))))) OR (next_check_at IS NOT NULL)))
reversals voided_is_written_off CHECK (((NOT voided) OR (status = ANY (ARRAY['written_off'::text, 'reversed'::text]))))
reversals written_off_is_absent CHECK (((status <> 'written_off'::text) OR (certainty = ANY (ARRAY['not_sent'::text, 'absent'::text]))))
schema_migrations schema_migrations_pkey PRIMARY KEY (number)
seller_gates seller_gates_pkey PRIMARY KEY (seller_account, currency)
seller_transfers amount_is_what_remains CHECK (((amount = ((promised - withheld) - offset_amount)) AND (amount >= (0)::numeric)))
seller_transfers cancelled_offsets_nothing CHECK (((status <> 'cancelled'::text) OR (offset_amount = (0)::numeric)))
seller_transfers cancelled_was_not_sent CHECK (((status <> 'cancelled'::text) OR ((amount = (0)::numeric) AND (certainty = ANY (ARRAY['not_sent'::text, 'absent'::text])))))
seller_transfers compensated_within_taken CHECK ((compensated <= (withheld + amount_reversed)))
seller_transfers compensation_is_from_the_balance CHECK (((origin <> 'compensation'::text) OR (params IS NULL) OR (NOT ((params)::jsonb ? 'source_transaction'::text))))
seller_transfers compensation_is_whole CHECK ((((origin = 'compensation'::text) = (compensates_transfer IS NOT NULL)) AND (num_nonnulls(compensates_refund, compensates_withdrawal) = ((origin = 'compensation'::text))::integer)))
seller_transfers completed_has_a_date CHECK (((status <> ALL (ARRAY['completed'::text, 'reversal_pending'::text, 'partially_reversed'::text, 'reversed'::text])) OR (completed_at IS NOT NULL)))
seller_transfers completed_is_certain CHECK (((completed_at IS NULL) OR (certainty = 'done'::text)))
seller_transfers failed_has_no_transfer CHECK (((status <> ALL (ARRAY['pending'::text, 'held'::text, 'waiting_platform_balance'::text, 'waiting_seller'::text, 'failed'::text, 'cancelled'::text])) OR (stripe_transfer_id IS NULL)))
seller_transfers held_was_not_sent CHECK (((status <> 'held'::text) OR ((certainty = ANY (ARRAY['not_sent'::text, 'absent'::text])) AND (completed_at IS NULL))))
seller_transfers release_is_whole CHECK ((((release_kind = 'after'::text) = (release_at IS NOT NULL)) AND ((release_kind <> 'immediately'::text) OR (released_at IS NULL))))
seller_transfers reversed_within_transfer CHECK (((amount_reversed >= (0)::numeric) AND (amount_reversed <= (amount + offset_amount))))
seller_transfers seller_transfers_certainty_check CHECK ((certainty = ANY (ARRAY['not_sent'::text, 'in_flight'::text, 'done'::text, 'absent'::text, 'unknown'::text])))
seller_transfers seller_transfers_compensated_check CHECK ((compensated >= (0)::numeric))
seller_transfers seller_transfers_compensates_refund_fkey FOREIGN KEY (compensates_refund) REFERENCES refunds(id)
seller_transfers seller_transfers_compensates_transfer_fkey FOREIGN KEY (compensates_transfer) REFERENCES seller_transfers(id)
seller_transfers seller_transfers_compensates_withdrawal_fkey FOREIGN KEY (compensates_withdrawal) REFERENCES dispute_withdrawals(id)
seller_transfers seller_transfers_foreign_decided_check CHECK ((foreign_decided >= (0)::numeric))
seller_transfers seller_transfers_foreign_seen_check CHECK ((foreign_seen >= (0)::numeric))
seller_transfers seller_transfers_generation_check CHECK ((generation >= 1))
seller_transfers seller_transfers_idempotency_key_key UNIQUE (idempotency_key)
seller_transfers seller_transfers_offset_amount_check CHECK ((offset_amount >= (0)::numeric))
seller_transfers seller_transfers_offset_sum TRIGGER DEFERRABLE INITIALLY DEFERRED
seller_transfers seller_transfers_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders(id)
seller_transfers seller_transfers_origin_check CHECK ((origin = ANY (ARRAY['order'::text, 'import'::text, 'compensation'::text])))
seller_transfers seller_transfers_pkey PRIMARY KEY (id)
seller_transfers seller_transfers_promised_check CHECK ((promised > (0)::numeric))
seller_transfers seller_transfers_release_kind_check CHECK ((release_kind = ANY (ARRAY['immediately'::text, 'on_request'::text, 'after'::text])))
seller_transfers seller_transfers_seller_account_check CHECK ((seller_account <> ''::text))
seller_transfers seller_transfers_sent_amount_check CHECK ((sent_amount > (0)::numeric))
seller_transfers seller_transfers_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'held'::text, 'waiting_platform_balance'::text, 'waiting_seller'::text, 'failed'::text, 'cancelled'::text, 'completed'::text, 'reversal_pending'::text, 'partially_reversed'::text, 'reversed'::text, 'permanently_failed'::text])))
seller_transfers seller_transfers_withheld_check CHECK ((withheld >= (0)::numeric))
seller_transfers sent_is_whole CHECK ((((sent_currency IS NULL) = (sent_amount IS NULL)) AND ((exchange_rate IS NULL) OR (sent_amount IS NOT NULL)) AND (sent_currency IS DISTINCT FROM currency)))
seller_transfers transfer_attention_is_whole CHECK ((((attention_reason IS NULL) = (attention_since IS NULL)) AND ((attention_reason IS NULL) = (attention_detail IS NULL))))
seller_transfers transfer_runner_is_whole CHECK (((runner IS NULL) = (runner_until IS NULL)))
seller_transfers unfinished_transfer_is_found_again CHECK (((status <> ALL (ARRAY['pending'::text, 'held'::text, 'waiting_platform_balance'::text, 'waiting_seller'::text, 'failed'::text])) OR (next_check_at IS NOT NULL)))
seller_transfers unreleased_offsets_nothing CHECK (((offset_amount = (0)::numeric) OR (release_kind = 'immediately'::text) OR (released_at IS NOT NULL)))
seller_transfers unreleased_was_not_sent CHECK (((release_kind = 'immediately'::text) OR (released_at IS NOT NULL) OR ((certainty = 'not_sent'::text) AND (completed_at IS NULL) AND (params IS NULL) AND (key_first_sent_at IS NULL) AND (runner IS NULL) AND ((status = ANY (ARRAY['held'::text, 'cancelled'::text])) OR ((status = 'permanently_failed'::text) AND (written_off_at IS NOT NULL))))))
seller_transfers waiting_was_not_sent CHECK (((status <> ALL (ARRAY['waiting_platform_balance'::text, 'waiting_seller'::text])) OR ((certainty = ANY (ARRAY['not_sent'::text, 'absent'::text])) AND (completed_at IS NULL) AND (waiting_since IS NOT NULL))))
seller_turns seller_turns_pkey PRIMARY KEY (seller_account)
sellers able_needs_no_reason CHECK (((state = 'able'::text) = (reason IS NULL)))
sellers sellers_account_check CHECK ((account <> ''::text))
sellers sellers_pkey PRIMARY KEY (account)
sellers sellers_state_check CHECK ((state = ANY (ARRAY['able'::text, 'waiting'::text, 'gone'::text])))
server_leases server_leases_pkey PRIMARY KEY (id)
settlements settlements_blocked_by_fkey FOREIGN KEY (blocked_by) REFERENCES settlements(id)
settlements settlements_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels(channel_id)
settlements settlements_pkey PRIMARY KEY (id)
stripe_account stripe_account_only_one_check CHECK (only_one)
stripe_account stripe_account_pkey PRIMARY KEY (only_one)
stripe_endpoints stripe_endpoints_pkey PRIMARY KEY (endpoint)
stripe_rate stripe_rate_only_one_check CHECK (only_one)
stripe_rate stripe_rate_per_second_check CHECK (((per_second >= 1) AND (per_second <= 10000)))
stripe_rate stripe_rate_pkey PRIMARY KEY (only_one)
stripe_rate stripe_rate_set_by_check CHECK ((set_by <> ''::text))
stripe_tokens stripe_tokens_endpoint_fkey FOREIGN KEY (endpoint) REFERENCES stripe_endpoints(endpoint)
stripe_tokens stripe_tokens_pkey PRIMARY KEY (endpoint, token)
sweeps sweeps_pkey PRIMARY KEY (name)
turn_clock turn_clock_only_one_check CHECK (only_one)
turn_clock turn_clock_pkey PRIMARY KEY (only_one)
turn_rounds turn_rounds_pkey PRIMARY KEY (round)
unnamed_refunds unnamed_refunds_amount_check CHECK ((amount > (0)::numeric))
unnamed_refunds unnamed_refunds_made_from_check CHECK ((made_from <> ''::text))
unnamed_refunds unnamed_refunds_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments(id)
unnamed_refunds unnamed_refunds_pkey PRIMARY KEY (provider_refund_id)
unnamed_refunds unnamed_refunds_provider_refund_id_check CHECK ((provider_refund_id <> ''::text))
voucher_changes voucher_changes_amount_check CHECK ((amount <> (0)::numeric))
voucher_changes voucher_changes_pkey PRIMARY KEY (channel, nth)
voucher_channels voucher_channels_pkey PRIMARY KEY (channel)
voucher_channels voucher_channels_taken_check CHECK ((taken >= (0)::numeric))
webhook_events unprocessed_event_is_found_again CHECK (((processed_at IS NULL) = (next_check_at IS NOT NULL)))
webhook_events webhook_events_event_id_check CHECK ((event_id <> ''::text))
webhook_events webhook_events_pkey PRIMARY KEY (provider, event_id)
webhook_events webhook_events_provider_check CHECK ((provider = ANY (ARRAY['hyperswitch'::text, 'stripe'::text])))

-- indexes
CREATE INDEX atomic_store_expired ON public.atomic_store USING btree (expires_at) WHERE (expires_at IS NOT NULL)
CREATE INDEX backfill_candidates_orders ON public.backfill_candidates USING btree (backfill_id, destination, order_mark)
CREATE INDEX backfill_scope_orders ON public.backfill_scope USING btree (backfill_id, destination, order_mark)
CREATE INDEX cause_parts_of_order ON public.cause_parts USING btree (order_id)
CREATE INDEX channel_requests_released_free ON public.channel_requests USING btree (payer, closed_at) WHERE (released_by IS NOT NULL)
CREATE INDEX channel_requests_reserved ON public.channel_requests USING btree (channel_id, lease_id) WHERE (status = 'reserved'::text)
CREATE INDEX channel_requests_undelivered ON public.channel_requests USING btree (id) WHERE (delivery = 'unknown'::text)
CREATE INDEX channel_requests_under_way ON public.channel_requests USING btree (payer) WHERE ((status = 'reserved'::text) AND (spent = (0)::numeric))
CREATE INDEX channels_by_identity ON public.channels USING btree (identity, chain_id, escrow, payee, token, updated_at DESC) WHERE ((identity IS NOT NULL) AND (NOT finalized) AND (close_requested_at IS NULL))
CREATE INDEX channels_by_payer ON public.channels USING btree (payer, chain_id, escrow, payee, token, updated_at DESC) WHERE ((NOT finalized) AND (close_requested_at IS NULL))
CREATE INDEX channels_due ON public.channels USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX channels_ended ON public.channels USING btree (finalized, created_at DESC, channel_id DESC) WHERE (finalized OR (close_requested_at IS NOT NULL))
CREATE INDEX channels_ended_of_payer ON public.channels USING btree (payer) WHERE (finalized OR (close_requested_at IS NOT NULL))
CREATE INDEX channels_newest ON public.channels USING btree (created_at DESC, channel_id DESC)
CREATE INDEX channels_to_read ON public.channels USING btree (chain_read_at) WHERE ((NOT finalized) AND ((earned > settled) OR (spent > earned) OR (close_requested_at IS NOT NULL)))
CREATE INDEX console_sessions_by_expiry ON public.console_sessions USING btree (expires_at)
CREATE INDEX debt_offsets_of_reversal ON public.debt_offsets USING btree (reversal_id, id)
CREATE INDEX debt_offsets_of_transfer ON public.debt_offsets USING btree (transfer_id) WHERE (status <> 'reopened'::text)
CREATE INDEX decisions_alone ON public.decisions USING btree (lower(principal), currency, requested_at) WHERE ((state = 'applied'::text) AND (rests_on = 'one'::text))
CREATE INDEX decisions_by_action ON public.decisions USING btree (action, requested_at DESC, id DESC)
CREATE INDEX decisions_by_item ON public.decisions USING btree (item_kind, item_id, requested_at)
CREATE INDEX decisions_by_kind ON public.decisions USING btree (item_kind, requested_at DESC, id DESC)
CREATE INDEX decisions_by_person ON public.decisions USING gin ((ARRAY[lower(by), lower(first_approver), lower(approved_by)]))
CREATE INDEX decisions_by_reason ON public.decisions USING btree (asked_reason, requested_at DESC, id DESC)
CREATE INDEX decisions_by_state ON public.decisions USING btree (state, requested_at DESC, id DESC)
CREATE INDEX decisions_newest ON public.decisions USING btree (requested_at DESC, id DESC)
CREATE INDEX dispute_withdrawals_of_order ON public.dispute_withdrawals USING btree (order_id)
CREATE INDEX disputes_archived ON public.disputes USING btree (id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX disputes_attention ON public.disputes USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX disputes_by_currency ON public.disputes USING btree (currency, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX disputes_by_name ON public.disputes USING btree (provider_dispute_id)
CREATE INDEX disputes_by_status ON public.disputes USING btree (status, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX disputes_due ON public.disputes USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX disputes_of_order ON public.disputes USING btree (order_id)
CREATE INDEX disputes_out_of_step ON public.disputes USING btree (id DESC) WHERE is_out_of_step(id, created_at)
CREATE INDEX disputes_that_hold ON public.disputes USING btree (order_id) WHERE holds
CREATE INDEX drifts_accepted ON public.drifts USING btree (kind, provider_id) WHERE (closed_why = 'accepted'::text)
CREATE INDEX drifts_accepted_alone ON public.drifts USING btree (lower(alone_principal), lower(currency), closed_at) WHERE (alone_amount IS NOT NULL)
CREATE INDEX drifts_by_provider_id ON public.drifts USING btree (provider_id)
CREATE INDEX drifts_closed ON public.drifts USING btree (id DESC) WHERE (state = 'closed'::text)
CREATE INDEX drifts_of_item ON public.drifts USING btree (item_id) WHERE (item_id IS NOT NULL)
CREATE INDEX drifts_open ON public.drifts USING btree (kind, id DESC) WHERE (state = 'open'::text)
CREATE INDEX drifts_to_look_at ON public.drifts USING btree (id) WHERE (state <> 'closed'::text)
CREATE INDEX drifts_told ON public.drifts USING btree (kind, id DESC) WHERE (state <> 'suspected'::text)
CREATE INDEX foreign_decisions_of_a_transfer ON public.foreign_decisions USING btree (transfer_id)
CREATE INDEX foreign_reversals_untold ON public.foreign_reversals USING btree (transfer_id) WHERE (NOT told)
CREATE INDEX named_answers_to_erase ON public.named_answers USING btree (erase_at)
CREATE INDEX notice_messages_due ON public.notice_messages USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX notice_messages_ended ON public.notice_messages USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX notices_ended ON public.notices USING btree (ended_at) WHERE (ended_at IS NOT NULL)
CREATE INDEX notices_open ON public.notices USING btree (reason, noted_at) WHERE (ended_at IS NULL)
CREATE INDEX operation_events_by_key ON public.operation_events USING hash (idempotency_key) WHERE (idempotency_key IS NOT NULL)
CREATE INDEX operation_events_by_request ON public.operation_events USING btree (((detail ->> 'request_id'::text))) WHERE (detail ? 'request_id'::text)
CREATE INDEX orders_archived ON public.orders USING btree (id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX orders_by_currency ON public.orders USING btree (currency, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX orders_by_status ON public.orders USING btree (status, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX orders_out_of_step ON public.orders USING btree (id DESC) WHERE is_out_of_step(id, created_at)
CREATE INDEX payment_captures_of_payment ON public.payment_captures USING btree (payment_id, id)
CREATE INDEX payment_sessions_open ON public.payment_sessions USING btree (lease_id) WHERE (closed_at IS NULL)
CREATE INDEX payments_archived ON public.payments USING btree (id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX payments_at_processor ON public.payments USING btree (connector_transaction_id) WHERE (connector_transaction_id IS NOT NULL)
CREATE INDEX payments_attention ON public.payments USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX payments_by_charge ON public.payments USING btree (charge_id) WHERE (charge_id IS NOT NULL)
CREATE INDEX payments_by_charge_of ON public.payments USING btree (charge_of) WHERE (charge_of IS NOT NULL)
CREATE INDEX payments_by_currency ON public.payments USING btree (currency, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX payments_by_status ON public.payments USING btree (status, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX payments_due ON public.payments USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX payments_looked_at ON public.payments USING btree (disputes_look_at) WHERE (disputes_look_at IS NOT NULL)
CREATE INDEX payments_out_of_step ON public.payments USING btree (id DESC) WHERE is_out_of_step(id, created_at)
CREATE INDEX payments_profiles ON public.payments USING btree (profile_id) WHERE (profile_id IS NOT NULL)
CREATE INDEX payments_sealed ON public.payments USING btree (sealed_key_id) WHERE (sealed_key_id IS NOT NULL)
CREATE INDEX payout_transfers_of_transfer ON public.payout_transfers USING btree (stripe_transfer_id)
CREATE INDEX payouts_asked ON public.payouts USING btree (attention_since) WHERE (attention_reason IS NOT NULL)
CREATE INDEX payouts_due ON public.payouts USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX payouts_made ON public.payouts USING btree (made_at)
CREATE INDEX payouts_newest ON public.payouts USING btree (created_at DESC, external_payout_id DESC)
CREATE INDEX payouts_of_seller ON public.payouts USING btree (seller_account, created_at DESC)
CREATE INDEX refunds_archived ON public.refunds USING btree (id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX refunds_attention ON public.refunds USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX refunds_by_currency ON public.refunds USING btree (currency, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX refunds_by_status ON public.refunds USING btree (status, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX refunds_due ON public.refunds USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX refunds_of_order ON public.refunds USING btree (order_id)
CREATE INDEX refunds_out_of_step ON public.refunds USING btree (id DESC) WHERE is_out_of_step(id, created_at)
CREATE INDEX refunds_waiting ON public.refunds USING btree (id) WHERE ((waiting_since IS NOT NULL) AND (status = 'pending'::text))
CREATE INDEX request_keys_by_key ON public.request_keys USING btree (key)
CREATE INDEX reversals_archived ON public.reversals USING btree (created_at DESC, id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX reversals_attention ON public.reversals USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX reversals_by_currency ON public.reversals USING btree (currency, created_at DESC, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX reversals_by_request ON public.reversals USING btree (provider_request_id) WHERE (provider_request_id IS NOT NULL)
CREATE INDEX reversals_by_status ON public.reversals USING btree (status, created_at DESC, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX reversals_due ON public.reversals USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX reversals_newest ON public.reversals USING btree (created_at DESC, id DESC)
CREATE INDEX reversals_of_order ON public.reversals USING btree (order_id)
CREATE INDEX reversals_of_seller ON public.reversals USING btree (seller_account, created_at DESC, id DESC)
CREATE INDEX reversals_of_transfer ON public.reversals USING btree (transfer_id, place)
CREATE INDEX reversals_owed ON public.reversals USING btree (seller_account, currency, place) WHERE ((debt_since IS NOT NULL) AND (status = 'waiting_balance'::text))
CREATE INDEX reversals_reversed ON public.reversals USING btree (reversed_at) WHERE (stripe_reversal_id IS NOT NULL)
CREATE INDEX reversals_seller_unread ON public.reversals USING btree (seller_read_next_at) WHERE (seller_read_next_at IS NOT NULL)
CREATE INDEX reversals_waiting ON public.reversals USING btree (seller_account, currency, place) WHERE ((status = 'waiting_balance'::text) AND (debt_since IS NULL))
CREATE INDEX seller_transfers_archived ON public.seller_transfers USING btree (id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX seller_transfers_attention ON public.seller_transfers USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX seller_transfers_by_currency ON public.seller_transfers USING btree (currency, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX seller_transfers_by_request ON public.seller_transfers USING btree (provider_request_id) WHERE (provider_request_id IS NOT NULL)
CREATE INDEX seller_transfers_by_seller ON public.seller_transfers USING btree (seller_account, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX seller_transfers_by_status ON public.seller_transfers USING btree (status, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX seller_transfers_completed ON public.seller_transfers USING btree (completed_at) WHERE (stripe_transfer_id IS NOT NULL)
CREATE INDEX seller_transfers_due ON public.seller_transfers USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX seller_transfers_not_with_seller ON public.seller_transfers USING btree (seller_account, id) WHERE (completed_at IS NULL)
CREATE INDEX seller_transfers_of_order ON public.seller_transfers USING btree (order_id)
CREATE INDEX seller_transfers_of_seller ON public.seller_transfers USING btree (seller_account, id)
CREATE INDEX seller_transfers_orders_by_seller ON public.seller_transfers USING btree (seller_account, order_id DESC) WHERE (archived_at IS NULL)
CREATE INDEX seller_transfers_orders_of_seller ON public.seller_transfers USING btree (seller_account, order_id DESC)
CREATE INDEX seller_transfers_out_of_step ON public.seller_transfers USING btree (id DESC) WHERE is_out_of_step(id, created_at)
CREATE INDEX seller_transfers_waiting_for_balance ON public.seller_transfers USING btree (currency, id) WHERE (status = 'waiting_platform_balance'::text)
CREATE INDEX seller_transfers_without_id ON public.seller_transfers USING btree (seller_account) WHERE ((completed_at IS NOT NULL) AND (stripe_transfer_id IS NULL) AND (amount > (0)::numeric))
CREATE INDEX server_leases_alive ON public.server_leases USING btree (lapses_at) WHERE (ended_at IS NULL)
CREATE INDEX settlements_answers_due ON public.settlements USING btree (id) WHERE (answer = ANY (ARRAY['due'::text, 'serving'::text]))
CREATE INDEX settlements_archived ON public.settlements USING btree (id DESC) WHERE (archived_at IS NOT NULL)
CREATE INDEX settlements_attention ON public.settlements USING btree (id DESC) WHERE (attention_reason IS NOT NULL)
CREATE INDEX settlements_blocked ON public.settlements USING btree (blocked_by) WHERE (blocked_by IS NOT NULL)
CREATE INDEX settlements_by_asset ON public.settlements USING btree (asset, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX settlements_by_nonce ON public.settlements USING hash (((lookup ->> 'nonce'::text))) WHERE (lookup ? 'nonce'::text)
CREATE INDEX settlements_by_payer ON public.settlements USING btree (lower(payer), id DESC) WHERE (payer IS NOT NULL)
CREATE INDEX settlements_by_protocol ON public.settlements USING btree (protocol, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX settlements_by_status ON public.settlements USING btree (status, id DESC) WHERE (archived_at IS NULL)
CREATE INDEX settlements_by_transaction ON public.settlements USING btree (tx_hash) WHERE (tx_hash IS NOT NULL)
CREATE INDEX settlements_due ON public.settlements USING btree (provider, status, next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX settlements_exact ON public.settlements USING btree (created_at) WHERE (protocol = 'x402'::text)
CREATE INDEX settlements_exposed ON public.settlements USING btree (route, payer) INCLUDE (status, cap, spent) WHERE (status = ANY (ARRAY['open'::text, 'pending'::text, 'needs_attention'::text]))
CREATE INDEX settlements_first_failures ON public.settlements USING btree (protocol, first_failure_reason) WHERE (first_failure_at IS NOT NULL)
CREATE INDEX settlements_of_channel ON public.settlements USING btree (channel_id, id DESC) WHERE (channel_id IS NOT NULL)
CREATE INDEX settlements_out_of_step ON public.settlements USING btree (id DESC) WHERE is_out_of_step(id, created_at)
CREATE INDEX settlements_released_free ON public.settlements USING btree (payer, closed_at) WHERE (released_by IS NOT NULL)
CREATE INDEX settlements_released_identity ON public.settlements USING btree (identity) WHERE (status = 'released'::text)
CREATE INDEX settlements_released_key ON public.settlements USING btree (key) WHERE (status = 'released'::text)
CREATE INDEX settlements_released_request ON public.settlements USING btree (((context ->> 'paymentRequestId'::text))) WHERE ((status = 'released'::text) AND (context ? 'paymentRequestId'::text))
CREATE INDEX settlements_to_erase ON public.settlements USING btree (erase_at) WHERE (sealed IS NOT NULL)
CREATE INDEX settlements_uncollectable ON public.settlements USING btree (payer) WHERE ((status = 'needs_attention'::text) AND uncollectable)
CREATE INDEX settlements_undelivered ON public.settlements USING btree (id) WHERE (delivery = 'unknown'::text)
CREATE INDEX settlements_under_way ON public.settlements USING btree (payer) WHERE ((status = 'open'::text) AND (spent = (0)::numeric))
CREATE INDEX settlements_unreadable ON public.settlements USING btree (id) WHERE (attention_reason = 'unreadable_session'::text)
CREATE INDEX settlements_unsettled ON public.settlements USING btree (status, provider) INCLUDE (protocol, created_at, certainty) WHERE (status = ANY (ARRAY['pending'::text, 'needs_attention'::text]))
CREATE INDEX settlements_vouchers_waiting ON public.settlements USING btree (voucher_channel, voucher_place) WHERE ((voucher_channel IS NOT NULL) AND (status = ANY (ARRAY['open'::text, 'pending'::text, 'needs_attention'::text])))
CREATE INDEX unnamed_refunds_of_payment ON public.unnamed_refunds USING btree (payment_id)
CREATE INDEX webhook_events_by_provider ON public.webhook_events USING btree (provider, received_at DESC, (((provider || ':'::text) || event_id)) DESC)
CREATE INDEX webhook_events_by_type ON public.webhook_events USING btree (type, received_at DESC, (((provider || ':'::text) || event_id)) DESC)
CREATE INDEX webhook_events_due ON public.webhook_events USING btree (next_check_at) WHERE (next_check_at IS NOT NULL)
CREATE INDEX webhook_events_newest ON public.webhook_events USING btree (received_at DESC, (((provider || ':'::text) || event_id)) DESC)
CREATE INDEX webhook_events_of_object ON public.webhook_events USING btree (object_id)
CREATE UNIQUE INDEX anchor_marks_pkey ON public.anchor_marks USING btree (seq)
CREATE UNIQUE INDEX atomic_store_pkey ON public.atomic_store USING btree (key)
CREATE UNIQUE INDEX backfill_candidates_pkey ON public.backfill_candidates USING btree (backfill_id, stripe_transfer_id)
CREATE UNIQUE INDEX backfill_destinations_pkey ON public.backfill_destinations USING btree (backfill_id, destination)
CREATE UNIQUE INDEX backfill_results_pkey ON public.backfill_results USING btree (backfill_id, transfer_id)
CREATE UNIQUE INDEX backfill_scope_pkey ON public.backfill_scope USING btree (backfill_id, transfer_id)
CREATE UNIQUE INDEX backfills_one_running ON public.backfills USING btree (state) WHERE (state = 'running'::text)
CREATE UNIQUE INDEX backfills_pkey ON public.backfills USING btree (id)
CREATE UNIQUE INDEX cause_parts_pkey ON public.cause_parts USING btree (cause_id, "position")
CREATE UNIQUE INDEX channel_requests_pkey ON public.channel_requests USING btree (id)
CREATE UNIQUE INDEX channel_vouchers_pkey ON public.channel_vouchers USING btree (channel_id, cumulative)
CREATE UNIQUE INDEX channels_pkey ON public.channels USING btree (channel_id)
CREATE UNIQUE INDEX console_sessions_pkey ON public.console_sessions USING btree (secret_sha256)
CREATE UNIQUE INDEX debt_offsets_one_at_a_time ON public.debt_offsets USING btree (reversal_id) WHERE (status <> 'reopened'::text)
CREATE UNIQUE INDEX debt_offsets_pkey ON public.debt_offsets USING btree (id)
CREATE UNIQUE INDEX decisions_one_waiting_per_item ON public.decisions USING btree (item_kind, item_id) WHERE (state = 'pending_approval'::text)
CREATE UNIQUE INDEX decisions_pkey ON public.decisions USING btree (id)
CREATE UNIQUE INDEX dispute_withdrawals_dispute_id_source_key ON public.dispute_withdrawals USING btree (dispute_id, source)
CREATE UNIQUE INDEX dispute_withdrawals_pkey ON public.dispute_withdrawals USING btree (id)
CREATE UNIQUE INDEX disputes_hyperswitch_dispute_id_key ON public.disputes USING btree (hyperswitch_dispute_id)
CREATE UNIQUE INDEX disputes_pkey ON public.disputes USING btree (id)
CREATE UNIQUE INDEX disputes_psp_account_provider_dispute_id_key ON public.disputes USING btree (psp_account, provider_dispute_id)
CREATE UNIQUE INDEX drifts_pkey ON public.drifts USING btree (id)
CREATE UNIQUE INDEX drifts_told_once ON public.drifts USING btree (kind, provider_id, COALESCE((item_id)::text, ''::text)) WHERE (state <> 'closed'::text)
CREATE UNIQUE INDEX figure_samples_pkey ON public.figure_samples USING btree (at)
CREATE UNIQUE INDEX foreign_decisions_pkey ON public.foreign_decisions USING btree (stripe_reversal_id, reversal_id)
CREATE UNIQUE INDEX foreign_reversals_pkey ON public.foreign_reversals USING btree (stripe_reversal_id)
CREATE UNIQUE INDEX hyperswitch_account_pkey ON public.hyperswitch_account USING btree (only_one)
CREATE UNIQUE INDEX hyperswitch_merchant_pkey ON public.hyperswitch_merchant USING btree (only_one)
CREATE UNIQUE INDEX hyperswitch_pace_pkey ON public.hyperswitch_pace USING btree (lane)
CREATE UNIQUE INDEX named_answers_name_sha256_key ON public.named_answers USING btree (name_sha256)
CREATE UNIQUE INDEX named_answers_pkey ON public.named_answers USING btree (id)
CREATE UNIQUE INDEX notice_attempts_pkey ON public.notice_attempts USING btree (message_id, number)
CREATE UNIQUE INDEX notice_destinations_pkey ON public.notice_destinations USING btree (id)
CREATE UNIQUE INDEX notice_message_items_pkey ON public.notice_message_items USING btree (message_id, notice)
CREATE UNIQUE INDEX notice_messages_one_waits ON public.notice_messages USING btree (destination, reason) WHERE (state = 'waiting'::text)
CREATE UNIQUE INDEX notice_messages_pkey ON public.notice_messages USING btree (id)
CREATE UNIQUE INDEX notice_told_once ON public.notice_message_items USING btree (notice, destination) WHERE stands
CREATE UNIQUE INDEX notices_one_is_open ON public.notices USING btree (item_kind, item_id, reason, since) WHERE (ended_at IS NULL)
CREATE UNIQUE INDEX notices_pkey ON public.notices USING btree (seq)
CREATE UNIQUE INDEX one_reconciliation_at_a_time ON public.reconciliations USING btree ((true)) WHERE (state = 'running'::text)
CREATE UNIQUE INDEX operation_events_chain ON public.operation_events USING btree (item_kind, item_id, place)
CREATE UNIQUE INDEX operation_events_pkey ON public.operation_events USING btree (seq)
CREATE UNIQUE INDEX order_items_id ON public.order_items USING btree (id)
CREATE UNIQUE INDEX order_items_pkey ON public.order_items USING btree (order_id, "position")
CREATE UNIQUE INDEX order_shares_order_id_seller_account_key ON public.order_shares USING btree (order_id, seller_account) NULLS NOT DISTINCT
CREATE UNIQUE INDEX orders_pkey ON public.orders USING btree (id)
CREATE UNIQUE INDEX orders_reference_key ON public.orders USING btree (reference)
CREATE UNIQUE INDEX payment_captures_idempotency_key_key ON public.payment_captures USING btree (idempotency_key)
CREATE UNIQUE INDEX payment_captures_one_open ON public.payment_captures USING btree (payment_id) WHERE (status = 'open'::text)
CREATE UNIQUE INDEX payment_captures_pkey ON public.payment_captures USING btree (id)
CREATE UNIQUE INDEX payment_request_secret_pkey ON public.payment_request_secret USING btree (only_one)
CREATE UNIQUE INDEX payment_sessions_pkey ON public.payment_sessions USING btree (id)
CREATE UNIQUE INDEX payments_hyperswitch ON public.payments USING btree (hyperswitch_payment_id) WHERE ((hyperswitch_payment_id IS NOT NULL) AND (hyperswitch_payment_id <> ''::text))
CREATE UNIQUE INDEX payments_idempotency_key_key ON public.payments USING btree (idempotency_key)
CREATE UNIQUE INDEX payments_once_at_stripe ON public.payments USING btree (connector_transaction_id) WHERE (connector = 'stripe'::text)
CREATE UNIQUE INDEX payments_order_id_key ON public.payments USING btree (order_id)
CREATE UNIQUE INDEX payments_pkey ON public.payments USING btree (id)
CREATE UNIQUE INDEX payout_transfers_pkey ON public.payout_transfers USING btree (external_payout_id, balance_transaction_id)
CREATE UNIQUE INDEX payouts_id_key ON public.payouts USING btree (id)
CREATE UNIQUE INDEX payouts_pkey ON public.payouts USING btree (external_payout_id)
CREATE UNIQUE INDEX platform_gates_pkey ON public.platform_gates USING btree (currency)
CREATE UNIQUE INDEX provider_breakers_pkey ON public.provider_breakers USING btree (provider)
CREATE UNIQUE INDEX reconciled_objects_pkey ON public.reconciled_objects USING btree (run_id, part, provider_id)
CREATE UNIQUE INDEX reconciliation_marks_pkey ON public.reconciliation_marks USING btree (part)
CREATE UNIQUE INDEX reconciliation_parts_pkey ON public.reconciliation_parts USING btree (run_id, part)
CREATE UNIQUE INDEX reconciliations_pkey ON public.reconciliations USING btree (id)
CREATE UNIQUE INDEX refunds_at_processor ON public.refunds USING btree (connector_refund_id) WHERE (connector_refund_id IS NOT NULL)
CREATE UNIQUE INDEX refunds_hyperswitch ON public.refunds USING btree (hyperswitch_refund_id) WHERE ((hyperswitch_refund_id IS NOT NULL) AND (hyperswitch_refund_id <> ''::text))
CREATE UNIQUE INDEX refunds_idempotency_key_key ON public.refunds USING btree (idempotency_key)
CREATE UNIQUE INDEX refunds_pkey ON public.refunds USING btree (id)
CREATE UNIQUE INDEX request_keys_pkey ON public.request_keys USING btree (principal, operation, key)
CREATE UNIQUE INDEX retention_marks_pkey ON public.retention_marks USING btree (kind)
CREATE UNIQUE INDEX reversals_idempotency_key_key ON public.reversals USING btree (idempotency_key)
CREATE UNIQUE INDEX reversals_one_in_flight ON public.reversals USING btree (transfer_id) WHERE (runner IS NOT NULL)
CREATE UNIQUE INDEX reversals_pkey ON public.reversals USING btree (id)
CREATE UNIQUE INDEX reversals_refund_id_transfer_id_key ON public.reversals USING btree (refund_id, transfer_id, part)
CREATE UNIQUE INDEX reversals_stripe ON public.reversals USING btree (stripe_reversal_id) WHERE ((stripe_reversal_id IS NOT NULL) AND (stripe_reversal_id <> ''::text))
CREATE UNIQUE INDEX reversals_withdrawal_id_transfer_id_key ON public.reversals USING btree (withdrawal_id, transfer_id, part)
CREATE UNIQUE INDEX schema_migrations_pkey ON public.schema_migrations USING btree (number)
CREATE UNIQUE INDEX seller_gates_pkey ON public.seller_gates USING btree (seller_account, currency)
CREATE UNIQUE INDEX seller_transfers_idempotency_key_key ON public.seller_transfers USING btree (idempotency_key)
CREATE UNIQUE INDEX seller_transfers_one_compensation ON public.seller_transfers USING btree (compensates_refund, compensates_transfer) WHERE (origin = 'compensation'::text)
CREATE UNIQUE INDEX seller_transfers_one_per_release ON public.seller_transfers USING btree (order_id, seller_account, release_kind, release_at) NULLS NOT DISTINCT WHERE (origin = 'order'::text)
CREATE UNIQUE INDEX seller_transfers_one_restoration ON public.seller_transfers USING btree (compensates_withdrawal, compensates_transfer) WHERE (compensates_withdrawal IS NOT NULL)
CREATE UNIQUE INDEX seller_transfers_pkey ON public.seller_transfers USING btree (id)
CREATE UNIQUE INDEX seller_transfers_stripe ON public.seller_transfers USING btree (stripe_transfer_id) WHERE ((stripe_transfer_id IS NOT NULL) AND (stripe_transfer_id <> ''::text))
CREATE UNIQUE INDEX seller_turns_pkey ON public.seller_turns USING btree (seller_account)
CREATE UNIQUE INDEX sellers_pkey ON public.sellers USING btree (account)
CREATE UNIQUE INDEX server_leases_pkey ON public.server_leases USING btree (id)
CREATE UNIQUE INDEX settlements_identity ON public.settlements USING btree (identity) WHERE (status <> 'released'::text)
CREATE UNIQUE INDEX settlements_key ON public.settlements USING btree (key) WHERE (status <> 'released'::text)
CREATE UNIQUE INDEX settlements_one_capture_per_channel ON public.settlements USING btree (channel_id) WHERE ((channel_id IS NOT NULL) AND (status = ANY (ARRAY['pending'::text, 'needs_attention'::text])))
CREATE UNIQUE INDEX settlements_one_close_per_voucher_channel ON public.settlements USING btree (voucher_channel) WHERE (voucher_closes AND (status <> 'written_off'::text))
CREATE UNIQUE INDEX settlements_one_uncollectable_per_payer ON public.settlements USING btree (payer) WHERE ((status = 'needs_attention'::text) AND uncollectable AND (payer IS NOT NULL) AND (attention_reason <> 'approval_pending'::text))
CREATE UNIQUE INDEX settlements_payment_request ON public.settlements USING btree (((context ->> 'paymentRequestId'::text))) WHERE ((status <> 'released'::text) AND (context ? 'paymentRequestId'::text))
CREATE UNIQUE INDEX settlements_pkey ON public.settlements USING btree (id)
CREATE UNIQUE INDEX settlements_vouchers ON public.settlements USING btree (voucher_channel, voucher_place) WHERE (voucher_channel IS NOT NULL)
CREATE UNIQUE INDEX stripe_account_pkey ON public.stripe_account USING btree (only_one)
CREATE UNIQUE INDEX stripe_endpoints_pkey ON public.stripe_endpoints USING btree (endpoint)
CREATE UNIQUE INDEX stripe_rate_pkey ON public.stripe_rate USING btree (only_one)
CREATE UNIQUE INDEX stripe_tokens_pkey ON public.stripe_tokens USING btree (endpoint, token)
CREATE UNIQUE INDEX sweeps_pkey ON public.sweeps USING btree (name)
CREATE UNIQUE INDEX turn_clock_pkey ON public.turn_clock USING btree (only_one)
CREATE UNIQUE INDEX turn_rounds_pkey ON public.turn_rounds USING btree (round)
CREATE UNIQUE INDEX unnamed_refunds_pkey ON public.unnamed_refunds USING btree (provider_refund_id)
CREATE UNIQUE INDEX voucher_changes_pkey ON public.voucher_changes USING btree (channel, nth)
CREATE UNIQUE INDEX voucher_channels_pkey ON public.voucher_channels USING btree (channel)
CREATE UNIQUE INDEX webhook_events_pkey ON public.webhook_events USING btree (provider, event_id)

-- triggers
CREATE CONSTRAINT TRIGGER debt_offsets_sum AFTER INSERT OR UPDATE ON public.debt_offsets DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_offset_sum()
CREATE CONSTRAINT TRIGGER payments_shared_out AFTER UPDATE OF captured ON public.payments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.captured <> old.captured)) EXECUTE FUNCTION guard_order_shares()
CREATE CONSTRAINT TRIGGER refunds_shared_out AFTER UPDATE OF status ON public.refunds DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.status = 'succeeded'::text) <> (old.status = 'succeeded'::text))) EXECUTE FUNCTION guard_order_shares()
CREATE CONSTRAINT TRIGGER seller_transfers_offset_sum AFTER UPDATE OF offset_amount ON public.seller_transfers DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.offset_amount <> old.offset_amount)) EXECUTE FUNCTION guard_offset_sum()
CREATE CONSTRAINT TRIGGER shares_shared_out AFTER INSERT OR UPDATE ON public.order_shares DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_order_shares()
CREATE CONSTRAINT TRIGGER withdrawals_shared_out AFTER INSERT OR UPDATE ON public.dispute_withdrawals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_order_shares()
CREATE TRIGGER a_reversals_money BEFORE UPDATE ON public.reversals FOR EACH ROW WHEN (((new.params IS DISTINCT FROM old.params) OR (new.sent_amount IS DISTINCT FROM old.sent_amount) OR (new.counted > old.counted))) EXECUTE FUNCTION note_reversed_money()
CREATE TRIGGER a_seller_transfers_money BEFORE UPDATE OF params ON public.seller_transfers FOR EACH ROW WHEN (((new.params IS DISTINCT FROM old.params) AND ((old.params IS NULL) OR (new.generation <> old.generation)))) EXECUTE FUNCTION note_sent_money()
CREATE TRIGGER anchor_marks_append_only BEFORE DELETE OR UPDATE ON public.anchor_marks FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER anchor_marks_no_truncate BEFORE TRUNCATE ON public.anchor_marks FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER capture_moves_its_channel AFTER UPDATE OF status ON public.settlements FOR EACH ROW WHEN (((new.channel_id IS NOT NULL) AND (new.status = 'settled'::text) AND (old.status <> 'settled'::text))) EXECUTE FUNCTION capture_moves_its_channel()
CREATE TRIGGER capture_reveals_its_voucher AFTER INSERT ON public.settlements FOR EACH ROW WHEN ((new.channel_id IS NOT NULL)) EXECUTE FUNCTION capture_reveals_its_voucher()
CREATE TRIGGER cause_parts_guard BEFORE INSERT ON public.cause_parts FOR EACH ROW EXECUTE FUNCTION guard_cause_part()
CREATE TRIGGER cause_parts_keep BEFORE DELETE OR UPDATE ON public.cause_parts FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER channel_requests_keep BEFORE DELETE ON public.channel_requests FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER channel_requests_move_their_channel BEFORE INSERT OR UPDATE ON public.channel_requests FOR EACH ROW EXECUTE FUNCTION channel_requests_move_their_channel()
CREATE TRIGGER channels_guard BEFORE UPDATE ON public.channels FOR EACH ROW EXECUTE FUNCTION channels_guard()
CREATE TRIGGER debt_offsets_guard BEFORE INSERT OR UPDATE ON public.debt_offsets FOR EACH ROW EXECUTE FUNCTION guard_debt_offset()
CREATE TRIGGER debt_offsets_keep BEFORE DELETE ON public.debt_offsets FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER decisions_keep BEFORE DELETE ON public.decisions FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER decisions_of_archived AFTER INSERT ON public.decisions FOR EACH ROW WHEN ((new.state = 'pending_approval'::text)) EXECUTE FUNCTION item_is_taken_out()
CREATE TRIGGER decisions_stay BEFORE UPDATE ON public.decisions FOR EACH ROW EXECUTE FUNCTION keep_decision()
CREATE TRIGGER dispute_withdrawals_guard BEFORE UPDATE ON public.dispute_withdrawals FOR EACH ROW EXECUTE FUNCTION guard_withdrawal()
CREATE TRIGGER dispute_withdrawals_keep BEFORE DELETE ON public.dispute_withdrawals FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER dispute_withdrawals_named BEFORE INSERT ON public.dispute_withdrawals FOR EACH ROW EXECUTE FUNCTION guard_withdrawal_is_named()
CREATE TRIGGER disputes_guard BEFORE UPDATE ON public.disputes FOR EACH ROW EXECUTE FUNCTION guard_dispute()
CREATE TRIGGER disputes_keep BEFORE DELETE ON public.disputes FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER disputes_leave_archive BEFORE UPDATE ON public.disputes FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER disputes_left_archive AFTER UPDATE ON public.disputes FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NULL))) EXECUTE FUNCTION family_is_taken_out()
CREATE TRIGGER disputes_moved_to_archived AFTER UPDATE OF order_id ON public.disputes FOR EACH ROW WHEN ((new.order_id IS DISTINCT FROM old.order_id)) EXECUTE FUNCTION order_is_taken_out()
CREATE TRIGGER disputes_of_archived AFTER INSERT ON public.disputes FOR EACH ROW EXECUTE FUNCTION order_is_taken_out()
CREATE TRIGGER drifts_guard BEFORE DELETE OR UPDATE ON public.drifts FOR EACH ROW EXECUTE FUNCTION guard_drift()
CREATE TRIGGER drifts_of_archived AFTER INSERT OR UPDATE ON public.drifts FOR EACH ROW WHEN (((new.item_id IS NOT NULL) AND (new.state <> 'closed'::text))) EXECUTE FUNCTION item_is_taken_out()
CREATE TRIGGER foreign_decisions_stand_once BEFORE INSERT ON public.foreign_decisions FOR EACH ROW EXECUTE FUNCTION guard_stands_once()
CREATE TRIGGER hyperswitch_account_keep BEFORE DELETE OR UPDATE ON public.hyperswitch_account FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER hyperswitch_merchant_keep BEFORE DELETE OR UPDATE ON public.hyperswitch_merchant FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER new_voucher_takes AFTER INSERT ON public.settlements FOR EACH ROW WHEN ((new.voucher_channel IS NOT NULL)) EXECUTE FUNCTION voucher_change()
CREATE TRIGGER notice_messages_stay BEFORE UPDATE ON public.notice_messages FOR EACH ROW EXECUTE FUNCTION message_stays()
CREATE TRIGGER operation_events_append_only BEFORE DELETE OR UPDATE ON public.operation_events FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER operation_events_chained BEFORE INSERT ON public.operation_events FOR EACH ROW EXECUTE FUNCTION chain_event()
CREATE TRIGGER operation_events_no_truncate BEFORE TRUNCATE ON public.operation_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
CREATE TRIGGER order_items_guard BEFORE UPDATE ON public.order_items FOR EACH ROW EXECUTE FUNCTION guard_order_item()
CREATE TRIGGER order_items_keep BEFORE DELETE ON public.order_items FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER orders_amount BEFORE UPDATE ON public.orders FOR EACH ROW WHEN (((new.amount IS DISTINCT FROM old.amount) OR (new.ordered IS DISTINCT FROM old.ordered))) EXECUTE FUNCTION guard_order_amount()
CREATE TRIGGER orders_keep BEFORE DELETE ON public.orders FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER orders_leave_archive BEFORE UPDATE ON public.orders FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER orders_left_archive AFTER UPDATE ON public.orders FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NULL))) EXECUTE FUNCTION family_is_taken_out()
CREATE TRIGGER orders_status BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION guard_status('order')
CREATE TRIGGER payment_captures_guard BEFORE UPDATE ON public.payment_captures FOR EACH ROW EXECUTE FUNCTION guard_capture()
CREATE TRIGGER payment_captures_keep BEFORE DELETE ON public.payment_captures FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER payment_captures_new BEFORE INSERT ON public.payment_captures FOR EACH ROW EXECUTE FUNCTION guard_new_capture()
CREATE TRIGGER payments_build BEFORE UPDATE OF runner ON public.payments FOR EACH ROW WHEN (((new.runner IS NOT NULL) AND (new.runner IS DISTINCT FROM old.runner))) EXECUTE FUNCTION guard_build()
CREATE TRIGGER payments_call BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION guard_money_call('payment', '3', '10 minutes')
CREATE TRIGGER payments_disputable BEFORE UPDATE ON public.payments FOR EACH ROW WHEN ((((new.hyperswitch_payment_id IS NOT NULL) OR (new.provider = 'stripe'::text)) AND (new.captured > (0)::numeric) AND (old.captured = (0)::numeric))) EXECUTE FUNCTION payment_may_be_disputed()
CREATE TRIGGER payments_guard BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION guard_payment()
CREATE TRIGGER payments_keep BEFORE DELETE ON public.payments FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER payments_leave_archive BEFORE UPDATE ON public.payments FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER payments_left_archive AFTER UPDATE ON public.payments FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NULL))) EXECUTE FUNCTION family_is_taken_out()
CREATE TRIGGER payments_of_archived AFTER INSERT ON public.payments FOR EACH ROW EXECUTE FUNCTION order_is_taken_out()
CREATE TRIGGER payments_status BEFORE UPDATE ON public.payments FOR EACH ROW EXECUTE FUNCTION guard_status('payment')
CREATE TRIGGER payments_stay BEFORE UPDATE ON public.payments FOR EACH ROW WHEN (((new.provider <> old.provider) OR (new.taken_elsewhere <> old.taken_elsewhere) OR ((old.provider = 'stripe'::text) AND (old.connector_transaction_id IS NOT NULL) AND (new.connector_transaction_id IS DISTINCT FROM old.connector_transaction_id)))) EXECUTE FUNCTION payment_stays_where_it_is()
CREATE TRIGGER payments_terms BEFORE UPDATE ON public.payments FOR EACH ROW WHEN (((((new.capture_method IS DISTINCT FROM old.capture_method) OR (new.profile_id IS DISTINCT FROM old.profile_id)) OR (new.passed_on IS DISTINCT FROM old.passed_on)) OR ((old.accepted IS NOT NULL) AND (new.accepted IS DISTINCT FROM old.accepted)))) EXECUTE FUNCTION payment_keeps_its_terms()
CREATE TRIGGER provider_breakers_returns BEFORE UPDATE ON public.provider_breakers FOR EACH ROW EXECUTE FUNCTION note_return()
CREATE TRIGGER refunds_build BEFORE UPDATE OF runner ON public.refunds FOR EACH ROW WHEN (((new.runner IS NOT NULL) AND (new.runner IS DISTINCT FROM old.runner))) EXECUTE FUNCTION guard_build()
CREATE TRIGGER refunds_call BEFORE UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION guard_money_call('refund', '3', '10 minutes')
CREATE TRIGGER refunds_guard BEFORE INSERT OR UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION guard_refund()
CREATE TRIGGER refunds_keep BEFORE DELETE ON public.refunds FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER refunds_leave_archive BEFORE UPDATE ON public.refunds FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER refunds_left_archive AFTER UPDATE ON public.refunds FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NULL))) EXECUTE FUNCTION family_is_taken_out()
CREATE TRIGGER refunds_of_archived AFTER INSERT ON public.refunds FOR EACH ROW EXECUTE FUNCTION order_is_taken_out()
CREATE TRIGGER refunds_status BEFORE UPDATE ON public.refunds FOR EACH ROW EXECUTE FUNCTION guard_status('refund')
CREATE TRIGGER reversals_build BEFORE UPDATE OF runner ON public.reversals FOR EACH ROW WHEN (((new.runner IS NOT NULL) AND (new.runner IS DISTINCT FROM old.runner))) EXECUTE FUNCTION guard_build()
CREATE TRIGGER reversals_call BEFORE UPDATE ON public.reversals FOR EACH ROW EXECUTE FUNCTION guard_money_call('reversal')
CREATE TRIGGER reversals_counted BEFORE UPDATE ON public.reversals FOR EACH ROW EXECUTE FUNCTION guard_counted()
CREATE TRIGGER reversals_guard BEFORE INSERT OR UPDATE ON public.reversals FOR EACH ROW EXECUTE FUNCTION guard_reversal()
CREATE TRIGGER reversals_keep BEFORE DELETE ON public.reversals FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER reversals_leave_archive BEFORE UPDATE ON public.reversals FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER reversals_left_archive AFTER UPDATE ON public.reversals FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NULL))) EXECUTE FUNCTION family_is_taken_out()
CREATE TRIGGER reversals_of_archived AFTER INSERT ON public.reversals FOR EACH ROW EXECUTE FUNCTION order_is_taken_out()
CREATE TRIGGER reversals_sent_amount BEFORE UPDATE ON public.reversals FOR EACH ROW WHEN (((new.attempts > old.attempts) AND (new.params IS NOT NULL))) EXECUTE FUNCTION guard_sent_amount()
CREATE TRIGGER reversals_stand_once BEFORE UPDATE OF stripe_reversal_id ON public.reversals FOR EACH ROW WHEN (((new.stripe_reversal_id IS NOT NULL) AND (new.stripe_reversal_id IS DISTINCT FROM old.stripe_reversal_id))) EXECUTE FUNCTION guard_stands_once()
CREATE TRIGGER reversals_status BEFORE UPDATE ON public.reversals FOR EACH ROW EXECUTE FUNCTION guard_status('reversal')
CREATE TRIGGER seller_transfers_begin_held BEFORE INSERT ON public.seller_transfers FOR EACH ROW WHEN (((new.release_kind <> 'immediately'::text) AND (new.status = 'pending'::text))) EXECUTE FUNCTION begins_held()
CREATE TRIGGER seller_transfers_build BEFORE UPDATE OF runner ON public.seller_transfers FOR EACH ROW WHEN (((new.runner IS NOT NULL) AND (new.runner IS DISTINCT FROM old.runner))) EXECUTE FUNCTION guard_build()
CREATE TRIGGER seller_transfers_call BEFORE UPDATE ON public.seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_money_call('transfer')
CREATE TRIGGER seller_transfers_guard BEFORE UPDATE ON public.seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_transfer()
CREATE TRIGGER seller_transfers_keep BEFORE DELETE ON public.seller_transfers FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER seller_transfers_known AFTER UPDATE OF stripe_transfer_id ON public.seller_transfers FOR EACH ROW WHEN (((old.stripe_transfer_id IS NULL) AND (new.stripe_transfer_id IS NOT NULL))) EXECUTE FUNCTION transfer_is_known()
CREATE TRIGGER seller_transfers_leave_archive BEFORE UPDATE ON public.seller_transfers FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER seller_transfers_left_archive AFTER UPDATE ON public.seller_transfers FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NULL))) EXECUTE FUNCTION family_is_taken_out()
CREATE TRIGGER seller_transfers_of_archived AFTER INSERT ON public.seller_transfers FOR EACH ROW EXECUTE FUNCTION order_is_taken_out()
CREATE TRIGGER seller_transfers_others AFTER UPDATE ON public.seller_transfers FOR EACH ROW WHEN (((new.attention_reason IS NULL) AND (new.stripe_transfer_id IS NOT NULL))) EXECUTE FUNCTION transfer_asks_about_others()
CREATE TRIGGER seller_transfers_release BEFORE UPDATE ON public.seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_release()
CREATE TRIGGER seller_transfers_sent_amount BEFORE UPDATE ON public.seller_transfers FOR EACH ROW WHEN (((new.attempts > old.attempts) AND (new.params IS NOT NULL))) EXECUTE FUNCTION guard_sent_amount()
CREATE TRIGGER seller_transfers_sent_money BEFORE UPDATE ON public.seller_transfers FOR EACH ROW WHEN (((new.sent_currency IS DISTINCT FROM old.sent_currency) OR (new.sent_amount IS DISTINCT FROM old.sent_amount))) EXECUTE FUNCTION guard_sent_money()
CREATE TRIGGER seller_transfers_status BEFORE UPDATE ON public.seller_transfers FOR EACH ROW EXECUTE FUNCTION guard_status('transfer')
CREATE TRIGGER settlements_build BEFORE UPDATE OF runner ON public.settlements FOR EACH ROW WHEN (((new.runner IS NOT NULL) AND (new.runner IS DISTINCT FROM old.runner))) EXECUTE FUNCTION guard_build()
CREATE TRIGGER settlements_guard BEFORE INSERT OR UPDATE ON public.settlements FOR EACH ROW EXECUTE FUNCTION settlements_guard()
CREATE TRIGGER settlements_keep BEFORE DELETE ON public.settlements FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER settlements_leave_archive BEFORE UPDATE ON public.settlements FOR EACH ROW WHEN (((old.archived_at IS NOT NULL) AND (new.archived_at IS NOT NULL))) EXECUTE FUNCTION changed_is_taken_out()
CREATE TRIGGER stripe_account_keep BEFORE DELETE OR UPDATE ON public.stripe_account FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER unnamed_refunds_keep BEFORE DELETE ON public.unnamed_refunds FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER voucher_changes_stay BEFORE UPDATE ON public.voucher_changes FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER voucher_channels_keep BEFORE DELETE ON public.voucher_channels FOR EACH ROW EXECUTE FUNCTION refuse_change()
CREATE TRIGGER voucher_takes_otherwise AFTER UPDATE OF status, certainty, cap, spent, voucher_channel, voucher_place, voucher_cumulative ON public.settlements FOR EACH ROW WHEN (((old.voucher_channel IS NOT NULL) OR (new.voucher_channel IS NOT NULL))) EXECUTE FUNCTION voucher_change()

-- functions
CREATE OR REPLACE FUNCTION public.ask_about_others(p_transfer uuid)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
  t seller_transfers;
  v_ids text[];
  v_taken numeric;
  v_gone numeric;
  v_currency text;
  v_other text;
BEGIN
  SELECT array_agg(f.stripe_reversal_id ORDER BY f.stripe_reversal_id) INTO v_ids
    FROM foreign_reversals f WHERE f.transfer_id = p_transfer AND NOT f.told
      AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.transfer_id = p_transfer AND (r.stripe_reversal_id = f.stripe_reversal_id
        OR f.stripe_reversal_id = ANY (r.others_shown) AND NOT r.voided AND NOT f.freed))
      AND coalesce((SELECT sum(d.amount) FROM foreign_decisions d WHERE d.stripe_reversal_id = f.stripe_reversal_id), 0)
        < CASE WHEN f.freed THEN f.amount ELSE 1 END;
  IF v_ids IS NULL THEN RETURN; END IF;
  SELECT * INTO t FROM seller_transfers WHERE id = p_transfer;
  IF t.attention_reason IS NOT NULL OR t.stripe_transfer_id IS NULL OR EXISTS (SELECT 1 FROM reversals
    WHERE transfer_id = p_transfer AND status IN ('pending', 'waiting_balance', 'permanently_failed') AND debt_since IS NULL) THEN RETURN; END IF;
  v_currency := coalesce(t.sent_currency, t.currency);
  SELECT array_to_string((array_agg(format('%s (%s %s)', stripe_reversal_id, amount, currency) ORDER BY stripe_reversal_id))[1:5], ', ')
    INTO v_other FROM foreign_reversals WHERE stripe_reversal_id = ANY (v_ids) AND currency <> v_currency;
  UPDATE foreign_reversals SET told = true WHERE stripe_reversal_id = ANY (v_ids);
  IF v_other IS NOT NULL THEN
    UPDATE seller_transfers SET attention_since = clock_now(), attention_reason = 'conflict',
        attention_detail = format('Stripe holds reversals of it in another currency than %s: %s; amounts of different currencies are never compared: look at it there, then acknowledge with adopt', v_currency, v_other)
      WHERE id = p_transfer;
    RETURN;
  END IF;
  SELECT sum(f.amount) INTO v_taken FROM foreign_reversals f WHERE f.transfer_id = p_transfer AND coalesce(f.currency, v_currency) = v_currency
    AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.stripe_reversal_id = f.stripe_reversal_id);
  SELECT v_taken + coalesce(sum(coalesce(sent_amount, amount - counted)), 0) INTO v_gone FROM reversals
    WHERE transfer_id = p_transfer AND status = 'reversed' AND NOT offset_done AND (t.sent_amount IS NULL OR sent_amount IS NOT NULL);
  UPDATE seller_transfers SET attention_since = clock_now(),
      attention_reason = CASE WHEN v_gone >= coalesce(t.sent_amount, t.amount) THEN 'foreign_reversal' ELSE 'partly_foreign_reversal' END,
      attention_detail = format('somebody else took %s %s of it back at Stripe (not told so far, or for a share that is no longer due: %s), and no share is due now: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt',
        v_taken, v_currency, array_to_string(v_ids[1:5], ', '))
    WHERE id = p_transfer;
END $function$
CREATE OR REPLACE FUNCTION public.begin_channel_top_up(p_settlement jsonb, p_sealed bytea)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || s.tops_up, 0));
  IF EXISTS (SELECT 1 FROM settlements WHERE identity = s.identity AND status <> 'released') THEN RETURN 'came_before'; END IF;
  IF voucher_channel_closes(s.tops_up) THEN RETURN 'channel_closes'; END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, route,
      lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, erase_at, next_check_at, created_at, closed_at, workflow_id,
      tops_up)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'pending', s.asset, s.decimals, 0, 0, s.route,
      s.lookup, s.context, p_sealed, 'body', s.sealed_key_id, s.body_sha256, erase_date(NULL), v_now + interval '15 seconds', v_now,
      v_now, 'settlement/' || s.id, s.tops_up)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'came_before'; END IF;
  INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', s.id, 'channel_top_up', 'not_sent', s.key, jsonb_build_object('channel', s.tops_up));
  RETURN 'begun';
END $function$
CREATE OR REPLACE FUNCTION public.begins_held()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.status := 'held';
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.book_platform(p_order uuid)
 RETURNS TABLE(now_promised numeric, now_due_back numeric)
 LANGUAGE sql
AS $function$
  INSERT INTO order_shares (order_id, seller_account, promised, due_back)
    SELECT p_order, NULL,
      coalesce((SELECT captured FROM payments WHERE order_id = p_order), 0) - coalesce(sum(promised), 0),
      coalesce((SELECT sum(amount) FROM causes WHERE order_id = p_order AND (stands OR borne)), 0) - coalesce(sum(due_back), 0)
    FROM order_shares WHERE order_id = p_order AND seller_account IS NOT NULL
  ON CONFLICT (order_id, seller_account) DO UPDATE SET promised = EXCLUDED.promised, due_back = EXCLUDED.due_back
    WHERE (order_shares.promised, order_shares.due_back) IS DISTINCT FROM (EXCLUDED.promised, EXCLUDED.due_back)
  RETURNING promised, due_back
$function$
CREATE OR REPLACE FUNCTION public.capture_moves_its_channel()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE channels SET
      settled = greatest(settled, (NEW.lookup ->> 'capture')::numeric),
      finalized = finalized OR NEW.lookup ->> 'kind' = 'close',
      next_check_at = CASE WHEN NOT finalized AND NEW.lookup ->> 'kind' <> 'close' THEN clock_now() END
    WHERE channel_id = NEW.channel_id;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.capture_reveals_its_voucher()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE channels SET revealed = greatest(revealed, (NEW.lookup ->> 'cumulative')::numeric) WHERE channel_id = NEW.channel_id;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.certainty_at_send(was text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT CASE WHEN was IN ('in_flight', 'unknown') THEN 'unknown' WHEN was = 'done' THEN 'done' ELSE 'in_flight' END
$function$
CREATE OR REPLACE FUNCTION public.chain_event()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
DECLARE
  v_digest bytea;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('chain ' || NEW.item_kind || '/' || NEW.item_id, 0));
  -- A statement of its own, so that it sees what was committed while it waited.
  SELECT place + 1, digest INTO NEW.place, v_digest FROM operation_events
    WHERE item_kind = NEW.item_kind AND item_id = NEW.item_id ORDER BY place DESC LIMIT 1;
  IF NOT FOUND THEN
    NEW.place := 1;
    v_digest := '\x0000000000000000000000000000000000000000000000000000000000000000';
  END IF;
  NEW.digest := sha256(v_digest || convert_to(event_text(NEW, NEW.place), 'UTF8'));
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.changed_is_taken_out()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF to_jsonb(NEW) - 'disputes_look_at' IS DISTINCT FROM to_jsonb(OLD) - 'disputes_look_at' THEN NEW.archived_at := NULL; END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.channel_requests_move_their_channel()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'reserved' OR NEW.spent <> 0 THEN
      RAISE EXCEPTION 'a request begins with a reservation and nothing spent' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE channels SET spent = spent + NEW.reserved
      WHERE channel_id = NEW.channel_id AND NOT finalized AND close_requested_at IS NULL;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'channel % pays for nothing any more', NEW.channel_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.channel_id, NEW.reserved, NEW.close_token) IS DISTINCT FROM (OLD.channel_id, OLD.reserved, OLD.close_token) THEN
    RAISE EXCEPTION 'request %: its channel and its reservation never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'reserved' AND (NEW.status, NEW.spent) IS DISTINCT FROM (OLD.status, OLD.spent) THEN
    RAISE EXCEPTION 'request %: it is closed, its amount is frozen', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.spent < OLD.spent THEN
    RAISE EXCEPTION 'request %: what was spent cannot shrink', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status = 'reserved' AND (NEW.spent <> OLD.spent OR NEW.status <> 'reserved') THEN
    UPDATE channels SET
      earned = earned + NEW.spent - OLD.spent,
      spent = spent - CASE NEW.status WHEN 'reserved' THEN 0 ELSE NEW.reserved - NEW.spent END,
      -- a close waits for the last request under way
      next_check_at = CASE WHEN close_requested_at IS NOT NULL AND NOT finalized AND NEW.status <> 'reserved'
        THEN clock_now() ELSE next_check_at END
      WHERE channel_id = NEW.channel_id;
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.channels_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.channel_id, NEW.chain_id, NEW.escrow, NEW.payer, NEW.payee, NEW.token, NEW.operator)
    IS DISTINCT FROM (OLD.channel_id, OLD.chain_id, OLD.escrow, OLD.payer, OLD.payee, OLD.token, OLD.operator) THEN
    RAISE EXCEPTION 'channel %: what its id is made of never changes', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.deposit < OLD.deposit OR NEW.accepted < OLD.accepted OR NEW.earned < OLD.earned OR NEW.settled < OLD.settled THEN
    RAISE EXCEPTION 'channel %: deposit, accepted, earned and settled never shrink', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revealed < OLD.revealed OR (OLD.revealed IS NOT NULL AND NEW.revealed IS NULL) THEN
    RAISE EXCEPTION 'channel %: a voucher that was sent for capture stays public', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.finalized AND NOT NEW.finalized THEN
    RAISE EXCEPTION 'channel %: a finalized channel stays finalized', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.close_requested_at IS NOT NULL AND NEW.close_requested_at IS NULL THEN
    RAISE EXCEPTION 'channel %: a close request is taken back on chain alone', OLD.channel_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.chain_close_at IS NOT NULL THEN
    NEW.close_requested_at := coalesce(NEW.close_requested_at, NEW.chain_close_at);
  ELSIF OLD.chain_close_at IS NOT NULL THEN
    IF NEW.deposit <= OLD.deposit THEN
      RAISE EXCEPTION 'channel %: only a top-up takes a close request back', OLD.channel_id USING ERRCODE = 'check_violation';
    END IF;
    -- What is closed by its payer here, or is being closed by us, goes on being closed.
    IF NEW.close_signature IS NULL AND NOT NEW.finalized AND NOT EXISTS (SELECT 1 FROM settlements
        WHERE channel_id = NEW.channel_id AND lookup ->> 'kind' = 'close' AND status <> 'written_off') THEN
      NEW.close_requested_at := NULL;
    END IF;
  END IF;
  NEW.updated_at := clock_now();
  IF NEW.finalized THEN NEW.next_check_at := NULL; END IF;
  NEW.unsettled_since := CASE WHEN NEW.earned > NEW.settled THEN coalesce(OLD.unsettled_since, clock_now()) END;
  IF NEW.settled > OLD.settled AND NEW.earned > NEW.settled THEN NEW.unsettled_since := clock_now(); END IF;
  RETURN NEW;
END $function$
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
        AND (voucher_channel IS NULL OR NOT waits_for_earlier_voucher(voucher_channel, voucher_place))
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
CREATE OR REPLACE FUNCTION public.close_voucher_channel(p_settlement jsonb, p_sealed bytea, p_given_to boolean, OUT outcome text, OUT id uuid)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || s.voucher_channel, 0));
  SELECT c.id INTO id FROM settlements c WHERE c.identity = s.identity AND c.voucher_closes AND c.status <> 'written_off';
  IF FOUND THEN outcome := 'closing'; RETURN; END IF;
  IF voucher_channel_closes(s.voucher_channel) THEN outcome := 'channel_closes'; RETURN; END IF;
  -- It was given up, and the channel sells.
  IF EXISTS (SELECT 1 FROM settlements c WHERE c.identity = s.identity AND c.status <> 'released')
  THEN outcome := 'refused_before'; RETURN; END IF;
  IF NOT EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel)
  THEN outcome := 'unknown_channel'; RETURN; END IF;
  IF NOT p_given_to
    AND NOT EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel AND c.voucher_challenge = s.voucher_challenge)
    -- What was sent for settlement may be read on chain.
    AND EXISTS (SELECT 1 FROM settlements c WHERE c.voucher_channel = s.voucher_channel AND c.attempts > 0
      AND c.voucher_cumulative >= s.voucher_cumulative)
  THEN outcome := 'unproven'; RETURN; END IF;
  s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, 0);
  IF s.voucher_place IS NULL THEN outcome := 'voucher_spent'; RETURN; END IF;
  id := s.id;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap, spent, route,
      lookup, context, sealed, sealed_kind, sealed_key_id, body_sha256, erase_at, next_check_at, created_at, closed_at, workflow_id,
      voucher_channel, voucher_cumulative, voucher_place, voucher_challenge, voucher_closes)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'pending', s.asset, s.decimals, 0, 0, s.route,
      s.lookup, s.context, p_sealed, 'body', s.sealed_key_id, s.body_sha256, erase_date(NULL), v_now + interval '15 seconds', v_now,
      v_now, 'settlement/' || s.id, s.voucher_channel, s.voucher_cumulative, s.voucher_place, s.voucher_challenge, true);
  INSERT INTO operation_events (item_kind, item_id, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', s.id, 'channel_close', 'not_sent', s.key, jsonb_build_object('channel', s.voucher_channel));
  outcome := 'closing';
END $function$
CREATE OR REPLACE FUNCTION public.decided_of_others(p_transfer uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
AS $function$
  SELECT coalesce(jsonb_object_agg(stripe_reversal_id, amount::text), '{}') FROM (
    SELECT stripe_reversal_id, sum(amount) AS amount FROM (
      SELECT stripe_reversal_id, amount FROM foreign_decisions WHERE transfer_id = p_transfer
      UNION ALL SELECT stripe_reversal_id, amount - counted FROM reversals WHERE transfer_id = p_transfer AND stripe_reversal_id IS NOT NULL
    ) AS each GROUP BY 1) AS d
$function$
CREATE OR REPLACE FUNCTION public.erase_date(expires_at timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$
  SELECT coalesce(expires_at + interval '7 days', clock_now() + interval '30 days')
$function$
CREATE OR REPLACE FUNCTION public.event_text(e operation_events, p_place bigint)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  SELECT jsonb_build_array(e.item_kind, e.item_id, p_place, e.seq, e.at AT TIME ZONE 'UTC', e.kind, e.certainty, e.idempotency_key,
    e.answer_class, e.detail)::text
$function$
CREATE OR REPLACE FUNCTION public.family_is_taken_out()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM take_out_order(CASE TG_TABLE_NAME WHEN 'orders' THEN (to_jsonb(NEW) ->> 'id')::uuid ELSE (to_jsonb(NEW) ->> 'order_id')::uuid END);
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.free_answers_full_for(p_payer text, p_limit integer)
 RETURNS interval
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_now timestamptz := clock_now();
  v_given timestamptz[];
  v_under_way bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('free answers ' || p_payer, 0));
  SELECT array_agg(closed_at ORDER BY closed_at DESC) INTO v_given FROM (
    (SELECT closed_at FROM settlements WHERE payer = p_payer AND released_by IS NOT NULL AND closed_at > v_now - interval '1 hour'
      ORDER BY closed_at DESC LIMIT p_limit)
    UNION ALL
    (SELECT closed_at FROM channel_requests WHERE payer = p_payer AND released_by IS NOT NULL AND closed_at > v_now - interval '1 hour'
      ORDER BY closed_at DESC LIMIT p_limit)) AS given;
  IF cardinality(v_given) >= p_limit THEN RETURN v_given[p_limit] + interval '1 hour' - v_now; END IF;
  SELECT count(*) INTO v_under_way FROM (
    (SELECT 1 FROM settlements WHERE payer = p_payer AND status = 'open' AND spent = 0 LIMIT p_limit)
    UNION ALL
    (SELECT 1 FROM channel_requests WHERE payer = p_payer AND status = 'reserved' AND spent = 0 LIMIT p_limit)) AS under_way;
  -- As soon as one of them is paid for.
  RETURN CASE WHEN coalesce(cardinality(v_given), 0) + v_under_way >= p_limit THEN interval '1 second' END;
END $function$
CREATE OR REPLACE FUNCTION public.guard_build()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$
CREATE OR REPLACE FUNCTION public.guard_capture()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_key_is_known boolean := coalesce(OLD.key_first_sent_at > clock_now() - interval '23 hours', false);
BEGIN
  IF (NEW.payment_id, NEW.amount, NEW.final, NEW.idempotency_key, NEW.asked_by) IS DISTINCT FROM
     (OLD.payment_id, OLD.amount, OLD.final, OLD.idempotency_key, OLD.asked_by)
    OR (OLD.key_first_sent_at IS NOT NULL AND NEW.key_first_sent_at IS DISTINCT FROM OLD.key_first_sent_at) THEN
    RAISE EXCEPTION 'capture %: what is captured never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.status <> 'open' AND NOT (OLD.status = 'refused' AND NEW.status = 'done') THEN
    RAISE EXCEPTION 'capture %: it has ended', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION 'capture %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts > OLD.attempts AND OLD.certainty NOT IN ('not_sent', 'absent') AND NOT (OLD.certainty = 'unknown' AND v_key_is_known) THEN
    RAISE EXCEPTION 'capture %: it may have been carried out, and is not sent again before that is known', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.absences > OLD.absences AND (NEW.absences <> OLD.absences + 1 OR NEW.last_absence_at IS NULL
      OR NEW.last_absence_at < OLD.last_absence_at + interval '10 minutes') THEN
    RAISE EXCEPTION 'capture %: absences this close together are one proof', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') AND NOT (NEW.certainty = 'absent' AND (NEW.absences >= 3
      OR (NEW.status = 'refused' AND v_key_is_known) OR (SELECT provider_final FROM payments WHERE id = NEW.payment_id))) THEN
    RAISE EXCEPTION 'capture %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_cause_part()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_cause causes;
  v_total numeric;
BEGIN
  PERFORM 1 FROM orders WHERE id = NEW.order_id FOR UPDATE;
  SELECT * INTO v_cause FROM causes WHERE id = NEW.cause_id AND order_id = NEW.order_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'cause %: it is none of order %', NEW.cause_id, NEW.order_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.position > 0 AND NOT EXISTS (SELECT 1 FROM order_items WHERE order_id = NEW.order_id AND position = NEW.position) THEN
    RAISE EXCEPTION 'cause %: order % has no line %', NEW.cause_id, NEW.order_id, NEW.position USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(amount), 0) + NEW.amount INTO v_total FROM cause_parts WHERE cause_id = NEW.cause_id;
  IF v_total > v_cause.amount THEN
    RAISE EXCEPTION 'cause %: its parts come to % of %', NEW.cause_id, v_total, v_cause.amount USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_counted()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_counted numeric := NEW.counted;
  v_decided numeric;
BEGIN
  -- What stood for a share that is not due any more stands for nothing again, and a person hears of it (ask_about_others).
  IF NEW.status = 'written_off' AND OLD.status <> 'written_off' AND OLD.counted > 0 THEN
    NEW.counted := 0;
    WITH freed AS (DELETE FROM foreign_decisions WHERE reversal_id = OLD.id RETURNING *)
      INSERT INTO foreign_reversals (stripe_reversal_id, transfer_id, amount, freed)
        SELECT stripe_reversal_id, transfer_id, amount, true FROM freed
      ON CONFLICT (stripe_reversal_id) DO UPDATE SET told = false, freed = true;
    -- What was counted before ids were kept.
    IF NOT FOUND THEN
      UPDATE seller_transfers SET attention_reason = 'partly_foreign_reversal', attention_since = clock_now(),
          attention_detail = format('somebody else took %s %s of it back at Stripe for a share that is no longer due: the next refund will ask what that stands for, or pay the seller back at Stripe; acknowledge with adopt', v_counted, OLD.currency)
        WHERE id = OLD.transfer_id AND attention_reason IS NULL;
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.counted = OLD.counted THEN RETURN NEW; END IF;
  IF NEW.params IS NOT NULL AND NEW.status <> 'reversed' THEN
    RAISE EXCEPTION 'reversal %: what is frozen with a key is not made smaller', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(counted), 0) + NEW.counted INTO v_counted FROM reversals WHERE transfer_id = OLD.transfer_id AND id <> OLD.id;
  SELECT foreign_decided + coalesce((SELECT sum(amount) FROM foreign_decisions WHERE transfer_id = OLD.transfer_id), 0)
    INTO v_decided FROM seller_transfers WHERE id = OLD.transfer_id;
  IF v_counted > v_decided THEN
    RAISE EXCEPTION 'reversal %: % are counted of the % that others took', OLD.id, v_counted, v_decided USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_debt_offset()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_debt reversals;
  v_transfer seller_transfers;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.reversal_id, NEW.transfer_id, NEW.amount, NEW.currency) IS DISTINCT FROM (OLD.reversal_id, OLD.transfer_id, OLD.amount, OLD.currency)
      OR OLD.status <> 'reserved' THEN
      RAISE EXCEPTION 'offset %: what it is never changes, and it ends once', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  SELECT * INTO v_debt FROM reversals WHERE id = NEW.reversal_id;
  SELECT * INTO v_transfer FROM seller_transfers WHERE id = NEW.transfer_id;
  IF (v_debt.seller_account, v_debt.currency, v_transfer.currency, v_debt.amount) IS DISTINCT FROM
     (v_transfer.seller_account, NEW.currency, NEW.currency, NEW.amount) OR v_debt.debt_since IS NULL THEN
    RAISE EXCEPTION 'offset of reversal % against transfer %: another seller, currency or amount, or no debt', NEW.reversal_id, NEW.transfer_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_dispute()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.psp_account, NEW.provider_dispute_id) IS DISTINCT FROM (OLD.psp_account, OLD.provider_dispute_id)
    OR (OLD.named_by IS NOT NULL AND NEW.named_by IS NULL) THEN
    RAISE EXCEPTION 'dispute %: which one it is never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.order_id, NEW.payment_id) IS DISTINCT FROM (OLD.order_id, OLD.payment_id) THEN
    IF OLD.holds OR NEW.holds OR EXISTS (SELECT 1 FROM dispute_withdrawals WHERE dispute_id = OLD.id) THEN
      RAISE EXCEPTION 'dispute %: something followed from it, so it stays with its payment', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM payments WHERE id = NEW.payment_id AND order_id = NEW.order_id) THEN
      RAISE EXCEPTION 'dispute %: its payment is of another order', OLD.id USING ERRCODE = 'check_violation';
    END IF;
  ELSIF OLD.hyperswitch_dispute_id IS NOT NULL AND NEW.hyperswitch_dispute_id IS DISTINCT FROM OLD.hyperswitch_dispute_id THEN
    RAISE EXCEPTION 'dispute %: which one it is never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_drift()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.state <> 'suspected' THEN RAISE EXCEPTION 'drift % was told, and is kept', OLD.id; END IF;
    RETURN OLD;
  END IF;
  IF OLD.state = 'closed' THEN RAISE EXCEPTION 'drift % is closed', OLD.id; END IF;
  IF OLD.state = 'open' AND NEW.state = 'suspected' THEN RAISE EXCEPTION 'drift % was told already', OLD.id; END IF;
  IF (NEW.id, NEW.kind, NEW.provider, NEW.provider_id, NEW.item_id) IS DISTINCT FROM (OLD.id, OLD.kind, OLD.provider, OLD.provider_id, OLD.item_id)
  THEN RAISE EXCEPTION 'drift % is about something else', OLD.id; END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_money_call()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  what text := TG_ARGV[0] || ' ' || OLD.id;
  proofs int := coalesce(TG_ARGV[1]::int, 1);
  apart interval := TG_ARGV[2]::interval;
BEGIN
  IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
    RAISE EXCEPTION '%: what is done stays done', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.attempts < OLD.attempts THEN
    RAISE EXCEPTION '%: attempts are never forgotten', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.absences > OLD.absences AND apart IS NOT NULL
    AND (NEW.absences <> OLD.absences + 1 OR NEW.last_absence_at IS NULL OR NEW.last_absence_at < OLD.last_absence_at + apart) THEN
    RAISE EXCEPTION '%: absences this close together are one proof', what USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.generation = OLD.generation THEN
    IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') AND NOT (NEW.certainty = 'absent' AND NEW.absences >= proofs) THEN
      RAISE EXCEPTION '%: an unknown outcome is closed only by evidence', what USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.idempotency_key <> OLD.idempotency_key OR (OLD.params IS NOT NULL AND NEW.params IS DISTINCT FROM OLD.params)
      OR (OLD.key_first_sent_at IS NOT NULL AND NEW.key_first_sent_at IS DISTINCT FROM OLD.key_first_sent_at) THEN
      RAISE EXCEPTION '%: key and parameters are frozen for a generation', what USING ERRCODE = 'check_violation';
    END IF;
  ELSIF NEW.generation <> OLD.generation + 1 OR NEW.idempotency_key = OLD.idempotency_key OR NEW.certainty <> 'not_sent'
    OR NEW.key_first_sent_at IS NOT NULL
    OR NOT (OLD.certainty IN ('not_sent', 'absent') OR (OLD.certainty = 'unknown' AND OLD.absences >= 2)) THEN
    RAISE EXCEPTION '%: a new generation needs evidence that the earlier one moved nothing', what USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_new_capture()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_payment payments;
  v_total numeric;
BEGIN
  SELECT * INTO v_payment FROM payments WHERE id = NEW.payment_id FOR UPDATE;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM payment_captures WHERE payment_id = NEW.payment_id AND status <> 'refused';
  IF v_payment.capture_method = 'automatic' OR greatest(v_total, v_payment.captured) + NEW.amount > v_payment.amount THEN
    RAISE EXCEPTION 'capture %: % cannot be captured of payment %', NEW.id, NEW.amount, NEW.payment_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_offset_sum()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_transfer uuid := CASE TG_TABLE_NAME WHEN 'debt_offsets' THEN (to_jsonb(NEW) ->> 'transfer_id')::uuid ELSE (to_jsonb(NEW) ->> 'id')::uuid END;
  v_lessened numeric;
  v_sum numeric;
BEGIN
  SELECT offset_amount INTO v_lessened FROM seller_transfers WHERE id = v_transfer;
  SELECT coalesce(sum(amount), 0) INTO v_sum FROM debt_offsets WHERE transfer_id = v_transfer AND status <> 'reopened';
  IF v_lessened <> v_sum THEN
    RAISE EXCEPTION 'transfer %: it is sent for % less, and its offsets come to %', v_transfer, v_lessened, v_sum USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.guard_order_amount()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.ordered IS NOT NULL OR NEW.ordered IS DISTINCT FROM OLD.amount OR OLD.status NOT IN ('pending', 'payment_failed') THEN
    RAISE EXCEPTION 'order %: what it comes to changes once, to what was captured, before it is paid', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_order_item()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.ordered IS NOT NULL OR NEW.ordered IS DISTINCT FROM OLD.amount OR NEW.amount > OLD.amount OR NEW.fee > OLD.fee
    OR (NEW.order_id, NEW.position, NEW.id, NEW.kind, NEW.seller_account, NEW.description, NEW.release_kind, NEW.release_after_ms) IS DISTINCT FROM
       (OLD.order_id, OLD.position, OLD.id, OLD.kind, OLD.seller_account, OLD.description, OLD.release_kind, OLD.release_after_ms)
    OR EXISTS (SELECT 1 FROM seller_transfers WHERE order_id = OLD.order_id) THEN
    RAISE EXCEPTION 'order %: a line becomes less once, before anybody is promised anything of it', OLD.order_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_order_shares()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_paid numeric := coalesce((SELECT captured FROM payments WHERE order_id = NEW.order_id), 0);
  v_back numeric := coalesce((SELECT sum(amount) FROM causes WHERE order_id = NEW.order_id AND (stands OR borne)), 0);
  v_promised numeric;
  v_due numeric;
BEGIN
  SELECT coalesce(sum(promised), 0), coalesce(sum(due_back), 0) INTO v_promised, v_due FROM order_shares WHERE order_id = NEW.order_id;
  IF (v_promised, v_due) IS DISTINCT FROM (v_paid, v_back) THEN
    RAISE EXCEPTION 'order %: % captured and % back with the buyer are shared out as % and %', NEW.order_id, v_paid, v_back, v_promised, v_due
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.guard_payment()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.order_id, NEW.amount, NEW.currency, NEW.origin) IS DISTINCT FROM (OLD.order_id, OLD.amount, OLD.currency, OLD.origin) THEN
    RAISE EXCEPTION 'payment %: its order and amount never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.hyperswitch_payment_id IS NOT NULL AND NEW.hyperswitch_payment_id IS DISTINCT FROM OLD.hyperswitch_payment_id THEN
    RAISE EXCEPTION 'payment %: the id at the provider is never replaced', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  -- Whoever writes it off, and whoever has looked and found it ended here.
  IF NEW.next_check_at IS NULL AND NEW.written_off_at IS NOT NULL AND NEW.status IN ('failed', 'cancelled')
    AND NEW.certainty = 'done' AND NOT NEW.provider_final THEN
    NEW.next_check_at := clock_now() + least(greatest(clock_now() - NEW.written_off_at, interval '1 day'), interval '7 days');
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_refund()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_captured numeric;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.order_id, NEW.payment_id, NEW.amount, NEW.currency, NEW.origin) IS DISTINCT FROM
       (OLD.order_id, OLD.payment_id, OLD.amount, OLD.currency, OLD.origin)
      OR (NEW.generation = OLD.generation AND NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key) THEN
      RAISE EXCEPTION 'refund %: its order, amount and key never change', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.hyperswitch_refund_id IS NOT NULL AND NEW.hyperswitch_refund_id IS DISTINCT FROM OLD.hyperswitch_refund_id THEN
      RAISE EXCEPTION 'refund %: the id at the provider is never replaced', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = OLD.status OR NEW.status <> 'succeeded' THEN RETURN NEW; END IF;
  END IF;
  PERFORM 1 FROM orders WHERE id = NEW.order_id FOR UPDATE;
  SELECT CASE WHEN captured_known OR NEW.origin = 'api' THEN captured ELSE greatest(captured, amount) END INTO v_captured
    FROM payments WHERE id = NEW.payment_id AND order_id = NEW.order_id
      AND (captured > 0 OR NOT (captured_known OR NEW.origin = 'api'));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'refund %: order % is not paid', NEW.id, NEW.order_id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.origin = 'provider' AND NEW.status <> 'succeeded' THEN RETURN NEW; END IF;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM refunds WHERE order_id = NEW.order_id AND id <> NEW.id
    AND (status = 'succeeded' OR (TG_OP = 'INSERT' AND NEW.origin = 'api' AND status IN ('pending', 'review')));
  IF v_total + NEW.amount > v_captured THEN
    RAISE EXCEPTION 'refund %: % with % already refunded exceeds the % that were paid', NEW.id, NEW.amount, v_total, v_captured
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_release()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.release_kind, NEW.release_at) IS DISTINCT FROM (OLD.release_kind, OLD.release_at)
    OR (OLD.released_at IS NOT NULL AND NEW.released_at IS DISTINCT FROM OLD.released_at) THEN
    RAISE EXCEPTION 'transfer %: when it may be sent never changes, and it is released once', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_reversal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_transfer seller_transfers;
  v_total numeric;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.refund_id, NEW.withdrawal_id, NEW.transfer_id, NEW.order_id, NEW.seller_account, NEW.currency, NEW.part) IS DISTINCT FROM
       (OLD.refund_id, OLD.withdrawal_id, OLD.transfer_id, OLD.order_id, OLD.seller_account, OLD.currency, OLD.part)
      OR (NEW.amount <> OLD.amount AND NOT (OLD.certainty IN ('not_sent', 'absent') AND NEW.params IS NULL
        AND (OLD.counted = 0 OR (NEW.amount < OLD.amount AND NEW.amount >= OLD.counted))
        AND ((OLD.status IN ('pending', 'waiting_balance') AND NEW.status = OLD.status)
          OR (OLD.status = 'written_off' AND OLD.voided AND NEW.status = 'pending')))) THEN
      RAISE EXCEPTION 'reversal %: what it takes back, and from whom, never changes once it may have been sent', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stripe_reversal_id IS NOT NULL AND NEW.stripe_reversal_id IS DISTINCT FROM OLD.stripe_reversal_id THEN
      RAISE EXCEPTION 'reversal %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.offset_done AND NOT OLD.offset_done AND NOT EXISTS (SELECT 1 FROM debt_offsets WHERE reversal_id = NEW.id AND status = 'moved') THEN
      RAISE EXCEPTION 'reversal %: no transfer was sent for less because of it', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.amount = OLD.amount AND (NEW.status = OLD.status OR OLD.status <> 'written_off') THEN RETURN NEW; END IF;
  END IF;
  SELECT * INTO v_transfer FROM seller_transfers WHERE id = NEW.transfer_id FOR UPDATE;
  IF (v_transfer.order_id, v_transfer.seller_account, v_transfer.currency) IS DISTINCT FROM (NEW.order_id, NEW.seller_account, NEW.currency) THEN
    RAISE EXCEPTION 'reversal %: it belongs to another order, seller or currency than its transfer', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  SELECT coalesce(sum(amount), 0) INTO v_total FROM reversals
    WHERE transfer_id = NEW.transfer_id AND id <> NEW.id AND status <> 'written_off';
  IF v_total + NEW.amount > v_transfer.amount + v_transfer.offset_amount THEN
    RAISE EXCEPTION 'reversal %: % with % already taken back exceeds the transfer of %', NEW.id, NEW.amount, v_total, v_transfer.amount + v_transfer.offset_amount
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_sent_amount()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_due numeric;
BEGIN
  IF TG_TABLE_NAME = 'reversals' THEN v_due := coalesce(NEW.sent_amount, NEW.amount - NEW.counted);
  ELSE v_due := coalesce(NEW.sent_amount, NEW.amount); END IF;
  IF (NEW.params::jsonb ->> 'amount')::numeric IS DISTINCT FROM v_due THEN
    RAISE EXCEPTION '% %: % are to be sent, not what is frozen: %', TG_TABLE_NAME, OLD.id, v_due, NEW.params USING ERRCODE = 'check_violation';
  END IF;
  IF TG_TABLE_NAME = 'seller_transfers' AND NEW.sent_amount IS NOT NULL THEN
    PERFORM 1 FROM payments WHERE order_id = NEW.order_id AND charge_currency = NEW.sent_currency
      AND NEW.sent_amount * charge_captured <= NEW.amount * charge_became;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'transfer %: % % is more than its share of what the charge became', OLD.id, NEW.sent_amount, NEW.sent_currency
        USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_sent_money()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.completed_at IS NOT NULL THEN
    RAISE EXCEPTION 'transfer %: in which currency it was sent, and how much, never changes', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_stands_once()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_TABLE_NAME = 'reversals' AND EXISTS (SELECT 1 FROM foreign_decisions WHERE stripe_reversal_id = NEW.stripe_reversal_id)
    OR TG_TABLE_NAME <> 'reversals' AND EXISTS (SELECT 1 FROM reversals WHERE stripe_reversal_id = NEW.stripe_reversal_id) THEN
    RAISE EXCEPTION '% stands for another share already', NEW.stripe_reversal_id USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_status()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NEW.status <> OLD.status AND NOT may_become(TG_ARGV[0], OLD.status, NEW.status) THEN
    RAISE EXCEPTION '% %: % cannot become %', TG_ARGV[0], OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_transfer()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.order_id, NEW.seller_account, NEW.currency, NEW.promised, NEW.origin) IS DISTINCT FROM
     (OLD.order_id, OLD.seller_account, OLD.currency, OLD.promised, OLD.origin) THEN
    RAISE EXCEPTION 'transfer %: order, seller, currency and promise never change', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.withheld, NEW.offset_amount) IS DISTINCT FROM (OLD.withheld, OLD.offset_amount) AND OLD.certainty NOT IN ('not_sent', 'absent') THEN
    RAISE EXCEPTION 'transfer %: only what was surely not sent can be withheld or offset', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.stripe_transfer_id IS NOT NULL AND NEW.stripe_transfer_id IS DISTINCT FROM OLD.stripe_transfer_id THEN
    RAISE EXCEPTION 'transfer %: the id at Stripe is never replaced', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_withdrawal()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF (NEW.dispute_id, NEW.order_id, NEW.source, NEW.amount, NEW.fee, NEW.out_at, NEW.continues) IS DISTINCT FROM
     (OLD.dispute_id, OLD.order_id, OLD.source, OLD.amount, OLD.fee, OLD.out_at, OLD.continues)
    OR (OLD.back_at IS NOT NULL AND NEW.back_at IS DISTINCT FROM OLD.back_at) THEN
    RAISE EXCEPTION 'withdrawal %: what left, and when it came back, never changes: the next is another one', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.platform_bears AND NOT OLD.platform_bears THEN
    RAISE EXCEPTION 'withdrawal %: what sellers bear goes back to them when it is back, and not before', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.guard_withdrawal_is_named()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM disputes WHERE id = NEW.dispute_id AND order_id = NEW.order_id AND named_by IS NOT NULL) THEN
    RAISE EXCEPTION 'withdrawal %: its dispute is of another order, or nobody has named it', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.hold_stripe_endpoint(p_endpoint text, p_tokens integer, p_lease interval, p_now timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_next_at timestamptz;
BEGIN
  INSERT INTO stripe_endpoints (endpoint, next_at) VALUES (p_endpoint, p_now) ON CONFLICT DO NOTHING;
  SELECT next_at INTO v_next_at FROM stripe_endpoints WHERE endpoint = p_endpoint FOR UPDATE;
  IF v_next_at > p_now + interval '1 second' + p_lease THEN
    -- Never given so far ahead: the clock was set back, and these dates mean nothing any more.
    v_next_at := p_now;
    UPDATE stripe_endpoints SET next_at = p_now WHERE endpoint = p_endpoint;
    UPDATE stripe_tokens SET free_at = p_now + interval '1 second' WHERE endpoint = p_endpoint;
  END IF;
  -- Also where the limit was raised since.
  IF NOT EXISTS (SELECT 1 FROM stripe_tokens WHERE endpoint = p_endpoint AND token = p_tokens) THEN
    INSERT INTO stripe_tokens (endpoint, token, free_at) SELECT p_endpoint, nth, p_now FROM generate_series(1, p_tokens) nth
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN v_next_at;
END $function$
CREATE OR REPLACE FUNCTION public.is_out_of_step(id uuid, at timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
AS $function$
BEGIN
  RETURN abs(('x' || substr(id::text, 1, 8) || substr(id::text, 10, 4))::bit(48)::bigint - extract(epoch FROM at) * 1000) > 60000;
END $function$
CREATE OR REPLACE FUNCTION public.item_is_taken_out()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_order uuid;
BEGIN
  IF NEW.item_kind = 'settlement' THEN
    PERFORM 1 FROM settlements WHERE id = NEW.item_id FOR KEY SHARE;
    UPDATE settlements SET archived_at = NULL WHERE id = NEW.item_id AND archived_at IS NOT NULL;
    RETURN NULL;
  END IF;
  EXECUTE format('SELECT order_id FROM %I WHERE id = $1',
    CASE NEW.item_kind WHEN 'payment' THEN 'payments' WHEN 'refund' THEN 'refunds' WHEN 'transfer' THEN 'seller_transfers'
      WHEN 'reversal' THEN 'reversals' ELSE 'disputes' END) INTO v_order USING NEW.item_id;
  PERFORM 1 FROM orders WHERE id = v_order FOR KEY SHARE;
  PERFORM 1 FROM orders WHERE id = v_order AND archived_at IS NOT NULL;
  IF FOUND THEN PERFORM take_out_order(v_order); END IF;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.keep_decision()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.state <> 'pending_approval' THEN
    RAISE EXCEPTION 'decision % is % and stays so', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.id, NEW.item_kind, NEW.item_id, NEW.action, NEW."by", NEW.authenticated, NEW.note, NEW.evidence, NEW.requested_at,
      NEW.rests_on, NEW.amount, NEW.currency, NEW.asked_reason, NEW.asked_detail)
    IS DISTINCT FROM (OLD.id, OLD.item_kind, OLD.item_id, OLD.action, OLD."by", OLD.authenticated, OLD.note, OLD.evidence,
      OLD.requested_at, OLD.rests_on, OLD.amount, OLD.currency, OLD.asked_reason, OLD.asked_detail)
    OR (OLD.first_approver IS NOT NULL AND NEW.first_approver IS DISTINCT FROM OLD.first_approver) THEN
    RAISE EXCEPTION 'decision %: what was asked cannot be changed', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.may_become(kind text, was text, becomes text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT (kind, was, becomes) IN (
    ('order', 'pending', 'paid'), ('order', 'pending', 'payment_failed'), ('order', 'payment_failed', 'paid'),
    ('order', 'paid', 'partially_refunded'), ('order', 'paid', 'refunded'),
    ('order', 'partially_refunded', 'refunded'), ('order', 'partially_refunded', 'paid'),
    ('order', 'refunded', 'partially_refunded'), ('order', 'refunded', 'paid'),
    ('payment', 'pending', 'processing'), ('payment', 'pending', 'succeeded'), ('payment', 'pending', 'failed'),
    ('payment', 'pending', 'cancelled'), ('payment', 'processing', 'pending'), ('payment', 'processing', 'succeeded'),
    ('payment', 'processing', 'failed'), ('payment', 'processing', 'cancelled'), ('payment', 'failed', 'pending'),
    ('payment', 'failed', 'processing'), ('payment', 'failed', 'succeeded'), ('payment', 'failed', 'cancelled'),
    ('payment', 'cancelled', 'succeeded'),
    ('refund', 'pending', 'review'), ('refund', 'pending', 'succeeded'), ('refund', 'pending', 'failed'),
    ('refund', 'review', 'pending'), ('refund', 'review', 'succeeded'), ('refund', 'review', 'failed'),
    ('refund', 'succeeded', 'failed'), ('refund', 'failed', 'succeeded'),
    ('transfer', 'pending', 'completed'), ('transfer', 'pending', 'failed'), ('transfer', 'pending', 'cancelled'),
    ('transfer', 'failed', 'completed'), ('transfer', 'failed', 'cancelled'), ('transfer', 'failed', 'permanently_failed'),
    ('transfer', 'pending', 'waiting_platform_balance'), ('transfer', 'pending', 'waiting_seller'),
    ('transfer', 'failed', 'waiting_platform_balance'), ('transfer', 'failed', 'waiting_seller'),
    ('transfer', 'permanently_failed', 'waiting_platform_balance'), ('transfer', 'permanently_failed', 'waiting_seller'),
    ('transfer', 'waiting_platform_balance', 'pending'), ('transfer', 'waiting_platform_balance', 'cancelled'),
    ('transfer', 'waiting_seller', 'pending'), ('transfer', 'waiting_seller', 'cancelled'),
    ('transfer', 'pending', 'held'), ('transfer', 'held', 'pending'), ('transfer', 'held', 'cancelled'), ('transfer', 'held', 'permanently_failed'),
    ('transfer', 'completed', 'reversal_pending'),
    ('transfer', 'reversal_pending', 'reversed'), ('transfer', 'reversal_pending', 'partially_reversed'),
    ('transfer', 'reversal_pending', 'completed'), ('transfer', 'reversal_pending', 'permanently_failed'),
    ('transfer', 'partially_reversed', 'reversal_pending'), ('transfer', 'partially_reversed', 'reversed'),
    ('transfer', 'permanently_failed', 'reversal_pending'), ('transfer', 'permanently_failed', 'reversed'),
    ('transfer', 'permanently_failed', 'partially_reversed'), ('transfer', 'permanently_failed', 'completed'),
    ('reversal', 'pending', 'waiting_balance'), ('reversal', 'pending', 'reversed'),
    ('reversal', 'pending', 'permanently_failed'), ('reversal', 'pending', 'written_off'),
    ('reversal', 'waiting_balance', 'pending'), ('reversal', 'waiting_balance', 'reversed'),
    ('reversal', 'waiting_balance', 'permanently_failed'), ('reversal', 'waiting_balance', 'written_off'),
    ('reversal', 'permanently_failed', 'pending'), ('reversal', 'permanently_failed', 'reversed'),
    ('reversal', 'permanently_failed', 'written_off'), ('reversal', 'written_off', 'reversed'),
    ('reversal', 'written_off', 'pending'))
$function$
CREATE OR REPLACE FUNCTION public.message_stays()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF OLD.state <> 'waiting' AND NEW IS DISTINCT FROM OLD OR OLD.contents IS NOT NULL AND NEW.contents IS DISTINCT FROM OLD.contents THEN
    RAISE EXCEPTION 'message % has ended, or its contents are frozen', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.name_answer(p_id uuid, p_name text, p_request text, p_keep interval, p_longest interval)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
BEGIN
  DELETE FROM named_answers a USING settlements s
    WHERE a.name_sha256 = p_name AND s.id = a.id AND (s.status = 'released' OR a.erase_at <= clock_now()
      OR (s.status = 'written_off' AND s.certainty IN ('not_sent', 'absent')));
  INSERT INTO named_answers (id, name_sha256, request_sha256, keep, erase_at)
    VALUES (p_id, p_name, p_request, p_keep, clock_now() + p_longest + p_keep);
  RETURN true;
END $function$
CREATE OR REPLACE FUNCTION public.new_uuid_v7()
 RETURNS uuid
 LANGUAGE sql
AS $function$
  SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
    substring(int8send((extract(epoch FROM clock_now()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
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
END $function$
CREATE OR REPLACE FUNCTION public.note_return()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$
CREATE OR REPLACE FUNCTION public.note_reversed_money()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_sent numeric;
  v_taken numeric;
BEGIN
  IF NEW.params IS DISTINCT FROM OLD.params THEN NEW.sent_amount := NULL; END IF;
  SELECT sent_amount INTO v_sent FROM seller_transfers WHERE id = OLD.transfer_id;
  IF v_sent IS NULL THEN
    IF NEW.sent_amount IS NOT NULL THEN
      RAISE EXCEPTION 'reversal %: its transfer was sent in its own currency', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.counted > 0 THEN
    RAISE EXCEPTION 'reversal %: amounts of different currencies are never counted for one another', OLD.id USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.params IS NOT NULL AND NEW.params IS DISTINCT FROM OLD.params THEN NEW.sent_amount := (NEW.params::jsonb ->> 'amount')::numeric; END IF;
  IF NEW.sent_amount IS NULL OR NEW.sent_amount IS NOT DISTINCT FROM OLD.sent_amount THEN RETURN NEW; END IF;
  SELECT taken INTO v_taken FROM taken_beside(OLD.transfer_id, OLD.id);
  IF v_taken + NEW.sent_amount > v_sent THEN
    RAISE EXCEPTION 'reversal %: % with % already taken back exceeds the % that were sent', OLD.id, NEW.sent_amount, v_taken, v_sent
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.note_sent_money()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_currency text := upper(NEW.params::jsonb ->> 'currency');
  v_rate text;
BEGIN
  NEW.sent_currency := NULL;
  NEW.sent_amount := NULL;
  NEW.exchange_rate := NULL;
  IF NEW.params IS NULL OR v_currency = NEW.currency THEN RETURN NEW; END IF;
  SELECT exchange_rate INTO v_rate FROM payments WHERE order_id = NEW.order_id AND charge_id = NEW.params::jsonb ->> 'source_transaction'
    AND charge_currency = v_currency AND charge_paid_in = NEW.currency AND charge_became IS NOT NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'transfer %: nothing is sent in %, a currency that was not read for it: %', OLD.id, v_currency, NEW.params USING ERRCODE = 'check_violation';
  END IF;
  NEW.sent_currency := v_currency;
  NEW.sent_amount := (NEW.params::jsonb ->> 'amount')::numeric;
  NEW.exchange_rate := v_rate;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.open_payment_session(p_settlement jsonb, p_sealed bytea, p_lease uuid, p_epoch bigint, p_close_token uuid, p_longest interval, p_limit_payer numeric, p_limit_total numeric, p_limit_released integer, OUT outcome text, OUT room_after interval)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
DECLARE
  s settlements := jsonb_populate_record(NULL::settlements, p_settlement);
  v_now timestamptz := clock_now();
BEGIN
  PERFORM 1 FROM server_leases WHERE id = p_lease AND epoch = p_epoch AND ended_at IS NULL AND lapses_at > v_now;
  IF NOT FOUND THEN outcome := 'lease_lost'; RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('identity ' || s.identity, 0));
  IF EXISTS (SELECT 1 FROM settlements WHERE identity = s.identity AND status <> 'released')
  THEN outcome := 'identity_used'; RETURN; END IF;
  IF s.payer IS NOT NULL THEN
    IF EXISTS (SELECT 1 FROM settlements WHERE payer = s.payer AND status = 'needs_attention' AND uncollectable)
    THEN outcome := 'payer_uncollectable'; RETURN; END IF;
    room_after := free_answers_full_for(s.payer, p_limit_released);
    IF room_after IS NOT NULL THEN outcome := 'released_limit'; RETURN; END IF;
  END IF;
  IF s.voucher_channel IS NOT NULL THEN
    s.voucher_place := place_of_voucher(s.voucher_channel, s.voucher_cumulative, s.cap);
    IF s.voucher_place IS NULL THEN
      outcome := CASE WHEN voucher_channel_closes(s.voucher_channel) THEN 'channel_closes' ELSE 'voucher_spent' END;
      RETURN;
    END IF;
  END IF;
  IF p_limit_total IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND status IN ('open', 'pending', 'needs_attention')) > p_limit_total
    THEN outcome := 'exposure_total'; RETURN; END IF;
  END IF;
  IF p_limit_payer IS NOT NULL AND s.payer IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('exposure ' || s.route || ' ' || s.payer, 0));
    IF s.cap + (SELECT coalesce(sum(CASE status WHEN 'open' THEN cap ELSE spent END), 0) FROM settlements
      WHERE route = s.route AND payer = s.payer AND status IN ('open', 'pending', 'needs_attention')) > p_limit_payer
    THEN outcome := 'exposure_payer'; RETURN; END IF;
  END IF;
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, asset, decimals, cap,
      payer, route, lookup, context, sealed, sealed_kind, sealed_key_id, expires_at, erase_at, next_check_at, created_at,
      voucher_channel, voucher_cumulative, voucher_place, voucher_challenge)
    VALUES (s.id, s.key, s.identity, s.content_sha256, 'session', s.protocol, s.provider, 'open', s.asset, s.decimals, s.cap,
      s.payer, s.route, s.lookup, s.context, p_sealed, 'credential', s.sealed_key_id, s.expires_at,
      erase_date(s.expires_at), v_now + p_longest, v_now, s.voucher_channel, s.voucher_cumulative, s.voucher_place,
      s.voucher_challenge)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN outcome := 'identity_used'; RETURN; END IF;
  INSERT INTO payment_sessions (id, lease_id, epoch, close_token, deadline, opened_at)
    VALUES (s.id, p_lease, p_epoch, p_close_token, v_now + p_longest, v_now);
  outcome := 'opened';
END $function$
CREATE OR REPLACE FUNCTION public.order_is_taken_out()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM 1 FROM orders WHERE id = NEW.order_id AND archived_at IS NOT NULL;
  IF FOUND THEN PERFORM take_out_order(NEW.order_id); END IF;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.park_provider(p_provider text, p_detail text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_now timestamptz := clock_now();
  v_every interval;
BEGIN
  INSERT INTO provider_breakers (provider) VALUES (p_provider) ON CONFLICT DO NOTHING;
  SELECT least(coalesce(probe_every * 2, interval '1 second'), interval '1 minute') INTO v_every
    FROM provider_breakers WHERE provider = p_provider FOR UPDATE;
  INSERT INTO operation_events (item_kind, item_id, kind, answer_class, detail)
    SELECT 'provider', p_provider, 'parked', 'config', jsonb_build_object('detail', p_detail)
    FROM provider_breakers WHERE provider = p_provider AND state = 'closed';
  UPDATE provider_breakers SET state = 'open', reason = 'config', detail = p_detail,
      opened_at = coalesce(opened_at, v_now), probe_every = v_every, probe_at = v_now + v_every
    WHERE provider = p_provider AND (state <> 'open' OR probe_at <= v_now);
END $function$
CREATE OR REPLACE FUNCTION public.payment_keeps_its_terms()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'payment %: how it is captured, for whom, and what of it paid the order never changes', OLD.id USING ERRCODE = 'check_violation';
END $function$
CREATE OR REPLACE FUNCTION public.payment_may_be_disputed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.disputes_look_at := clock_now() + interval '1 hour';
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.payment_stays_where_it_is()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'payment %: its provider, and what Stripe calls it, never change', OLD.id USING ERRCODE = 'check_violation';
END $function$
CREATE OR REPLACE FUNCTION public.place_of_voucher(p_channel text, p_cumulative numeric, p_more numeric)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_taken numeric;
  v_last bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('voucher ' || p_channel, 0));
  IF voucher_channel_closes(p_channel) THEN RETURN NULL; END IF;
  INSERT INTO voucher_channels (channel, taken) VALUES (p_channel, 0) ON CONFLICT DO NOTHING;
  WITH added AS (DELETE FROM voucher_changes WHERE channel = p_channel RETURNING amount)
    UPDATE voucher_channels SET taken = taken + (SELECT coalesce(sum(amount), 0) FROM added) WHERE channel = p_channel
    RETURNING taken INTO v_taken;
  SELECT coalesce(max(voucher_place), 0) INTO v_last FROM settlements WHERE voucher_channel = p_channel;
  RETURN CASE WHEN p_cumulative >= v_taken + p_more THEN v_last + 1 END;
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
  v_owed boolean;
  s settlements;
BEGIN
  SELECT * INTO s FROM settlements WHERE id = v_id FOR UPDATE;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, answer_class, detail)
    VALUES ('settlement', v_id::text, v_now, 'answered', p ->> 'certainty', s.key, p ->> 'answer',
      jsonb_strip_nulls(jsonb_build_object('runner', p -> 'runner', 'detail', p -> 'detail', 'decision', p -> 'do',
        'reason', p -> 'reason', 'after_ms', p -> 'after_ms', 'settled_amount', p -> 'settled_amount')));
  IF p ->> 'provider_outcome' IS NOT NULL THEN
    PERFORM note_provider(s.provider, p ->> 'provider_outcome', p ->> 'detail');
  END IF;

  -- The next voucher of this channel has waited for this one. A row that somebody holds is looked at by whoever holds it.
  IF s.voucher_channel IS NOT NULL AND v_do IN ('finish', 'ask') THEN
    UPDATE settlements SET next_check_at = v_now WHERE id = (
      SELECT id FROM settlements WHERE voucher_channel = s.voucher_channel AND voucher_place > s.voucher_place AND status = 'pending'
        AND blocked_by IS NULL AND runner IS NULL ORDER BY voucher_place LIMIT 1 FOR UPDATE SKIP LOCKED);
  END IF;

  IF v_do = 'finish' THEN
    UPDATE settlements SET
        status = 'settled', certainty = 'done', settled_at = coalesce(settled_at, v_now),
        settled_amount = coalesce(p ->> 'settled_amount', settled_amount),
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
    -- Nothing was served for it and no money moved: nobody owes anything, and nobody has to look at it.
    v_owed := NOT (p ->> 'certainty' = 'absent' AND (s.answer IS NOT DISTINCT FROM 'due' OR s.tops_up IS NOT NULL));
    IF v_owed AND p ->> 'reason' = 'uncollectable' AND s.payer IS NOT NULL THEN
      -- One attention item per payer: the lock makes "is there one already?" certain.
      PERFORM pg_advisory_xact_lock(hashtextextended('uncollectable ' || s.payer, 0));
      SELECT id INTO v_blocker FROM settlements
        WHERE payer = s.payer AND status = 'needs_attention' AND uncollectable;
    END IF;
    UPDATE settlements SET
        status = CASE WHEN v_blocker IS NULL THEN 'needs_attention' ELSE status END,
        attention_reason = CASE WHEN v_blocker IS NULL THEN p ->> 'reason' END,
        attention_since = CASE WHEN v_blocker IS NULL THEN v_now END,
        attention_detail = CASE WHEN v_blocker IS NULL THEN p ->> 'detail' END,
        blocked_by = v_blocker,
        uncollectable = v_owed AND v_blocker IS NULL AND p ->> 'reason' = 'uncollectable',
        certainty = p ->> 'certainty',
        already_settled = already_settled OR (p ->> 'already_settled')::boolean,
        suspected_elsewhere = suspected_elsewhere OR p ->> 'reason' = 'settled_elsewhere_suspected',
        tx_hash = coalesce(p ->> 'tx_hash', tx_hash), settled_amount = coalesce(p ->> 'settled_amount', settled_amount),
        runner = NULL, runner_until = NULL, next_retry_at = NULL, last_answer = p ->> 'answer',
        -- a shared workflow has no signal of its own: whoever did not settle in it goes on alone
        workflow_id = 'settlement/' || v_id,
        first_failure_at = coalesce(first_failure_at, v_failed_at), first_failure_reason = coalesce(first_failure_reason, v_failure),
        next_check_at = v_now + interval '1 minute'
      WHERE id = v_id RETURNING status INTO v_status;
    IF NOT v_owed THEN
      UPDATE settlements SET
          status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL, next_check_at = NULL,
          sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = v_now
        WHERE id = v_id RETURNING status INTO v_status;
      INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, detail)
        VALUES ('settlement', v_id::text, v_now, 'given_up', 'absent',
          jsonb_build_object('why', 'refused before its release: nothing was served and no money moved'));
    END IF;
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
CREATE OR REPLACE FUNCTION public.refresh_transfer(p_id uuid)
 RETURNS text
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_was text;
  v_now text;
  v_reversed numeric;
  v_retry timestamptz;
BEGIN
  SELECT s.status, coalesce(sum(v.amount) FILTER (WHERE v.status = 'reversed'), 0),
      min(v.next_retry_at) FILTER (WHERE v.status IN ('pending', 'waiting_balance')),
      CASE
        WHEN bool_or(v.status = 'permanently_failed') THEN 'permanently_failed'
        WHEN bool_or(v.status IN ('pending', 'waiting_balance')) THEN 'reversal_pending'
        WHEN coalesce(sum(v.amount) FILTER (WHERE v.status = 'reversed'), 0) = s.amount + s.offset_amount THEN 'reversed'
        WHEN bool_or(v.status = 'reversed') THEN 'partially_reversed'
        ELSE 'completed'
      END
    INTO v_was, v_reversed, v_retry, v_now
    FROM seller_transfers s LEFT JOIN reversals v ON v.transfer_id = s.id
    WHERE s.id = p_id AND s.completed_at IS NOT NULL GROUP BY s.id;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF v_was <> v_now AND NOT may_become('transfer', v_was, v_now) THEN
    UPDATE seller_transfers SET status = 'reversal_pending' WHERE id = p_id;
  END IF;
  UPDATE seller_transfers SET amount_reversed = v_reversed, status = v_now,
      next_retry_at = CASE WHEN v_now = 'reversal_pending' THEN v_retry END
    WHERE id = p_id;
  RETURN v_now;
END $function$
CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'restrict_violation', HINT = 'Write a further row that corrects the earlier one.';
END $function$
CREATE OR REPLACE FUNCTION public.return_stripe_token(p_endpoint text, p_token integer, p_taken bigint, p_overall_token integer, p_overall_taken bigint, p_since_ms double precision, p_now timestamp with time zone DEFAULT clock_timestamp())
 RETURNS void
 LANGUAGE sql
AS $function$
  UPDATE stripe_tokens SET free_at = p_now - p_since_ms * interval '1 millisecond' + interval '1005 milliseconds'
    WHERE endpoint = p_endpoint AND token = p_token AND taken = p_taken;
  UPDATE stripe_tokens SET free_at = p_now - p_since_ms * interval '1 millisecond' + interval '1005 milliseconds'
    WHERE endpoint = '*' AND token = p_overall_token AND taken = p_overall_taken;
$function$
CREATE OR REPLACE FUNCTION public.reversal_before(p_id uuid)
 RETURNS uuid
 LANGUAGE sql
 STABLE
AS $function$
  SELECT r.id FROM reversals x JOIN reversals r ON r.transfer_id = x.transfer_id AND r.id <> x.id
      JOIN causes c ON c.id = coalesce(r.refund_id, r.withdrawal_id)
    WHERE x.id = p_id AND ((r.runner IS NOT NULL AND r.runner_until > clock_now())
      OR (r.status = 'pending' AND c.stands AND r.place < x.place))
    ORDER BY r.place LIMIT 1
$function$
CREATE OR REPLACE FUNCTION public.settlement_may_become(was text, becomes text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT (was, becomes) IN (
    ('open', 'pending'), ('open', 'released'), ('open', 'needs_attention'),
    ('pending', 'settled'), ('pending', 'needs_attention'),
    ('needs_attention', 'pending'), ('needs_attention', 'settled'), ('needs_attention', 'written_off'),
    ('needs_attention', 'released'), ('written_off', 'settled'))
$function$
CREATE OR REPLACE FUNCTION public.settlement_was_never_sent(s settlements)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT s.source = 'session' AND s.certainty = 'not_sent' AND s.attempts = 0 AND s.first_sent_at IS NULL AND s.runner IS NULL
$function$
CREATE OR REPLACE FUNCTION public.settlements_guard()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_taken_back numeric := 0;
  v_broken text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status NOT IN ('open', 'pending', 'needs_attention') THEN
      RAISE EXCEPTION 'a settlement cannot begin as %', NEW.status USING ERRCODE = 'check_violation';
    END IF;
  ELSE
    v_taken_back := coalesce(NEW.unserved, 0) - coalesce(OLD.unserved, 0);
    IF NEW.status <> OLD.status AND NOT settlement_may_become(OLD.status, NEW.status)
      -- No move of its own: only with what is taken back.
      AND NOT (OLD.status = 'pending' AND NEW.status = 'released' AND v_taken_back <> 0) THEN
      RAISE EXCEPTION 'settlement %: % cannot become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.certainty = 'done' AND NEW.certainty <> 'done' THEN
      RAISE EXCEPTION 'settlement %: what is done stays done', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.certainty = 'unknown' AND NEW.certainty NOT IN ('unknown', 'done') THEN
      RAISE EXCEPTION 'settlement %: an unknown outcome is closed only by evidence', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF v_taken_back <> 0 THEN
      -- The one way in which an amount shrinks: by what is said to be unserved, at the close or before anything was sent for it.
      IF v_taken_back < 0 OR NEW.spent + v_taken_back <> OLD.spent OR NEW.status NOT IN ('pending', 'released')
        OR OLD.status NOT IN ('open', 'pending') OR NOT settlement_was_never_sent(OLD) OR NOT settlement_was_never_sent(NEW) THEN
        RAISE EXCEPTION 'settlement %: what was charged cannot be taken back any more', OLD.id USING ERRCODE = 'check_violation';
      END IF;
    ELSE
      IF OLD.status <> 'open' AND NEW.spent <> OLD.spent THEN
        RAISE EXCEPTION 'settlement %: the amount is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
      END IF;
      IF NEW.spent < OLD.spent THEN
        RAISE EXCEPTION 'settlement %: what was spent cannot shrink', OLD.id USING ERRCODE = 'check_violation';
      END IF;
      IF OLD.body_sha256 IS NOT NULL AND NEW.body_sha256 IS DISTINCT FROM OLD.body_sha256 THEN
        RAISE EXCEPTION 'settlement %: the body is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
      END IF;
    END IF;
    IF OLD.status <> 'open' AND NEW.cap IS DISTINCT FROM OLD.cap THEN
      RAISE EXCEPTION 'settlement %: the amount is frozen at the close', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.identity, NEW.key, NEW.protocol, NEW.asset, NEW.decimals) IS DISTINCT FROM (OLD.identity, OLD.key, OLD.protocol, OLD.asset, OLD.decimals) THEN
      RAISE EXCEPTION 'settlement %: its identity, key, protocol and asset never change', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.attempts < OLD.attempts THEN
      RAISE EXCEPTION 'settlement %: attempts are never forgotten', OLD.id USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  v_broken := CASE
    WHEN NOT (NEW.answer IS NULL OR NEW.spent > 0) THEN 'answer_is_paid_for'
    WHEN NOT ((NEW.status = 'needs_attention') = (NEW.attention_reason IS NOT NULL)
      OR NEW.status = 'settled' AND NEW.attention_reason = 'late_success') THEN 'attention_has_a_reason'
    WHEN NOT ((NEW.attention_reason IS NULL) = (NEW.attention_since IS NULL)
      AND (NEW.attention_reason IS NULL) = (NEW.attention_detail IS NULL)) THEN 'attention_is_whole'
    WHEN NOT ((NEW.source = 'channel') = (NEW.channel_id IS NOT NULL) AND (NEW.source = 'channel') = (NEW.provider = 'tempo')) THEN 'capture_is_whole'
    WHEN NOT (NEW.channel_id IS NULL
      OR (NEW.lookup ->> 'kind' IN ('settle', 'close') AND NEW.lookup ->> 'capture' ~ '^[0-9]+$') IS TRUE) THEN 'capture_says_what_it_takes'
    WHEN NOT (NOT NEW.voucher_closes OR NEW.voucher_channel IS NOT NULL AND NEW.spent = 0) THEN 'close_takes_nothing'
    WHEN NOT (NEW.status <> 'pending' OR NEW.sealed_kind = 'body' OR NEW.erased_at IS NOT NULL) THEN 'pending_has_a_body'
    WHEN NOT (NEW.status <> 'released' OR NEW.spent = 0) THEN 'released_owes_nothing'
    WHEN NOT (NEW.status <> 'released' OR NEW.certainty = 'not_sent' AND NEW.attempts = 0) THEN 'released_was_never_sent'
    WHEN NOT ((NEW.runner IS NULL) = (NEW.runner_until IS NULL)) THEN 'runner_is_whole'
    WHEN NOT ((NEW.sealed IS NULL) = (NEW.sealed_key_id IS NULL) AND (NEW.sealed IS NULL) = (NEW.sealed_kind IS NULL)) THEN 'sealed_is_whole'
    WHEN NOT (NEW.answer IS DISTINCT FROM 'serving'
      OR NEW.status = 'settled' AND NEW.answer_token IS NOT NULL AND NEW.answer_until IS NOT NULL) THEN 'serving_is_somebodys'
    WHEN NOT (NEW.status <> 'settled' OR NEW.certainty = 'done' AND NEW.settled_at IS NOT NULL) THEN 'settled_is_certain'
    WHEN NOT (NEW.answer IN ('due', 'serving', 'given')) THEN 'settlements_answer_check'
    WHEN NOT (NEW.cap >= 0) THEN 'settlements_cap_check'
    WHEN NOT (NEW.certainty IN ('not_sent', 'in_flight', 'done', 'absent', 'unknown')) THEN 'settlements_certainty_check'
    WHEN NOT (NEW.decimals BETWEEN 0 AND 78) THEN 'settlements_decimals_check'
    WHEN NOT (NEW.delivery IN ('delivered', 'aborted', 'unknown')) THEN 'settlements_delivery_check'
    WHEN NOT (NEW.identity <> '') THEN 'settlements_identity_check'
    WHEN NOT (NEW.key <> '') THEN 'settlements_key_check'
    WHEN NOT (NEW.protocol IN ('atxp', 'x402', 'mpp')) THEN 'settlements_protocol_check'
    WHEN NOT (NEW.released_by IN ('failed_answer', 'not_modified', 'client_left')) THEN 'settlements_released_by_check'
    WHEN NOT (NEW.sealed_kind IN ('credential', 'body')) THEN 'settlements_sealed_kind_check'
    WHEN NOT (NEW.source IN ('session', 'api', 'channel')) THEN 'settlements_source_check'
    WHEN NOT (NEW.spent >= 0) THEN 'settlements_spent_check'
    WHEN NOT (NEW.unserved > 0) THEN 'settlements_unserved_check'
    WHEN NOT (NEW.cap IS NULL OR NEW.spent <= NEW.cap) THEN 'spent_within_cap'
    WHEN NOT (NEW.tops_up IS NULL OR NEW.spent = 0 AND NEW.voucher_channel IS NULL) THEN 'top_up_takes_nothing'
    WHEN NOT ((NEW.status IN ('settled', 'released', 'written_off')) = (NEW.next_check_at IS NULL)) THEN 'unfinished_is_found_again'
    WHEN NOT ((NEW.voucher_channel IS NULL) = (NEW.voucher_cumulative IS NULL)
      AND (NEW.voucher_channel IS NULL) = (NEW.voucher_place IS NULL)) THEN 'voucher_is_whole'
    WHEN NOT (NEW.released_by IS NULL OR NEW.spent = 0) THEN 'what_is_released_costs_nothing'
  END;
  IF v_broken IS NOT NULL THEN
    RAISE EXCEPTION 'settlement %: %', NEW.id, v_broken USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
  END IF;
  RETURN NEW;
END $function$
CREATE OR REPLACE FUNCTION public.take_back_close(p_id uuid, p_token uuid, p_spent numeric, p_sealed bytea, p_key_id text, p_sha256 text, p_released_by text)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_now timestamptz := clock_now();
  s settlements;
BEGIN
  SELECT t.* INTO s FROM settlements t JOIN payment_sessions p ON p.id = t.id
    WHERE t.id = p_id AND p.close_token = p_token AND p.closed_by <> 'sweep' FOR UPDATE OF t;
  IF NOT FOUND OR s.status <> 'pending' OR NOT settlement_was_never_sent(s) OR s.spent <= p_spent THEN RETURN false; END IF;
  -- Whoever gives it once more holds the same row for that, so that one of the two finds that the other was there.
  IF EXISTS (SELECT 1 FROM payment_sessions WHERE id = p_id AND had_again) THEN RETURN false; END IF;
  UPDATE settlements SET
      spent = p_spent, unserved = coalesce(unserved, 0) + s.spent - p_spent,
      status = CASE WHEN p_sealed IS NULL THEN 'released' ELSE 'pending' END,
      sealed = p_sealed, sealed_key_id = p_key_id, sealed_kind = CASE WHEN p_sealed IS NOT NULL THEN 'body' END,
      body_sha256 = p_sha256, answer = NULL, released_by = p_released_by,
      delivery = CASE WHEN p_sealed IS NOT NULL THEN delivery END,
      workflow_id = CASE WHEN p_sealed IS NOT NULL THEN workflow_id END,
      blocked_by = CASE WHEN p_sealed IS NOT NULL THEN blocked_by END,
      next_retry_at = CASE WHEN p_sealed IS NOT NULL THEN next_retry_at END,
      next_check_at = CASE WHEN p_sealed IS NOT NULL THEN next_check_at END
    WHERE id = p_id;
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, detail)
    VALUES ('settlement', p_id::text, v_now, CASE WHEN p_sealed IS NULL THEN 'released' ELSE 'closed' END, 'not_sent', s.key,
      jsonb_strip_nulls(jsonb_build_object('by', 'abort', 'spent', p_spent::text, 'unserved', (s.spent - p_spent)::text,
        'released_by', p_released_by)));
  -- The next voucher of its channel waits for it no more. A row that somebody holds is looked at by whoever holds it.
  IF s.voucher_channel IS NOT NULL AND p_sealed IS NULL THEN
    UPDATE settlements SET next_check_at = v_now WHERE id = (
      SELECT id FROM settlements WHERE voucher_channel = s.voucher_channel AND voucher_place > s.voucher_place AND status = 'pending'
        AND runner IS NULL ORDER BY voucher_place LIMIT 1 FOR UPDATE SKIP LOCKED);
  END IF;
  RETURN true;
END $function$
CREATE OR REPLACE FUNCTION public.take_hyperswitch_turn(p_lane text, p_per_second integer, p_longest interval)
 RETURNS double precision
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_step interval := interval '1 second' / p_per_second;
  v_now timestamptz;
  v_next timestamptz;
BEGIN
  INSERT INTO hyperswitch_pace (lane, next_at) VALUES (p_lane, clock_timestamp()) ON CONFLICT DO NOTHING;
  SELECT next_at INTO v_next FROM hyperswitch_pace WHERE lane = p_lane FOR UPDATE;
  v_now := clock_timestamp();
  -- Never given so far ahead: the clock was set back.
  IF v_next > v_now + p_longest + interval '1 second' THEN v_next := v_now; END IF;
  v_next := greatest(v_next, v_now);
  IF v_next > v_now + p_longest THEN RETURN NULL; END IF;
  UPDATE hyperswitch_pace SET next_at = v_next + v_step WHERE lane = p_lane;
  RETURN extract(epoch FROM v_next - v_now) * 1000;
END $function$
CREATE OR REPLACE FUNCTION public.take_out_order(p_order uuid)
 RETURNS void
 LANGUAGE sql
AS $function$
  UPDATE orders SET archived_at = NULL WHERE id = p_order AND archived_at IS NOT NULL;
  UPDATE payments SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE refunds SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE seller_transfers SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE reversals SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
  UPDATE disputes SET archived_at = NULL WHERE order_id = p_order AND archived_at IS NOT NULL;
$function$
CREATE OR REPLACE FUNCTION public.take_seller_turn(p_seller text, p_per_second double precision)
 RETURNS double precision
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_step interval := interval '1 second' / p_per_second;
  c turn_clock;
  v_now timestamptz;
  v_turns int;
  v_round bigint;
  v_before bigint;
BEGIN
  INSERT INTO turn_clock DEFAULT VALUES ON CONFLICT DO NOTHING;
  SELECT * INTO c FROM turn_clock FOR UPDATE;
  v_now := clock_timestamp();
  -- A round never begins in the future: the clock was set back.
  c.begins_at := least(c.begins_at, v_now);
  LOOP
    DELETE FROM turn_rounds WHERE round = c.round AND c.begins_at + turns * v_step <= v_now RETURNING turns INTO v_turns;
    EXIT WHEN NOT FOUND;
    c.round := c.round + 1;
    c.begins_at := c.begins_at + v_turns * v_step;
  END LOOP;
  IF NOT EXISTS (SELECT 1 FROM turn_rounds WHERE round = c.round) THEN
    c.begins_at := greatest(c.begins_at, v_now);
  END IF;
  INSERT INTO seller_turns AS s (seller_account, round) VALUES (p_seller, c.round)
    ON CONFLICT (seller_account) DO UPDATE SET round = greatest(s.round + 1, c.round) RETURNING round INTO v_round;
  SELECT coalesce(sum(turns), 0) INTO v_before FROM turn_rounds WHERE round < v_round;
  INSERT INTO turn_rounds AS r (round, turns) VALUES (v_round, 1)
    ON CONFLICT (round) DO UPDATE SET turns = r.turns + 1 RETURNING turns - 1 INTO v_turns;
  UPDATE turn_clock SET round = c.round, begins_at = c.begins_at;
  RETURN greatest(0, extract(epoch FROM c.begins_at + (v_before + v_turns) * v_step - clock_timestamp()) * 1000);
END $function$
CREATE OR REPLACE FUNCTION public.take_stripe_token(p_endpoint text, p_per_second integer, p_overall integer, p_now timestamp with time zone DEFAULT clock_timestamp(), OUT token integer, OUT taken bigint, OUT overall_token integer, OUT overall_taken bigint, OUT send_at timestamp with time zone)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
DECLARE
  -- A fifth closer than the limit, so that a moment in which nothing was sent is made up for; the tokens are the limit. All
  -- endpoints together are not spaced: one that asks ahead would push the others' requests behind its own.
  v_spacing interval := interval '1 second' / (1.2 * p_per_second);
  -- Of a request that is not answered, so that a process which died keeps nothing for ever: counted within three seconds.
  v_lease interval := interval '4 seconds';
  v_free_at timestamptz;
  v_overall_free_at timestamptz;
BEGIN
  send_at := greatest(p_now, hold_stripe_endpoint(p_endpoint, p_per_second, v_lease, p_now));
  PERFORM hold_stripe_endpoint('*', p_overall, v_lease, p_now);
  SELECT t.token, t.free_at INTO token, v_free_at FROM stripe_tokens t
    WHERE t.endpoint = p_endpoint AND t.token <= p_per_second ORDER BY t.free_at, t.token LIMIT 1;
  SELECT t.token, t.free_at INTO overall_token, v_overall_free_at FROM stripe_tokens t
    WHERE t.endpoint = '*' AND t.token <= p_overall ORDER BY t.free_at, t.token LIMIT 1;
  IF greatest(v_free_at, v_overall_free_at) > send_at + v_spacing THEN
    -- It may well be given back sooner, but nobody knows yet.
    token := NULL;
    overall_token := NULL;
    send_at := send_at + v_spacing;
    RETURN;
  END IF;
  send_at := greatest(send_at, v_free_at, v_overall_free_at);
  UPDATE stripe_tokens t SET taken = t.taken + 1, free_at = take_stripe_token.send_at + v_lease
    WHERE t.endpoint = p_endpoint AND t.token = take_stripe_token.token RETURNING t.taken INTO taken;
  UPDATE stripe_tokens t SET taken = t.taken + 1, free_at = take_stripe_token.send_at + v_lease
    WHERE t.endpoint = '*' AND t.token = take_stripe_token.overall_token RETURNING t.taken INTO overall_taken;
  UPDATE stripe_endpoints SET next_at = send_at + v_spacing WHERE endpoint = p_endpoint;
  UPDATE stripe_endpoints SET next_at = greatest(next_at, send_at) WHERE endpoint = '*';
END $function$
CREATE OR REPLACE FUNCTION public.taken_beside(p_transfer uuid, p_reversal uuid, OUT share numeric, OUT taken numeric)
 RETURNS record
 LANGUAGE sql
 STABLE
AS $function$
  SELECT coalesce(sum(amount - counted), 0), coalesce(sum(sent_amount), 0) FROM reversals
    WHERE transfer_id = p_transfer AND id <> p_reversal AND sent_amount IS NOT NULL
      AND (status = 'reversed' OR certainty IN ('in_flight', 'unknown'))
$function$
CREATE OR REPLACE FUNCTION public.transfer_asks_about_others()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM ask_about_others(NEW.id);
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.transfer_is_known()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  UPDATE webhook_events SET processed_at = NULL, outcome = NULL, next_check_at = clock_now()
    WHERE provider = 'stripe' AND type = 'transfer.reversed' AND object_id = NEW.stripe_transfer_id;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.voucher_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  v_amount numeric := voucher_takes(NEW);
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.voucher_channel, NEW.voucher_place, NEW.voucher_cumulative)
        IS DISTINCT FROM (OLD.voucher_channel, OLD.voucher_place, OLD.voucher_cumulative) THEN
      RAISE EXCEPTION 'settlement %: its voucher never changes', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    v_amount := v_amount - voucher_takes(OLD);
  END IF;
  IF v_amount <> 0 THEN INSERT INTO voucher_changes (channel, amount) VALUES (NEW.voucher_channel, v_amount); END IF;
  RETURN NULL;
END $function$
CREATE OR REPLACE FUNCTION public.voucher_channel_closes(p_channel text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  SELECT EXISTS (SELECT 1 FROM settlements WHERE voucher_channel = p_channel AND voucher_closes AND status <> 'written_off')
$function$
CREATE OR REPLACE FUNCTION public.voucher_takes(s settlements)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE
AS $function$
  -- What was given up although nobody knows where it is may have been collected.
  SELECT CASE WHEN s.status = 'released' OR (s.status = 'written_off' AND s.certainty IN ('absent', 'not_sent')) THEN 0
    WHEN s.status = 'open' THEN coalesce(s.cap, 0) ELSE s.spent END
$function$
CREATE OR REPLACE FUNCTION public.waits_for_earlier_voucher(p_channel text, p_place bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  SELECT EXISTS (SELECT 1 FROM (SELECT FROM settlements e WHERE e.voucher_channel = p_channel AND e.voucher_place < p_place
    AND e.status IN ('open', 'pending', 'needs_attention')
    AND (e.status = 'open' OR (e.status = 'pending' AND e.blocked_by IS NULL)
      OR (SELECT c.voucher_closes FROM settlements c WHERE c.voucher_channel = p_channel AND c.voucher_place = p_place))
    ORDER BY e.voucher_channel, e.voucher_place LIMIT 1) AS earlier)
$function$
