import { expect, it, onTestFinished } from 'vitest';
import { createDisputeSearch } from '../../../src/calls/marketplace/disputes/search.js';
import type { NamedDispute } from '../../../src/domain/calls/provider-answers.js';
import { twoSellersSold } from '../../support/marketplace/two-sellers.js';

it('a dispute about no money keeps no other one, and no refund, of its payment from being found', async () => {
  const { world, order } = await twoSellersSold();
  onTestFinished(() => world.close());
  const payment = (await world.find(order)).payment!;
  const asks: NamedDispute = {
    hyperswitchDisputeId: 'dp_asks',
    hyperswitchPaymentId: payment.hyperswitchPaymentId ?? '',
    profileId: null,
    connector: 'adyen',
    providerDisputeId: 'asks',
    status: 'inquiry',
    providerStatus: 'pre_dispute, dispute_opened',
    amount: 0n,
    currency: 'USD',
    reason: null,
  };
  const disputes = [
    asks,
    { ...asks, hyperswitchDisputeId: 'dp_takes', providerDisputeId: 'takes', status: 'open', amount: 500n } as const,
  ];
  let areRefundsRead = false;
  const { searchPayment } = createDisputeSearch({
    ledger: world.ledger,
    account: { misfit: () => Promise.resolve(undefined), profileMisfit: () => Promise.resolve(undefined) },
    clock: world.clock,
    stripe: undefined,
    wake: () => undefined,
    hyperswitch: {
      readPayment: () => Promise.resolve({ kind: 'unclear', detail: 'nobody asks' }),
      disputesOf: () => Promise.resolve({ kind: 'found', value: disputes }),
      refundsOf() {
        areRefundsRead = true;
        return Promise.resolve({ kind: 'found', value: [] });
      },
    },
  });
  expect(await searchPayment(payment.id)).toBeUndefined();
  expect((await world.find(order)).disputes).toMatchObject([{ providerDisputeId: 'takes', amount: 500n }]);
  expect(areRefundsRead).toBe(true);
});
