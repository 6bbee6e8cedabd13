import { expect, it } from 'vitest';
import { ATTENTION_REASONS } from '../../../../src/domain/decisions/attention.js';
import { notTakenBy } from '../../../../src/domain/decisions/decisions.js';
import { explainNext } from '../../../../src/domain/decisions/explain-next.js';
import { explain } from '../../../../src/domain/explanations/explain.js';

const SINCE = '2026-11-01T00:00:00.000Z';
const offered = (status: 'waiting_balance' | 'permanently_failed', reason: (typeof ATTENTION_REASONS)[number] | null) =>
  ([true, false] as const).map((on) => {
    const notTaken = notTakenBy({ on });
    const attention = reason && { reason, since: SINCE, detail: 'as it is' };
    const money = { kind: 'reversal', status, certainty: 'absent', counted: 0n } as const;
    const call = { nextRetryAt: null, nextCheckAt: null, heldUntil: null, parkedBy: null, behind: null };
    const { decisions } = explain({
      id: 'x',
      money,
      certainty: 'absent',
      amount: '600 USD',
      attention,
      decision: null,
      next: '',
      nextAt: null,
      notTaken,
    });
    return {
      actions: decisions.map(({ action }) => action),
      next: explainNext({ kind: 'reversal', status, certainty: 'absent', attention, notTaken, ...call }, 0),
    };
  });

it('offset is offered where OFFSET is on, and nowhere else: of what waits by itself, and of each reason', () => {
  expect(offered('waiting_balance', null).map(({ actions }) => actions)).toEqual([
    ['take_available', 'offset'],
    ['take_available'],
  ]);
  const withOffset = ATTENTION_REASONS.filter((reason) => {
    const [on, off] = offered('permanently_failed', reason);
    expect(off!.actions).toEqual(on!.actions.filter((action) => action !== 'offset'));
    expect(off!.next).not.toContain('offset');
    expect(on!.next.includes('offset')).toBe(on!.actions.includes('offset'));
    return on!.actions.includes('offset');
  });
  expect(withOffset).toEqual(
    expect.arrayContaining(['balance_horizon', 'seller_owes', 'exceeds_remainder', 'missing_transfer_id']),
  );
  expect(notTakenBy(undefined)).toEqual(['offset']);
});
