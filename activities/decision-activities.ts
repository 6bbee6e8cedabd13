import type { Resolution } from '../src/calls/decisions/decide.js';
import type { DecidableKind } from '../src/domain/decisions/decisions.js';
import { faultOfMessage } from '../src/domain/decisions/messages.js';
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
    const { action, by, note, decisionId } = message;
    const evidence = message.evidence as JsonObject | null;
    // Here and not in the workflow: what is in a history already is answered too, and its item goes on.
    const fault = faultOfMessage(kind, { by, note, evidence });
    if (fault !== undefined) return { kind: 'refused', detail: fault };
    const outcome = await kept(
      resolution.decide({
        id: decisionId as DecisionId,
        kind,
        itemId,
        action,
        by,
        // Whoever reaches the Temporal CLI can write any name.
        authenticated: false,
        note,
        evidence,
      }),
    );
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

/** What Postgres does not take as data it takes at no attempt: the message is answered, and its item goes on. */
const kept = <Outcome>(deciding: Promise<Outcome>): Promise<Outcome | { kind: 'refused'; detail: string }> =>
  deciding.catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!NO_DATA.test(code)) throw error;
    return { kind: 'refused', detail: `the ledger cannot keep what was said (${code}); nothing was decided` };
  });

/** SQLSTATE: data exceptions, and what passes a limit of the program. */
const NO_DATA = /^(?:22|54)[0-9A-Z]{3}$/;
