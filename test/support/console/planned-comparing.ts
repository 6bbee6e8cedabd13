import { ago, IDS, id } from './night.js';

/** Where the ledger and its providers differ, what was compared, and what a provider shows now. */

export const drifts = [
  {
    id: id(70),
    kind: 'transfer_unknown',
    state: 'open',
    words: 'Stripe holds a transfer that the ledger does not know',
    provider: 'stripe',
    provider_id: 'tr_1QxNobody',
    item: null,
    amount: '12500',
    currency: 'EUR',
    ledger_says: 'nothing',
    provider_says: '12500 EUR to acct_1QmWeaving',
    opened_at: ago(95),
    last_seen_at: ago(35),
    closed_at: null,
    closed_why: null,
    closed_by: null,
    note: null,
    version: 3,
    waiting_acceptance: null,
    runbook: 'docs/runbooks/drift.md',
  },
  {
    id: id(71),
    kind: 'reversal_differs',
    state: 'open',
    words: 'a reversal is of another amount at Stripe',
    provider: 'stripe',
    provider_id: 'trr_1QxFOREIGN',
    item: { kind: 'reversal', id: IDS.reversals[1] },
    amount: '4500',
    currency: 'EUR',
    ledger_says: '<img src=x onerror=alert(1)> nothing is taken back',
    provider_says: '4500 EUR',
    opened_at: ago(74),
    last_seen_at: ago(35),
    closed_at: null,
    closed_why: null,
    closed_by: null,
    note: null,
    version: 1,
    waiting_acceptance: { by: 'olga', note: 'counted for the refund', at: ago(20) },
    runbook: 'docs/runbooks/drift.md',
  },
];

const compared = (part: string, more: object = {}) => ({
  part,
  since: ago(95),
  pages: 3,
  looked_at: 240,
  suspected: 0,
  finished: true,
  left_because: null,
  uncompared: [],
  ...more,
});

export const runs = [
  {
    id: id(90),
    requested_by: 'schedule',
    since: null,
    state: 'finished',
    started_at: ago(36),
    finished_at: ago(34),
    parts: [
      compared('stripe-transfers', { suspected: 1 }),
      compared('stripe-reversals', { suspected: 1, uncompared: ['trr_1QxUnreadable'] }),
      compared('hyperswitch-payments', { finished: false, left_because: 'Hyperswitch is paused by olga' }),
      compared('second-look'),
    ],
  },
];

export const overviewOfComparing = [
  { part: 'stripe-transfers', last_success_at: ago(36), late: false },
  { part: 'hyperswitch-payments', last_success_at: ago(400), late: true },
];

export const live = {
  kind: 'reversal',
  id: IDS.reversals[1],
  read_at: ago(0),
  provider: 'stripe',
  answer: 'shown',
  words: 'Stripe shows the transfer and what was taken back of it',
  shows: { transfer_amount: 9_000, currency: 'eur', reversed: 9_000, reversals: 'trr_1QxFOREIGN (without our mark)' },
  ours: { status: 'permanently_failed', certainty: 'absent', amount: 4_500, currency: 'EUR' },
  decisions: [
    {
      action: 'count_as_share',
      verdict: 'borne_out',
      words: 'trr_1QxFOREIGN is there, and took 4500',
      effect: 'says that what somebody else took is this share: nothing more is taken',
    },
    { action: 'take_all', verdict: 'refused', words: 'nothing is left on the transfer', effect: null },
    { action: 'write_off', verdict: 'not_in_the_way', words: 'nothing of ours was taken', effect: null },
  ],
};
