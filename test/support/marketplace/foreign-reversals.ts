import type { ReversalFacts } from '../../../src/domain/calls/provider-answers.js';
import type { ClaimedReversal } from '../../../src/ledger/calls/call-types.js';
import type { TestLedger } from '../ledger-fixtures.js';
import { unique } from './fixtures.js';

/** A reversal that somebody made in Stripe's dashboard: it bears no mark of ours. */
export const foreignReversal = (amount: bigint): ReversalFacts => ({
  stripeReversalId: unique('trr'),
  stripeTransferId: 'tr_1',
  amount,
  currency: 'USD',
  metadata: {},
  createdAt: '2026-01-01T00:00:00.000Z',
  state: 'done',
});

/** What a look before the send records: others took some of the transfer, and a person is asked whether for this share. */
export const askAboutForeign = (
  { ledger }: TestLedger,
  { id, runner }: ClaimedReversal,
  ...stripeReversalIds: readonly string[]
) =>
  ledger.recordReversal({
    id,
    runner,
    decision: { do: 'ask', certainty: 'not_sent', reason: 'partly_foreign_reversal' },
    detail: 'others took some of it',
    requestId: null,
    stripeId: null,
    source: 'lookup',
    parks: null,
    others: stripeReversalIds,
  });

/** The event by which Stripe says that something was taken of this transfer. */
export const transferReversedEvent = (stripeTransferId: string | null) => ({
  provider: 'stripe' as const,
  eventId: unique('evt'),
  type: 'transfer.reversed',
  objectId: stripeTransferId,
  parentId: null,
  account: null,
  bodySha256: 'x',
});
