import { expect, it } from 'vitest';
import { CALLS_AT_ONCE } from '../../../activities/bulkhead.js';
import type { SettleRowsInput } from '../../../activities/contract.js';
import { createSettlementActivities } from '../../../activities/settlement-activities.js';
import { newSettlementId, type SettlementId } from '../../../src/domain/ids.js';
import { authServerOf } from '../../../src/domain/settlements/settlement-providers.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';

const silent = () => undefined;
const X402 = authServerOf('x402');
const MPP = authServerOf('mpp');

/** An auth server whose x402 hangs until it is let go; everything else is done at once. */
function activitiesBeforeHungX402() {
  const protocolOf = new Map<string, Protocol>();
  const claims: string[] = [];
  const hanging: (() => void)[] = [];
  const activities = createSettlementActivities({
    ledger: {
      claimSettlements: (ids: readonly SettlementId[]) => {
        claims.push(...ids);
        const claimed = ids.map((id) => ({
          id,
          protocol: protocolOf.get(id),
          provider: X402,
          attempts: 0,
          spent: '1',
        }));
        return Promise.resolve({ claimed, refused: [] });
      },
      recordAttempt: () => Promise.resolve('settled'),
      findSettlement: () => Promise.resolve(undefined),
    } as never,
    authServer: {
      settle: (protocol: Protocol) => {
        const done = { kind: 'done', alreadySettled: false, txHash: null } as const;
        return protocol === 'x402'
          ? new Promise((resolve) => hanging.push(() => resolve(done)))
          : Promise.resolve(done);
      },
    },
    tempo: undefined,
    timings: { backoffBaseMs: 1, backoffMaxMs: 1, httpTimeoutMs: 30_000 },
    logger: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    processName: 'test',
    monotonicMs: () => performance.now(),
  });
  const settle = (protocol: Protocol, provider: NonNullable<SettleRowsInput['provider']>) => {
    const id = newSettlementId(1);
    protocolOf.set(id, protocol);
    return activities.settleRows({ settlementIds: [id], timeoutMs: 30_000, whenUnsettled: 'throw', provider });
  };
  return { settle, claims, letGo: () => hanging.splice(0).forEach((each) => each()) };
}

it('a provider that hangs keeps no more than its places; the rest waits in the ledger unclaimed, and others go on', async () => {
  const { settle, claims, letGo } = activitiesBeforeHungX402();
  const held = Array.from({ length: CALLS_AT_ONCE }, () => settle('x402', X402));
  expect(await settle('x402', X402)).toMatchObject([{ kind: 'waiting', why: 'busy' }]);
  expect(claims).toHaveLength(CALLS_AT_ONCE);
  expect(await settle('mpp', MPP)).toMatchObject([{ kind: 'final' }]);

  letGo();
  expect((await Promise.all(held)).flat().every(({ kind }) => kind === 'final')).toBe(true);
  const again = settle('x402', X402);
  await new Promise((resolve) => setImmediate(resolve));
  letGo();
  expect(await again).toMatchObject([{ kind: 'final' }]);
});
