import { type Finding, fail, ok, warn } from './finding.js';

/** What Temporal tells of what Makegood needs of it. */
export interface TemporalFacts {
  readonly namespace: string;
  readonly namespaceExists: boolean;
  readonly missingAttributes: readonly string[];
  readonly missingSchedules: readonly string[];
  readonly pausedSchedules: readonly string[];
  /** Workers that ask for work, by task queue. */
  readonly pollers: readonly { readonly taskQueue: string; readonly workflows: number; readonly activities: number }[];
}

const MIGRATE = 'makegood migrate';

export function temporalFindings(facts: TemporalFacts, usesStripe: boolean): readonly Finding[] {
  const { namespace, namespaceExists, missingAttributes, missingSchedules, pausedSchedules, pollers } = facts;
  if (!namespaceExists)
    return [
      fail('temporal', `there is no namespace ${namespace}`, `${MIGRATE} makes it, or set TEMPORAL_NAMESPACE right`),
    ];
  return [
    ok('temporal', `answers, with namespace ${namespace}`),
    listed('search attributes', missingAttributes),
    listed('schedules', missingSchedules),
    ...(pausedSchedules.length === 0
      ? []
      : [
          warn(
            'temporal',
            `schedules that somebody paused: ${pausedSchedules.join(', ')}`,
            'temporal schedule toggle --unpause, once its reason is gone: a paused lane starts nothing again',
          ),
        ]),
    ...pollers.map((queue) => pollersOf(queue, usesStripe)),
  ];
}

const listed = (what: string, missing: readonly string[]): Finding =>
  missing.length === 0
    ? ok('temporal', `every one of the ${what} is there`)
    : fail('temporal', `${what} that are missing: ${missing.join(', ')}`, MIGRATE);

function pollersOf(
  { taskQueue, workflows, activities }: TemporalFacts['pollers'][number],
  usesStripe: boolean,
): Finding {
  const says = `task queue ${taskQueue}: ${workflows} poll for workflows, ${activities} for activities`;
  if (workflows > 0 && activities > 0) return ok('temporal', says);
  if (taskQueue.endsWith('-stripe') && !usesStripe) return ok('temporal', `${says}; no STRIPE_SECRET_KEY is set here`);
  return fail('temporal', says, 'start a worker: makegood worker (docs/runbooks/server-down.md)');
}
