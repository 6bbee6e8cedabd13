import type { AttentionReason } from '../domain/attention.js';
import type { Certainty } from '../domain/certainty.js';
import type {
  BackfillId,
  DecisionId,
  OrderId,
  PaymentId,
  RefundId,
  ReversalId,
  SettlementId,
  TransferId,
} from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { MoneyKind, Order, OrderItem, Payment, Refund, Reversal, SellerTransfer } from '../domain/marketplace.js';
import type { RefundStatus, ReversalStatus, TransferStatus } from '../domain/marketplace-status.js';
import type { Decision } from '../domain/next.js';
import type {
  PaymentFacts,
  PayoutFacts,
  RefundFacts,
  ReversalParams,
  TransferParams,
} from '../domain/provider-answers.js';

// ---- orders, payments, refunds: what our own clients ask for ----

export interface NewOrder {
  readonly id: OrderId;
  readonly currency: string;
  readonly items: readonly OrderItem[];
}

/** Our own client's Idempotency-Key; scoped to the token's name and the operation. */
export interface RequestKey {
  readonly principal: string;
  readonly operation: 'orders' | 'payments' | 'refunds';
  readonly key: string;
  readonly bodySha256: string;
}

/**
 * `begun`: go on, and finish with finishRequest; `itemId` is set when an earlier request with this key made the item and
 * did not answer (crash, unknown outcome): go on with that item. `answered`: the stored answer. `in_flight`: 409.
 * `other_body`: 422.
 */
export type BeginRequest =
  | { readonly kind: 'begun'; readonly itemId: string | null }
  | { readonly kind: 'answered'; readonly status: number; readonly answer: JsonObject }
  | { readonly kind: 'in_flight' | 'other_body' };

export type NewPaymentOutcome =
  /** `created`: one more row, not sent yet. `existing`: the order's one payment. */
  | { readonly kind: 'created' | 'existing'; readonly payment: Payment }
  | { readonly kind: 'order_not_found' }
  /** The payment failed or was cancelled for good. */
  | { readonly kind: 'closed'; readonly payment: Payment };

export interface NewPayment {
  readonly id: PaymentId;
  readonly orderId: OrderId;
  /** Derived from the payment's key (src/providers/hyperswitch/ids.ts), so that a repeated call makes nothing new. */
  readonly hyperswitchPaymentId: string;
}

export interface NewRefund {
  readonly id: RefundId;
  readonly orderId: OrderId;
  /** Derived from the refund's key, as a payment's is. */
  readonly hyperswitchRefundId: string;
  /** Null: the remainder. */
  readonly amount: bigint | null;
  readonly reason: string;
}

export type NewRefundOutcome =
  | { readonly kind: 'created'; readonly refund: Refund }
  | { readonly kind: 'order_not_found' | 'not_paid' }
  | { readonly kind: 'exceeds_paid'; readonly remainder: bigint };

// ---- money calls to Hyperswitch ----

/** A payment or refund that this process may send or read now. `certainty` is what was known before; `not_sent` needs no look. */
export interface ClaimedPayment {
  readonly id: PaymentId;
  readonly orderId: OrderId;
  readonly amount: bigint;
  readonly currency: string;
  readonly key: string;
  readonly certainty: Certainty;
  readonly hyperswitchPaymentId: string;
}
export interface ClaimedRefund {
  readonly id: RefundId;
  readonly orderId: OrderId;
  readonly amount: bigint;
  readonly currency: string;
  readonly reason: string;
  readonly key: string;
  readonly certainty: Certainty;
  readonly hyperswitchPaymentId: string;
  readonly hyperswitchRefundId: string;
}
export type HyperswitchClaim<Claimed> =
  | { readonly kind: 'claimed'; readonly claim: Claimed }
  /** Nothing is to be sent; it may still be read, because a refund that succeeded can fail later. */
  | { readonly kind: 'final'; readonly claim: Claimed }
  | { readonly kind: 'held'; readonly forMs: number };

/** What the provider said of one payment; refunds it knows are told one by one by {@link RefundReading}. */
export interface PaymentReading {
  readonly paymentId: PaymentId;
  /** Null: this was read without a claim (a webhook on a finished item). */
  readonly runner: string | null;
  readonly facts: PaymentFacts;
}

