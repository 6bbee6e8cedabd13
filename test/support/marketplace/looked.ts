import type { ReversalFacts } from '../../../src/domain/calls/provider-answers.js';
import type { TakenByOthers } from '../../../src/domain/marketplace/foreign-reversals.js';
import { unique } from './fixtures.js';

/** What a look at a transfer at Stripe shows of others' reversals. */
export const looked = (
  others: readonly Pick<ReversalFacts, 'amount' | 'currency'>[],
): Pick<TakenByOthers, 'reversals'> => ({
  reversals: others.map((one) => ({
    ...one,
    stripeReversalId: unique('trr'),
    stripeTransferId: 'tr_1',
    metadata: {},
    state: 'done',
    createdAt: '2026-11-30T10:00:00.000Z',
  })),
});
