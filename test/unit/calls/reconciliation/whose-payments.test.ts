import { expect, it, vi } from 'vitest';
import { createHyperswitchAccount } from '../../../../src/calls/marketplace/hyperswitch-account.js';
import { comparePage } from '../../../../src/calls/reconciliation/compare-page.js';
import type { ComparisonDependencies } from '../../../../src/calls/reconciliation/comparison.js';
import type { HyperswitchOwner } from '../../../../src/domain/calls/provider-answers.js';
import type { ReconciliationId } from '../../../../src/domain/ids.js';

const PLACE = {
  part: 'hyperswitch-payments',
  runId: 'a run' as ReconciliationId,
  since: '2026-01-01T00:00:00.000Z',
  until: '2026-02-01T00:00:00.000Z',
  cursor: null,
  pages: 0,
  listed: false,
} as const;

const [OURS, OTHER] = ['pro_ours', 'pro_of_another_shop'];
const captured = (id: string, profileId: string) => ({
  hyperswitchPaymentId: id,
  owner: { merchantId: 'merchant', profileId },
  amount: 5n,
  amountReceived: 5n,
  currency: 'EUR',
  providerStatus: 'succeeded',
});

/** A merchant whose newest payment is of another of its profiles. */
function merchant(known: boolean) {
  const pinHyperswitch = vi.fn<(owner: HyperswitchOwner) => Promise<HyperswitchOwner>>(() =>
    Promise.resolve({ merchantId: 'merchant', profileId: OURS }),
  );
  const found = <Value>(value: Value) => Promise.resolve({ kind: 'found', value } as const);
  const ledger = {
    pinHyperswitch,
    knownPayment: () => Promise.resolve(known ? { id: 'a payment', hyperswitchPaymentId: 'pay_known' } : undefined),
    hyperswitchIsOurs: () => Promise.resolve(),
    profilesOfOrders: () => Promise.resolve([]),
    heldPayments: () => Promise.resolve([]),
  };
  const calls = {
    readPayment: () => found(captured('pay_known', OURS)),
    paymentsSince: () =>
      found({ items: [captured('pay_other', OTHER), captured('pay_lost', OURS)], unreadable: [], next: null }),
  };
  const account = createHyperswitchAccount({ ledger, hyperswitch: calls } as never);
  const sides = { ledger, hyperswitch: { account, calls } } as unknown as ComparisonDependencies;
  return { pinHyperswitch, page: comparePage(PLACE, 'hyperswitch-payments', sides) };
}

it('payments of another profile of the same merchant are none of our business, and hide none of ours', async () => {
  expect(await merchant(true).page).toMatchObject({
    kind: 'page',
    lookedAt: 2,
    suspicions: [{ kind: 'payment_unknown', providerId: 'pay_lost' }],
  });
});

it('whose Hyperswitch a ledger without payments belongs to is not said by whoever paid last there', async () => {
  const { pinHyperswitch, page } = merchant(false);
  expect(await page).toMatchObject({ kind: 'left' });
  expect(pinHyperswitch.mock.calls).toEqual([]);
});
