import type { Database } from '../database.js';

export function createRequestIdSecret(database: Database) {
  return {
    /** What proves the payment request ids of all servers of this ledger. @param first taken where there is none yet */
    async requestIdSecret(first: string): Promise<string> {
      await database.query('INSERT INTO payment_request_secret (secret) VALUES ($1) ON CONFLICT DO NOTHING', [first]);
      const [kept] = await database.query<{ secret: string }>('SELECT secret FROM payment_request_secret');
      if (!kept) throw new Error('what proves our payment request ids is gone from the ledger');
      return kept.secret;
    },
  };
}
