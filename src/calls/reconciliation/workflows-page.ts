import type { Suspicion } from '../../domain/reconciliation/drift.js';
import { YOUNG_MS } from '../../domain/reconciliation/parts.js';
import type { RunningItem } from '../../ledger/reconciliation/running-workflows.js';
import type { ComparisonDependencies, Page, Place } from './comparison.js';

const ITEMS = 100;
const AT_ONCE = 10;

/**
 * Looks at the workflow of every unfinished item, and starts again what was ended from outside or is gone. That moves no money
 * by itself: a workflow's first step is to look into the ledger, and every send takes its claim there.
 */
export async function workflowsPage({ runId, cursor }: Place, sides: ComparisonDependencies): Promise<Page> {
  const items = await sides.ledger.unfinishedItems(sides.youngMs, cursor, ITEMS);
  for (let nth = 0; nth < items.length; nth += AT_ONCE) {
    const page = items.slice(nth, nth + AT_ONCE);
    const outcomes = await Promise.allSettled(page.map((item) => mend(item, runId, sides)));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    // One that fails by itself holds up no other; where all of them do, nobody answers.
    if (failed[0] && failed.length === page.length) return noAnswer(failed[0].reason);
  }
  const last = items.length < ITEMS ? undefined : items.at(-1);
  return {
    kind: 'page',
    cursor: last?.place ?? null,
    named: [],
    lookedAt: items.length,
    suspicions: [],
    last: last === undefined,
  };
}

const noAnswer = (error: unknown): Page => ({
  kind: 'unclear',
  why: `Temporal does not answer: ${error instanceof Error ? error.message : 'unknown reason'}`,
});

async function mend(
  item: RunningItem,
  runId: Place['runId'],
  { workflows, ledger }: ComparisonDependencies,
): Promise<void> {
  const state = await workflows.stateOf(item.workflowId);
  // A first call is made before there is a workflow, and a sweep starts what was missed then within a minute.
  if (state.kind === 'well' || (state.kind === 'absent' && (!item.begun || item.ageMs < YOUNG_MS))) return;
  // It may have come to its end in this very moment.
  if (!(await ledger.isUnfinished(item)) || !(await workflows.restart(item))) return;
  await ledger.driftRepaired(
    runId,
    goneWorkflow(item, state.kind === 'ended' ? state.as : 'not there'),
    'its workflow was started again',
  );
}

const goneWorkflow = (item: RunningItem, as: string): Suspicion => ({
  kind: 'workflow_gone',
  provider: 'temporal',
  providerId: item.workflowId,
  parentId: null,
  item: { kind: item.kind, id: item.id },
  amount: item.amount,
  currency: item.currency,
  ledgerSays: `${item.kind} ${item.id} is ${item.status}, and not finished`,
  providerSays: `its workflow is ${as}`,
});
