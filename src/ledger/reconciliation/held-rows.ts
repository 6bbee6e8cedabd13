import type { ReconciliationId } from '../../domain/ids.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type {
  HeldAuthorization,
  HeldDispute,
  HeldPayment,
  HeldRefund,
  HeldReversal,
  HeldTransfer,
} from '../../domain/reconciliation/ledger-rows.js';
import type { ListedPart } from '../../domain/reconciliation/parts.js';
import type { Database } from '../database.js';

/** Rows of one part that a run's list did not name, in order of their ids. */
export interface Unnamed {
  readonly runId: ReconciliationId;
  /** ISO 8601: when it happened. */
  readonly since: string;
  readonly until: string;
  readonly after: string | null;
  readonly limit: number;
}

/** The ledger's side of a comparison: rows by what they are called at a provider, and rows that no list named. */
export function createHeldRows(database: Database) {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a row is what its SQL says
  const read = async <Raw extends object, Held>(
    sql: string,
    values: readonly unknown[],
    to: (row: Raw) => Held,
  ): Promise<readonly Held[]> => (await database.query<Raw & { [column: string]: unknown }>(sql, values)).map(to);

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a row is what its SQL says
  const unnamed = <Raw extends object, Held>(
    what: Unnameable,
    { runId, since, until, after, limit }: Unnamed,
    to: (row: Raw) => Held,
  ) =>
    read<Raw, Held>(
      `${what.select} WHERE ${what.name} IS NOT NULL AND ${what.happened} >= $2 AND ${what.happened} < $3 AND ($4::uuid IS NULL OR x.id > $4)
         ${what.only ?? ''} AND NOT EXISTS (SELECT 1 FROM reconciled_objects o WHERE o.run_id = $1 AND o.part = '${what.part}' AND o.provider_id = ${what.name})
       ORDER BY x.id LIMIT $5`,
      [runId, since, until, after, limit],
      to,
    );

  return {
    heldTransfers: (stripeIds: readonly string[], marks: readonly string[]) =>
      read(
        `${TRANSFERS} WHERE x.stripe_transfer_id = ANY ($1) OR x.id = ANY ($2::uuid[])`,
        [stripeIds, uuids(marks)],
        toTransfer,
      ),
    heldReversals: (stripeIds: readonly string[], marks: readonly string[]) =>
      read(
        `${REVERSALS} WHERE x.stripe_reversal_id = ANY ($1) OR x.id = ANY ($2::uuid[])`,
        [stripeIds, uuids(marks)],
        toReversal,
      ),
    heldForeign: async (stripeIds: readonly string[]): Promise<ReadonlySet<string>> =>
      new Set(
        await read(
          'SELECT stripe_reversal_id AS id FROM foreign_reversals WHERE stripe_reversal_id = ANY ($1)',
          [stripeIds],
          ({ id }: { id: string }) => id,
        ),
      ),
    heldDisputes: (stripeIds: readonly string[]) =>
      read(`${DISPUTES} WHERE x.psp_account = 'stripe' AND x.provider_dispute_id = ANY ($1)`, [stripeIds], toDispute),
    /** Our payments by what they are called at Stripe (`pi_…`, `ch_…`). */
    paymentsAtStripe: async (names: readonly string[]): Promise<ReadonlyMap<string, string>> =>
      new Map(
        await read(
          `SELECT n.name, p.id FROM unnest($1::text[]) AS n (name) JOIN payments p ON n.name IN (p.connector_transaction_id, p.charge_id)`,
          [names],
          ({ name, id }: { name: string; id: string }) => [name, id] as const,
        ),
      ),
    heldPayments: (provider: PaymentProvider, ids: readonly string[]) =>
      read(`${PAYMENTS} WHERE ${PAYMENT_OF[provider]} = ANY ($1) AND x.provider = $2`, [ids, provider], toPayment),
    heldRefunds: (provider: PaymentProvider, ids: readonly string[]) =>
      read(`${REFUNDS} WHERE ${REFUND_OF[provider]} = ANY ($1) AND p.provider = $2`, [ids, provider], toRefund),

    unnamedTransfers: (page: Unnamed) => unnamed(UNNAMED_TRANSFERS, page, toTransfer),
    unnamedReversals: (page: Unnamed) => unnamed(UNNAMED_REVERSALS, page, toReversal),
    unnamedDisputes: (page: Unnamed) => unnamed(UNNAMED_DISPUTES, page, toDispute),
    unnamedPayments: (provider: PaymentProvider, page: Unnamed) => unnamed(UNNAMED_PAYMENTS[provider], page, toPayment),
    unnamedRefunds: (provider: PaymentProvider, page: Unnamed) => unnamed(UNNAMED_REFUNDS[provider], page, toRefund),

    /** Charges by EIP-3009 authorizations on these networks, finished or not. */
    heldAuthorizations: (networks: readonly string[], page: Omit<Unnamed, 'runId'>) =>
      read(
        `${AUTHORIZATIONS} AND created_at >= $2 AND created_at < $3 AND lookup ->> 'network' = ANY ($1) AND ($4::uuid IS NULL OR id > $4) ORDER BY id LIMIT $5`,
        [networks, page.since, page.until, page.after, page.limit],
        toAuthorization,
      ),
    heldAuthorization: async (id: string): Promise<HeldAuthorization | undefined> =>
      (await read(`${AUTHORIZATIONS} AND id = $1`, [id], toAuthorization))[0],
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const uuids = (marks: readonly string[]): readonly string[] => marks.filter((mark) => UUID.test(mark));

interface Unnameable {
  readonly part: ListedPart;
  readonly select: string;
  readonly name: string;
  readonly happened: string;
  readonly only?: string;
}

const UNDER_WAY = `(x.certainty IN ('in_flight', 'unknown') OR x.runner_until > clock_now()) IS TRUE AS "underWay"`;

const TRANSFERS = `SELECT x.id, x.stripe_transfer_id AS "stripeTransferId", coalesce(x.sent_amount, x.amount) AS amount,
  coalesce(x.sent_currency, x.currency) AS currency, x.status, x.seller_account AS "sellerAccount",
  ${UNDER_WAY} FROM seller_transfers x`;
const REVERSALS = `SELECT x.id, x.stripe_reversal_id AS "stripeReversalId", t.stripe_transfer_id AS "stripeTransferId", coalesce(x.sent_amount, x.amount) AS amount,
  CASE WHEN x.sent_amount IS NOT NULL THEN t.sent_currency ELSE x.currency END AS currency, x.status,
  ${UNDER_WAY} FROM reversals x JOIN seller_transfers t ON t.id = x.transfer_id`;
const DISPUTES = `SELECT x.id, x.provider_dispute_id AS "providerDisputeId", x.currency, x.funds,
  (SELECT coalesce(sum(w.amount), 0) FROM dispute_withdrawals w WHERE w.dispute_id = x.id AND w.back_at IS NULL) AS out,
  (x.attention_reason IS NOT NULL OR EXISTS (SELECT 1 FROM dispute_withdrawals w WHERE w.dispute_id = x.id AND w.said_back)) AS asked
  FROM disputes x`;
/** What each is called at its provider (SQL). */
const PAYMENT_OF: Readonly<Record<PaymentProvider, string>> = {
  hyperswitch: 'x.hyperswitch_payment_id',
  stripe: 'x.connector_transaction_id',
};
const REFUND_OF: Readonly<Record<PaymentProvider, string>> = {
  hyperswitch: 'x.hyperswitch_refund_id',
  stripe: 'x.connector_refund_id',
};
const PAYMENTS = `SELECT x.id, x.provider,
  CASE x.provider WHEN 'stripe' THEN x.connector_transaction_id ELSE x.hyperswitch_payment_id END AS "providerPaymentId", x.amount, x.currency, x.status,
  CASE WHEN x.captured_known THEN x.captured END AS captured, x.accepted IS NOT NULL AS "paidByPart", x.capture_method AS "captureMethod",
  (x.next_check_at IS NULL AND x.attention_reason IS NULL) AS final,
  ${UNDER_WAY} FROM payments x`;
const REFUNDS = `SELECT x.id, p.provider, CASE p.provider WHEN 'stripe' THEN x.connector_refund_id ELSE x.hyperswitch_refund_id END AS "providerRefundId",
  CASE p.provider WHEN 'stripe' THEN p.connector_transaction_id ELSE p.hyperswitch_payment_id END AS "providerPaymentId", x.amount, x.currency,
  x.status, (x.next_check_at IS NULL AND x.attention_reason IS NULL) AS final, ${UNDER_WAY} FROM refunds x JOIN payments p ON p.id = x.payment_id`;

const UNNAMED_TRANSFERS: Unnameable = {
  part: 'stripe-transfers',
  select: TRANSFERS,
  name: 'x.stripe_transfer_id',
  happened: 'x.completed_at',
};
const UNNAMED_REVERSALS: Unnameable = {
  part: 'stripe-reversals',
  select: REVERSALS,
  name: 'x.stripe_reversal_id',
  happened: 'x.reversed_at',
};
const UNNAMED_DISPUTES: Unnameable = {
  part: 'stripe-disputes',
  select: DISPUTES,
  name: 'x.provider_dispute_id',
  happened: 'x.created_at',
  only: `AND x.psp_account = 'stripe'`,
};
/** Only what the provider had: a call whose outcome is not known is looked for by its own workflow. */
const KNOWN_THERE = `AND x.certainty = 'done'`;
const unnamedPayments = (provider: PaymentProvider): Unnameable => ({
  part: `${provider}-payments`,
  select: PAYMENTS,
  name: PAYMENT_OF[provider],
  happened: 'x.created_at',
  only: `AND x.provider = '${provider}' ${KNOWN_THERE}`,
});
const UNNAMED_PAYMENTS = { hyperswitch: unnamedPayments('hyperswitch'), stripe: unnamedPayments('stripe') };
const unnamedRefunds = (provider: PaymentProvider): Unnameable => ({
  part: `${provider}-refunds`,
  select: REFUNDS,
  name: REFUND_OF[provider],
  happened: 'x.created_at',
  only: `AND p.provider = '${provider}' ${KNOWN_THERE}`,
});
const UNNAMED_REFUNDS = { hyperswitch: unnamedRefunds('hyperswitch'), stripe: unnamedRefunds('stripe') };

const AUTHORIZATIONS = `SELECT id, status, lookup ->> 'network' AS network, lookup ->> 'asset' AS asset, lookup ->> 'from' AS "from", lookup ->> 'nonce' AS nonce,
  spent, asset AS symbol, coalesce(settled_at, closed_at, created_at) AS "changedAt",
  (status = 'open' OR certainty = 'in_flight' OR runner_until > clock_now()) IS TRUE AS "underWay"
  FROM settlements WHERE protocol = 'x402' AND identity LIKE 'x402:%:eip3009:%' AND lookup ?& ARRAY['network', 'asset', 'from', 'nonce']`;

type Digits<Held, Keys extends keyof Held> = { readonly [Key in keyof Held]: Key extends Keys ? string : Held[Key] };

const toTransfer = (row: Digits<HeldTransfer, 'amount'>): HeldTransfer => ({ ...row, amount: BigInt(row.amount) });
const toReversal = (row: Digits<HeldReversal, 'amount'>): HeldReversal => ({ ...row, amount: BigInt(row.amount) });
const toDispute = (row: Digits<HeldDispute, 'out'>): HeldDispute => ({ ...row, out: BigInt(row.out) });
const toRefund = (row: Digits<HeldRefund, 'amount'>): HeldRefund => ({ ...row, amount: BigInt(row.amount) });
const toPayment = (
  row: Digits<Omit<HeldPayment, 'captured'>, 'amount'> & { captured: string | null },
): HeldPayment => ({
  ...row,
  amount: BigInt(row.amount),
  captured: row.captured === null ? null : BigInt(row.captured),
});
const toAuthorization = (
  row: Digits<Omit<HeldAuthorization, 'changedAt'>, 'spent'> & { changedAt: Date },
): HeldAuthorization => ({ ...row, spent: BigInt(row.spent), changedAt: row.changedAt.toISOString() });
