import { SWEEP_LANES, type SweepLane } from '../../../src/domain/sweep-lanes.js';
import type { Provider } from './provider-faults.js';
import type { Providers } from './providers.js';

/** The only lanes that ask a provider themselves: while it is ill, their passes are no success. */
const ASKS: Readonly<Partial<Record<Provider, SweepLane>>> = { chain: 'chain', Stripe: 'stripe-read' };

export const lanesBeside = (ill: Provider): readonly SweepLane[] => SWEEP_LANES.filter((lane) => lane !== ASKS[ill]);

const ONCE_A_MINUTE: ReadonlySet<SweepLane> = new Set(['upkeep', 'anchor', 'retention']);

/** By the clock of Postgres. */
export async function databaseNow({ database }: Providers): Promise<Date> {
  const [row] = await database.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return row?.now ?? new Date();
}

/** Lanes of these of which no pass has succeeded since that moment; `upkeep`, `anchor` and `retention` have one a minute and are left out. */
export async function lanesWithoutSuccess(
  { database }: Providers,
  lanes: readonly SweepLane[],
  since: Date,
): Promise<readonly SweepLane[]> {
  const rows = await database.query<{ name: SweepLane }>('SELECT name FROM sweeps WHERE succeeded_at > $1', [since]);
  const well = new Set(rows.map(({ name }) => name));
  return lanes.filter((lane) => !ONCE_A_MINUTE.has(lane) && !well.has(lane));
}
