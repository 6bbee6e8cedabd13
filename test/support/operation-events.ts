import type { TestLedger } from './ledger-fixtures.js';

/** What the ledger tells of an item, in order. */
export const storyOf = ({ database }: TestLedger, kind: string, id: string) =>
  database.query<{ kind: string; certainty: string | null; idempotency_key: string | null; detail: object }>(
    'SELECT kind, certainty, idempotency_key, detail FROM operation_events WHERE item_kind = $1 AND item_id = $2 ORDER BY seq',
    [kind, id],
  );

/** The names of these events alone. */
export const eventsOf = async (test: TestLedger, kind: string, id: string): Promise<string[]> =>
  (await storyOf(test, kind, id)).map((event) => event.kind);
