import { assertNever } from '../domain/assert-never.js';
import type { DecisionId, SettlementId } from '../domain/ids.js';
import type { JsonObject } from '../domain/json.js';
import type { DecideOutcome, DecisionRequest } from '../ledger/ledger-types.js';
import type { MoneyAction, MoneyDecideOutcome } from '../ledger/money-decision-types.js';
import type { FoundItem } from '../ledger/money-story.js';
import { type CliContext, CommandRefused } from './context.js';
import type { OperatorLedger } from './operator-ledger.js';

/** What each kind is resolved with (contract.md); orders and payments are not. */
export const ACTIONS: Readonly<Record<FoundItem['kind'], readonly string[]>> = {
  settlement: ['retry', 'settled', 'write_off'] satisfies DecisionRequest['action'][],
  transfer: ['retry', 'adopt', 'write_off'] satisfies MoneyAction[],
  reversal: ['retry', 'adopt', 'write_off'] satisfies MoneyAction[],
  refund: ['retry', 'compensate', 'write_off'] satisfies MoneyAction[],
  order: [],
  payment: [],
};

export interface OperatorDecision {
  readonly id: DecisionId;
  /** One of {@link ACTIONS} of the item's kind. */
  readonly action: string;
  readonly by: string;
  readonly note: string;
  readonly evidence: JsonObject | null;
}

type Item = Pick<FoundItem, 'kind' | 'id'>;

export interface Decided extends Item {
  readonly status: string;
  readonly decision_id: string;
}

/**
 * Decides in the ledger, after the provider was asked where the decision needs it. Whoever may open the database may type any
 * name, so it is recorded as claimed.
 * @throws CommandRefused when nothing was decided
 */
export async function decideItem(
  context: CliContext,
  ledger: OperatorLedger,
  item: Item,
  decision: OperatorDecision,
): Promise<Decided> {
  return decided(item, await outcomeOf(context, ledger, item, decision));
}

type Outcome = DecideOutcome | MoneyDecideOutcome | { readonly kind: 'unanswered'; readonly detail: string };

async function outcomeOf(
  context: CliContext,
  ledger: OperatorLedger,
  item: Item,
  decision: OperatorDecision,
): Promise<Outcome> {
  const common = { ...decision, authenticated: false };
  switch (item.kind) {
    case 'settlement':
      return await context.decideSettlement(context.readOperatorConfig(), ledger, {
        ...common,
        action: decision.action as DecisionRequest['action'],
        settlementId: item.id as SettlementId,
      });
    case 'transfer':
    case 'reversal':
    case 'refund':
      return await context.decideMoney(context.readOperatorConfig(), ledger, {
        ...common,
        action: decision.action as MoneyAction,
        kind: item.kind,
        itemId: item.id,
      });
    case 'order':
    case 'payment':
      throw new Error(`nothing is decided about a ${item.kind}`);
    default:
      return assertNever(item.kind);
  }
}

function decided({ kind, id }: Item, outcome: Outcome): Decided {
  switch (outcome.kind) {
    case 'applied':
      return { kind, id, status: outcome.status, decision_id: outcome.decisionId };
    case 'pending_approval':
      return { kind, id, status: 'pending_approval', decision_id: outcome.decisionId };
    case 'not_found':
      throw new CommandRefused(`${kind} ${id} is gone from the ledger`);
    case 'not_waiting':
      throw new CommandRefused(
        `${kind} ${id} is ${outcome.status} and waits for no decision, or for the approval of one (makegood show ${id}): nothing was changed`,
      );
    case 'refused':
      throw new CommandRefused(`${outcome.detail}; nothing was decided`);
    case 'unanswered':
      throw new CommandRefused(
        `${outcome.detail}; without the provider's word nothing is decided: run the same command again later`,
      );
    default:
      return assertNever(outcome);
  }
}
