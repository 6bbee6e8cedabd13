import { describe, expect, it } from 'vitest';
import { type ChainReader, settlementVerifier } from '../../../../src/calls/decisions/ask-chain.js';
import { next } from '../../../../src/domain/calls/next.js';
import { newSettlementId } from '../../../../src/domain/ids.js';

const ID = newSettlementId(1);
const LOOKUP = { kind: 'settle', channelId: '0x1' };

function deciding(seen: Awaited<ReturnType<ChainReader['lookUp']>> | undefined, found = {}) {
  const looked: unknown[] = [];
  const verify = settlementVerifier({
    ledger: {
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
  const decide = (action: string) =>
    verify({ kind: 'settlement', itemId: ID, action, evidence: { tx_hash: '0xsaid' } });
  return { decide, looked };
}

describe('an operator who gives a capture up', () => {
  it.each([
    ['has it', { kind: 'captured', txHash: '0xseen' }, { kind: 'found', providerId: '0xseen' }],
    ['has less', { kind: 'not_captured', detail: 'of this channel 0 is captured' }, { kind: 'absent' }],
    [
      'does not answer',
      { kind: 'unanswered', detail: 'no connection' },
      { kind: 'unanswered', detail: 'no connection' },
    ],
  ] as const)('is told what is true where the chain %s', async (_what, seen, verified) => {
    expect(await deciding(seen).decide('write_off')).toEqual(verified);
  });
});

describe('an operator who says that a capture is settled', () => {
  it('is taken at the word of the chain, with its transaction and not the one that was named', async () => {
    const { decide, looked } = deciding({ kind: 'captured', txHash: '0xseen' });
    expect(await decide('settled')).toEqual({ kind: 'found', providerId: '0xseen' });
    expect(looked).toEqual([LOOKUP]);
  });

  it('is refuted where the chain shows less', async () => {
    const { decide } = deciding({ kind: 'not_captured', detail: 'of this channel 0 is captured' });
    expect(await decide('settled')).toEqual({ kind: 'refuted', detail: 'of this channel 0 is captured' });
  });

  it.each([
    ['does not answer', { kind: 'unanswered', detail: 'no connection' } as const],
    ['is not configured here', undefined],
  ])('is not believed while the chain %s', async (_what, seen) => {
    const { decide } = deciding(seen);
    expect(await decide('settled')).toMatchObject({ kind: 'unanswered' });
  });

  it.each([
    ['of the auth server, which cannot be asked', 'settled', { provider: 'auth-server:mpp' }],
    ['that is not waiting', 'settled', { status: 'pending' }],
  ] as const)('asks nothing of the chain about a settlement %s', async (_what, action, found) => {
    const { decide, looked } = deciding({ kind: 'unanswered', detail: '' }, found);
    expect([await decide(action), looked]).toEqual([{ kind: 'not_needed' }, []]);
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
