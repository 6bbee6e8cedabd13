import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { ItemState } from './messages.js';
import { AttentionReason, MoneyState, NeedsAttention } from './search-attributes.js';

/** What a workflow tells people: the answer to its query, the line in the Web UI, the attributes that lists are searched by. */
export function showPhase(state: ItemState, phase: ItemState['phase'], detail: string): void {
  state.phase = phase;
  state.detail = detail;
  setCurrentDetails(detail);
}

/** @param moneyState of kinds whose status changes when a person is asked */
export function showAttention(
  state: ItemState,
  { reason, detail }: { readonly reason: string; readonly detail: string },
  moneyState?: string,
): void {
  const isTold = state.phase === 'needs_attention' && state.reason === reason;
  showPhase(state, 'needs_attention', `needs a person: ${reason}: ${detail}`);
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