export interface RefundReading {
  readonly refundId: RefundId;
  readonly runner: string | null;
  readonly facts: RefundFacts;
}

/** What the ledger did with a reading, and what must be started now; the sweep starts it otherwise. */
export interface Applied {
  readonly status: string;
  readonly started: readonly MoneyItem[];
}
export interface MoneyItem {
  readonly kind: MoneyKind;
  readonly id: string;
}

// ---- money calls to Stripe ----

/** One transfer or reversal that this process has claimed: it may look at Stripe now, and ask to send. */
export interface Claimed {
  readonly runner: string;
  readonly orderId: OrderId;
  readonly sellerAccount: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly certainty: Certainty;
  readonly generation: number;
  readonly attempts: number;
  readonly retryCount: number;
  /** Read Stripe's records before sending (key-age.ts). */
  readonly looksFirst: boolean;
}
export interface ClaimedTransfer extends Claimed {
  readonly id: TransferId;
  /** What Stripe's transfer_group and metadata[order_id] say. */
  readonly orderMark: string;
}
export interface ClaimedReversal extends Claimed {
  readonly id: ReversalId;
  readonly refundId: RefundId;
  readonly transferId: TransferId;
  readonly stripeTransferId: string;
  /** To read the refund once more before the POST; null: a refund without the provider. */
  readonly hyperswitchRefundId: string | null;
}

/** Why nothing may be sent now. Only `failed` and `final` end it. */
export type StripeClaim<C> =
  | { readonly kind: 'claimed'; readonly claim: C }
  | { readonly kind: 'final'; readonly status: string }
  | { readonly kind: 'attention'; readonly reason: AttentionReason; readonly detail: string; readonly unknown: boolean }
  /** Another process holds it, its date is not due, its transfer is still on its way, or an earlier one goes first. */
  | { readonly kind: 'later'; readonly afterMs: number; readonly why: string }
  /** All of Stripe, or this seller at it, is parked. */
  | { readonly kind: 'parked'; readonly afterMs: number; readonly why: string }
  /** Its provider is parked and this process is the one that asks, read-only, whether it is over. */
  | { readonly kind: 'probe'; readonly provider: string; readonly sellerAccount: string }
  | { readonly kind: 'waiting_balance'; readonly afterMs: number };

/** The last word before the bytes leave, by the ledger's clock (I4). */
export type SendPermit<Params> =
  | { readonly kind: 'send'; readonly key: string; readonly generation: number; readonly params: Params }
  /** The key may or may not be forgotten: look again later, send nothing. */
  | { readonly kind: 'read_only'; readonly afterMs: number }
  /** The claim lapsed, or nothing is due any more (refund no longer succeeded, transfer cancelled). */
  | { readonly kind: 'stop'; readonly why: string };

export type TransferPermit = SendPermit<TransferParams>;
export type ReversalPermit = SendPermit<ReversalParams>;

/** How one attempt ended. */
export interface CallOutcome<Id> {
  readonly id: Id;
  readonly runner: string;
  readonly decision: Decision;
  /** In the provider's words, cut; no secret. */
  readonly detail: string;
  readonly requestId: string | null;
  /** tr_… or trr_…; set exactly with `finish`. */
  readonly stripeId: string | null;
  /** How it was found: by our own call's answer, or in Stripe's records. */
  readonly source: 'answer' | 'lookup';
  /** Parks all of Stripe or this seller; set exactly with `park`. */
  readonly parks: 'stripe' | 'seller' | null;
}

export interface Recorded {
  readonly status: TransferStatus | ReversalStatus;
  readonly started: readonly MoneyItem[];
}

/** What an absence proves; recorded before a permit is asked for. */
export interface Absence<Id> {
  readonly id: Id;
  readonly runner: string;
}

// ---- reading ----

export interface MoneyFilter {
  readonly status?: string;
  readonly needsAttention?: boolean;
  readonly orderId?: OrderId;
  /** Of an order: our client's Idempotency-Key, or what it was called before its import. Else: the key sent to Stripe. */
  readonly key?: string;
  /** Id of the last item of the page before this one: what is older follows. */
  readonly before?: string;
  readonly limit: number;
}

