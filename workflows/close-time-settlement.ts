import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { CloseTimeSettlementInput, SettlementActivities } from '../activities/contract.js';
import type { RowOutcome } from '../src/calls/steps.js';
import { actionsOf } from '../src/domain/decisions/decisions.js';
import { isSlow, providerOf } from '../src/domain/settlements/settlement-providers.js';
import { createDecisionDesk } from './decision-desk.js';
import { type ItemState, rereadSignal, stateQuery } from './messages.js';
import { FRESH_RUN_EVERY, ledgerCall, QUICK_LIMIT_MS, quickFirstAttempt, untilSettled } from './policies.js';
import { MoneyState, NeedsAttention } from './search-attributes.js';
import { goesOnAt, showAttention, showPhase } from './visibility.js';

/**
 * Collects one charge, exactly once: tries until the provider has confirmed it, and waits for a person where only a
 * person can decide. Postgres is the authority: whatever this workflow believes, each step reads the ledger first, so it
 * may be started twice, wiped or started late.
 */
export async function closeTimeSettlement(input: CloseTimeSettlementInput): Promise<RowOutcome> {
  const state: ItemState = { phase: 'settling', detail: '', ignored: [] };
  showPhase(state, 'settling', 'the first attempt is under way');
  const desk = createDecisionDesk({
    state,
    actions: actionsOf('settlement'),
    decide: (message) => decisions.decide({ settlementId: input.settlementId, ...message }),
  });
  let reread = false;
  setHandler(stateQuery, () => state);
  setHandler(rereadSignal, () => {
    reread = true;
  });

  let outcome = await firstAttempt(input);
  for (;;) {
    switch (outcome.kind) {
      case 'retry':
        showPhase(state, 'waiting_to_retry', `${outcome.why}; the next attempt follows`, goesOnAt(outcome.afterMs));
        await sleep(outcome.afterMs, { summary: 'until the next attempt' });
        showPhase(state, 'waiting_to_retry', state.detail, ATTEMPTS_GO_ON);
        outcome = await settleUntilAnswered(input);
        break;
      case 'attention':
        showAttention(state, outcome, { kind: 'settlement', id: input.settlementId, moneyState: 'needs_attention' });
        if ((await desk.decideUntil(() => reread, FRESH_RUN_EVERY)) === 'time') {
          await condition(allHandlersFinished);
          return await continueAsNew<typeof closeTimeSettlement>(input);
        }
        // Cleared before the read, never after it: a nudge that comes meanwhile is about something newer.
        reread = false;
        outcome = await ledger.readSettlement(input.settlementId);
        if (outcome.kind !== 'attention') upsertSearchAttributes([{ key: NeedsAttention, value: false }]);
        break;
      case 'waiting':
      case 'final':
        // A nudge that came during the attempt says that it may go on; whoever sent it looks again only a minute later.
        if (outcome.kind === 'waiting' && reread) {
          reread = false;
          outcome = await settleUntilAnswered(input);
          break;
        }
        finish(state, outcome);
        await desk.dismissRest();
        await condition(allHandlersFinished);
        return outcome;
    }
  }
}

/** What is pending then is shown with its attempts, its last failure and its next time by the Web UI itself. */
const ATTEMPTS_GO_ON =
  'Attempts go on until the provider has answered or the credential expires; see Pending Activities.';

const ledger = proxyActivities<Pick<SettlementActivities, 'readSettlement'>>({
  ...ledgerCall,
  summary: 'reads in the ledger what was decided',
});
const decisions = proxyActivities<Pick<SettlementActivities, 'decide'>>({
  ...ledgerCall,
  summary: 'records a decision that came by message',
});

/** What is known to be slow gets a patient activity from the start; the others are usually done at once. */
async function firstAttempt(input: CloseTimeSettlementInput): Promise<RowOutcome> {
  if (isSlow(input)) return await settleUntilAnswered(input);
  const { settleRows } = proxyLocalActivities<Pick<SettlementActivities, 'settleRows'>>({
    ...quickFirstAttempt,
    summary: `first attempt, within ${QUICK_LIMIT_MS / 1000} s, at ${providerOf(input)}`,
  });
  try {
    return only(
      await settleRows({
        settlementIds: [input.settlementId],
        timeoutMs: QUICK_LIMIT_MS,
        whenUnsettled: 'return',
        provider: providerOf(input),
      }),
    );
  } catch {
    // The ledger was away: the patient attempt repeats until it is back.
    return await settleUntilAnswered(input);
  }
}

async function settleUntilAnswered(input: CloseTimeSettlementInput): Promise<RowOutcome> {
  const { settlementId, settings } = input;
  const { settleRows } = proxyActivities<Pick<SettlementActivities, 'settleRows'>>({
    ...untilSettled(settings),
    summary: `attempts until ${providerOf(input)} has answered`,
  });
  return only(
    await settleRows({
      settlementIds: [settlementId],
      timeoutMs: settings.httpTimeoutMs,
      whenUnsettled: 'throw',
      provider: providerOf(input),
    }),
  );
}

function only([outcome]: RowOutcome[]): RowOutcome {
  if (!outcome) throw new Error('the activity answered for no settlement');
  return outcome;
}

function finish(state: ItemState, outcome: Extract<RowOutcome, { kind: 'waiting' | 'final' }>): void {
  const detail =
    outcome.kind === 'final'
      ? outcome.status
      : `waits in the ledger (${outcome.why}); the sweep starts it again when it may go on`;
  showPhase(state, 'finished', detail);
  upsertSearchAttributes([{ key: MoneyState, value: outcome.kind === 'final' ? outcome.status : 'pending' }]);
}
