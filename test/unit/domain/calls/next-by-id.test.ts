import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CERTAINTIES, type Certainty } from '../../../../src/domain/calls/certainty.js';
import { HYPERSWITCH_ABSENCE } from '../../../../src/domain/calls/key-age.js';
import { isOnlyLookedFor, nextById, type SeenById } from '../../../../src/domain/calls/next-by-id.js';

const { proofs: PROOFS, apartMs: APART_MS } = HYPERSWITCH_ABSENCE;
const known = (certainty: Certainty, refused = false) => ({ certainty, refused });

const seen: fc.Arbitrary<SeenById> = fc.oneof(
  fc.record({ kind: fc.constant('unread' as const), retryAfterMs: fc.option(fc.nat(600_000)) }),
  fc.record({ kind: fc.constant('not_ours' as const), sent: fc.boolean() }),
  fc.record({
    kind: fc.constant('missing' as const),
    beside: fc.constantFrom('ours' as const, 'none_known' as const),
    proofs: fc.nat(PROOFS + 1),
  }),
  fc.record({
    kind: fc.constant('refused' as const),
    records: fc.constantFrom('missing' as const, 'unread' as const),
  }),
  fc.record({
    kind: fc.constant('busy' as const),
    retryAfterMs: fc.option(fc.nat(600_000)),
    executed: fc.constantFrom('no' as const, 'perhaps' as const),
  }),
  fc.constantFrom<SeenById>({ kind: 'unclear' }, { kind: 'misdirected' }),
);

describe('a call whose key is the id of what it makes', () => {
  it('that may have moved money is closed by proofs of absence alone, never by a refusal', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Certainty>('unknown', 'in_flight'),
        fc.boolean(),
        seen,
        (certainty, refused, what) => {
          if (nextById(known(certainty, refused), what).do === 'close')
            expect(what).toMatchObject({
              kind: 'missing',
              proofs: expect.toSatisfy((count: number) => count >= PROOFS),
            });
        },
      ),
    );
  });

  it('that is known to have happened is never closed and never called less certain, unless it was sent to strangers', () => {
    fc.assert(
      fc.property(seen, (what) => {
        const decision = nextById(known('done'), what);
        expect(decision.do).not.toBe('close');
        const isLookedFor = what.kind === 'unread' || what.kind === 'missing';
        if (isLookedFor) expect(decision.certainty).toBe('done');
      }),
    );
  });

  it('is never certain to have happened by anything but itself', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CERTAINTIES), seen, (certainty, what) => {
        if (certainty !== 'done') expect(nextById(known(certainty), what).certainty).not.toBe('done');
      }),
    );
  });

  it.each<[string, Certainty, SeenById, object]>([
    [
      'refused at once, and not in the records',
      'not_sent',
      { kind: 'refused', records: 'missing' },
      { do: 'close', certainty: 'absent' },
    ],
    [
      'refused after an unknown outcome',
      'unknown',
      { kind: 'refused', records: 'missing' },
      { do: 'retry', certainty: 'unknown', afterMs: APART_MS },
    ],
    [
      'refused, and the records cannot be read',
      'not_sent',
      { kind: 'refused', records: 'unread' },
      { do: 'retry', certainty: 'unknown', afterMs: 5_000 },
    ],
    [
      'missing, and so is all else, although it was there',
      'done',
      { kind: 'missing', beside: 'none_known', proofs: 0 },
      { do: 'ask', reason: 'provider_mismatch' },
    ],
    [
      'missing often enough, although it was there',
      'done',
      { kind: 'missing', beside: 'ours', proofs: PROOFS },
      { do: 'ask', reason: 'resource_missing' },
    ],
    [
      'missing once too little',
      'unknown',
      { kind: 'missing', beside: 'ours', proofs: PROOFS - 1 },
      { do: 'retry', certainty: 'unknown', afterMs: APART_MS },
    ],
    ['answered by strangers', 'not_sent', { kind: 'not_ours', sent: false }, { do: 'ask', certainty: 'not_sent' }],
    [
      'answered by strangers when sent',
      'not_sent',
      { kind: 'not_ours', sent: true },
      { do: 'ask', certainty: 'unknown' },
    ],
    [
      'turned away before anything was done',
      'not_sent',
      { kind: 'busy', retryAfterMs: 700, executed: 'no' },
      { do: 'retry', certainty: 'not_sent', afterMs: 700 },
    ],
    ['not answered', 'not_sent', { kind: 'unclear' }, { do: 'retry', certainty: 'unknown' }],
    ['answered by no Hyperswitch', 'not_sent', { kind: 'misdirected' }, { do: 'retry', certainty: 'not_sent' }],
  ])('%s', (_what, certainty, what, decision) => {
    expect(nextById(known(certainty), what)).toMatchObject(decision);
  });

  it('is not sent again once it has existed or was refused', () => {
    expect(isOnlyLookedFor(known('done'))).toBe(true);
    expect(isOnlyLookedFor(known('unknown', true))).toBe(true);
    expect(isOnlyLookedFor(known('unknown'))).toBe(false);
  });
});
