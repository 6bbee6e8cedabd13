import { type Answered, startApi, TOKENS } from '../api.js';
import { openTestLedger } from '../ledger-fixtures.js';
import { x402upto } from '../sessions/credentials.js';

export type SettlementsApi = Awaited<ReturnType<typeof openSettlementsApi>>;

/** The routes of settlements over the real ledger; orchestration only remembers. */
export async function openSettlementsApi() {
  const { ledger, database, dispose } = await openTestLedger({ approvalThreshold: 10_000n });
  const api = await startApi({ ledger, authServer: { destinationAccountId: 'atxp_acct_ours' } });
  let counter = 0;
  /** One of its own for every test, so that no credential is one that was used before. */
  const nonce = (digit = 'a') => `0x${digit.repeat(56)}${String(counter).padStart(8, '0')}`;
  return {
    api,
    ledger,
    database,
    nonce,
    /** Before each test: nothing was dispatched or woken yet, and no nonce was used. */
    begin() {
      counter += 1;
      api.dispatched.length = 0;
      api.woken.length = 0;
    },
    request: (change: object = {}) => ({
      protocol: 'x402',
      credential: x402upto({ nonce: nonce() }),
      context: {},
      spent: { amount: '3000', asset: '0xusdc', decimals: 6 },
      ...change,
    }),
    post: (json: unknown): Promise<Answered> => api.send('/api/v1/settlements', { token: TOKENS.service, json }),
    read: (path: string): Promise<Answered> => api.send(`/api/v1/settlements${path}`, { token: TOKENS.viewer }),
    async close() {
      await api.close();
      await dispose();
    },
  };
}
