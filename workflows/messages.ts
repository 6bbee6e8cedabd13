import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';

/** All that outsiders may load of a workflow: its messages and their payloads. */

/**
 * An operator's decision. `by` is recorded as claimed: whoever reaches the Temporal CLI can write any name, so a
 * message alone never gives money up without proof (see decide in the ledger).
 */
export interface Resolution {
  action: string;
  by: string;
  note: string;
  evidence?: Record<string, unknown>;
}

export interface ResolutionAnswer {
  status: string;
  decision_id?: string;
  outcome: 'applied' | 'pending_approval' | 'ignored' | 'refused';
  detail?: string;
}

/** What an item's workflow is doing, in plain words. */
export interface ItemState {
  phase: 'settling' | 'calling' | 'waiting' | 'waiting_to_retry' | 'needs_attention' | 'finished';
  detail: string;
  reason?: string;
  /** Messages that came while nothing was to be decided, newest last. */
  ignored: { by: string; action: string; why: string }[];
}

/** Fire and forget; decided in the order of arrival, as soon as the settlement needs attention. */
export const resolveSignal = defineSignal<[Resolution]>('resolve');
/** Answers at once; refused by the validator when the payload is malformed or nothing waits for a decision. */
export const resolveUpdate = defineUpdate<ResolutionAnswer, [Resolution]>('resolve');
export const stateQuery = defineQuery<ItemState>('state');
/** Our own API decided in the ledger: look there. */
export const rereadSignal = defineSignal('reread');
