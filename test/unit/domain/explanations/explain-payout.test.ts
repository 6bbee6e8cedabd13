import { expect, it } from 'vitest';
import { explainPayout, payoutExplanationLines } from '../../../../src/domain/explanations/explain-payout.js';
import { PAYOUT_STATUSES, type Payout } from '../../../../src/domain/marketplace/payouts.js';

const AT = '2026-11-01T00:00:00.000Z';
const payout = (change: Partial<Payout> = {}): Payout => ({
  id: 'po_1',
  ownId: '0197d7a4-6f00-7000-8000-000000000001',
  sellerAccount: 'acct_ada',
  amount: 500n,
  currency: 'USD',
  status: 'paid',
  arrivalAt: AT,
  failureCode: null,
  automatic: true,
  contents: 'listed',
  contentsDetail: null,
  transfers: [{ transferId: null, stripeTransferId: 'tr_1', amount: 500n, currency: 'USD' }],
  others: 0,
  nextCheckAt: null,
  attention: null,
  failureEnded: null,
  createdAt: AT,
  ...change,
});

it('of a payout is told where its money is, what comes next, and of a failure how the question ends', () => {
  const words = PAYOUT_STATUSES.map((status) => explainPayout(payout({ status })).money.words);
  expect(new Set(words).size).toBe(PAYOUT_STATUSES.length);
  expect(explainPayout(payout({ nextCheckAt: AT })).next).toContain(`it is read again at ${AT}`);
  expect(explainPayout(payout())).toMatchObject({
    decisions: [],
    runbook: null,
    next: expect.stringMatching(/^nothing/),
  });

  const failed = payout({
    status: 'failed',
    failureCode: 'account_closed',
    attention: { reason: 'payout_failed', since: AT, detail: 'as it is' },
  });
  const lines = payoutExplanationLines(explainPayout(failed)).join('\n');
  expect(lines).toContain("in the seller's balance at Stripe: his bank did not take it");
  expect(lines).toContain('makegood payouts po_1 --dismiss --note');
  expect(lines).toContain('runbook: docs/runbooks/payout-failed.md');
  expect(lines).toContain('transfer not in the ledger (tr_1): 500 USD');
  expect(explainPayout({ ...failed, attention: null, failureEnded: 'dismissed' }).why).toContain('a person said');
});
