import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/http/operations.js';
import { TOKENS } from '../../support/api.js';
import { consoleRoutes } from '../../support/console-routes.js';
import { ID, problemOf, startRememberingApi, VALID } from './support.js';

describe('who may do what', () => {
  const MAY: Readonly<Record<string, readonly string[]>> = {
    createSettlement: ['service'],
    listSettlements: ['service', 'viewer', 'operator', 'approver'],
    getSettlement: ['service', 'viewer', 'operator', 'approver'],
    resolveSettlement: ['operator', 'approver'],
    createOrder: ['service'],
    listOrders: ['service', 'viewer', 'operator', 'approver'],
    getOrder: ['service', 'viewer', 'operator', 'approver'],
    createPayment: ['service'],
    createRefund: ['service'],
    takeExternalPayment: ['service'],
    noteExternalRefund: ['service'],
    listPayments: ['service', 'viewer', 'operator', 'approver'],
    getPayment: ['service', 'viewer', 'operator', 'approver'],
    resolvePayment: ['operator', 'approver'],
    getRefund: ['service', 'viewer', 'operator', 'approver'],
    resolveRefund: ['operator', 'approver'],
    listTransfers: ['service', 'viewer', 'operator', 'approver'],
    getTransfer: ['service', 'viewer', 'operator', 'approver'],
    retryTransfer: ['operator', 'approver'],
    releaseTransfer: ['service', 'operator', 'approver'],
    capturePayment: ['service', 'operator', 'approver'],
    cancelPayment: ['service', 'operator', 'approver'],
    resolveTransfer: ['operator', 'approver'],
    listDisputes: ['service', 'viewer', 'operator', 'approver'],
    getDispute: ['service', 'viewer', 'operator', 'approver'],
    listPayouts: ['service', 'viewer', 'operator', 'approver'],
    getPayout: ['service', 'viewer', 'operator', 'approver'],
    dismissPayout: ['operator', 'approver'],
    listDrift: ['service', 'viewer', 'operator', 'approver'],
    getDrift: ['service', 'viewer', 'operator', 'approver'],
    acceptDrift: ['operator', 'approver'],
    listReconciliations: ['service', 'viewer', 'operator', 'approver'],
    getReconciliation: ['service', 'viewer', 'operator', 'approver'],
    startReconciliation: ['operator', 'approver'],
    resolveDispute: ['operator', 'approver'],
    getSeller: ['service', 'viewer', 'operator', 'approver'],
    listReversals: ['service', 'viewer', 'operator', 'approver'],
    getReversal: ['service', 'viewer', 'operator', 'approver'],
    resolveReversal: ['operator', 'approver'],
    hyperswitchWebhook: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    stripeWebhook: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    approveDecision: ['approver'],
    metrics: ['service', 'viewer', 'operator', 'approver'],
    listRefunds: ['service', 'viewer', 'operator', 'approver'],
    listChannels: ['service', 'viewer', 'operator', 'approver'],
    listWebhooks: ['service', 'viewer', 'operator', 'approver'],
    listDecisions: ['service', 'viewer', 'operator', 'approver'],
    overview: ['service', 'viewer', 'operator', 'approver'],
    search: ['service', 'viewer', 'operator', 'approver'],
    explain: ['service', 'viewer', 'operator', 'approver'],
    look: ['operator', 'approver'],
    story: ['service', 'viewer', 'operator', 'approver'],
    changes: ['service', 'viewer', 'operator', 'approver'],
    pauseProvider: ['operator', 'approver'],
    resumeProvider: ['operator', 'approver'],
    getStripeRate: ['service', 'viewer', 'operator', 'approver'],
    setStripeRate: ['operator', 'approver'],
    resetStripeRate: ['operator', 'approver'],
    replayWebhook: ['operator', 'approver'],
    decideMany: ['operator', 'approver'],
    health: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    ready: ['nobody', 'service', 'viewer', 'operator', 'approver'],
    openapi: ['nobody', 'service', 'viewer', 'operator', 'approver'],
  };

  const PARAMETERS: Readonly<Record<string, string>> = {
    account: 'acct_1',
    kind: 'settlement',
    item: ID,
    provider: 'stripe',
    event: 'stripe:evt_1',
  };
  // Who is signed in by a cookie is the matter of test/integration/http/console-sessions.test.ts; a token signs nobody in there.
  const BY_TOKEN = OPERATIONS.filter(({ path }) => path !== '/console/session');

  it.each(BY_TOKEN.map(({ id, method, path }) => ({ id, method, path })))(
    '$method $path is open to the roles of the contract and to nobody else',
    async ({ id, method, path }) => {
      // Nobody may listen: what is told of changes does not end.
      const { api } = await startRememberingApi({ console: consoleRoutes({ ledger: {}, mostListeners: 0 }) });
      for (const role of ['nobody', 'service', 'viewer', 'operator', 'approver'] as const) {
        const answer = await api.send(
          path.replaceAll(/\{(\w+)\}/g, (_all, name) => PARAMETERS[name] ?? ID),
          {
            method,
            token: role === 'nobody' ? undefined : TOKENS[role],
            json: method === 'POST' ? { note: 'because' } : undefined,
          },
        );
        const refusal = [401, 403].includes(answer.status) ? problemOf(answer) : 'let in';
        const unwanted = role === 'nobody' ? [401, 'unauthorized'] : [403, 'forbidden'];
        expect(refusal).toEqual(MAY[id]?.includes(role) ? 'let in' : unwanted);
      }
    },
  );

  it.each([
    ['no header', {}, 'Bearer realm="makegood"'],
    [
      'a wrong token',
      { Authorization: 'Bearer token-of-the-service-0002' },
      'Bearer realm="makegood", error="invalid_token"',
    ],
    [
      'a token cut short',
      { Authorization: `Bearer ${TOKENS.service.slice(0, -1)}` },
      'Bearer realm="makegood", error="invalid_token"',
    ],
    ['another scheme', { Authorization: `Basic ${TOKENS.service}` }, 'Bearer realm="makegood", error="invalid_token"'],
    ['a bare token', { Authorization: TOKENS.service }, 'Bearer realm="makegood", error="invalid_token"'],
    ['an empty token', { Authorization: 'Bearer ' }, 'Bearer realm="makegood", error="invalid_token"'],
  ])('%s is answered 401 with the way to do better', async (_what, headers, challenge) => {
    const { api, ledger } = await startRememberingApi();
    const answer = await api.send('/api/v1/settlements', { json: VALID, headers });
    expect(problemOf(answer)).toEqual([401, 'unauthorized']);
    expect(answer.headers.get('www-authenticate')).toBe(challenge);
    expect(ledger.stored).toEqual([]);
  });

  it('takes the scheme in any case', async () => {
    const { api } = await startRememberingApi();
    const answer = await api.send('/api/v1/settlements', { headers: { Authorization: `bearer ${TOKENS.viewer}` } });
    expect(answer.status).toBe(200);
  });
});
