import type { JsonObject } from '../domain/json.js';
import type { Database } from './database.js';
import { createRetention } from './retention.js';

/** When each sweep last began and last succeeded, which alerts watch; and what the sweep of finished items does. */
export function createSweepMarks(database: Database) {
  return {
    ...createRetention(database),

    async sweepStarted(name: string): Promise<void> {
      await database.query(
        `INSERT INTO sweeps (name, started_at) VALUES ($1, clock_now())
         ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at`,
        [name],
      );
    },

    async sweepSucceeded(name: string, report: JsonObject): Promise<void> {
      await database.query('UPDATE sweeps SET succeeded_at = clock_now(), report = $2 WHERE name = $1', [
        name,
        JSON.stringify(report),
      ]);
    },
  };
}
