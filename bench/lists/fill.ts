import type pg from 'pg';

export interface Size {
  readonly settlements: number;
  readonly orders: number;
}

/**
 * Fills an empty, migrated database with what years leave behind, by a few statements. Triggers are off meanwhile: what they would refuse or
 * derive is written as it would have become. What is unfinished, asks a person or bears a rare name is equally much at every size, and spread
 * over all of it; everything else grows with it. One payer, one seller and one asset had a tenth of the oldest part and nothing since.
 * @param client of a superuser
 */
export async function fill(client: pg.Client, { settlements, orders }: Size): Promise<void> {
  await client.query('BEGIN');
  await client.query(`SET LOCAL session_replication_role = replica`);
  await client.query(FUNCTIONS);
  for (const statement of STATEMENTS)
    await client.query(statement.replaceAll(':settlements', `${settlements}`).replaceAll(':orders', `${orders}`));
  await client.query('DROP FUNCTION bench_time, bench_id, bench_hex, bench_reason');
  await client.query('COMMIT');
  await client.query('VACUUM (ANALYZE)');
}

const FUNCTIONS = `
  CREATE FUNCTION bench_time(n bigint, total bigint) RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT date_trunc('milliseconds', now() - interval '180 days' * (1 - n::float8 / (total + 1))) $$;
  CREATE FUNCTION bench_hex(name text, digits int) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT '0x' || left(md5(name) || md5(name || '.'), digits) $$;
  CREATE FUNCTION bench_id(at timestamptz, name text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(name), 1, 3) || '8' || substr(md5(name), 4, 15))::uuid
  $$;
  CREATE FUNCTION bench_reason(n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT (ARRAY['retries_exhausted', 'conflict', 'drift', 'unknown_status', 'dispute', 'provider_config', 'approval_pending'])[1 + n % 7]
  $$`;

const RARE = 40;
const SPECIAL = 500;
/** Counts those that are not as most are: null, or which of {@link SPECIAL}. */
const special = (n: string, total: string): string =>
  `CASE WHEN ${n} % (${total} / ${SPECIAL}) = 0 THEN ${n} / (${total} / ${SPECIAL}) END`;
const isRare = (n: string, total: string): string => `${n} % (${total} / ${RARE}) = 7`;
const isOld = (n: string, total: string): string => `${n} < ${total} / 10 AND ${n} % 3 = 0`;

const party = (n: string, total: string, prefix: string): string =>
  `CASE WHEN ${isRare(n, total)} THEN '${prefix}rare' WHEN ${isOld(n, total)} THEN '${prefix}gone' WHEN ${n} % 10 = 0 THEN '${prefix}big'
     ELSE '${prefix}' || ${n} % (${total} / 20) END`;

const settlements = `
  INSERT INTO settlements (id, key, identity, content_sha256, source, protocol, provider, status, certainty, asset, decimals, cap, spent, payer,
    route, lookup, context, attempts, first_sent_at, first_failure_at, first_failure_reason, last_answer, next_check_at, erased_at, tx_hash,
    attention_reason, attention_since, attention_detail, delivery, created_at, closed_at, settled_at, released_by)
  SELECT bench_id(at, 'settlement' || n), 'key-' || n, 'identity-' || md5(n::text), md5('content' || n) || md5('c' || n), 'session', protocol,
    'auth-server:' || protocol, status, CASE status WHEN 'settled' THEN 'done' WHEN 'needs_attention' THEN 'unknown' ELSE 'not_sent' END,
    CASE WHEN ${isRare('n', ':settlements')} THEN 'RARE' WHEN ${isOld('n', ':settlements')} THEN 'GONE' WHEN n % 3 = 0 THEN 'EURC' ELSE 'USDC' END,
    6, 100000, CASE WHEN status = 'released' THEN 0 ELSE 10000 + n % 1000 END, bench_hex(${party('n', ':settlements', 'payer')}, 40), '/report',
    jsonb_build_object('nonce', bench_hex('nonce' || n, 64), 'network', 'eip155:8453'), jsonb_build_object('paymentRequestId', 'request-' || n),
    CASE WHEN status = 'settled' THEN 1 ELSE 0 END, at, CASE WHEN n % 100 = 1 THEN at END, CASE WHEN n % 100 = 1 THEN 'timeout' END,
    CASE WHEN status = 'settled' THEN 'settled' END,
    CASE WHEN status NOT IN ('settled', 'released', 'written_off') THEN now() + interval '30 days' END, at,
    CASE WHEN status = 'settled' THEN bench_hex('transaction' || n / 2, 64) END,
    CASE WHEN status = 'needs_attention' THEN bench_reason(special / 5) END, CASE WHEN status = 'needs_attention' THEN at END,
    CASE WHEN status = 'needs_attention' THEN 'as it was told' END, CASE WHEN status <> 'open' THEN 'delivered' END,
    at, CASE WHEN status <> 'open' THEN at END, CASE WHEN status = 'settled' THEN at + interval '1 second' END,
    CASE WHEN status = 'released' THEN 'failed_answer' END
  FROM (
    SELECT n, bench_time(n, :settlements) AS at, ${special('n', ':settlements')} AS special,
      CASE WHEN ${isRare('n', ':settlements')} THEN 'mpp' WHEN n % 4 = 0 THEN 'x402' ELSE 'atxp' END AS protocol,
      coalesce((ARRAY['pending', 'needs_attention', 'written_off', 'released', 'open'])[1 + (${special('n', ':settlements')}) % 5], 'settled') AS status
    FROM generate_series(1, :settlements) n) rows`;

