import type { Unanswered, UnverifiedDecision } from '../../calls/decisions/decide.js';
import { assertNever } from '../../domain/assert-never.js';
import type { DecidableKind } from '../../domain/decisions/decisions.js';
import type { ApproveOutcome } from '../../ledger/decisions/decision-types.js';
import { type CliContext, CommandRefused } from '../context.js';
import type { OperatorLedger } from '../operator-ledger.js';

export type OperatorDecision = Omit<UnverifiedDecision, 'kind' | 'itemId'>;

interface Item {
  readonly kind: DecidableKind;
  readonly id: string;
}

export interface Decided extends Item {
  readonly status: string;
  readonly decision_id: string;
}

/**
 * Decides in the ledger, after the provider was asked where the decision needs it.
 * @throws CommandRefused when nothing was decided
 */
export async function decideItem(
  context: CliContext,
  ledger: OperatorLedger,
  item: Item,
  decision: OperatorDecision,
): Promise<Decided> {
  const { kind, id: itemId } = item;
  const resolution = await context.resolution(context.readOperatorConfig(), ledger);
  return decided(item, await resolution.decide({ ...decision, kind, itemId }));
}

/** What was decided. @throws CommandRefused when nothing was */
export function decided({ kind, id }: Item, outcome: ApproveOutcome | Unanswered): Decided {
  switch (outcome.kind) {
    case 'applied':
      return { kind, id, status: outcome.status, decision_id: outcome.decisionId };
    case 'pending_approval':
      return { kind, id, status: 'pending_approval', decision_id: outcome.decisionId };
    case 'not_found':
      throw new CommandRefused(`${kind} ${id} is gone from the ledger`);
    case 'not_waiting':
      throw new CommandRefused(
        outcome.request === undefined
          ? `${kind} ${id} is ${outcome.status} and waits for no decision: nothing was changed; makegood explain ${id} tells what happens next`
          : `${kind} ${id} waits for the approval of what was asked before: nothing was changed; makegood approve ${outcome.request} approves it`,
      );
    case 'asks_otherwise':
      throw new CommandRefused(`${outcome.detail}: nothing was decided; makegood show ${id} tells what it asks`);
    case 'self_approval':
      throw new CommandRefused(
        'whoever asked for it, or has approved it already, is one person: another has to approve',
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

/** As JSON, the same as the API's answer. */
export const decidedAnswer = ({ id, status, decision_id }: Decided): string =>
  JSON.stringify({ id, status, decision_id });

/** For a person who has decided or approved. @param persons who have to approve it yet, where it is only a request */
export const decidedTold = ({ kind, id, status, decision_id }: Decided, persons: 'one' | 'two'): string =>
  status === 'pending_approval'
    ? `recorded as a request: ${persons === 'one' ? 'another person has' : 'two approvers have'} to approve it: makegood approve ${decision_id} --note "…" (POST /api/v1/decisions/${decision_id}/approve)`
    : `${kind} ${id} is ${status} by decision ${decision_id}; makegood show ${id} says what happens next`;
