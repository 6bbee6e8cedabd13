import { randomBytes } from 'node:crypto';

/**
 * What the stand-in remembers. Amounts are integers of minor units in a `number`, as on Stripe's wire: a parameter has at
 * most twelve digits, so sums stay far below 2^53.
 */

/** What one secret key opens: the objects of one platform in one mode; every other key finds nothing of them. */
export interface World {
  readonly platform: string;
  readonly livemode: boolean;
}

export type Metadata = Readonly<Record<string, string>>;

export interface Funds {
  readonly available: number;
  readonly pending: number;
}

export const PAYOUT_INTERVALS = ['manual', 'daily', 'weekly', 'monthly'] as const;
export type PayoutInterval = (typeof PAYOUT_INTERVALS)[number];

export interface AccountRecord {
  readonly id: string;
  readonly livemode: boolean;
  /** `revoked`: the seller disconnected, so naming it is answered 403. `missing`: it never existed. */
  readonly access: 'granted' | 'revoked' | 'missing';
  /** The capability without which nothing can be transferred to it. */
  readonly transfers: 'active' | 'inactive' | 'pending';
  /** `rejected.fraud`, `requirements.past_due`, …; a rejected account has no capability. */
  readonly disabledReason?: string | null;
  /** How often Stripe pays the balance out; `daily` unless somebody chose another. */
  readonly payouts?: PayoutInterval;
  /** The platform answers for its negative balance, so a reversal never lacks funds. */
  readonly liable: boolean;
  /** The platform has the preview of pending reversals: one that its balance does not cover waits instead of being refused. */
  readonly pendingReversals?: boolean;
  /** It holds this currency alone: what comes in another, or leaves, is converted at so many of it for one. Null: it holds any. */
  readonly settlesIn?: { readonly currency: string; readonly rate: number } | null;
  /** By currency in lower case. */
  readonly funds: Readonly<Record<string, Funds>>;
}

export interface TransferRecord extends World {
  readonly id: string;
  readonly amount: number;
  readonly amountReversed: number;
  readonly balanceTransaction: string;
  /** Unix seconds. */
  readonly created: number;
  readonly currency: string;
  readonly description: string | null;
  readonly destination: string;
  readonly destinationPayment: string;
  readonly metadata: Metadata;
  readonly sourceTransaction: string | null;
  readonly sourceType: string;
  readonly transferGroup: string | null;
}

export const REVERSAL_ENDS = ['succeeded', 'failed', 'canceled'] as const;
export type ReversalEnd = (typeof REVERSAL_ENDS)[number];

export interface ReversalRecord {
  /** Only in the preview of pending reversals. */
  readonly status?: 'pending' | ReversalEnd;
  readonly id: string;
  readonly transfer: string;
  readonly amount: number;
  readonly balanceTransaction: string;
  readonly created: number;
  readonly currency: string;
  readonly destinationPaymentRefund: string;
  readonly metadata: Metadata;
}

export const PAYOUT_STATUSES = ['pending', 'in_transit', 'paid', 'failed', 'canceled'] as const;
export type PayoutStatus = (typeof PAYOUT_STATUSES)[number];

export interface PayoutRecord {
  readonly id: string;
  readonly account: string;
  readonly livemode: boolean;
  readonly amount: number;
  readonly currency: string;
  readonly status: PayoutStatus;
  readonly failureCode: string | null;
  /** False: its owner made it, and nobody knows which money it was. */
  readonly automatic: boolean;
  readonly arrivalDate: number;
  readonly created: number;
  readonly balanceTransaction: string;
}

/** How the transactions here come to be; the other types of Stripe's do not happen (docs.stripe.com/reports/balance-transaction-types). */
export type BalanceTransactionType =
  | 'adjustment'
  | 'charge'
  | 'payment'
  | 'payment_failure_refund'
  | 'payment_refund'
  | 'payout'
  | 'payout_failure'
  | 'refund'
  | 'refund_failure'
  | 'topup'
  | 'transfer'
  | 'transfer_refund';

/** One line of an account's balance. */
export interface BalanceTransactionRecord extends World {
  readonly id: string;
  readonly account: string;
  readonly type: BalanceTransactionType;
  readonly category: string;
  /** Negative: away. */
  readonly amount: number;
  readonly fee: number;
  /** What one unit of the charge's currency became, where the balance has another. */
  readonly exchangeRate: number | null;
  readonly currency: string;
  readonly source: string;
  /** Unix seconds, and so is `availableOn`. */
  readonly created: number;
  readonly availableOn: number;
  /** Counted among what is available; until then it is pending. */
  readonly settled: boolean;
  /** Of a seller's payment, what it came of. */
  readonly transfer?: string | undefined;
  /** The automatic payout that took it to the bank. */
  readonly payout?: string | undefined;
}

