import type { Destination } from '../notifications/destinations.js';
import { type Finding, fail, ok, warn } from './finding.js';

/** How a destination is, as the ledger has recorded it. Times are ISO 8601. */
export interface DestinationFacts {
  readonly id: string;
  readonly waiting: number;
  readonly deliveredAt: string | null;
  readonly failingSince: string | null;
  readonly failures: number;
  readonly lastFailure: string | null;
  readonly goneAt: string | null;
}

const RUNBOOK = 'docs/runbooks/notifications.md';

/** One line for each destination of the settings; none where nobody is to be told. */
export const destinationFindings = (
  destinations: readonly Pick<Destination, 'id'>[],
  states: readonly DestinationFacts[],
): readonly Finding[] =>
  destinations.map(({ id }) =>
    findingOf(
      id,
      states.find((state) => state.id === id),
    ),
  );

function findingOf(id: string, state: DestinationFacts | undefined): Finding {
  if (!state)
    return warn(
      'notifications',
      `${id}: no worker has it in its settings`,
      'set it for the workers too, and restart them; makegood notify --test tries it from here',
    );
  const { waiting, deliveredAt, failingSince, failures, lastFailure, goneAt } = state;
  if (goneAt !== null)
    return fail(
      'notifications',
      `${id}: nothing is sent to it since ${goneAt}: ${lastFailure ?? 'it is gone'}`,
      `set another address, or makegood notify --test once it is there again (${RUNBOOK})`,
    );
  if (failingSince !== null)
    return fail(
      'notifications',
      `${id}: not told since ${failingSince}, ${failures} attempts failed, ${waiting} messages wait: ${lastFailure ?? 'no reason was kept'}`,
      `it is tried again; makegood notify --test tries it now (${RUNBOOK})`,
    );
  return ok('notifications', `${id}: ${deliveredAt === null ? 'nothing was told yet' : `told last at ${deliveredAt}`}`);
}
