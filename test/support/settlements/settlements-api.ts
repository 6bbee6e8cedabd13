import { afterAll, beforeEach } from 'vitest';
import { type Answered, startApi, TOKENS } from '../api.js';
import { ledgerForFile } from '../ledger-fixtures.js';
import { x402upto } from '../sessions/credentials.js';

/** The routes of settlements over the real ledger, for all tests of the file that calls this; orchestration only remembers. */
export async function settlementsApiForFile() {
  const { ledger, database } = await ledgerForFile();
  const api = await startApi({ ledger, authServer: { destinationAccountId: 'atxp_acct_ours' } });
  let counter = 0;
  beforeEach(() => {
    counter += 1;
    api.dispatched.length = 0;
    api.woken.length = 0;
  });
  afterAll(() => api.close());
  /** One of its own for every test, so that no credential is one that was used before. */
  const nonce = (digit = 'a') => `0x${digit.repeat(56)}${String(counter).padStart(8, '0')}`;
  return {
    api,
    ledger,
    database,
    nonce,
    request: (change: object = {}) => ({
      protocol: 'x402',
      credential: x402upto({ nonce: nonce() }),
      context: {},
      spent: { amount: '3000', asset: '0xusdc', decimals: 6 },
      ...change,
    }),
    post: (json: unknown): Promise<Answered> => api.send('/api/v1/settlements', { token: TOKENS.service, json }),
    read: (path: string): Promise<Answered> => api.send(`/api/v1/settlements${path}`, { token: TOKENS.viewer }),
  };
}
