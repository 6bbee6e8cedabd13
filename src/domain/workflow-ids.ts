import type { BackfillId, NoticeMessageId, ReconciliationId, SettlementId } from './ids.js';
import type { MarketplaceKind } from './marketplace/marketplace.js';

/** Every workflow id of the product is built here: an operator types these into the Temporal CLI. */
export const settlementWorkflowId = (id: SettlementId): string => `settlement/${id}`;
/** `batch` is the id of the oldest settlement in it, so that two sweeps cannot start the same batch twice. */
export const settlementBatchWorkflowId = (batch: SettlementId): string => `settlements/${batch}`;
export const notificationWorkflowId = (id: NoticeMessageId): string => `notification/${id}`;
export const backfillWorkflowId = (id: BackfillId): string => `backfill/${id}`;
export const reconciliationWorkflowId = (id: ReconciliationId): string => `reconcile/${id}`;

/** Where everything runs that calls Stripe, so that its rate can be changed live and its slowness holds up nothing else. */
export const stripeTaskQueue = (taskQueue: string): string => `${taskQueue}-stripe`;
/** Where messages are delivered, by those workers that have destinations in their settings: one that hangs takes no place of any money. */
export const notificationTaskQueue = (taskQueue: string): string => `${taskQueue}-notify`;
/** `payment/<id>`, `refund/<id>`, `transfer/<id>`, `reversal/<id>`, `dispute/<id>`. */
export const marketplaceWorkflowId = (kind: MarketplaceKind, id: string): string => `${kind}/${id}`;
