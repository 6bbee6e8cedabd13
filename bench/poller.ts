import pg from 'pg';
import { createSealer } from '../src/ledger/sealer.js';
import { SEALED_PLACE } from '../src/ledger/settlements/settlement-row.js';
import { pause } from './measure.js';

const BATCH = 20;
const IDLE_MS = 100;

interface Row {
  id: string;
  key: string;
  sealed: Buffer;
  sealed_key_id: string;
}

/**
 * What one writes by hand instead of the product: claim a batch, call in parallel, mark what settled, commit. It knows no
 * unknown outcome, no breaker, no trace of attempts and no person, and holds its transaction open over the calls.
 */
export function startPoller(databaseUrl: string, authServerUrl: string, key: Buffer) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const sealer = createSealer([{ id: 'bench', key }]);
  const stop = new AbortController();

  async function settles(row: Row): Promise<boolean> {
    const body = sealer.open({ bytes: row.sealed, keyId: row.sealed_key_id }, SEALED_PLACE(row.id as never));
    const headers = { 'content-type': 'application/json', 'idempotency-key': row.key };
    const answer = await fetch(`${authServerUrl}/settle/x402`, { method: 'POST', headers, body });
    await answer.json();
    return answer.ok;
  }

  async function pass(): Promise<number> {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<Row>({ name: 'claim', text: CLAIM });
      const outcomes = await Promise.allSettled(rows.map(settles));
      const done = rows.filter((_, index) => {
        const outcome = outcomes[index];
        return outcome?.status === 'fulfilled' && outcome.value;
      });
      if (done.length > 0) await client.query({ name: 'mark', text: MARK, values: [done.map((row) => row.id)] });
      await client.query('COMMIT');
      return rows.length;
    } finally {
      client.release();
    }
  }

  const running = (async () => {
    while (!stop.signal.aborted) if ((await pass()) < BATCH) await pause(IDLE_MS);
  })();
  return {
    async stop() {
      stop.abort();
      await running;
      await pool.end();
    },
  };
}

const CLAIM = `SELECT id, key, sealed, sealed_key_id FROM settlements
  WHERE status = 'pending' AND next_check_at <= clock_now() ORDER BY next_check_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

const MARK = `UPDATE settlements SET status = 'settled', certainty = 'done', settled_at = clock_now(), next_check_at = NULL,
    sealed = NULL, sealed_kind = NULL, sealed_key_id = NULL, erased_at = clock_now()
  WHERE id = ANY ($1)`;