export interface DueItem {
  readonly kind: MoneyKind;
  readonly id: string;
  readonly orderId: OrderId;
  readonly sellerAccount: string | null;
  readonly amount: bigint;
  readonly currency: string;
}

// ---- decisions ----

export type DecidableKind = 'transfer' | 'reversal' | 'refund';
export type MoneyAction = 'retry' | 'adopt' | 'write_off' | 'compensate';

export interface MoneyDecisionRequest {
  readonly id: DecisionId;
  readonly kind: DecidableKind;
  readonly itemId: string;
  readonly action: MoneyAction;
  readonly by: string;
  readonly authenticated: boolean;
  readonly note: string;
  readonly evidence: JsonObject | null;
  /**
   * What a look at Stripe showed, made after the item was found waiting and before this call. `adopt` needs `ours` with
   * the same id; `write_off` needs `absent`.
   */
  readonly verified: Verification;
}

export type Verification =
  | { readonly kind: 'not_needed' }
  | { readonly kind: 'found'; readonly stripeId: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refuted'; readonly detail: string }
  | { readonly kind: 'unanswered'; readonly detail: string };

export type MoneyDecideOutcome =
  | { readonly kind: 'applied' | 'pending_approval'; readonly status: string; readonly decisionId: DecisionId }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'not_waiting'; readonly status: string }
  | { readonly kind: 'refused'; readonly detail: string };

/** Which item a decision is about, of any kind; for approvals. */
export interface DecisionItem {
  readonly decisionId: DecisionId;
  readonly kind: 'settlement' | DecidableKind;
  readonly itemId: SettlementId | string;
  readonly action: string;
  readonly evidence: JsonObject | null;
}

// ---- webhooks ----

export interface NewWebhookEvent {
  readonly provider: 'hyperswitch' | 'stripe';
  readonly eventId: string;
  readonly type: string;
  readonly objectId: string | null;
  readonly parentId: string | null;
  readonly account: string | null;
  readonly bodySha256: string;
}

export interface DueEvent extends NewWebhookEvent {
  readonly receivedAt: string;
}

// ---- historical transfers ----

/** One line of `makegood import-transfers`. */
export interface HistoricalTransfer {
  /** The order's id at the time; Stripe's metadata[order_id]. */
  readonly order: string;
  readonly currency: string;
  /** What the buyer paid for the whole order. */
  readonly paid: bigint;
  readonly hyperswitchPaymentId: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly stripeTransferId: string | null;
  /** ISO 8601 */
  readonly createdAt: string;
}
export type ImportOutcome =
  | { readonly kind: 'imported' | 'same'; readonly transferId: TransferId; readonly orderId: OrderId }
  | { readonly kind: 'conflict'; readonly detail: string };

export interface Backfill {
  readonly id: BackfillId;
  readonly apply: boolean;
  readonly since: string | null;
  readonly destination: string | null;
  readonly requestedBy: string;
  readonly state: 'running' | 'finished';
}

/** `running`: another one is at work, and two would report each other's findings as taken; nothing was started. */
export type BackfillStart = { readonly kind: 'started' | 'running'; readonly id: BackfillId };

/** A completed transfer whose id at Stripe is not known. */
export interface TransferWithoutId {
  readonly id: TransferId;
  /** Reference of the order, or its id. */
  readonly orderMark: string;
  readonly sellerAccount: string;
  readonly amount: bigint;
  readonly currency: string;
}

export interface BackfillResult {
  readonly backfillId: BackfillId;
  readonly transferId: TransferId;
  readonly outcome: 'matched' | 'written' | 'not_found' | 'ambiguous' | 'mismatch' | 'taken';
  readonly stripeTransferId: string | null;
  readonly candidates: readonly string[];
  readonly detail: string;
}

// ---- the operations, by who uses them ----

