import { describe, expect, it } from 'vitest';
import { lookForReversal } from '../../../../src/calls/marketplace/reversal-look.js';
import type { ReversalFacts, TransferFacts } from '../../../../src/domain/calls/provider-answers.js';
import type { ReversalId } from '../../../../src/domain/ids.js';
import { StripeMoney } from '../../../../src/domain/marketplace/stripe-money.js';

const TRANSFER: TransferFacts = {
  stripeTransferId: 'tr_1',
  amount: 1_000n,
  amountReversed: 0n,
  currency: 'EUR',
  destination: 'acct_ada',
  transferGroup: null,
  metadata: {},
  livemode: false,
  createdAt: '2026-11-21T10:00:00.000Z',
};
const REVERSED: ReversalFacts = {
  stripeReversalId: 'trr_1',
  stripeTransferId: 'tr_1',
  amount: 300n,
  currency: 'EUR',
  metadata: { operation_id: 'rev_1' },
  state: 'done',
  createdAt: '2026-11-21T10:00:00.000Z',
};

const look = (amount: bigint, reversals: readonly ReversalFacts[], transfer: Partial<TransferFacts> = {}) =>
  lookForReversal(
    {
      inLane: () => ({
        readTransfer: () =>
          Promise.resolve({ kind: 'found', value: { transfer: { ...TRANSFER, ...transfer }, reversals } }),
      }),
    },
    {
      id: 'rev_1' as ReversalId,
      stripeTransferId: 'tr_1',
      sellerAccount: 'acct_ada',
      atStripe: StripeMoney.read(amount, 'USD'),
    },
  );

describe('a transfer that is in another currency at Stripe than its order', () => {
  it.each([
    ['the whole of it is to be taken back', 1_000n, []],
    ['a part of it is', 300n, []],
    ['somebody took all of it', 300n, [{ ...REVERSED, amount: 1_000n, metadata: {} }]],
    ['a reversal of that amount bears our mark', 300n, [REVERSED]],
  ])('goes to a person, and nothing is taken for ours, where %s', async (_what, amount, reversals) => {
    expect(await look(amount, reversals)).toMatchObject({
      kind: 'hopeless',
      why: 'conflict',
      detail: expect.stringContaining('tr_1 is in EUR at Stripe'),
    });
  });

  it('is another question than one in its currency', async () => {
    expect(await look(300n, [], { currency: 'USD' })).toEqual({ kind: 'absent' });
    expect(await look(300n, [{ ...REVERSED, currency: 'USD' }], { currency: 'USD' })).toMatchObject({ kind: 'ours' });
  });
});