const channels = `
  INSERT INTO channels (channel_id, state, chain_id, escrow, payer, payee, token, operator, deposit, accepted, spent, earned, settled, finalized,
    close_requested_at, next_check_at, created_at, updated_at)
  SELECT bench_hex('channel' || n, 64), '{}', 4217, bench_hex('escrow', 40), bench_hex(${party('n', '(:settlements / 50)', 'payer')}, 40),
    bench_hex('payee', 40), bench_hex('token', 40), bench_hex('operator', 40), 1000000, 1000, 1000, 1000, CASE WHEN special IS NULL THEN 1000 ELSE 0 END,
    special IS NULL, CASE WHEN special % 2 = 0 THEN at END, CASE WHEN special IS NOT NULL THEN now() + interval '30 days' END, at, at
  FROM (SELECT n, bench_time(n, :settlements / 50) AS at, CASE WHEN n % (:settlements / 5000) = 0 THEN n / (:settlements / 5000) END AS special
    FROM generate_series(1, :settlements / 50) n) rows`;

const ORDER_ROWS = `
  SELECT n, bench_time(n, :orders) AS at, bench_id(bench_time(n, :orders), 'order' || n) AS order_id, ${special('n', ':orders')} AS special,
    CASE WHEN ${isRare('n', ':orders')} THEN 'CHF' WHEN ${isOld('n', ':orders')} THEN 'GBP' WHEN n % 4 = 0 THEN 'EUR' ELSE 'USD' END AS currency,
    ${party('n', ':orders', 'acct_')} AS seller
  FROM generate_series(1, :orders) n`;

const orders = `
  INSERT INTO orders (id, reference, currency, amount, status, created_at, paid_at)
  SELECT order_id, CASE WHEN n % 2 = 0 THEN 'reference-' || n END, currency, 10000, status, at,
    CASE WHEN status NOT IN ('pending', 'payment_failed') THEN at END
  FROM (SELECT *, CASE WHEN special % 5 = 0 THEN 'pending' WHEN special % 5 = 1 THEN 'payment_failed' WHEN n % 10 = 3 THEN 'refunded'
    WHEN special % 5 = 2 THEN 'partially_refunded' ELSE 'paid' END AS status FROM (${ORDER_ROWS}) o) rows`;

const items = `
  INSERT INTO order_items (order_id, position, seller_account, amount, description)
  SELECT order_id, 1, seller, 10000, 'a vase' FROM (${ORDER_ROWS}) o`;

const shares = `
  INSERT INTO order_shares (order_id, seller_account, promised, due_back)
  SELECT order_id, seller, 10000, CASE WHEN n % 10 = 3 THEN 10000 ELSE 0 END FROM (${ORDER_ROWS}) o`;

const keys = `
  INSERT INTO request_keys (principal, operation, key, body_sha256, item_id, answer_status, answer, created_at)
  SELECT 'billing', operation, operation || '-key-' || n, md5(n::text), CASE operation WHEN 'orders' THEN order_id ELSE bench_id(at, 'payment' || n) END,
    201, '{"id": "as it was answered"}', at FROM (${ORDER_ROWS}) o, unnest(ARRAY['orders', 'payments']) operation`;

