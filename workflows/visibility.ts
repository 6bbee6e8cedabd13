import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { actionsOf, type DecidableKind } from '../src/domain/decisions/decisions.js';
import { atTime } from '../src/domain/workflow-texts.js';
import type { ItemState } from './messages.js';
import {
  AmountMinor,
  AttentionReason,
  Currency,
  MoneyKind,
  MoneyState,
  NeedsAttention,
  SellerId,
} from './search-attributes.js';

/** Whose workflow it is, for what its page in the Web UI tells a person to type. */
export interface ShownItem {
  readonly kind: DecidableKind;
  readonly id: string;
}

/**
 * What a workflow tells people: the answer to its query, the current details in the Web UI, the attributes that lists are
 * searched by.
 * @param next what ends this phase, and when
 */
export function showPhase(state: ItemState, phase: ItemState['phase'], detail: string, next?: string): void {
  state.phase = phase;
  state.detail = detail;
  setCurrentDetails([whatContinues(), detail, next].filter((part) => part !== undefined).join('\n\n'));
}

/** A run that continues another has no summary: Temporal keeps the attributes, and not the words that the first began with. */
function whatContinues(): string | undefined {
  const { continuedFromExecutionRunId, typedSearchAttributes } = workflowInfo();
  const kind = typedSearchAttributes.get(MoneyKind);
  if (continuedFromExecutionRunId === undefined || kind === undefined) return undefined;
  const [amount, currency, seller] = [AmountMinor, Currency, SellerId].map((key) => typedSearchAttributes.get(key));
  return `${kind} of ${amount ?? '?'} ${currency ?? '?'} (minor units)${seller === undefined ? '' : `, ${seller}`}`;
}

/** For what waits and goes on by itself. @param earlier what may end the wait before its time */
export const goesOnAt = (afterMs: number, earlier?: string): string =>
  `Goes on by itself at ${atTime(Date.now() + afterMs)}${earlier === undefined ? '' : `, or earlier: ${earlier}`}.`;

/** @param moneyState of kinds whose status changes when a person is asked */
export function showAttention(
  state: ItemState,
  { reason, detail }: { readonly reason: string; readonly detail: string },
  { kind, id, moneyState }: ShownItem & { readonly moneyState?: string },
): void {
  const isTold = state.phase === 'needs_attention' && state.reason === reason;
  const next = `Waits until a person decides: ${actionsOf(kind).join(', ')}. \`makegood explain ${id}\` tells what each would do.`;
  showPhase(state, 'needs_attention', `needs a person: ${reason}: ${detail}`, next);
  if (isTold) return;
  state.reason = reason;
  upsertSearchAttributes([
    { key: NeedsAttention, value: true },
    { key: AttentionReason, value: reason },
    ...(moneyState === undefined ? [] : [{ key: MoneyState, value: moneyState }]),
  ]);
}

/** Nobody is asked any more. */
export function clearAttention(state: ItemState): void {
  if (state.reason === undefined) return;
  delete state.reason;
  upsertSearchAttributes([{ key: NeedsAttention, value: false }]);
}
