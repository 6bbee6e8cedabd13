import { expect, onTestFinished } from 'vitest';
import type { Settlement } from '../../../src/domain/settlements/settlement.js';
import type { ApiDependencies } from '../../../src/http/api.js';
import { PROBLEMS } from '../../../src/http/problem.js';
import type { NewSettlement } from '../../../src/ledger/settlements/settlement-types.js';
import { type Answered, NO_FIGURES, startApi } from '../../support/api.js';

export const ID = '0197d7a4-6f00-7000-8000-000000000001';

/** A settlement as a service may post it. */
export const VALID = {
  protocol: 'atxp',
  credential: { sourceAccountId: 'a', sourceAccountToken: 'tok_canary_1234567890' },
  context: {},
  spent: { amount: '10000', asset: 'USDC', decimals: 6 },
};

const toSettlement = (created: NewSettlement): Settlement => ({
  ...created,
  provider: `auth-server:${created.protocol}`,
  status: created.undecodable === null ? 'pending' : 'needs_attention',
  certainty: 'not_sent',
  attempts: 0,
  nextRetryAt: null,
  expiresAt: null,
  delivery: null,
  answer: null,
  attention:
    created.undecodable === null
      ? null
      : { reason: 'credential_undecodable', since: '2026-01-06T12:00:00.000Z', detail: created.undecodable },
  workflowId: `settlement/${created.id}`,
  txHash: null,
  alreadySettled: false,
  createdAt: '2026-01-06T12:00:00.000Z',
  settledAt: null,
});

/** Takes everything and remembers it; the real rules of the ledger are tried in the integration tests. */
export function rememberingLedger(): ApiDependencies['ledger'] & { readonly stored: NewSettlement[] } {
  const stored: NewSettlement[] = [];
  return {
    stored,
    createSettlement: (settlement) => {
      stored.push(settlement);
      return Promise.resolve({ kind: 'created', settlement: toSettlement(settlement) });
    },
    findSettlement: (id) => Promise.resolve(stored.map(toSettlement).find((settlement) => settlement.id === id)),
    listSettlements: ({ limit }) => Promise.resolve(stored.map(toSettlement).reverse().slice(0, limit)),
    figures: () => Promise.resolve(NO_FIGURES),
    schemaState: () => Promise.resolve('current'),
  };
}

type Given = Omit<Partial<ApiDependencies>, 'ledger'> & { readonly ledger?: Partial<ApiDependencies['ledger']> };

/** The API over a ledger that takes everything but what is given, until the test ends. */
export async function startRememberingApi({ ledger: changes, ...given }: Given = {}) {
  const ledger = { ...rememberingLedger(), ...changes };
  const api = await startApi({ ledger, ...given });
  onTestFinished(() => api.close());
  return { api, ledger };
}

/** Its status and code, once it is the problem document that the contract promises. */
export function problemOf(answer: Answered): readonly [status: number, code: string] {
  const { code } = answer.body;
  const known = Object.entries(PROBLEMS).find(([name]) => name === code)?.[1];
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({
    type: `urn:makegood:problem:${code}`,
    title: known?.title,
    status: answer.status,
    detail: expect.stringMatching(/./),
    request_id: answer.headers.get('x-request-id'),
  });
  return [answer.status, code];
}
