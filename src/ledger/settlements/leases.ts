import type { Clock } from '../../domain/clock.js';
import { newLeaseId } from '../../domain/ids.js';
import type { Database } from '../database.js';
import type { Lease } from './settlement-types.js';

export function createLeases(database: Database, clock: Clock) {
  return {
    /** @param holder host and pid, for a person who looks */
    async takeLease(holder: string, ttlMs: number): Promise<Lease> {
      const [row] = await database.query<{ id: Lease['id']; epoch: string }>(
        `INSERT INTO server_leases (id, holder, lapses_at) VALUES ($1, $2, clock_now() + $3 * interval '1 millisecond')
         RETURNING id, epoch`,
        [newLeaseId(clock.nowMs()), holder, ttlMs],
      );
      if (!row) throw new Error('the lease was not stored');
      return { id: row.id, epoch: BigInt(row.epoch) };
    },

    /** False: the sweep ended this lease; its sessions are closed and every further write of them is lost. */
    async renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
      const rows = await database.query(
        `UPDATE server_leases SET lapses_at = clock_now() + $3 * interval '1 millisecond'
         WHERE id = $1 AND epoch = $2 AND ended_at IS NULL RETURNING id`,
        [lease.id, lease.epoch, ttlMs],
      );
      return rows.length === 1;
    },

    /** An orderly end: sessions still open are closed by the next sweep at their last durable amount. */
    async endLease(lease: Lease): Promise<void> {
      await database.query(
        'UPDATE server_leases SET lapses_at = clock_now() WHERE id = $1 AND epoch = $2 AND ended_at IS NULL',
        [lease.id, lease.epoch],
      );
    },
  };
}
