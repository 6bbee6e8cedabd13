import { expect, it } from 'vitest';
import { judgePayment } from '../../../../src/domain/reconciliation/judge-hyperswitch.js';
import type { HeldPayment } from '../../../../src/domain/reconciliation/ledger-rows.js';
import { paymentAt } from '../../../support/marketplace/hyperswitch-facts.js';

const known: HeldPayment = {
  id: '0197d7a4-6f00-7000-8000-000000000001',
  provider: 'hyperswitch',
  providerPaymentId: 'pay_1',
  amount: 1_000n,
  currency: 'USD',
  status: 'succeeded',
  captured: 600n,
  paidByPart: true,
  final: true,
  underWay: false,
};
const held = (amountReceived: bigint, providerStatus = 'partially_captured') =>
  paymentAt({
    hyperswitchPaymentId: 'pay_1',
    amount: 1_000n,
    currency: 'USD',
    providerStatus,
    status: 'processing',
    capturedByWord: providerStatus === 'cancelled_post_capture' ? 'given_back' : 'a_part',
    amountReceived,
  });

it('a payment whose captured part paid its order is no drift, unless something else is captured or it is given back', () => {
  expect(judgePayment(held(600n), known)).toBeUndefined();
  expect(judgePayment(held(700n), known)).toMatchObject({ kind: 'payment_differs' });
  expect(judgePayment(held(600n, 'cancelled_post_capture'), known)).toMatchObject({ kind: 'payment_differs' });
  expect(judgePayment(held(600n), { ...known, paidByPart: false })).toMatchObject({ kind: 'payment_differs' });
});
