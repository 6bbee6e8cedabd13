import { mayHaveMoved, surelyUnmoved } from '../../domain/calls/certainty.js';
import type { TransferParams } from '../../domain/calls/provider-answers.js';
import type { OrderId, PaymentId, TransferId } from '../../domain/ids.js';
import { isRetired } from '../../domain/marketplace/currencies.js';
import type { PaymentProvider } from '../../domain/marketplace/marketplace.js';
import type { TransferStatus } from '../../domain/marketplace/marketplace-status.js';
import type { ReleaseKind } from '../../domain/marketplace/releases.js';
import {
  type ChargeRate,
  convertedShare,
  leastShare,
  OrderMoney,
  StripeMoney,
} from '../../domain/marketplace/stripe-money.js';
import type { Query } from '../transition.js';
import { RELEASE } from './releases.js';
import { CALL_TIMES, type CallRow, exactMinorUnits, useOf } from './stripe-calls.js';

/** A transfer with all that decides whether it may be sent, and of which money. */
export type LockedTransfer = CallRow & {
  id: TransferId;
  order_id: OrderId;
  release_kind: ReleaseKind;
  release_at: Date | null;
  released: boolean;
  release_in_ms: number | null;
  status: TransferStatus;
  origin: 'order' | 'import' | 'compensation';
  /** What Stripe's metadata[order_id] says. */
  order_mark: string;
  completed: boolean;
  written_off: boolean;
  stripe_transfer_id: string | null;
  created_at: Date;
  /** Stripe did not let it be drawn from the buyer's charge. */
  sourceless: boolean;
  /** It was let go although others wait for the platform's balance; `admitted` says whether it still may. */
  was_admitted: boolean;
  admitted: boolean;
  /** Somebody waits for the platform's balance in its currency. */
  gated: boolean;
  /** Stripe has not let us in to the seller's account for a day. */
  shut_out: boolean;
  payment_id: PaymentId | null;
  payment_provider: PaymentProvider | null;
  connector: string | null;
  connector_transaction_id: string | null;
  charge_of: string | null;
  charge_id: string | null;
  charge_currency: string | null;
  charge_unfit: string | null;
  /** What was captured, in the currency that the buyer paid in, and what it became in that of the balance; null: it is the same. */
  charge_paid_in: string | null;
  charge_captured: string | null;
  charge_became: string | null;
  charge_rate: string | null;
  /** What was frozen in another currency than the order's. */
  sent_currency: string | null;
  sent_amount: string | null;
};

const ROW = `SELECT x.id, x.order_id, x.seller_account, x.currency, x.amount, x.status, x.certainty, x.generation,
    x.idempotency_key, x.attempts, x.retry_count, x.absences, x.params, x.runner, x.attention_reason, x.attention_detail, x.origin,
    coalesce(o.reference, o.id::text) AS order_mark, x.completed_at IS NOT NULL AS completed,
    x.written_off_at IS NOT NULL AS written_off, x.sourceless, x.admitted_until IS NOT NULL AS was_admitted,
    coalesce(x.admitted_until > clock_now(), false) AS admitted,
    EXISTS (SELECT 1 FROM platform_gates g WHERE g.currency = x.currency) AS gated,
    EXISTS (SELECT 1 FROM provider_breakers b WHERE b.provider = 'stripe:' || x.seller_account AND b.state <> 'closed'
      AND b.opened_at <= clock_now() - interval '1 day') AS shut_out,
    p.id AS payment_id, p.provider AS payment_provider, p.connector, p.connector_transaction_id, p.charge_of, p.charge_id, p.charge_currency, p.charge_unfit,
    p.charge_paid_in, p.charge_captured, p.charge_became, p.exchange_rate AS charge_rate, x.sent_currency, x.sent_amount,
    x.stripe_transfer_id, x.created_at, ${RELEASE}, ${CALL_TIMES}
  FROM seller_transfers x JOIN orders o ON o.id = x.order_id
    LEFT JOIN LATERAL (SELECT * FROM payments WHERE order_id = x.order_id AND status = 'succeeded' ORDER BY id LIMIT 1) p ON true
  WHERE x.id = $1 FOR UPDATE OF x`;

