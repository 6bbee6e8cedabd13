import {
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { FollowInput, MarketplaceActivities } from '../activities/marketplace-contract.js';
import type { FollowStep } from '../src/calls/steps.js';
import { actionsOf } from '../src/domain/decisions/decisions.js';
import { createDecisionDesk } from './decision-desk.js';
import { type ItemState, rereadSignal, stateQuery } from './messages.js';
import { hyperswitchStep, ledgerCall, readAgainMs } from './policies.js';
import { MoneyState } from './search-attributes.js';
import { clearAttention, showAttention, showPhase } from './visibility.js';

const { advancePayment, advanceRefund } =
  proxyActivities<Pick<MarketplaceActivities, 'advancePayment' | 'advanceRefund'>>(hyperswitchStep);
const { decideMoney } = proxyActivities<Pick<MarketplaceActivities, 'decideMoney'>>(ledgerCall);

/** Follows a buyer's payment until it is final, whether or not a webhook ever comes. */
export async function payment(input: FollowInput): Promise<{ status: string }> {
  return await follow(input, { kind: 'payment', advance: advancePayment });
}

/** Sees a refund through: made if a crash came before it, read until it is final, a person asked where it went back. */
export async function refund(input: FollowInput): Promise<{ status: string }> {
  return await follow(input, { kind: 'refund', advance: advanceRefund });
}

interface Followed {
  readonly kind: 'payment' | 'refund';
  readonly advance: (id: string) => Promise<FollowStep>;
}

async function follow(input: FollowInput, { kind, advance }: Followed): Promise<{ status: string }> {
  const state: ItemState = { phase: 'calling', detail: 'Hyperswitch is asked', ignored: [] };
  const desk = createDecisionDesk({
    state,
    actions: actionsOf(kind),
    // Payments took no decisions before: a run that began then has only noted what was said to it.
    recordsLate: () => kind === 'refund' || patched('payments-are-decided-about'),
    decide: (message) => decideMoney({ kind, itemId: input.id, ...message }),
  });
  let reread = false;
  setHandler(stateQuery, () => state);
  setHandler(rereadSignal, () => {
    reread = true;
  });
  const startedAtMs = Date.now();
  let reads = 0;
  for (;;) {
    reread = false;
    const step = await advance(input.id);
    if (step.kind !== 'attention') clearAttention(state);
    switch (step.kind) {
      case 'final':
        // A nudge that came during the reading is about something newer.
        if (reread) break;
        showPhase(state, 'finished', step.status);
        upsertSearchAttributes([{ key: MoneyState, value: step.status }]);
        await desk.dismissRest();
        await condition(allHandlersFinished);
        return { status: step.status };
      case 'attention':
        showAttention(state, step);
        await desk.decideUntil(() => reread, A_DAY_MS);
        break;
      case 'open':
        showPhase(state, 'waiting', `${step.detail}; it is read again`);
        await condition(() => reread, step.afterMs ?? readAgainMs(reads));
        reads += 1;
        break;
      case 'later':
        showPhase(state, 'waiting_to_retry', step.why);
        await condition(() => reread, Math.max(1, step.afterMs, readAgainMs(reads)));
        reads += 1;
        break;
    }
    if (workflowInfo().continueAsNewSuggested || Date.now() - startedAtMs > A_DAY_MS) {
      // Messages that nobody needed until now would be lost with this run.
      await desk.dismissRest();
      await condition(allHandlersFinished);
      await continueAsNew(input);
    }
  }
}

const A_DAY_MS = 24 * 3_600_000;
