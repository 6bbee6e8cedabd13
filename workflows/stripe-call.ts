import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { MarketplaceActivities, StripeCallInput } from '../activities/marketplace-contract.js';
import type { CallStep } from '../src/calls/steps.js';
import { actionsOf } from '../src/domain/decisions/decisions.js';
import { createDecisionDesk } from './decision-desk.js';
import { type ItemState, rereadSignal, stateQuery } from './messages.js';
import { countedAttempts, LOOK_ANYWAY_AFTER_MS, ledgerCall, quickLedgerCall, stripeLook } from './policies.js';
import { MoneyState } from './search-attributes.js';
import { clearAttention, showAttention, showPhase } from './visibility.js';

/** What differs between sending a seller's share and taking it back. */
export interface CallKind {
  readonly kind: 'transfer' | 'reversal';
  attempt(activities: MarketplaceActivities, id: string): Promise<CallStep>;
  probe(activities: MarketplaceActivities, id: string): Promise<CallStep>;
}

const { takeTurn } = proxyLocalActivities<Pick<MarketplaceActivities, 'takeTurn'>>(quickLedgerCall);
const { decideMoney } = proxyActivities<Pick<MarketplaceActivities, 'decideMoney'>>(ledgerCall);

/**
 * The life of one money call to Stripe: attempts until it is done, waits where only time, a balance or a mended key can
 * help, and a person where only a person can. Postgres is the authority: each attempt reads the ledger first, so this may
 * be started twice, wiped or started late.
 */
export async function runStripeCall({ id, sellerAccount, settings }: StripeCallInput, call: CallKind) {
  const state: ItemState = { phase: 'calling', detail: 'the first attempt is under way', ignored: [] };
  const desk = createDecisionDesk({
    state,
    actions: actionsOf(call.kind),
    decide: (message) => decideMoney({ kind: call.kind, itemId: id, ...message }),
  });
  let reread = false;
  setHandler(stateQuery, () => state);
  setHandler(rereadSignal, () => {
    reread = true;
  });
  const attempts = proxyActivities<MarketplaceActivities>(countedAttempts(settings, sellerAccount));
  const looks = proxyActivities<MarketplaceActivities>(stripeLook);
  const startedAtMs = Date.now();
  let lookedAtMs = startedAtMs;

  for (;;) {
    await waitForTurn(sellerAccount);
    // Cleared before the attempt, never after it: a nudge that comes meanwhile is about something newer.
    reread = false;
    const step = await attemptOnce(() => call.attempt(attempts, id), settings.backoffBaseMs);
    if (step.kind !== 'attention') clearAttention(state);
    switch (step.kind) {
      case 'final':
        // A nudge that came during the attempt is about something newer.
        if (reread) break;
        showPhase(state, 'finished', step.status);
        upsertSearchAttributes([{ key: MoneyState, value: step.status }]);
        await desk.dismissRest();
        await condition(allHandlersFinished);
        return { status: step.status };
      case 'attention':
        await waitForPerson(step);
        break;
      case 'later':
        showPhase(state, 'waiting_to_retry', step.why);
        await condition(() => reread, Math.max(1, step.afterMs));
        break;
      case 'waiting_balance':
        showPhase(
          state,
          'waiting',
          "the seller's balance is too low; it goes on when Stripe tells of money, or at the next probe",
        );
        await condition(() => reread, step.afterMs);
        break;
      case 'parked':
        showPhase(state, 'waiting', `${step.why}; it goes on by itself when Stripe lets us in again`);
        await condition(() => reread, LOOK_ANYWAY_AFTER_MS);
        break;
    }
    if (workflowInfo().continueAsNewSuggested || Date.now() - startedAtMs > A_DAY_MS) {
      // Messages that nobody needed until now would be lost with this run.
      await desk.dismissRest();
      await condition(allHandlersFinished);
      await continueAsNew({ id, sellerAccount, settings });
    }
  }

  /** While nobody knows whether the money moved, Stripe's records are looked at as well, once an hour. */
  async function waitForPerson(step: Extract<CallStep, { kind: 'attention' }>): Promise<void> {
    showAttention(state, step, 'permanently_failed');
    const untilLookMs = step.unknown ? Math.max(1, lookedAtMs + AN_HOUR_MS - Date.now()) : A_DAY_MS;
    const ended = await desk.decideUntil(() => reread, untilLookMs);
    if (ended === 'decided' || !step.unknown || Date.now() < lookedAtMs + AN_HOUR_MS) return;
    lookedAtMs = Date.now();
    await attemptOnce(() => call.probe(looks, id), settings.backoffBaseMs);
  }
}

const AN_HOUR_MS = 3_600_000;
const A_DAY_MS = 24 * 3_600_000;

async function waitForTurn(sellerAccount: string): Promise<void> {
  try {
    const afterMs = await takeTurn(sellerAccount);
    if (afterMs > 50) await condition(() => false, Math.ceil(afterMs));
  } catch {
    // The ledger is away: the attempt that follows waits for it.
  }
}

/** An attempt whose retries are over, or that could not run at all, leaves the item as the ledger has it. */
async function attemptOnce(attempt: () => Promise<CallStep>, againMs: number): Promise<CallStep> {
  try {
    return await attempt();
  } catch {
    return { kind: 'later', afterMs: againMs, why: 'the attempt could not be completed; the ledger tells what holds' };
  }
}
