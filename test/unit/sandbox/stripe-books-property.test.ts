import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { DISPUTE_MOVES } from '../../../sandbox/stripe/payments/disputes.js';
import { type StripeSandbox, startStripeSandbox } from '../../../sandbox/stripe/start.js';
import { createCaseCounts } from '../../support/case-counts.js';
import { stripeApi, transferOf } from '../../support/marketplace/stripe-api.js';

const SELLERS = ['acct_1Ann', 'acct_1Bob'];
const DAY_MS = 86_400_000;

const step = fc.record({
  what: fc.constantFrom('capture', 'draw', 'transfer', 'reverse', 'refund', 'unrefund', 'dispute', 'move', 'day'),
  nth: fc.nat({ max: 3 }),
  seller: fc.constantFrom(...SELLERS),
  amount: fc.integer({ min: 1, max: 900 }),
  move: fc.constantFrom(...DISPUTE_MOVES),
  flag: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer Each> ? Each : never;

async function perform(sandbox: StripeSandbox, { what, nth, seller, amount, move, flag }: Step): Promise<unknown> {
  const { charges, transfers, refunds, disputes } = sandbox.ledger();
  const one = (rows: readonly { readonly id: string }[]) => rows[nth % Math.max(rows.length, 1)]?.id ?? 'nothing';
  const post = (path: string, params: Readonly<Record<string, string>>) =>
    stripeApi(sandbox.url).post(`/v1/${path}`, params);
  const transfer = (params = {}) =>
    post('transfers', transferOf({ amount: String(amount), destination: seller, ...params }));
  switch (what) {
    case 'capture':
      return sandbox.createCapture({ amount, currency: 'usd', fee: nth, status: flag ? 'succeeded' : 'pending' });
    case 'draw':
      return transfer({ source_transaction: one(charges) });
    case 'transfer':
      return transfer();
    case 'reverse':
      return post(`transfers/${one(transfers)}/reversals`, { amount: String(amount) });
    case 'refund':
      return sandbox.createRefund({ charge: one(charges), amount, status: flag ? 'succeeded' : 'pending' });
    case 'unrefund':
      return flag ? sandbox.updateRefund(one(refunds), 'failed') : sandbox.updateCharge(one(charges), 'failed');
    case 'dispute':
      return sandbox.createDispute({ charge: one(charges), amount, inquiry: flag, fee: 15 });
    case 'move':
      return sandbox.moveDispute(one(disputes), { move, ...(flag ? { amount } : {}) });
    case 'day':
      return sandbox.advanceClock(DAY_MS);
  }
}

/** Every balance is the sum of its lines, no charge is overdrawn, and no dispute holds more than it is about. */
function expectBooksToHold(sandbox: StripeSandbox): void {
  const { accounts, balanceTransactions, charges, transfers, refunds, disputes } = sandbox.ledger();
  for (const { id, balances } of accounts) {
    for (const [currency, funds] of Object.entries(balances)) {
      const lines = balanceTransactions.filter((each) => each.account === id && each.currency === currency);
      for (const status of ['available', 'pending'] as const) {
        const sum = lines.reduce((all, each) => (each.status === status ? all + each.net : all), 0);
        expect(funds[status], `${id} ${status}`).toBe(sum);
      }
    }
  }
  const total = (rows: readonly { readonly amount: number }[]) => rows.reduce((sum, { amount }) => sum + amount, 0);
  for (const charge of charges) {
    const drawn = transfers.filter(({ source_transaction }) => source_transaction === charge.id);
    expect(total(drawn)).toBeLessThanOrEqual(charge.amount);
    const back = refunds.filter((refund) => refund.charge === charge.id && refund.status !== 'failed');
    expect(total(back)).toBe(charge.amount_refunded);
    expect(charge.amount_refunded).toBeLessThanOrEqual(charge.amount);
  }
  for (const { amount, balance_transactions } of disputes) {
    const held = -total(balance_transactions);
    expect(held).toBeGreaterThanOrEqual(0);
    expect(held).toBeLessThanOrEqual(amount);
  }
}

it('every balance is the sum of its lines, whatever happens in whatever order, and so it is after a restart', {
  timeout: 60_000,
}, async () => {
  const cases = createCaseCounts();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 24, size: 'max' }), async (steps) => {
      const stateDir = await mkdtemp(join(tmpdir(), 'stripe-books-'));
      const sandbox = await startStripeSandbox({ stateDir });
      await sandbox.seed({ topups: { usd: 500 } });
      await sandbox.createCapture({ amount: 2000, currency: 'usd', fee: 5 });
      for (const one of steps) {
        await perform(sandbox, one).catch(() => undefined);
        expectBooksToHold(sandbox);
      }
      const ledger = sandbox.ledger();
      await sandbox.close();
      const after = await startStripeSandbox({ stateDir });
      expect(after.ledger()).toEqual(ledger);
      await after.advanceClock(3 * DAY_MS);
      expectBooksToHold(after);
      expect(after.ledger().balanceTransactions.filter(({ status }) => status === 'pending')).toEqual([]);
      await after.close();
      await rm(stateDir, { recursive: true });
      cases.count('drawn', ledger.transfers.filter(({ source_transaction }) => source_transaction !== null).length);
      cases.count('refunds', ledger.refunds.length);
      cases.count('withdrawals', ledger.disputes.filter((each) => each.balance_transactions.length > 0).length);
      cases.count('reversals', ledger.reversals.length);
    }),
    { numRuns: 25 },
  );
  cases.expectAtLeast({ drawn: 10, refunds: 8, withdrawals: 5, reversals: 1 });
});
