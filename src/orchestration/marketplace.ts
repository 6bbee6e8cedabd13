import type { Client, WorkflowStartOptions } from '@temporalio/client';
import type { FollowInput, StripeCallInput } from '../../activities/marketplace-contract.js';
import { rereadSignal } from '../../workflows/messages.js';
import { AmountMinor, Currency, MoneyKind, MoneyState, OrderId, SellerId } from '../../workflows/search-attributes.js';
import type { RetryTimings } from '../calls/steps.js';
import type { MarketplaceKind as Kind } from '../domain/marketplace/marketplace.js';
import { marketplaceWorkflowId, stripeTaskQueue } from '../domain/workflow-ids.js';
import { itemDetails, summaryOf } from '../domain/workflow-texts.js';
import type { Ledger } from '../ledger/ledger.js';
import type { DueItem, MarketplaceItem } from '../ledger/marketplace/marketplace-types.js';
import { withoutAttributesIfNeeded } from './start.js';

export interface MarketplaceTimings {
  readonly transfer: RetryTimings;
  readonly reversal: RetryTimings;
  /** Kinds whose workflows are not started; their rows wait until they are. */
  readonly disabled: readonly Kind[];
}

const TYPE: Readonly<Record<Kind, string>> = {
  payment: 'payment',
  refund: 'refund',
  transfer: 'sellerTransfer',
  reversal: 'refundReversal',
  dispute: 'dispute',
};

const WHAT: Readonly<Record<Kind, string>> = {
  payment: "Follows a buyer's payment until it is final.",
  refund: 'Sees a refund of a buyer through.',
  transfer: "Sends one seller's share of a paid order, exactly once.",
  reversal: "Takes one seller's share of a refund or dispute back, exactly once.",
  dispute: "Follows a buyer's dispute until it has ended.",
};

export interface MarketplaceOrchestration {
  /** Starts the item's workflow, or tells the one that runs to look into the ledger. @returns false: its kind is disabled */
  wake(item: DueItem): Promise<boolean>;
}

export function createMarketplaceOrchestration(
  client: Client,
  taskQueue: string,
  timings: MarketplaceTimings,
): MarketplaceOrchestration {
  return {
    async wake(item) {
      if (timings.disabled.includes(item.kind)) return false;
      await withoutAttributesIfNeeded(client, optionsOf(item, taskQueue, timings), (options) =>
        client.workflow.signalWithStart(TYPE[item.kind], { ...options, signal: rereadSignal, signalArgs: [] }),
      );
      return true;
    },
  };
}

function optionsOf(item: DueItem, taskQueue: string, timings: MarketplaceTimings): WorkflowStartOptions {
  const { kind, id, sellerAccount, orderId, amount, currency } = item;
  const toStripe = kind === 'transfer' || kind === 'reversal';
  const input: FollowInput | StripeCallInput = toStripe
    ? { id, sellerAccount: sellerAccount ?? '', settings: timings[kind] }
    : { id };
  return {
    workflowId: marketplaceWorkflowId(kind, id),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: toStripe ? stripeTaskQueue(taskQueue) : taskQueue,
    args: [input],
    typedSearchAttributes: [
      { key: MoneyKind, value: kind },
      { key: MoneyState, value: 'pending' },
      { key: OrderId, value: orderId },
      { key: AmountMinor, value: amount.toString() },
      { key: Currency, value: currency },
      ...(sellerAccount === null ? [] : [{ key: SellerId, value: sellerAccount }]),
    ],
    staticSummary: summaryOf(
      `${kind} of ${amount} ${currency} (minor units)${sellerAccount === null ? '' : ` ${kind === 'transfer' ? 'to' : 'from'} ${sellerAccount}`}`,
    ),
    staticDetails: itemDetails(WHAT[kind], id),
    ...(sellerAccount === null ? {} : { priority: { fairnessKey: sellerAccount.slice(0, 64) } }),
  };
}

export interface NudgeDependencies {
  readonly ledger: Pick<Ledger, 'describeItem'>;
  readonly orchestration: MarketplaceOrchestration;
  readonly onFailure: (item: MarketplaceItem, error: unknown) => void;
}

/** Far above what a busy minute has; what comes on top while Temporal is away is left to the sweep. */
const MOST_UNDER_WAY = 1_000;

export interface Nudge {
  (items: readonly MarketplaceItem[]): void;
  /** Begins nothing more, and resolves when nothing is under way: before the connections it uses are closed. */
  stop(): Promise<void>;
}

/** Off the path of whoever asks: it never throws, and what it misses is found by the sweep. */
export function createNudge({ ledger, orchestration, onFailure }: NudgeDependencies): Nudge {
  const underWay = new Set<Promise<void>>();
  let stopped = false;
  const begin = async (item: MarketplaceItem): Promise<void> => {
    try {
      const due = await ledger.describeItem(item);
      if (due && !stopped) await orchestration.wake(due);
    } catch (error) {
      onFailure(item, error);
    }
  };
  const nudge = (items: readonly MarketplaceItem[]): void => {
    for (const item of items) {
      if (stopped || underWay.size >= MOST_UNDER_WAY) return;
      const one: Promise<void> = begin(item).finally(() => underWay.delete(one));
      underWay.add(one);
    }
  };
  return Object.assign(nudge, {
    async stop() {
      stopped = true;
      await Promise.all(underWay);
    },
  });
}
