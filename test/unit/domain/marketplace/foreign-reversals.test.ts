import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReversalFacts, TransferWithReversals } from '../../../../src/domain/calls/provider-answers.js';
import type { ForeignAction } from '../../../../src/domain/decisions/decisions.js';
import { planShare, takenByOthers } from '../../../../src/domain/marketplace/foreign-reversals.js';
import { smaller } from '../../../../src/domain/money.js';

const ACTIONS: readonly ForeignAction[] = ['count_as_share', 'take_missing', 'take_all'];

const reversal = (change: Partial<ReversalFacts>): ReversalFacts => ({
  stripeReversalId: 'trr_1',
  stripeTransferId: 'tr_1',
  amount: 100n,
  currency: 'USD',
  metadata: {},
  state: 'done',
  createdAt: '2026-11-28T00:00:00.000Z',
  ...change,
});
const read = (amountReversed: bigint, ...reversals: readonly ReversalFacts[]): TransferWithReversals => ({
  transfer: {
    stripeTransferId: 'tr_1',
    amount: 1_000n,
    amountReversed,
    currency: 'USD',
    destination: 'acct_1',
    transferGroup: null,
    metadata: {},
    livemode: false,
    createdAt: '2026-11-28T00:00:00.000Z',
  },
  reversals,
});

describe('what others took of a transfer', () => {
  it('is what neither our marks nor the ids that were adopted name; what ended at Stripe took nothing', () => {
    const all = [
      reversal({ stripeReversalId: 'trr_ours', metadata: { operation_id: 'r1' } }),
      reversal({ stripeReversalId: 'trr_adopted' }),
      reversal({ stripeReversalId: 'trr_other', amount: 70n, metadata: { operation_id: 'of another ledger' } }),
      reversal({ stripeReversalId: 'trr_pending', amount: 30n, state: 'pending' }),
      reversal({ stripeReversalId: 'trr_failed', state: 'failed' }),
      reversal({ stripeReversalId: 'trr_canceled', state: 'canceled' }),
    ];
    const others = takenByOthers(read(270n, ...all), { operationIds: ['r1'], stripeIds: ['trr_adopted'] });
    expect(others.reversals.map(({ stripeReversalId }) => stripeReversalId)).toEqual(['trr_other', 'trr_pending']);
    expect(others).toMatchObject({ taken: 100n, settled: 70n, left: 700n });
  });

  it('leaves what Stripe’s own sum leaves where the list shows less', () => {
    expect(takenByOthers(read(900n, reversal({})), { operationIds: [], stripeIds: [] }).left).toBe(100n);
    expect(takenByOthers(read(1_100n), { operationIds: [], stripeIds: [] }).left).toBe(0n);
  });
});

describe('a decision about a share', () => {
  it('never counts more than others surely took, nor twice, and never takes more than is left or than the share', () => {
    const amounts = fc.bigInt({ min: 0n, max: 1_000n });
    const little = fc.bigInt({ min: 0n, max: 300n });
    const seen: Record<string, number> = {};
    fc.assert(
      fc.property(
        fc.constantFrom(...ACTIONS),
        fc.bigInt({ min: 1n, max: 1_000n }),
        fc.boolean(),
        fc.array(fc.record({ amount: fc.bigInt({ min: 1n, max: 500n }), settled: fc.boolean(), used: little }), {
          maxLength: 4,
        }),
        amounts,
        (action, amount, unsent, others, left) => {
          const reversals = others.map((one, n) => ({ id: `trr_${n}`, ...one, used: smaller(one.used, one.amount) }));
          const decided = Object.fromEntries(reversals.map(({ id, used }) => [id, `${used}`]));
          const sum = (of: typeof reversals, what: 'amount' | 'used') =>
            of.reduce((total, one) => total + one[what], 0n);
          const surely = reversals.filter((one) => one.settled);
          const [settled, countedElsewhere] = [sum(surely, 'amount'), sum(surely, 'used')];
          const share = { amount, unsent, counted: 0n, countedElsewhere };
          const plan = planShare(action, share, { reversals, decided, left });
          if ('refuse' in plan) return;
          seen[action] = (seen[action] ?? 0) + 1;
          const { counted, decides } = plan;
          for (const { id, amount: all, used } of reversals) expect(used + (decides.get(id) ?? 0n) <= all).toBe(true);
          const decidedNow = [...decides.values()].reduce((total, one) => total + one, 0n);
          if (action === 'count_as_share') expect(decidedNow).toBe(amount);
          else expect(decidedNow).toBe(sum(reversals, 'amount') - sum(reversals, 'used'));
          const taken = amount - counted;
          expect(counted >= 0n && counted <= amount).toBe(true);
          if (counted > 0n) expect(counted + countedElsewhere <= settled).toBe(true);
          expect(taken <= left || taken === 0n).toBe(true);
          expect(taken).toBe(action === 'count_as_share' ? 0n : action === 'take_all' ? amount : amount - counted);
          if (action === 'take_missing') expect(counted > 0n && taken > 0n && unsent).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
    for (const action of ACTIONS) expect([action, (seen[action] ?? 0) > 40]).toEqual([action, true]);
  });

  it('that is refused leads to one that is taken, or to a write-off where less is left than is due', () => {
    const amounts = fc.bigInt({ min: 0n, max: 400n });
    const led: Record<string, number> = {};
    fc.assert(
      fc.property(fc.constantFrom(...ACTIONS), amounts, amounts, amounts, amounts, (action, due, took, used, left) => {
        const amount = due + 1n;
        const share = { amount, unsent: true, counted: 0n, countedElsewhere: 0n };
        const others = {
          reversals: [{ id: 'trr_1', amount: took, settled: true }],
          decided: { trr_1: `${smaller(used, took)}` },
          left,
        };
        const plan = planShare(action, share, others);
        if (!('refuse' in plan)) return;
        const advised = /: (\w+)$/.exec(plan.refuse)?.[1] ?? plan.refuse;
        led[advised] = (led[advised] ?? 0) + 1;
        if (advised === 'write_off') expect(left < amount).toBe(true);
        else expect(planShare(advised as ForeignAction, share, others)).not.toHaveProperty('refuse');
      }),
      { numRuns: 1_000 },
    );
    expect(Object.keys(led).sort()).toEqual(['count_as_share', 'take_all', 'take_missing', 'write_off']);
  });
});