export async function lockTransfer(query: Query, id: TransferId): Promise<LockedTransfer> {
  const [row] = await query<LockedTransfer & { [column: string]: unknown }>(ROW, [id]);
  if (!row)
    throw new Error(`transfer ${id} is not in the ledger; the workflow and the database do not belong together`);
  return row;
}

/** Which money a transfer is sent of: the buyer's own charge, pending or not, or else what is available to us. */
export type Source =
  /** `rate`: its money is in a balance of another currency, and is sent in that. */
  | { readonly kind: 'charge'; readonly chargeId: string; readonly rate: ChargeRate | null }
  /** There is no amount of it in a currency that its money is in: a person decides, and nothing is sent. */
  | { readonly kind: 'unsendable'; readonly as: 'conflict' | 'retired'; readonly why: string }
  | { readonly kind: 'balance'; readonly why: string }
  /** The PaymentIntent was not read yet. */
  | { readonly kind: 'unread'; readonly paymentId: PaymentId; readonly paymentIntent: string };

export function sourceOf(row: LockedTransfer): Source {
  const { payment_id: paymentId, connector, connector_transaction_id: transaction } = row;
  const balance = (why: string): Source => ({ kind: 'balance', why });
  if (isRetired(row.currency))
    return {
      kind: 'unsendable',
      as: 'retired',
      why: `${row.currency} is no currency any more, and nothing is sent in it: pay the seller at Stripe in the currency that replaced it, then resolve with write_off`,
    };
  if (row.origin === 'compensation')
    return isElsewhere(row) ? unsendable(row) : balance('a compensation is our own money');
  if (row.sourceless && !isElsewhere(row)) return balance('Stripe did not let it be drawn from the charge');
  if (paymentId === null) return balance('no payment of the order is known to have succeeded');
  if (connector !== 'stripe') return balance(`the payment was carried out by ${connector ?? 'nobody that is named'}`);
  if (!transaction?.startsWith('pi_')) return balance(`its connector calls the payment ${transaction ?? 'nothing'}`);
  if (row.charge_of !== transaction) return { kind: 'unread', paymentId, paymentIntent: transaction };
  if (row.charge_id === null) return balance(row.charge_unfit ?? 'the payment has no charge');
  if (!isElsewhere(row)) return { kind: 'charge', chargeId: row.charge_id, rate: null };
  // Read by a build that did not ask what it became.
  if (row.charge_became === null) return { kind: 'unread', paymentId, paymentIntent: transaction };
  const rate = rateOf(row);
  return rate && convertedShare(promised(row), rate).amount > 0n
    ? { kind: 'charge', chargeId: row.charge_id, rate }
    : unsendable(row);
}

/** The least that can be sent of it; undefined: nothing of it can be. */
export function leastSent(row: LockedTransfer): bigint | undefined {
  const source = sourceOf(row);
  if (source.kind === 'unsendable') return undefined;
  return source.kind === 'charge' && source.rate !== null ? leastShare(source.rate).amount : 0n;
}

/** The charge's money is in a balance of another currency than the order's. */
const isElsewhere = ({ charge_currency: balance, currency }: LockedTransfer): boolean =>
  balance !== null && balance !== currency;

/** It is drawn from a charge in another currency, or not sent at all: the balance in its own says nothing of it. */
export const needsNoBalance = (row: LockedTransfer): boolean =>
  sourceOf(row).kind === 'unsendable' || (isElsewhere(row) && sourceOf(row).kind !== 'balance');

