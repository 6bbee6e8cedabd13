import type { Resolution } from '../src/calls/decisions/decide.js';
import type { DecidableKind } from '../src/domain/decisions/decisions.js';
import type { DecisionId } from '../src/domain/ids.js';
import type { JsonObject } from '../src/domain/json.js';
import type { DecisionResult, SettlementActivities } from './contract.js';
import type { MarketplaceActivities } from './marketplace-contract.js';

interface Message {
  readonly action: string;
  readonly by: string;
  readonly note: string;
  readonly evidence: Record<string, unknown> | null;
  readonly decisionId: string;
}

/** Records what came by signal or update. One way for all kinds; two names, because histories of older builds know both. */
export function createDecisionActivities(
  resolution: Resolution,
): Pick<SettlementActivities, 'decide'> & Pick<MarketplaceActivities, 'decideMoney'> {
  async function decide(kind: DecidableKind, itemId: string, message: Message): Promise<DecisionResult> {
    const { action, by, note, evidence, decisionId } = message;
    const outcome = await resolution.decide({
      id: decisionId as DecisionId,
      kind,
      itemId,
      action,
      by,
      // Whoever reaches the Temporal CLI can write any name.
      authenticated: false,
      note,
      evidence: evidence as JsonObject | null,
    });
    if (outcome.kind === 'not_found')
      throw new Error(`${kind} ${itemId} is not in the ledger; the workflow and the database do not belong together`);
    return outcome.kind === 'unanswered' || outcome.kind === 'asks_otherwise'
      ? { kind: 'refused', detail: outcome.detail }
      : outcome;
  }
  return {
    decide: ({ settlementId, ...message }) => decide('settlement', settlementId, message),
    decideMoney: ({ kind, itemId, ...message }) => decide(kind, itemId, message),
  };
}