/** Of routes and commands. */
export interface MarketplaceLedger {
  beginRequest(key: RequestKey): Promise<BeginRequest>;
  /** Ties the key to the item it makes; in the transaction that makes it, so that a crash never leaves one without the other. */
  finishRequest(key: RequestKey, answer: { status: number; answer: JsonObject }): Promise<void>;
  /** Lets the same key go on later: the outcome is unknown, the item is kept. */
  releaseRequest(key: RequestKey): Promise<void>;

  createOrder(order: NewOrder, request: RequestKey): Promise<Order>;
  findOrder(id: OrderId): Promise<Order | undefined>;
  listOrders(filter: MoneyFilter): Promise<readonly Order[]>;

  createPayment(payment: NewPayment, request: RequestKey): Promise<NewPaymentOutcome>;
  findPayment(id: PaymentId): Promise<Payment | undefined>;
  /** The buyer's client secret, opened; null when there is none or the payment is final. */
  clientSecret(id: PaymentId): Promise<string | null>;

  createRefund(refund: NewRefund, request: RequestKey): Promise<NewRefundOutcome>;
  findRefund(id: RefundId): Promise<Refund | undefined>;
  reversalsOfRefund(id: RefundId): Promise<readonly Reversal[]>;

  findTransfer(id: TransferId): Promise<SellerTransfer | undefined>;
  listTransfers(filter: MoneyFilter): Promise<readonly SellerTransfer[]>;
  reversalsOfTransfer(id: TransferId): Promise<readonly Reversal[]>;
  findReversal(id: ReversalId): Promise<Reversal | undefined>;
  listReversals(filter: MoneyFilter): Promise<readonly Reversal[]>;

  decideMoney(request: MoneyDecisionRequest): Promise<MoneyDecideOutcome>;
  /** The item of a decision that waits for approval; undefined: no such decision. */
  decisionItem(id: DecisionId): Promise<DecisionItem | undefined>;
  approveMoney(request: {
    decisionId: DecisionId;
    by: string;
    note: string;
    verified: Verification;
  }): Promise<MoneyDecideOutcome | { readonly kind: 'self_approval' }>;

  /** @returns whether this event is new; a duplicate only counts its delivery */
  storeWebhook(event: NewWebhookEvent): Promise<'stored' | 'duplicate'>;
  /** Events nobody has processed by their date, oldest first. */
  dueWebhooks(limit: number): Promise<readonly DueEvent[]>;
  finishWebhook(event: Pick<NewWebhookEvent, 'provider' | 'eventId'>, outcome: string): Promise<void>;
  /** The item an event is about; undefined: nothing of ours, or a refund that only the provider knows so far. */
  itemOfWebhook(event: NewWebhookEvent): Promise<MoneyItem | undefined>;

  importTransfer(line: HistoricalTransfer): Promise<ImportOutcome>;
  /** Completed transfers without an id at Stripe; `makegood migrate` reports how many. */
  countTransfersWithoutId(): Promise<number>;
  /** Repeated with the same id, it does nothing more. */
  startBackfill(backfill: Omit<Backfill, 'state'>): Promise<BackfillStart>;
  backfillReport(id: BackfillId, after: TransferId | null, limit: number): Promise<readonly BackfillResult[]>;
  findBackfill(id: BackfillId): Promise<Backfill | undefined>;
}

/** Of activities. */
export interface MoneyCallLedger {
  claimPayment(id: PaymentId, runner: string, holdMs: number): Promise<HyperswitchClaim<ClaimedPayment>>;
  /** In flight from here on. @returns false: the claim lapsed, nothing may be sent */
  paymentLeaves(id: PaymentId, runner: string): Promise<boolean>;
  /** No reading: the call's outcome is `unknown`, or (refused) `absent`; also gives the claim back. */
  paymentUnread(outcome: {
    id: PaymentId;
    runner: string;
    certainty: Certainty;
    detail: string;
    nextCheckMs: number;
  }): Promise<void>;
  /** The provider refused the payment for good: it is failed, and so is the order. */
  paymentRefused(outcome: { id: PaymentId; runner: string; detail: string }): Promise<void>;
  applyPayment(reading: PaymentReading): Promise<Applied>;

