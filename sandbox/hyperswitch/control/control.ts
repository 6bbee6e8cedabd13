import type { CommonControl } from '../../stand-in/control.js';
import type { FaultRule } from '../faults.js';
import type { IntentStatus, Owner, Payment, Refund, RefundStatus } from '../http/objects.js';
import type { Problem } from '../http/problems.js';
import type { AutoSettings } from '../state/auto.js';
import type { Move } from '../state/book.js';
import type { SentEvent, WebhookSettings } from '../webhooks/webhooks.js';
import type { CallTotals, CreatedCalls, LoggedCall } from './call-log.js';

/** Amounts are whole minor units; totals by currency count what succeeded. */
export interface LedgerView {
  readonly payments: readonly Payment[];
  readonly refunds: readonly Refund[];
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
  movePayment(id: string, move: Move<IntentStatus> & { readonly received?: number }): Promise<Payment> | undefined;
  moveRefund(id: string, move: Move<RefundStatus>): Promise<Refund> | undefined;
  /** A refund that a person makes at Hyperswitch: its own id, nothing of ours in it. */
  refundInDashboard(order: DashboardRefund): Promise<{ refund: Refund } | { problem: Problem }>;
  webhooks(): readonly SentEvent[];
  setWebhooks(settings: WebhookSettings): void;
  releaseWebhooks(newestFirst: boolean): Promise<void>;
  redeliver(eventId: string): Promise<boolean>;
  /** Carries out what `lands_late` kept. */
  landLate(): Promise<number>;
  /** Whose the key is that callers send; another merchant's finds nothing of what was made before. Default: the sandbox's. */
  setKeyOwner(owner: Partial<Owner>): void;
}
