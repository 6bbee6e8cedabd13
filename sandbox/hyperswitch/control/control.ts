import type { CommonControl } from '../../stand-in/control.js';
import type { DisputeChange, DisputeNews, DisputeOpening } from '../connector/disputes.js';
import type { PaymentOrder, RefundOrderMove } from '../connector/processor.js';
import type { FaultRule } from '../faults.js';
import type { Dispute } from '../http/dispute-objects.js';
import type { Owner, Payment, Refund, RefundStatus } from '../http/objects.js';
import type { Problem } from '../http/problems.js';
import type { AutoSettings } from '../state/auto.js';
import type { SentEvent, WebhookSettings } from '../webhooks/webhooks.js';
import type { CallTotals, CreatedCalls, LoggedCall } from './call-log.js';

/** Amounts are whole minor units; totals by currency count what succeeded. */
export interface LedgerView {
  readonly payments: readonly Payment[];
  readonly refunds: readonly Refund[];
  /** Those too that Hyperswitch has not heard of. */
  readonly disputes: readonly Dispute[];
  readonly totals: Readonly<Record<string, { readonly received: number; readonly refunded: number }>>;
}
export interface CallsView {
  readonly calls: readonly LoggedCall[];
  readonly created: readonly CreatedCalls[];
  readonly totals: CallTotals;
}
export interface DashboardRefund {
  readonly payment_id: string;
  /** Absent: the whole payment. */
  readonly amount?: number | undefined;
  readonly reason?: string | undefined;
  /** Default `succeeded`. */
  readonly status?: RefundStatus | undefined;
}

/** The same switches as under /control, for tests in this process. */
export interface HyperswitchControl extends CommonControl<FaultRule, LedgerView, CallsView> {
  /** Replaces what happens by itself from now on. */
  setAuto(settings: AutoSettings & { readonly maxRefunds?: number | undefined }): void;
  /** Undefined: there is no such payment. */
  movePayment(id: string, move: PaymentOrder): Promise<Payment> | undefined;
  moveRefund(id: string, move: RefundOrderMove): Promise<Refund> | undefined;
  /** A refund that a person makes at Hyperswitch: its own id, nothing of ours in it. */
  refundInDashboard(order: DashboardRefund): Promise<{ refund: Refund } | { problem: Problem }>;
  openDispute(order: DisputeOpening): Promise<DisputeNews | { problem: Problem }>;
  /** Undefined: there is no such dispute. */
  changeDispute(id: string, change: DisputeChange): Promise<DisputeNews> | undefined;
  webhooks(): readonly SentEvent[];
  setWebhooks(settings: WebhookSettings): void;
  releaseWebhooks(newestFirst: boolean): Promise<void>;
  redeliver(eventId: string): Promise<boolean>;
  /** Carries out what `lands_late` kept. */
  landLate(): Promise<number>;
  /**
   * Whose a key is; another merchant's finds nothing of what was made before. Default: the sandbox's. Without `apiKey` it is
   * the key that the stand-in was started with; another one is taken beside it.
   */
  setKeyOwner(owner: Partial<Owner> & { readonly apiKey?: string | undefined }): void;
}