  claimRefund(id: RefundId, runner: string, holdMs: number): Promise<HyperswitchClaim<ClaimedRefund>>;
  refundLeaves(id: RefundId, runner: string): Promise<boolean>;
  refundUnread(outcome: {
    id: RefundId;
    runner: string;
    certainty: Certainty;
    detail: string;
    nextCheckMs: number;
  }): Promise<void>;
  /** The provider refused the refund for good: it is failed, the buyer got nothing. */
  refundRefused(outcome: { id: RefundId; runner: string; detail: string }): Promise<void>;
  applyRefund(reading: RefundReading): Promise<Applied>;
  /** A refund that we did not make: stored with origin `provider`, then as applyRefund. */
  adoptRefund(paymentId: PaymentId, refundId: RefundId, facts: RefundFacts): Promise<Applied & { refundId: RefundId }>;

  claimTransfer(id: TransferId, runner: string, holdMs: number): Promise<StripeClaim<ClaimedTransfer>>;
  claimReversal(id: ReversalId, runner: string, holdMs: number): Promise<StripeClaim<ClaimedReversal>>;
  noteTransferAbsent(absence: Absence<TransferId>): Promise<void>;
  noteReversalAbsent(absence: Absence<ReversalId>): Promise<void>;
  permitTransfer(id: TransferId, runner: string, holdMs: number): Promise<TransferPermit>;
  permitReversal(id: ReversalId, runner: string, holdMs: number): Promise<ReversalPermit>;
  recordTransfer(outcome: CallOutcome<TransferId>): Promise<Recorded>;
  recordReversal(outcome: CallOutcome<ReversalId>): Promise<Recorded>;
  /** Gives the claim back without an attempt: nothing was sent. */
  releaseTransfer(id: TransferId, runner: string, afterMs: number): Promise<void>;
  releaseReversal(id: ReversalId, runner: string, afterMs: number): Promise<void>;
  /** Time until this seller's next call should begin (seller_turns). */
  takeTurn(sellerAccount: string, perSecond: number): Promise<number>;
  /** Time until one more request may go to this endpoint (stripe_tokens). */
  takeToken(endpoint: string, perSecond: number): Promise<number>;
  /** First use pins; @returns false: this key belongs to another account or mode */
  pinStripeAccount(account: { accountId: string; livemode: boolean }): Promise<boolean>;
  parkProvider(provider: string, detail: string): Promise<void>;
  unparkProvider(provider: string): Promise<void>;
  /** Evidence found by a read-only probe of a permanently failed item: adopts it, from whatever status. */
  adoptReversal(id: ReversalId, stripeReversalId: string): Promise<Recorded>;
  adoptTransfer(id: TransferId, stripeTransferId: string): Promise<Recorded>;
  /** Looked in vain: the next look is due then. */
  nextProbe(kind: 'transfer' | 'reversal', id: string, afterMs: number): Promise<void>;
  /** Webhooks about this item that nobody has acted on yet: asked before the provider is read, finished after. */
  openWebhooks(item: MoneyItem): Promise<readonly Pick<NewWebhookEvent, 'provider' | 'eventId'>[]>;

  /** Wakes this seller's oldest waiting reversal: its balance has risen, or may have. */
  balanceRose(sellerAccount: string): Promise<readonly MoneyItem[]>;
  savePayout(payout: PayoutFacts): Promise<void>;

  /** What nobody took further by its date; sellers in turn; not what is parked. */
  dueItems(kind: MoneyKind, limit: number): Promise<readonly DueItem[]>;
  describeItem(item: MoneyItem): Promise<DueItem | undefined>;
  markItemsStarted(items: readonly MoneyItem[]): Promise<void>;

  transfersWithoutId(
    filter: { since: string | null; destination: string | null; after: TransferId | null },
    limit: number,
  ): Promise<readonly TransferWithoutId[]>;
  /** With `apply`, writes the id too; `taken` when another transfer has it already. */
  recordBackfill(result: BackfillResult, apply: boolean): Promise<BackfillResult>;
  finishBackfill(id: BackfillId): Promise<void>;
}

export type MarketplaceStatus = TransferStatus | ReversalStatus | RefundStatus;
