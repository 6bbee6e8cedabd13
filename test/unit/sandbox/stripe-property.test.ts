import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { FAULT_KINDS } from '../../../sandbox/stripe/faults.js';
import { createCaseCounts } from '../../support/case-counts.js';
import { stripeSandboxForFile, transferOf } from '../../support/marketplace/stripe-api.js';

const { sandbox, api } = await stripeSandboxForFile();

const SELLERS = ['acct_1Ann', 'acct_1Bob'];
const FUNDS = 1_000_000;

const step = fc.record({
  what: fc.constantFrom('transfer', 'reverse', 'foreign', 'payout'),
  key: fc.integer({ min: 0, max: 6 }),
  seller: fc.constantFrom(...SELLERS),
  amount: fc.integer({ min: 1, max: 900 }),
  fault: fc.option(fc.constantFrom(...FAULT_KINDS), { freq: 1 }),
});

it('loses and makes no money, whatever is sent, replayed, spoilt and finished late, in whatever order', {
  timeout: 30_000,
}, async () => {
  const cases = createCaseCounts();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: 16, size: 'max' }),
      fc.boolean(),
      async (steps, atOnce) => {
        await sandbox.reset();
        await sandbox.setBalance({ account: sandbox.platformAccount, currency: 'usd', available: FUNDS });
        const perform = async ({ what, key, seller, amount, fault }: (typeof steps)[number]) => {
          if (!atOnce) sandbox.setFaults(fault === null ? [] : [{ kinds: [fault], ms: 2 }]);
          const known = sandbox.ledger().transfers[0]?.id ?? 'tr_nothing';
          if (what === 'foreign') return sandbox.reverse(known, { amount });
          if (what === 'payout')
            return sandbox.createPayout({ account: seller, amount, currency: 'usd', status: 'paid' });
          const options = { idempotencyKey: `${what}-${key}` };
          if (what === 'transfer') {
            return api.post('/v1/transfers', transferOf({ amount: String(amount), destination: seller }), options);
          }
          return api.post(`/v1/transfers/${known}/reversals`, { amount: String(amount) }, options);
        };
        const survive = (one: (typeof steps)[number]) => perform(one).catch(() => undefined);
        if (atOnce) {
          sandbox.setFaults([{ kinds: [...FAULT_KINDS], probability: 0.5, ms: 2 }], steps.length);
          await Promise.all(steps.map(survive));
        } else for (const one of steps) await survive(one);
        sandbox.setFaults([]);
        await sandbox.finishLater();

        const { transfers, reversals, accounts, payouts, keys } = sandbox.ledger();
        for (const { id, amount, amount_reversed, reversed } of transfers) {
          const own = reversals.filter(({ transfer }) => transfer === id);
          expect(own.reduce((sum, each) => sum + each.amount, 0)).toBe(amount_reversed);
          expect(amount_reversed).toBeLessThanOrEqual(amount);
          expect(reversed).toBe(amount_reversed === amount);
        }
        const held = accounts.reduce((sum, { balances }) => sum + (balances.usd?.available ?? 0), 0);
        const paid = (payouts as { amount: number }[]).reduce((sum, { amount }) => sum + amount, 0);
        expect(held + paid).toBe(FUNDS);
        for (const { id, balances } of accounts) {
          expect(balances.usd?.available ?? 0, id).toBeGreaterThanOrEqual(0);
        }
        // A key that was answered 2xx moved money once; what was finished late under a key, likewise.
        expect(transfers.length).toBeLessThanOrEqual(keys.filter(({ key }) => key.startsWith('transfer')).length);
        cases.count('transfers', transfers.length);
        cases.count('reversals', reversals.length);
        cases.count('payouts', payouts.length);
      },
    ),
    { numRuns: 120 },
  );
  cases.expectAtLeast({ transfers: 30, reversals: 8, payouts: 3 });
});