export type OpenIntentStatus = 'requires_payment_method' | 'requires_confirmation' | 'requires_action' | 'canceled';

/** A PaymentIntent that was made before anybody paid; what its charges say goes first. */
export interface IntentRecord extends World {
  readonly id: string;
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  readonly metadata: Metadata;
  readonly transferGroup: string | null;
  readonly status: OpenIntentStatus;
  readonly canceledAt: number | null;
  /** Left out: captured by itself. */
  readonly captureMethod?: 'manual' | undefined;
  readonly customer?: string | undefined;
  /** Left out: somebody called it off. */
  readonly cancellationReason?: 'automatic' | undefined;
}

export type ChargeStatus = 'succeeded' | 'pending' | 'failed';

/** A payment on the platform itself, with the PaymentIntent that made it. */
export interface ChargeRecord extends World {
  readonly id: string;
  readonly paymentIntent: string;
  readonly amount: number;
  readonly currency: string;
  readonly captured: boolean;
  /** The part that was captured by hand; left out: the whole, or nothing yet. */
  readonly part?: number | undefined;
  readonly created: number;
  readonly status: ChargeStatus;
  /** `card`, `us_bank_account`, …; only cards are sure once captured. */
  readonly method: string;
  readonly metadata: Metadata;
  /** Null where no money came. */
  readonly balanceTransaction: string | null;
  readonly failureTransaction: string | null;
  /** Given by whoever charged, or by the first transfer out of it. */
  readonly transferGroup: string | null;
  /** What the PaymentIntent was made with; a transfer does not change it. */
  readonly intentGroup: string | null;
}

export const REFUND_STATUSES = ['succeeded', 'pending', 'failed'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

export interface RefundRecord extends World {
  readonly id: string;
  readonly charge: string;
  readonly amount: number;
  readonly currency: string;
  readonly created: number;
  readonly status: RefundStatus;
  readonly metadata: Metadata;
  /** Null: what was only held is let go of, which no balance shows. */
  readonly balanceTransaction: string | null;
  /** It is pending because the platform's balance does not cover it. */
  readonly short?: boolean;
  /** What brought the money back when it failed. */
  readonly failureTransaction: string | null;
  /** Of what Stripe itself made. */
  readonly reason?: 'expired_uncaptured_charge' | undefined;
}

export type DisputeStatus =
  | 'warning_needs_response'
  | 'warning_under_review'
  | 'warning_closed'
  | 'needs_response'
  | 'under_review'
  | 'won'
  | 'lost'
  | 'prevented';

export interface DisputeRecord extends World {
  readonly id: string;
  readonly charge: string;
  readonly amount: number;
  /** Of a withdrawal, in the currency of the balance. */
  readonly fee: number;
  readonly currency: string;
  readonly created: number;
  readonly status: DisputeStatus;
  /** It never was more than a question of the bank. */
  readonly inquiry: boolean;
  readonly submissions: number;
  readonly metadata: Metadata;
  /** What the bank holds of the amount. */
  readonly away: number;
  /** In order. */
  readonly balanceTransactions: readonly string[];
}

/** The first answer to an idempotency key. */
export interface KeyRecord {
  /** Keys of one account in one mode never meet those of another. */
  readonly scope: string;
  readonly key: string;
  /** `POST /v1/transfers`; the path with its ids. */
  readonly endpoint: string;
  /** Canonical text of the parameters. */
  readonly params: string;
  readonly firstAtMs: number;
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
}

/** A call that was answered 500 and is carried out afterwards. */
export interface DeferredRecord {
  readonly id: string;
  readonly path: string;
  readonly form: readonly (readonly [string, string])[];
  readonly world: World;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
  /** By the stand-in's clock; null: when told. */
  readonly dueAtMs: number | null;
  /** What became of it; null: not carried out yet. */
  readonly status: number | null;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `tr_1…` with 24 characters after the prefix, as Stripe's are. */
export function newId(prefix: string): string {
  const tail = Array.from(randomBytes(23), (byte) => ALPHABET[byte % ALPHABET.length]);
  return `${prefix}_1${tail.join('')}`;
}
