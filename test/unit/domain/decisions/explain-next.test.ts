import { describe, expect, it } from 'vitest';
import type { Attention } from '../../../../src/domain/decisions/attention.js';
import {
  explainNext,
  explainNextOfSettlement,
  type SettlementCall,
  type Situation,
} from '../../../../src/domain/decisions/explain-next.js';
import {
  PAYMENT_STATUSES,
  REFUND_STATUSES,
  REVERSAL_STATUSES,
  TRANSFER_STATUSES,
} from '../../../../src/domain/marketplace/marketplace-status.js';
import { SETTLEMENT_STATUSES } from '../../../../src/domain/settlements/settlement-status.js';

const NOW = '2026-11-21T10:00:00.000Z';
const LATER = '2026-11-21T10:05:00.000Z';
const EARLIER = '2026-11-21T09:55:00.000Z';
const attention = (reason: Attention['reason']): Attention => ({ reason, since: EARLIER, detail: 'x' });
const next = (change: Partial<Situation>) =>
  explainNext(
    {
      kind: 'reversal',
      status: 'pending',
      certainty: 'not_sent',
      attention: null,
      nextRetryAt: LATER,
      nextCheckAt: LATER,
      heldUntil: null,
      parkedBy: null,
      behind: null,
      ...change,
    },
    Date.parse(NOW),
  );

