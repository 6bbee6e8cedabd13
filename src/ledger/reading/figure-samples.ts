import type { Database } from '../database.js';
import type { Figures } from '../figure-types.js';

/** Older pictures are drawn from metrics. */
const KEPT = `interval '8 days'`;
/** After a longer pause of all servers, what was done meanwhile is counted in part. */
const MOST_EVENTS = 200_000;

/** What waits for a balance, a seller or a provider has used up no retry, and what was stopped never left: it has not failed. */
const ONLY_WAITS = `coalesce(e.answer_class, '') IN ('wait', 'park', 'stopped')`;

const SAMPLE = `
  WITH last AS (SELECT upto FROM figure_samples ORDER BY at DESC LIMIT 1),
  newest AS (SELECT coalesce(max(seq), 0) AS seq FROM operation_events),
  counted AS (
    SELECT count(*) FILTER (WHERE e.certainty = 'done')::int AS done,
      count(*) FILTER (WHERE e.certainty <> 'done' AND NOT ${ONLY_WAITS})::int AS failed
    FROM operation_events e, last, newest
    WHERE e.kind = 'answered' AND e.seq > greatest(last.upto, newest.seq - ${MOST_EVENTS}) AND e.seq <= newest.seq
  ), old AS (DELETE FROM figure_samples WHERE at < clock_now() - ${KEPT})
  INSERT INTO figure_samples (at, upto, done, failed, backlog, needs_attention)
    SELECT date_trunc('minute', clock_now()), newest.seq, counted.done, counted.failed, $1, $2 FROM newest, counted
  ON CONFLICT (at) DO NOTHING`;

/** Keeps how things stand in this minute, once for all processes. @param figures read only where nobody has kept them yet */
export async function sampleFigures(database: Database, figures: () => Promise<Figures>): Promise<void> {
  const kept = await database.query(`SELECT 1 FROM figure_samples WHERE at = date_trunc('minute', clock_now())`);
  if (kept.length > 0) return;
  const { unsettled, needsAttention, marketplace } = await figures();
  const countOf = (rows: readonly { readonly count: number }[]) => rows.reduce((sum, { count }) => sum + count, 0);
  await database.query(SAMPLE, [countOf(unsettled) + countOf(marketplace.open), countOf(needsAttention)]);
}
