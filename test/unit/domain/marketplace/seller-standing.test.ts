import { describe, expect, it } from 'vitest';
import type { SellerFacts } from '../../../../src/domain/calls/provider-answers.js';
import { standingOf } from '../../../../src/domain/marketplace/seller-standing.js';

const facts = (capabilities: Record<string, string>, disabledReason: string | null = null): SellerFacts => ({
  sellerAccount: 'acct_1',
  capabilities,
  disabledReason,
});

describe('a seller', () => {
  it.each<[SellerFacts, string, string | null]>([
    [facts({ transfers: 'active' }), 'able', null],
    [facts({ transfers: 'inactive', legacy_payments: 'active' }), 'able', null],
    [facts({ transfers: 'active' }, 'requirements.past_due'), 'able', null],
    [facts({ transfers: 'pending' }), 'waiting', 'transfers_pending'],
    [facts({ transfers: 'inactive' }, 'requirements.past_due'), 'waiting', 'requirements.past_due'],
    [facts({}), 'waiting', 'transfers_not_requested'],
    [facts({ transfers: 'inactive' }, 'rejected.fraud'), 'gone', 'rejected.fraud'],
    [facts({ transfers: 'active' }, 'rejected.other'), 'gone', 'rejected.other'],
  ])('with %j is %s', (given, state, reason) => {
    expect(standingOf(given)).toEqual({ state, reason });
  });
});
