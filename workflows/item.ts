import {
  allHandlersFinished,
  condition,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { MarketplaceActivities } from '../activities/marketplace-contract.js';
import { actionsOf } from '../src/domain/decisions/decisions.js';
import type { MarketplaceKind } from '../src/domain/marketplace/marketplace.js';
import { createDecisionDesk } from './decision-desk.js';
import { type ItemState, rereadSignal, stateQuery } from './messages.js';
import { ledgerCall } from './policies.js';
import { MoneyState } from './search-attributes.js';
import { showPhase } from './visibility.js';

const { decideMoney } = proxyActivities<Pick<MarketplaceActivities, 'decideMoney'>>({
  ...ledgerCall,
  summary: 'records a decision that came by message',
});

export const A_DAY_MS = 24 * 3_600_000;

/**
 * What the workflow of a payment, refund, transfer, reversal or dispute has around its calls: a state that can be asked for, a desk
 * for decisions, nudges that have the ledger read again, an end, and a fresh run each day.
 */
export function beginItem({
  kind,
  id,
  detail,
  recordsLate,
}: {
  readonly kind: MarketplaceKind;
  readonly id: string;
  readonly detail: string;
  readonly recordsLate?: () => boolean;
}) {
  const state: ItemState = { phase: 'calling', detail, ignored: [] };
  showPhase(state, 'calling', detail);
  const desk = createDecisionDesk({
    state,
    actions: actionsOf(kind),
    ...(recordsLate && { recordsLate }),
    decide: (message) => decideMoney({ kind, itemId: id, ...message }),
  });
  let nudged = false;
  setHandler(stateQuery, () => state);
  setHandler(rereadSignal, () => {
    nudged = true;
  });
  const startedAtMs = Date.now();

  /** Messages that nobody needed until now would be lost with this run. */
  async function dismissRest(): Promise<void> {
    await desk.dismissRest();
    await condition(allHandlersFinished);
  }

  return {
    state,
    desk,
    /** A nudge that came during an attempt is about something newer than the attempt has seen. */
    isNudged: () => nudged,
    /** To be called before an attempt, never after it. */
    clearNudge(): void {
      nudged = false;
    },
    async finish(status: string): Promise<{ status: string }> {
      showPhase(state, 'finished', status);
      upsertSearchAttributes([{ key: MoneyState, value: status }]);
      await dismissRest();
      return { status };
    },
    /** Keeps histories short, and moves a long life to the newest code. */
    async renewDaily(continueAsNew: () => Promise<never>): Promise<void> {
      if (!workflowInfo().continueAsNewSuggested && Date.now() - startedAtMs <= A_DAY_MS) return;
      await dismissRest();
      await continueAsNew();
    },
  };
}
