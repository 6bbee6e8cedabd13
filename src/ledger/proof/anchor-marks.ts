import type { AnchorMark, AnchorStep } from '../../domain/proof/anchor-marks.js';
import type { Database } from '../database.js';
import type { Query } from '../transition.js';

/** Which anchors were written; nothing of it is ever changed. */
export function createAnchorMarks(database: Database) {
  return {
    lastAnchorMark: (): Promise<AnchorMark | undefined> => lastMark(database.query),

    /** Whether a worker meant to write this one. */
    knowsAnchor: (mark: AnchorMark): Promise<boolean> => isKnown(database.query, mark),

    async markAnchor({ number, day, digest }: AnchorMark, step: AnchorStep): Promise<void> {
      await database.query('INSERT INTO anchor_marks (number, day, digest, step) VALUES ($1, $2, $3, $4)', [
        number,
        day,
        digest,
        step,
      ]);
    },
  };
}

export async function lastMark(query: Query): Promise<AnchorMark | undefined> {
  const [row] = await query<{ number: string; day: string; digest: string }>(
    `SELECT number, day, digest FROM (${OF_THIS_DIRECTORY}) m WHERE step = 'written' ORDER BY number DESC, seq DESC LIMIT 1`,
  );
  return row && { ...row, number: Number(row.number) };
}

export async function isKnown(query: Query, { number, day, digest }: AnchorMark): Promise<boolean> {
  const rows = await query(
    `SELECT 1 FROM (${OF_THIS_DIRECTORY}) m WHERE number = $1 AND day = $2 AND digest = $3 LIMIT 1`,
    [number, day, digest],
  );
  return rows.length > 0;
}

/** Since a person has said that a directory is begun anew. */
const OF_THIS_DIRECTORY =
  'SELECT * FROM anchor_marks WHERE seq >= coalesce((SELECT max(seq) FROM anchor_marks WHERE number = 0), 0)';
