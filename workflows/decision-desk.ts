import type { Duration } from '@temporalio/common';
import { ApplicationFailure, condition, setHandler, uuid4 } from '@temporalio/workflow';
import type { DecisionResult } from '../activities/contract.js';
import { LONGEST_NAME, LONGEST_NOTE } from '../src/domain/decisions/messages.js';
import { type ItemState, type Resolution, type ResolutionAnswer, resolveSignal, resolveUpdate } from './messages.js';

export interface DecisionDeskOptions {
  readonly state: ItemState;
  readonly actions: readonly string[];
  /** The activity that records one decision; `decisionId` makes its repetition harmless. */
  readonly decide: (
    message: Required<Omit<Resolution, 'evidence'>> & {
      evidence: Record<string, unknown> | null;
      decisionId: string;
    },
  ) => Promise<DecisionResult>;
  /** Whether what came too late goes to the ledger as well; default: it does. Asked for each message, never without one. */
  readonly recordsLate?: () => boolean;
}

/**
 * Takes operators' decisions for one item, one at a time and in the order of arrival. While a call is in flight a
 * signal waits here; the first decision wins, and what comes later is recorded as ignored.
 */
export function createDecisionDesk({ state, actions, decide, recordsLate = () => true }: DecisionDeskOptions) {
  const queue: Resolution[] = [];
  let deciding = 0;
  let decided = false;

  setHandler(resolveSignal, (resolution) => {
    const fault = faultOf(resolution, actions);
    if (fault) ignore(resolution, fault);
    else queue.push(resolution);
  });

  setHandler(
    resolveUpdate,
    async (resolution) => {
      deciding += 1;
      try {
        return toAnswer(await take(resolution));
      } finally {
        deciding -= 1;
      }
    },
    {
      validator: (resolution) => {
        const fault = faultOf(resolution, actions);
        if (fault) throw ApplicationFailure.nonRetryable(fault, 'InvalidResolution');
        if (state.phase !== 'needs_attention') {
          throw ApplicationFailure.nonRetryable(
            `not_waiting: ${state.detail}; a decision is taken only when it needs attention`,
            'NotWaiting',
          );
        }
      },
    },
  );

  async function take(resolution: Resolution): Promise<DecisionResult> {
    const result = await decide({
      action: resolution.action,
      by: resolution.by,
      note: resolution.note,
      evidence: resolution.evidence ?? null,
      // Deterministic per message, so that a repeated activity decides once.
      decisionId: uuid4(),
    });
    if (result.kind === 'applied' || result.kind === 'pending_approval') decided = true;
    else if (result.kind === 'not_waiting') ignore(resolution, `not waiting, it is ${result.status}`);
    else if (result.kind === 'refused') ignore(resolution, result.detail);
    return result;
  }

  /** What came may be anything at all: a signal is not validated before it is in history. */
  function ignore(came: unknown, why: string): void {
    const { by, action } = (came ?? {}) as Record<string, unknown>;
    const shown = (value: unknown) =>
      typeof value === 'string' ? value.slice(0, 100).replaceAll(/[\p{Cc}\p{Cs}]/gu, '\u{fffd}') : '?';
    state.ignored.push({ by: shown(by), action: shown(action), why });
    // A flood of messages must not grow the workflow's state without bound.
    if (state.ignored.length > 20) state.ignored.shift();
  }

  return {
    /**
     * Takes decisions until one changed the item in the ledger, `otherwise` holds, or the time is over. It ends with
     * `time` only when no message is left: a run that continues as new would lose it.
     * @param summary of the wait, in the Web UI
     */
    async decideUntil(
      otherwise: () => boolean,
      time: Duration,
      summary = 'waits for a person, until it is looked at again',
    ): Promise<'decided' | 'otherwise' | 'time'> {
      for (;;) {
        const woken = await condition(() => queue.length > 0 || decided || otherwise(), time, { summary });
        const resolution = queue.shift();
        if (resolution) await take(resolution);
        await condition(() => deciding === 0);
        if (decided) {
          // Cleared here and not at the next beginning: what is decided between the two must not be slept through.
          decided = false;
          return 'decided';
        }
        if (otherwise()) return 'otherwise';
        if (!woken && queue.length === 0) return 'time';
      }
    },

    /** What came too late is recorded as ignored, in the ledger as well. */
    async dismissRest(): Promise<void> {
      for (let resolution = queue.shift(); resolution; resolution = queue.shift()) {
        if (recordsLate()) await take(resolution);
        else ignore(resolution, 'nothing of this item was decided by a person when this came');
      }
    },
  };
}

function faultOf(resolution: unknown, actions: readonly string[]): string | undefined {
  const given = resolution as Partial<Resolution> | null | undefined;
  if (typeof given !== 'object' || given === null)
    return 'a resolution is an object {"action","by","note","evidence"?}';
  if (actions.length === 0) return 'nothing of this item is decided by a person';
  if (!actions.some((action) => action === given.action)) return `action is one of ${actions.join(', ')}`;
  if (typeof given.by !== 'string' || given.by.trim() === '' || given.by.length > LONGEST_NAME)
    return `by names who decides, in at most ${LONGEST_NAME} characters`;
  if (typeof given.note !== 'string' || given.note.length > LONGEST_NOTE)
    return `note is a text of at most ${LONGEST_NOTE} characters`;
  if (
    given.evidence !== undefined &&
    (typeof given.evidence !== 'object' || given.evidence === null || Array.isArray(given.evidence))
  ) {
    return 'evidence is an object such as {"tx_hash": "0x…"}';
  }
  return undefined;
}

function toAnswer(result: DecisionResult): ResolutionAnswer {
  switch (result.kind) {
    case 'applied':
    case 'pending_approval':
      return { outcome: result.kind, status: result.status, decision_id: result.decisionId };
    case 'not_waiting':
      return { outcome: 'ignored', status: result.status };
    case 'refused':
      return { outcome: 'refused', status: 'needs_attention', detail: result.detail };
  }
}
