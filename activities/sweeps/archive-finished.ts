import type { Ledger } from '../../src/ledger/ledger.js';
import type { LaneWork } from './lane-pass.js';

export interface RetentionDependencies {
  readonly ledger: Pick<Ledger, 'archiveSettlements' | 'archiveOrders'>;
  /** How long nothing has happened to what is put aside. */
  readonly quietMs: number;
}

/** Small enough that nobody waits for the locks of a batch. */
const BATCH = 200;

/** Puts aside what has been finished for long, batch by batch, until the time of the pass is up or all was looked at. */
export const createArchiving =
  ({ ledger, quietMs }: RetentionDependencies): LaneWork =>
  async (pass) => {
    const archived = { settlements: 0, orders: 0 };
    for (let more = true; more && !pass.over(); ) {
      const found = await ledger.archiveSettlements(quietMs, BATCH);
      archived.settlements += found.archived;
      more = found.more;
    }
    for (let more = true; more && !pass.over(); ) {
      const found = await ledger.archiveOrders(quietMs, BATCH);
      archived.orders += found.archived;
      more = found.more;
    }
    return archived;
  };
