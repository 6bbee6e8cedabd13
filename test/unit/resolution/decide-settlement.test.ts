import { describe, expect, it } from 'vitest';
import { newDecisionId, newSettlementId } from '../../../src/domain/ids.js';
import { next } from '../../../src/domain/next.js';
import type { DecisionRequest } from '../../../src/ledger/ledger-types.js';
import { type ChainReader, createSettlementResolution } from '../../../src/resolution/decide-settlement.js';

const ID = newSettlementId(1);
const LOOKUP = { kind: 'settle', channelId: '0x1' };

function deciding(seen: Awaited<ReturnType<ChainReader['lookUp']>> | undefined, found = {}) {
  const decided: DecisionRequest[] = [];
  const looked: unknown[] = [];
  const resolution = createSettlementResolution({
    ledger: {
      decide(request) {
        decided.push(request);
        return Promise.resolve({ kind: 'applied', status: 'settled', decisionId: request.id });
      },
      findSettlement: () => Promise.resolve({ provider: 'tempo', status: 'needs_attention', ...found }),
      settlementLookup: () => Promise.resolve(LOOKUP),
    },
    chain: seen && {
      lookUp(lookup) {
        looked.push(lookup);
        return Promise.resolve(seen);
      },
    },
  });
  const decide = (action: DecisionRequest['action']) =>
    resolution.decide({
      id: newDecisionId(1),
      settlementId: ID,
      action,
      by: 'olga',
      authenticated: true,
      note: 'saw it',
      evidence: { tx_hash: '0xsaid' },
    });
  return { decide, decided, looked };
}

describe('an operator who says that a capture is settled', () => {
  it('is taken at the word of the chain, with its transaction and not the one that was named', async () => {
    const { decide, decided, looked } = deciding({ kind: 'captured', txHash: '0xseen' });
    expect(await decide('settled')).toMatchObject({ kind: 'applied' });
    expect(looked).toEqual([LOOKUP]);
    expect(decided).toMatchObject([{ evidence: { tx_hash: '0xseen' }, provedOnChain: true }]);
  });

  it('is refused where the chain shows less, and nothing is decided', async () => {
    const { decide, decided } = deciding({ kind: 'not_captured', detail: 'of this channel 0 is captured' });
    expect(await decide('settled')).toEqual({ kind: 'refused', detail: 'of this channel 0 is captured' });
    expect(decided).toEqual([]);
  });

  it.each([
    ['does not answer', { kind: 'unanswered', detail: 'no connection' } as const],
    ['is not configured here', undefined],
  ])('decides nothing while the chain %s', async (_what, seen) => {
    const { decide, decided } = deciding(seen);
    expect(await decide('settled')).toMatchObject({ kind: 'unanswered' });
    expect(decided).toEqual([]);
  });

  it.each([
    ['of the auth server, which cannot be asked', 'settled', { provider: 'auth-server:mpp' }],
    ['that is not waiting', 'settled', { status: 'pending' }],
    ['that is tried again', 'retry', {}],
    ['that is given up', 'write_off', {}],
  ] as const)('asks nothing of the chain about a settlement %s', async (_what, action, found) => {
    const { decide, decided, looked } = deciding({ kind: 'unanswered', detail: '' }, found);
    await decide(action);
    expect([decided.length, looked]).toEqual([1, []]);
    expect(decided[0]?.provedOnChain).toBeUndefined();
  });
});

it('what a provider proves to be settled before our first attempt is finished; its mere word asks a person', () => {
  const attempted = {
    certainty: 'in_flight',
    answer: { kind: 'done', alreadySettled: true },
    keyLeftMs: null,
    attempts: 1,
    sinceSentMs: 0,
  } as const;
  const policy = { backoffBaseMs: 1, backoffMaxMs: 1, answerWindowMs: 1 };
  expect(next(attempted, { ...policy, provesSettled: true })).toEqual({ do: 'finish', certainty: 'done' });
  expect(next(attempted, policy)).toMatchObject({ do: 'ask', reason: 'settled_elsewhere_suspected' });
});