const payments = `
  INSERT INTO payments (id, order_id, amount, currency, status, certainty, idempotency_key, hyperswitch_payment_id, attempts, next_check_at, created_at,
    captured, attention_reason, attention_since, attention_detail, connector, connector_transaction_id, charge_of, charge_id, charge_currency)
  SELECT bench_id(at, 'payment' || n), order_id, 10000, currency, status, 'done', order_id::text, 'pay_' || n, 1,
    CASE WHEN status IN ('pending', 'processing') THEN now() + interval '30 days' END, at, CASE WHEN status = 'succeeded' THEN 10000 ELSE 0 END,
    reason, CASE WHEN reason IS NOT NULL THEN at END, CASE WHEN reason IS NOT NULL THEN 'as it was told' END, 'stripe', 'pi_' || n, 'pi_' || n,
    'ch_' || n, currency
  FROM (SELECT *, CASE WHEN special % 7 = 0 THEN bench_reason(special / 7) END AS reason,
    coalesce((ARRAY['pending', 'failed', 'processing', 'cancelled'])[1 + special % 5], 'succeeded') AS status FROM (${ORDER_ROWS}) o) rows`;

const transfers = `
  INSERT INTO seller_transfers (id, order_id, seller_account, currency, promised, withheld, amount, amount_reversed, status, certainty, stripe_transfer_id,
    completed_at, attempts, idempotency_key, provider_request_id, next_check_at, attention_reason, attention_since, attention_detail, created_at,
    waiting_since, waiting_detail)
  SELECT bench_id(at, 'transfer' || n), order_id, seller, currency, 10000, CASE WHEN status = 'cancelled' THEN 10000 ELSE 0 END,
    CASE WHEN status = 'cancelled' THEN 0 ELSE 10000 END, CASE WHEN status = 'reversed' THEN 10000 ELSE 0 END, status,
    CASE WHEN sent THEN 'done' ELSE 'not_sent' END, CASE WHEN sent THEN 'tr_' || n END, CASE WHEN sent THEN at END, 1,
    bench_id(at, 'transfer' || n)::text, 'req_transfer_' || n, CASE WHEN NOT sent AND status <> 'cancelled' THEN now() + interval '30 days' END,
    reason, CASE WHEN reason IS NOT NULL THEN at END, CASE WHEN reason IS NOT NULL THEN 'as it was told' END, at,
    CASE WHEN status LIKE 'waiting%' THEN at END, CASE WHEN status LIKE 'waiting%' THEN 'as it was told' END
  FROM (SELECT *, status IN ('completed', 'reversal_pending', 'partially_reversed', 'reversed') AS sent FROM (
    SELECT *, CASE WHEN special % 7 = 1 THEN bench_reason(special / 7) END AS reason,
    coalesce((ARRAY['pending', 'held', 'waiting_platform_balance', 'waiting_seller', 'failed', 'cancelled', 'reversal_pending', 'partially_reversed',
      'permanently_failed'])[1 + special % 10], CASE WHEN n % 10 = 3 THEN 'reversed' ELSE 'completed' END) AS status FROM (${ORDER_ROWS}) o) s) rows`;

const REFUND_ROWS = `SELECT * FROM (${ORDER_ROWS}) o WHERE n % 10 = 3 OR special IS NOT NULL`;

const refunds = `
  INSERT INTO refunds (id, order_id, payment_id, amount, currency, reason, status, certainty, idempotency_key, hyperswitch_refund_id, attempts,
    next_check_at, attention_reason, attention_since, attention_detail, created_at, succeeded_at, connector_refund_id)
  SELECT bench_id(at, 'refund' || n), order_id, bench_id(at, 'payment' || n), 10000, currency, 'a chip', status, 'done', bench_id(at, 'refund' || n)::text,
    'ref_' || n, 1, CASE WHEN status IN ('pending', 'review') THEN now() + interval '30 days' END, reason, CASE WHEN reason IS NOT NULL THEN at END,
    CASE WHEN reason IS NOT NULL THEN 'as it was told' END, at, CASE WHEN status = 'succeeded' THEN at END, 're_' || n
  FROM (SELECT *, CASE WHEN special % 7 = 2 THEN bench_reason(special / 7) END AS reason,
    coalesce((ARRAY['pending', 'review', 'failed'])[1 + special % 4], 'succeeded') AS status FROM (${REFUND_ROWS}) r) rows`;

