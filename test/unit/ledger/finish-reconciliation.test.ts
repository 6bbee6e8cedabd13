import { expect, it } from 'vitest';
import type { ReconciliationId } from '../../../src/domain/ids.js';
import type { Database } from '../../../src/ledger/database.js';
import { createReconciliations } from '../../../src/ledger/reconciliation/reconciliations.js';

it('what a run has named is taken away piece by piece, after the run is finished, and again by whoever repeats it', async () => {
  const pieces = [20_000, 20_000, 3];
  const done: string[] = [];
  const query = (sql: string) => {
    done.push(sql.trim().split(/\s+/).slice(0, 3).join(' '));
    const isPiece = sql.startsWith('DELETE');
    return Promise.resolve(isPiece ? Array.from({ length: pieces.shift() ?? 0 }) : []);
  };
  const database = { query, transaction: (run: (own: typeof query) => unknown) => run(query) } as unknown as Database;
  await createReconciliations(database).finishReconciliation('a run' as ReconciliationId);
  expect(done).toEqual(['UPDATE reconciliations SET', ...Array<string>(3).fill('DELETE FROM reconciled_objects')]);
});
