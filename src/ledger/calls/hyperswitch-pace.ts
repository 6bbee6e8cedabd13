import type { Database } from '../database.js';

/** The pace of reads of Hyperswitch, all processes together. */
export function createHyperswitchPace(database: Database) {
  return {
    /**
     * @returns milliseconds until this read may leave; null: more wait already than leave within `longestMs`. The commit is
     *   not waited for on disk: what a crash forgets is over before Postgres is back
     */
    async takeHyperswitchTurn(lane: 'first' | 'in_turn', perSecond: number, longestMs: number): Promise<number | null> {
      const [row] = await database.query<{ ms: number | null }>(
        `SELECT take_hyperswitch_turn($1, $2, $3 * interval '1 millisecond') AS ms
         FROM set_config('synchronous_commit', 'off', true)`,
        [lane, perSecond, longestMs],
      );
      return row?.ms ?? null;
    },
  };
}