const reversals = `
  INSERT INTO reversals (id, refund_id, transfer_id, order_id, seller_account, amount, currency, status, certainty, stripe_reversal_id, reversed_at,
    attempts, idempotency_key, provider_request_id, next_check_at, attention_reason, attention_since, attention_detail, created_at)
  SELECT md5('reversal' || n)::uuid, bench_id(at, 'refund' || n), bench_id(at, 'transfer' || n), order_id, seller, 10000, currency, status,
    CASE status WHEN 'reversed' THEN 'done' ELSE 'not_sent' END, CASE WHEN status = 'reversed' THEN 'trr_' || n END,
    CASE WHEN status = 'reversed' THEN at END, 1, md5('reversal' || n)::uuid::text, 'req_reversal_' || n,
    CASE WHEN status IN ('pending', 'waiting_balance') THEN now() + interval '30 days' END, reason, CASE WHEN reason IS NOT NULL THEN at END,
    CASE WHEN reason IS NOT NULL THEN 'as it was told' END, at
  FROM (SELECT *, CASE WHEN status = 'permanently_failed' THEN bench_reason(special / 5) END AS reason FROM (
    SELECT *, coalesce((ARRAY['pending', 'waiting_balance', 'permanently_failed', 'written_off'])[1 + special % 5], 'reversed') AS status
    FROM (${REFUND_ROWS}) r) s) rows`;

const disputes = `
  INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, hyperswitch_dispute_id, amount, currency, status, funds,
    next_check_at, attention_reason, attention_since, attention_detail, created_at, named_by)
  SELECT bench_id(at, 'dispute' || n), order_id, bench_id(at, 'payment' || n), 'stripe', 'dp_' || n, 'dispute_' || n, 10000, currency, status, 'none',
    CASE WHEN status IN ('inquiry', 'open') THEN now() + interval '30 days' END, reason, CASE WHEN reason IS NOT NULL THEN at END,
    CASE WHEN reason IS NOT NULL THEN 'as it was told' END, at, 'hyperswitch'
  FROM (SELECT *, CASE WHEN special % 7 = 3 THEN bench_reason(special / 7) END AS reason,
    coalesce((ARRAY['inquiry', 'open', 'lost', 'cancelled'])[1 + special % 5], 'won') AS status
    FROM (${ORDER_ROWS}) o WHERE n % 50 = 13 OR special IS NOT NULL) rows`;

const payouts = `
  INSERT INTO payouts (external_payout_id, seller_account, amount, currency, status, automatic, made_at, contents, next_check_at, attention_reason,
    attention_since, attention_detail, failure_ended, created_at)
  SELECT 'po_' || n, seller, 10000, currency, status, true, at, 'listed', now() + interval '30 days',
    CASE WHEN status = 'failed' AND asks THEN 'payout_failed' END, CASE WHEN status = 'failed' AND asks THEN at END,
    CASE WHEN status = 'failed' AND asks THEN 'as it was told' END, CASE WHEN status = 'failed' AND NOT asks THEN 'dismissed' END, at
  FROM (SELECT *, n % 60 = 0 AS asks, (ARRAY['paid', 'paid', 'in_transit', 'failed', 'canceled', 'pending'])[1 + (n / 10) % 6] AS status
    FROM (${REFUND_ROWS}) o WHERE n % 10 = 0) rows;
  INSERT INTO payout_transfers (external_payout_id, balance_transaction_id, stripe_transfer_id, amount, currency)
  SELECT p.external_payout_id, 'txn_' || p.external_payout_id, t.stripe_transfer_id, 10000, p.currency
  FROM payouts p JOIN LATERAL (SELECT stripe_transfer_id FROM seller_transfers t WHERE t.seller_account = p.seller_account AND t.stripe_transfer_id IS NOT NULL
    ORDER BY t.id LIMIT 1) t ON true`;

const webhooks = `
  INSERT INTO webhook_events (provider, event_id, type, object_id, body_sha256, received_at, next_check_at, processed_at, outcome)
  SELECT provider, 'evt_' || n, type, CASE provider WHEN 'stripe' THEN 'tr_' || n / 3 ELSE 'pay_' || n / 3 END, md5(n::text), at,
    CASE WHEN waits THEN now() + interval '30 days' END, CASE WHEN NOT waits THEN at END, CASE WHEN NOT waits THEN 'acted on' END
  FROM (SELECT n, bench_time(n, :orders * 3) AS at, n % (:orders * 3 / 100) = 0 AS waits,
    CASE WHEN ${isRare('n', ':orders')} THEN 'stripe' ELSE 'hyperswitch' END AS provider,
    CASE WHEN ${isRare('n', ':orders')} THEN 'charge.dispute.created' WHEN n % 3 = 0 THEN 'refund_succeeded' ELSE 'payment_succeeded' END AS type
    FROM generate_series(1, :orders * 3) n) rows`;