function unsendable(row: LockedTransfer): Source {
  const { amount, currency, charge_id: charge, charge_currency: balance, charge_paid_in: paidIn } = row;
  const share = `${amount} ${currency}`;
  if (row.origin === 'compensation')
    return {
      kind: 'unsendable',
      as: 'conflict',
      why: `the money of ${charge} is in the balance of ${balance}, and ${share} are to be paid again: nothing is sent in a currency that was not read; pay the seller in ${balance} at Stripe, then write_off`,
    };
  return {
    kind: 'unsendable',
    as: 'conflict',
    why:
      paidIn === currency
        ? `${share} are less than the smallest amount of ${balance}, in whose balance the money of ${charge} is: nothing can be sent; write_off gives the share up`
        : `${charge} was paid in ${paidIn}, its money is in the balance of ${balance}, and the share is ${share}: amounts of different currencies are never sent for one another; pay the seller at Stripe, then write_off`,
  };
}

const promised = ({ amount, currency }: LockedTransfer): OrderMoney => new OrderMoney(BigInt(amount), currency);

/** undefined: the buyer paid in another currency than the order's. */
function rateOf(row: LockedTransfer): ChargeRate | undefined {
  const { charge_paid_in: paidIn, charge_captured: captured, charge_became: became, charge_currency: balance } = row;
  if (paidIn !== row.currency || captured === null || became === null || balance === null) return undefined;
  return {
    captured: new OrderMoney(BigInt(captured), paidIn),
    became: StripeMoney.read(BigInt(became), balance),
  };
}

/** What Stripe is asked for, or was where that may have moved. */
export function moneyOf(row: LockedTransfer): StripeMoney {
  if (mayHaveMoved(row.certainty) && row.params !== null)
    return row.sent_currency === null || row.sent_amount === null
      ? StripeMoney.of(promised(row), row.currency)
      : StripeMoney.read(BigInt(row.sent_amount), row.sent_currency);
  const source = sourceOf(row);
  return source.kind === 'charge' && source.rate !== null
    ? convertedShare(promised(row), source.rate)
    : StripeMoney.of(promised(row), row.currency);
}

/** What is frozen with the next key. */
export function paramsOf(row: LockedTransfer, generation: number): TransferParams {
  const source = sourceOf(row);
  return {
    ...onTheWire(row.id, moneyOf(row)),
    destination: row.seller_account,
    // Stripe names the group itself where it draws from a charge.
    ...(source.kind === 'charge' ? { source_transaction: source.chargeId } : { transfer_group: row.order_mark }),
    metadata: { order_id: row.order_mark, seller_transfer_id: row.id, generation: String(generation) },
  };
}

/** Only of {@link StripeMoney}: what is shared out is never named to Stripe as it is. */
const onTheWire = (id: string, money: StripeMoney): Pick<TransferParams, 'amount' | 'currency'> => ({
  amount: exactMinorUnits({ id, amount: money.amount.toString() }),
  currency: money.currency.toLowerCase(),
});

/** Why it comes from our balance, for its story; undefined: it does not. */
export function whyNoSource(row: LockedTransfer): string | undefined {
  const source = sourceOf(row);
  if (source.kind === 'charge') return undefined;
  return 'why' in source ? source.why : `${source.paymentIntent} could not be read at Stripe`;
}

export const isDrawnFromCharge = ({ params }: Pick<LockedTransfer, 'params'>): boolean =>
  params !== null && Object.hasOwn(JSON.parse(params) as object, 'source_transaction');

/** What whoever has claimed it knows. */
export const partsOf = (row: LockedTransfer) => {
  const source = sourceOf(row);
  return {
    id: row.id,
    orderId: row.order_id,
    createdAt: row.created_at.toISOString(),
    ageMs: row.row_age_ms,
    gated: row.gated,
    // What is frozen and may be sent again under its key stays as it is.
    paymentToRead:
      source.kind === 'unread' && (row.params === null || useOf(row) === 'new_generation')
        ? { id: source.paymentId, paymentIntent: source.paymentIntent, isElsewhere: row.charge_currency !== null }
        : null,
    paymentToSearch:
      row.release_kind !== 'immediately' && row.payment_provider === 'stripe' && surelyUnmoved(row.certainty)
        ? row.payment_id
        : null,
    atStripe: moneyOf(row),
    unsendable: source.kind === 'unsendable' && surelyUnmoved(row.certainty) ? source : null,
  };
};