describe('what happens next', () => {
  it.each<[Partial<Situation>, RegExp]>([
    [{}, /^it is sent to Stripe at 2026-11-21T10:05/],
    [{ nextRetryAt: null, nextCheckAt: null }, /^it is sent to Stripe at the next sweep$/],
    [{ certainty: 'unknown' }, /^Stripe's records are read at 2026.*; only what is not there is sent again$/],
    [{ certainty: 'in_flight' }, /^Stripe's records are read at /],
    [{ certainty: 'absent' }, /^it is sent to Stripe at /],
    [{ status: 'waiting_balance' }, /^waits for the seller's balance: .* at 2026-11-21T10:05/],
    [{ status: 'waiting_balance', nextRetryAt: null }, /^waits for the seller's balance behind an older reversal/],
    [{ status: 'reversed', certainty: 'done' }, /^nothing/],
    [{ status: 'written_off' }, /^nothing/],
    [{ heldUntil: LATER }, /^a call is at work.* after 2026-11-21T10:05/],
    [{ heldUntil: EARLIER, certainty: 'in_flight' }, /^Stripe's records are read/],
    [{ parkedBy: 'stripe' }, /^waits until Stripe lets us in again;/],
    [{ parkedBy: 'stripe:acct_a' }, /^waits until Stripe lets us in again for acct_a;/],
    [{ behind: 'another' }, /^waits for reversal another of the same transfer/],
    [{ kind: 'transfer', status: 'pending', behind: 'another' }, /^waits for payment another of its order/],
    [
      { kind: 'transfer', status: 'held', heldFor: { kind: 'release' }, parkedBy: 'stripe' },
      /^is held until somebody releases it \(POST [^)]*\);/,
    ],
    [
      { kind: 'transfer', status: 'held', heldFor: { kind: 'date', until: LATER } },
      /^is held until 2026-11-21T10:05.*, when it is released;/,
    ],
    [
      { kind: 'transfer', status: 'held', heldFor: { kind: 'dispute', id: 'another' as never } },
      /^is held until dispute another of its order has ended: what the bank says/,
    ],
    [
      { kind: 'transfer', status: 'held', heldFor: { kind: 'refund', id: 'another' as never } },
      /^is held until refund another of its order has ended;/,
    ],
    [{ kind: 'transfer', status: 'held', heldFor: null }, /^it is sent to Stripe at 2026-11-21T10:05/],
    [{ status: 'reversed', parkedBy: 'stripe', behind: 'another' }, /^nothing/],
    [
      { kind: 'transfer', status: 'waiting_platform_balance' },
      /^waits for the platform's balance: Stripe is asked at 2026-11-21T10:05.*, or as soon as it tells that money/,
    ],
    [
      { kind: 'transfer', status: 'waiting_seller', certainty: 'absent', nextRetryAt: null },
      /^waits for its seller, who cannot receive yet, behind an older transfer: .* that the account changes/,
    ],
    [{ kind: 'transfer', status: 'failed', certainty: 'absent' }, /^it is sent to Stripe at /],
    [{ kind: 'transfer', status: 'reversal_pending', certainty: 'done' }, /^its reversals go on/],
    [{ kind: 'transfer', status: 'permanently_failed', certainty: 'done' }, /^nothing by itself: see its reversals/],
    [{ kind: 'transfer', status: 'permanently_failed', nextCheckAt: null }, /^nothing by itself: see its reversals/],
    [{ kind: 'transfer', status: 'permanently_failed', certainty: 'absent' }, /^it is sent to Stripe at /],
    [{ kind: 'transfer', status: 'permanently_failed', behind: 'another' }, /^waits for payment another of its order/],
    [{ kind: 'payment', nextRetryAt: null }, /^it is sent to its provider at /],
    [{ kind: 'payment', status: 'processing', certainty: 'done' }, /^its provider is read again at /],
    [
      { kind: 'payment', status: 'failed', certainty: 'done', nextCheckAt: null },
      /^nothing: should its provider call it/,
    ],
    [
      { kind: 'payment', status: 'cancelled', certainty: 'done' },
      /^its provider is read again at .* the order is paid$/,
    ],
    [{ kind: 'refund', certainty: 'unknown' }, /^its provider is read again at /],
    [{ kind: 'refund', status: 'succeeded', certainty: 'done' }, /^nothing: the buyer has the money/],
  ])('for %j is %s', (change, words) => {
    expect(next(change)).toMatch(words);
  });

  it.each<[Partial<Situation>, RegExp]>([
    [
      { attention: attention('retries_exhausted') },
      /^a person decides: makegood resolve <id> retry, adopt or write_off$/,
    ],
    [{ kind: 'refund', attention: attention('refund_failed_after_reversal') }, /retry, compensate or write_off$/],
    [{ attention: attention('approval_pending') }, /^an approver confirms/],
    [
      { attention: attention('retries_exhausted'), certainty: 'unknown' },
      /Stripe's records are read, next at .* our own reversal is adopted/,
    ],
    [{ attention: attention('conflict'), certainty: 'unknown', nextCheckAt: null }, /^a person decides: [^.]*$/],
    [{ attention: attention('conflict'), parkedBy: 'stripe', heldUntil: LATER }, /^a person decides/],
  ])('for %j is a person’s business: %s', (change, words) => {
    expect(next({ status: 'permanently_failed', ...change })).toMatch(words);
  });

  it.each<[Partial<Parameters<typeof explainNextOfSettlement>[0]>, RegExp]>([
    [{ status: 'open' }, /^its response is being served/],
    [{ nextRetryAt: LATER }, /^it is sent at 2026-11-21T10:05/],
    [{}, /^it is sent now, or found by the next sweep/],
    [{ status: 'settled' }, /^nothing/],
    [{ status: 'settled', attention: attention('late_success') }, /^a person decides: makegood resolve <id> [^;]*$/],
    [
      { status: 'needs_attention', attention: attention('conflict') },
      /^a person decides: makegood resolve <id> retry, settled or write_off; settled names where it was seen \(--tx-hash 0x…\)$/,
    ],
    [{ status: 'needs_attention', attention: attention('approval_pending') }, /^an approver confirms/],
  ])('for a settlement %j is %s', (change, words) => {
    const settlement = { status: 'pending' as const, attention: null, nextRetryAt: null, ...change };
    expect(explainNextOfSettlement(settlement, undefined, Date.parse(NOW))).toMatch(words);
  });

  it.each<[Partial<SettlementCall>, RegExp]>([
    [{ heldUntil: LATER }, /^a call is at work.* after 2026-11-21T10:05/],
    [{ heldUntil: EARLIER }, /^it is sent now/],
    [{ paused: 'paused by ann' }, /nothing is sent meanwhile/],
    [{ paused: 'paused by ann', heldUntil: LATER }, /^a call is at work/],
    [{ parkedBy: 'auth-server:x402', heldUntil: LATER }, /^a call is at work/],
    [{ behind: 'another', heldUntil: LATER }, /^a call is at work/],
    [{ paused: 'paused by ann', heldUntil: EARLIER }, /nothing is sent meanwhile/],
  ])(
    'for a settlement whose call stands as %j never says that nothing is sent while it is at work: %s',
    (change, words) => {
      const call = { heldUntil: null, nextCheckAt: LATER, parkedBy: null, behind: null, ...change };
      const settlement = { status: 'pending' as const, attention: null, nextRetryAt: null };
      expect(explainNextOfSettlement(settlement, call, Date.parse(NOW))).toMatch(words);
    },
  );

  it('is said of every status there is', () => {
    for (const status of SETTLEMENT_STATUSES)
      expect(
        explainNextOfSettlement({ status, attention: null, nextRetryAt: null }, undefined, Date.parse(NOW)).length,
      ).toBeGreaterThan(5);
    const all = [
      ...PAYMENT_STATUSES.map((status) => ({ kind: 'payment' as const, status })),
      ...REFUND_STATUSES.map((status) => ({ kind: 'refund' as const, status })),
      ...TRANSFER_STATUSES.map((status) => ({ kind: 'transfer' as const, status })),
      ...REVERSAL_STATUSES.map((status) => ({ kind: 'reversal' as const, status })),
    ];
    for (const situation of all) expect(next(situation).length).toBeGreaterThan(10);
  });
});
