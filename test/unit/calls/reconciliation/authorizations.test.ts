import { expect, it } from 'vitest';
import { comparePage } from '../../../../src/calls/reconciliation/compare-page.js';
import type { ComparisonDependencies } from '../../../../src/calls/reconciliation/comparison.js';
import type { ReconciliationId } from '../../../../src/domain/ids.js';
import type { HeldAuthorization } from '../../../../src/domain/reconciliation/ledger-rows.js';

const row = (id: string): HeldAuthorization => ({
  id,
  status: 'settled',
  network: 'eip155:8453',
  asset: '0xa',
  from: '0xb',
  nonce: '0xc',
  spent: 5n,
  symbol: 'USDC',
  changedAt: '2026-01-01T00:00:00.000Z',
  underWay: false,
});

const PLACE = {
  part: 'chain-nonces',
  runId: 'a run' as ReconciliationId,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-02-01T00:00:00.000Z',
  cursor: null,
  pages: 0,
  listed: false,
} as const;

it('an authorization that can never be read hides no drift of another', async () => {
  const sides = {
    ledger: { heldAuthorizations: () => Promise.resolve([row('poison'), row('unused')]) },
    chain: {
      networks: ['eip155:8453'],
      readUsed: ({ id }: HeldAuthorization) =>
        Promise.resolve(id === 'poison' ? { kind: 'missing', detail: 'no token' } : { kind: 'found', value: false }),
    },
    clock: { nowMs: () => Date.parse('2026-02-01T00:00:00.000Z') },
    youngMs: 0,
  } as unknown as ComparisonDependencies;
  expect(await comparePage(PLACE, 'chain-nonces', sides)).toMatchObject({
    kind: 'page',
    last: true,
    suspicions: [{ kind: 'settlement_missing', item: { id: 'unused' } }],
  });
});