const decisions = `
  INSERT INTO decisions (id, item_kind, item_id, action, state, by, authenticated, note, requested_at, rests_on, asked_reason)
  SELECT bench_id(at, 'decision' || n), CASE WHEN n % 20 = 1 THEN 'dispute' WHEN n % 3 = 0 THEN 'reversal' ELSE 'settlement' END,
    bench_id(bench_time(n * 100, :settlements), 'settlement' || n * 100), CASE WHEN n % (:settlements / 4000) = 0 THEN 'compensate' ELSE 'retry' END,
    CASE WHEN n % (:settlements / 4000) = 0 THEN 'pending_approval' WHEN n % (:settlements / 4000) = 1 THEN 'ignored' ELSE 'applied' END,
    CASE WHEN n % (:settlements / 4000) = 0 THEN 'Rita' ELSE 'olga' END, true, 'as it was meant', at,
    CASE WHEN n % (:settlements / 4000) = 0 THEN 'two' ELSE 'nobody' END, bench_reason(n)
  FROM (SELECT n, bench_time(n, :settlements / 100) AS at FROM generate_series(1, :settlements / 100) n) rows`;

const drifts = `
  INSERT INTO reconciliations (id, requested_by, state, started_at, finished_at)
  SELECT bench_id(bench_time(n, 180), 'run' || n), 'schedule', 'finished', bench_time(n, 180), bench_time(n, 180) FROM generate_series(1, 180) n;
  INSERT INTO drifts (id, kind, provider, provider_id, item_kind, item_id, ledger_says, provider_says, state, run_id, suspected_at, last_seen_at,
    opened_at, closed_at, closed_why)
  SELECT bench_id(at, 'drift' || n), CASE WHEN n % 10 = 0 THEN 'refund_differs' ELSE 'transfer_differs' END, 'stripe', 'tr_' || n, 'transfer',
    bench_id(bench_time(n * 20, :orders), 'transfer' || n * 20), 'one', 'two', CASE WHEN closes THEN 'closed' ELSE 'open' END,
    (SELECT min(id::text)::uuid FROM reconciliations), at, at, at, CASE WHEN closes THEN at END, CASE WHEN closes THEN 'agrees' END
  FROM (SELECT n, bench_time(n, :orders / 20) AS at, n % (:orders / 400) <> 0 AS closes FROM generate_series(1, :orders / 20) n) rows`;

const eventsOf = (kind: string, rows: string, key: string, more = 'NULL::text'): string => `
  INSERT INTO operation_events (item_kind, item_id, at, kind, certainty, idempotency_key, answer_class, detail, place, digest)
  SELECT '${kind}', id::text, created_at, what, CASE what WHEN 'answered' THEN 'done' END, CASE WHEN what <> 'created' THEN ${key} END,
    CASE what WHEN 'answered' THEN 'done' END,
    CASE WHEN ${more} IS NOT NULL AND what = 'answered' THEN jsonb_build_object('request_id', ${more}) ELSE '{"provider": "as it was told"}' END,
    e.place, sha256(convert_to(id || what, 'UTF8'))
  FROM ${rows}, unnest(ARRAY['created', 'sent', 'answered']) WITH ORDINALITY AS e (what, place)`;

const STATEMENTS = [
  settlements,
  channels,
  orders,
  items,
  shares,
  keys,
  payments,
  transfers,
  refunds,
  reversals,
  disputes,
  payouts,
  webhooks,
  decisions,
  drifts,
  eventsOf('settlement', 'settlements', 'key'),
  eventsOf('order', 'orders', `'orders-key-' || id`),
  eventsOf('payment', 'payments', 'idempotency_key'),
  eventsOf('transfer', 'seller_transfers', 'idempotency_key', 'provider_request_id'),
  eventsOf('refund', 'refunds', 'idempotency_key'),
  eventsOf('reversal', 'reversals', 'idempotency_key', 'provider_request_id'),
  `INSERT INTO figure_samples (at, upto, done, failed, backlog, needs_attention)
     SELECT date_trunc('minute', now()) - interval '1 minute' * n, 1, 1, 0, 1, 1 FROM generate_series(1, 8 * 1440) n`,
];
