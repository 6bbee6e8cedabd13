/** A night in which everything is stuck at once, as the API would tell it: for pictures, and for what no server can be brought to. */

import { ago, IDS, id, later } from './night.js';
import { drifts, live, overviewOfComparing, runs } from './planned-comparing.js';

const page = (items: readonly object[]) => ({ items, next_cursor: null });

const stuck = {
  reason: 'foreign_reversal',
  since: ago(74),
  detail: 'trr_1QxFOREIGN took 4500 of tr_1QxB2cD3 without our mark',
};

const reversal = (nth: 0 | 1, more: object) => ({
  id: IDS.reversals[nth],
  refund_id: IDS.refund,
  dispute_id: null,
  transfer_id: IDS.transfers[nth],
  order_id: IDS.order,
  seller_account: nth === 0 ? 'acct_1QmPottery' : 'acct_1QmWeaving',
  amount: nth === 0 ? 2_250 : 4_500,
  counted: 0,
  currency: 'EUR',
  status: 'reversed',
  certainty: 'done',
  retry_count: 0,
  next_retry_at: null,
  stripe_transfer_id: nth === 0 ? 'tr_1QxA1bC2' : 'tr_1QxB2cD3',
  stripe_reversal_id: nth === 0 ? 'trr_1QxA9zY8' : null,
  debt: null,
  conversion: null,
  seller: null,
  attention: null,
  workflow_id: `reversal/${IDS.reversals[nth]}`,
  created_at: ago(95),
  ...more,
});
const taken = reversal(0, {});
const foreign = reversal(1, { status: 'permanently_failed', certainty: 'absent', retry_count: 2, attention: stuck });

const transfer = (nth: 0 | 1, more: object) => ({
  id: IDS.transfers[nth],
  order_id: IDS.order,
  seller_account: nth === 0 ? 'acct_1QmPottery' : 'acct_1QmWeaving',
  amount: nth === 0 ? 4_500 : 9_000,
  amount_reversed: nth === 0 ? 2_250 : 0,
  currency: 'EUR',
  status: nth === 0 ? 'partially_reversed' : 'permanently_failed',
  certainty: 'done',
  stripe_transfer_id: nth === 0 ? 'tr_1QxA1bC2' : 'tr_1QxB2cD3',
  conversion: null,
  retry_count: 0,
  next_retry_at: null,
  release: { kind: 'immediately', at: null, released_at: null },
  held: null,
  offset: 0,
  payout: null,
  waiting: null,
  reversals: nth === 0 ? [taken] : [foreign],
  attention: null,
  workflow_id: `transfer/${IDS.transfers[nth]}`,
  created_at: ago(1_510),
  ...more,
});

const payment = {
  id: IDS.payment,
  order_id: IDS.order,
  status: 'succeeded',
  amount: 15_000,
  currency: 'EUR',
  captured: 15_000,
  captured_known: true,
  certainty: 'done',
  provider_status: 'succeeded',
  provider: 'hyperswitch',
  hyperswitch_payment_id: 'pay_0195a1c2d3e4',
  stripe_payment_id: null,
  capture: 'automatic',
  captures: [],
  held_since: null,
  cancel_asked_at: null,
  profile_id: null,
  customer_id: null,
  return_url: null,
  metadata: {},
  attention: null,
  workflow_id: `payment/${IDS.payment}`,
  created_at: ago(1_520),
};

const refund = {
  id: IDS.refund,
  order_id: IDS.order,
  amount: 7_500,
  currency: 'EUR',
  status: 'succeeded',
  origin: 'api',
  items: null,
  fee: 'return_proportionally',
  hyperswitch_refund_id: 'ref_0195a1f0',
  stripe_refund_id: null,
  waiting: null,
  reversals: [taken, foreign],
  reason: 'requested_by_customer',
  certainty: 'done',
  attention: null,
  workflow_id: `refund/${IDS.refund}`,
  created_at: ago(97),
};

const order = {
  id: IDS.order,
  status: 'partially_refunded',
  currency: 'EUR',
  amount: 15_000,
  ordered: null,
  items: [
    {
      id: id(20),
      kind: 'item',
      seller_account: 'acct_1QmPottery',
      amount: 5_000,
      ordered: null,
      fee: 500,
      release: 'immediately',
      description: 'Teapot, celadon',
    },
    {
      id: id(21),
      kind: 'item',
      seller_account: 'acct_1QmWeaving',
      amount: 10_000,
      ordered: null,
      fee: 1_000,
      release: 'immediately',
      description: 'Rug, 2 × 3 m',
    },
  ],
  platform: { amount: 0, fees: 1_500, kept: 750 },
  payment: {
    id: payment.id,
    order_id: IDS.order,
    status: 'succeeded',
    amount: 15_000,
    currency: 'EUR',
    attention: null,
  },
  transfers: [transfer(0, {}), transfer(1, {})],
  refunds: [refund],
  reversals: [taken, foreign],
  disputes: [],
  reference: 'R-2026-118823',
  created_at: ago(1_525),
};

const settlement = (nth: number, more: object) => ({
  id: nth === 0 ? IDS.settlement : id(40 + nth),
  key: `pr_${(90_210 + nth * 13).toString(36)}`,
  status: 'pending',
  certainty: 'not_sent',
  protocol: 'x402',
  spent: { amount: String(3_000 + nth * 1_250), asset: 'USDC', decimals: 6 },
  cap: '50000',
  attempts: 0,
  next_retry_at: later(3 + nth),
  delivery: 'delivered',
  answer: null,
  attention: null,
  workflow_id: `settlement/${nth === 0 ? IDS.settlement : id(40 + nth)}`,
  tx_hash: null,
  already_settled: false,
  created_at: ago(4 + nth * 9),
  settled_at: null,
  ...more,
});

const settlements = [
  settlement(0, { certainty: 'unknown', attempts: 3, spent: { amount: '1250000', asset: 'USDC', decimals: 6 } }),
  settlement(1, { status: 'settled', certainty: 'done', attempts: 1, next_retry_at: null, settled_at: ago(12) }),
  settlement(2, { protocol: 'atxp', certainty: 'in_flight', attempts: 1 }),
  settlement(3, {
    status: 'needs_attention',
    certainty: 'absent',
    protocol: 'mpp',
    spent: { amount: '900719925474099312', asset: '0x20c0000000000000000000000000000000000001', decimals: 6 },
    attempts: 9,
    next_retry_at: null,
    attention: { reason: 'credential_expired', since: ago(260), detail: 'the last attempt after the expiry failed' },
  }),
  settlement(4, { status: 'released', next_retry_at: null, spent: { amount: '0', asset: 'USDC', decimals: 6 } }),
  settlement(5, { status: 'written_off', certainty: 'absent', next_retry_at: null }),
  settlement(6, {}),
  settlement(7, {}),
];

const others = (kind: 'transfer' | 'reversal') =>
  [
    {
      amount: 120_000,
      currency: 'JPY',
      status: kind === 'transfer' ? 'waiting_seller' : 'waiting_balance',
      certainty: 'not_sent',
      next_retry_at: later(22),
    },
    { amount: 1_999_900, currency: 'USD', status: 'pending', certainty: 'unknown', next_retry_at: later(1) },
    { amount: 12_500, currency: 'KWD', status: kind === 'transfer' ? 'completed' : 'reversed', certainty: 'done' },
    { amount: 5, currency: 'USD', status: 'pending', certainty: 'in_flight', next_retry_at: later(2) },
  ].map((more, nth) => ({
    ...(kind === 'transfer' ? transfer(0, {}) : taken),
    id: id(60 + nth),
    amount_reversed: 0,
    seller_account: `acct_1Qm${['Bakery', 'Cheese', 'Lamps', 'Books'][nth]}`,
    created_at: ago(130 + nth * 400),
    ...more,
  }));

const decision = (more: object) => ({
  id: IDS.decision,
  kind: 'reversal',
  item_id: IDS.reversals[1],
  action: 'write_off',
  state: 'pending_approval',
  by: 'olga',
  authenticated: true,
  note: 'the seller shut the shop down; finance bears it, see ticket 4711',
  evidence: { reference: 'FIN-4711' },
  reason: 'foreign_reversal',
  rests_on: 'one',
  amount: '1999900',
  currency: 'USD',
  first_approver: null,
  approved_by: null,
  approval_note: null,
  requested_at: ago(31),
  approved_at: null,
  ...more,
});

const waiting = [
  decision({}),
  decision({
    id: id(11),
    kind: 'refund',
    item_id: IDS.refund,
    action: 'compensate',
    by: 'ann at the terminal',
    authenticated: false,
    reason: 'refund_failed_after_reversal',
    amount: '4500',
    currency: 'EUR',
    evidence: null,
    note: 'the bank sent the refund back, pay the sellers again',
    requested_at: ago(190),
  }),
];

const lists: Readonly<Record<string, readonly object[]>> = {
  settlements,
  orders: [
    order,
    {
      ...order,
      id: id(70),
      status: 'paid',
      amount: 129_999,
      currency: 'USD',
      refunds: [],
      reversals: [],
      created_at: ago(2_900),
    },
  ],
  payments: [
    payment,
    {
      ...payment,
      id: id(71),
      status: 'processing',
      captured: 0,
      certainty: 'unknown',
      provider_status: 'requires_capture',
      amount: 4_200,
    },
  ],
  refunds: [
    refund,
    { ...refund, id: id(72), status: 'pending', certainty: 'unknown', reversals: [], amount: 990, created_at: ago(8) },
  ],
  transfers: [transfer(1, {}), transfer(0, {}), ...others('transfer')],
  reversals: [foreign, taken, ...others('reversal')],
  disputes: [
    {
      id: IDS.dispute,
      order_id: IDS.order,
      amount: 15_000,
      currency: 'EUR',
      status: 'open',
      funds: 'out',
      out: 15_000,
      borne_by_platform: 0,
      connector: 'stripe',
      provider_dispute_id: 'dp_1QxDispute',
      hyperswitch_dispute_id: 'dp_hs_1',
      provider_status: 'needs_response',
      reason: 'product_not_received',
      reversals: [],
      attention: { reason: 'dispute', since: ago(600), detail: 'Stripe alone tells of it' },
      workflow_id: null,
      created_at: ago(610),
    },
  ],
  channels: [
    {
      id: IDS.channel,
      status: 'open',
      payer: '0x8ba1f109551bd432803012645ac136ddd64dba72',
      payee: '0x1111111111111111111111111111111111111111',
      token: '0x20c0000000000000000000000000000000000001',
      chain_id: 42431,
      deposit: '10000000',
      accepted: '4250000',
      spent: '4200000',
      earned: '4100000',
      settled: '2000000',
      close_requested_at: null,
      next_check_at: later(9),
      created_at: ago(3_000),
    },
  ],
  webhooks: [
    {
      id: 'stripe:evt_1QxStuck',
      provider: 'stripe',
      event_id: 'evt_1QxStuck',
      type: 'transfer.reversed',
      status: 'waiting',
      object_id: 'tr_1QxB2cD3',
      parent_id: null,
      account: null,
      received_at: ago(75),
      processed_at: null,
      next_check_at: later(1),
      deliveries: 3,
      outcome: null,
    },
    {
      id: 'hyperswitch:evt_hs_991',
      provider: 'hyperswitch',
      event_id: 'evt_hs_991',
      type: 'refund_succeeded',
      status: 'processed',
      object_id: 'ref_0195a1f0',
      parent_id: 'pay_0195a1c2d3e4',
      account: null,
      received_at: ago(96),
      processed_at: ago(96),
      next_check_at: null,
      deliveries: 1,
      outcome: 'refund read again: succeeded',
    },
  ],
  decisions: [
    ...waiting,
    decision({
      id: id(12),
      action: 'retry',
      state: 'applied',
      rests_on: 'nobody',
      amount: null,
      currency: null,
      note: 'Stripe is back',
      requested_at: ago(2_000),
    }),
    decision({ id: id(13), action: 'adopt', state: 'ignored', note: 'it is trr_1QxA9zY8', requested_at: ago(2_400) }),
  ],
};

const action = (name: string, effect: string, more: object = {}) => ({
  action: name,
  effect,
  persons: 'one person below APPROVAL_THRESHOLD, two from it on',
  needs_second_person: false,
  fields: [
    { name: 'note', required: true, evidence: false },
    { name: 'reference', required: false, evidence: true },
  ],
  command: `makegood resolve ${IDS.reversals[1]} ${name} --note "…"`,
  ...more,
});

const explanations: Readonly<Record<string, object>> = {
  [`reversal/${IDS.reversals[1]}`]: {
    kind: 'reversal',
    id: IDS.reversals[1],
    status: 'permanently_failed',
    why: `it could not be taken back. A person is asked since ${stuck.since}, because somebody else took all of this transfer back at Stripe: nobody knows what that was for (foreign_reversal): ${stuck.detail}`,
    related: [
      {
        kind: 'order',
        id: IDS.order,
        relation: 'its order',
        status: 'partially_refunded',
        amount: '15000',
        currency: 'EUR',
      },
    ],
    temporal_url: 'http://localhost:8233/namespaces/default/workflows/reversal',
    certainty: 'absent',
    amount: '4500 EUR (minor units)',
    money: { with: ['seller'], words: 'with the seller: it has not been taken back' },
    next: 'a person decides: retry, adopt, count_as_share, take_missing, take_all or write_off',
    next_at: null,
    attention: stuck,
    actions: [
      action('retry', "looks at Stripe's records, and takes back what is not taken yet", {
        persons: 'one person, whoever it is',
        fields: [{ name: 'note', required: true, evidence: false }],
      }),
      action('adopt', 'says that a reversal at Stripe is this one: nothing is taken', {
        fields: [
          { name: 'note', required: true, evidence: false },
          { name: 'stripe_reversal_id', required: true, evidence: true },
          { name: 'reference', required: false, evidence: true },
        ],
      }),
      action('count_as_share', 'says that what somebody else took is this share: nothing more is taken'),
      action(
        'take_all',
        'says that what somebody else took was for something else: the whole share is taken beside it, where that much is left',
      ),
      action(
        'write_off',
        'gives the share up: the seller keeps it and the platform bears it, and Stripe is asked first that it was not taken',
        { needs_second_person: true, persons: 'two persons, from the threshold on' },
      ),
    ],
    waiting_decision: null,
    runbook: 'docs/runbooks/foreign-reversal.md',
    evidence: {
      ours: {
        status: 'permanently_failed',
        amount: 4_500,
        currency: 'EUR',
        stripe_transfer_id: 'tr_1QxB2cD3',
        reversed: 0,
        key: IDS.reversals[1],
      },
      provider: {
        transfer_amount: 9_000,
        currency: 'eur',
        stripe_transfer_id: 'tr_1QxB2cD3',
        reversed: 4_500,
        reversals: 'trr_1QxFOREIGN (without our mark)',
      },
      looked_at: ago(6),
    },
  },
  [`order/${IDS.order}`]: {
    kind: 'order',
    id: IDS.order,
    status: 'partially_refunded',
    why: 'the buyer has paid it and got a part back',
    related: [],
    temporal_url: null,
    certainty: null,
    amount: '15000 EUR (minor units)',
    money: {
      with: ['buyer', 'seller', 'platform'],
      words: 'buyer: 7500, acct_1QmPottery: 2250, acct_1QmWeaving: 9000, platform: 750 (minor units)',
    },
    next: 'a person decides about one reversal of it',
    next_at: null,
    attention: null,
    actions: [],
    waiting_decision: null,
    runbook: null,
    evidence: {
      ours: { status: 'partially_refunded', amount: 15_000, currency: 'EUR' },
      provider: null,
      looked_at: null,
    },
    shares: [
      { party: 'buyer', account: null, has: 7_500, to_come: 0, to_give_back: 0 },
      { party: 'seller', account: 'acct_1QmPottery', has: 2_250, to_come: 0, to_give_back: 0 },
      { party: 'seller', account: 'acct_1QmWeaving', has: 9_000, to_come: 0, to_give_back: 4_500 },
      { party: 'platform', account: null, has: 750, to_come: 0, to_give_back: 0 },
    ],
    parts: [],
  },
  [`settlement/${IDS.settlement}`]: {
    kind: 'settlement',
    id: IDS.settlement,
    status: 'pending',
    why: 'the response was served and its charge waits to be collected',
    related: [],
    temporal_url: 'http://localhost:8233/namespaces/default/workflows/settlement',
    certainty: 'unknown',
    amount: '1.25 USDC',
    money: {
      with: ['buyer', 'auth_server'],
      words: 'nobody knows: still with the payer, or with the auth server already',
    },
    next: 'the same bytes are sent again under the same key; what was done is not done twice',
    next_at: later(3),
    attention: null,
    actions: [],
    waiting_decision: null,
    runbook: null,
    evidence: {
      ours: { status: 'pending', attempts: 3, nonce: '0x5f1c09be' },
      provider: { last_answer: 'no answer within 4 s' },
      looked_at: ago(2),
    },
  },
};

const event = (kind: string, minutes: number, more: object = {}) => ({
  item: `reversal/${IDS.reversals[1]}`,
  at: ago(minutes),
  kind,
  certainty: null,
  answer: null,
  key: null,
  request_id: null,
  status: null,
  replayed: null,
  detail: {},
  ...more,
});

const story = {
  lookup: null,
  events: [
    event('created', 95, { certainty: 'not_sent', detail: { refund: IDS.refund, parameters: 'sha256:5f0a…91c2' } }),
    event('attempt', 94, { certainty: 'unknown', answer: 'timeout', key: IDS.reversals[1], detail: { after: '30 s' } }),
    event('attempt', 93, {
      certainty: 'absent',
      answer: 'refused',
      key: IDS.reversals[1],
      request_id: 'req_8sJq2Lm0Zk',
      status: 400,
      replayed: true,
      detail: { code: 'transfer_already_reversed' },
    }),
    event('looked', 92, {
      answer: 'absent',
      request_id: 'req_8sJq2LmAAA',
      status: 200,
      detail: { found: 'trr_1QxFOREIGN, without our mark' },
    }),
    event('webhook', 75, { detail: { event: 'evt_1QxStuck', type: 'transfer.reversed' } }),
    event('permanently_failed', 74, {
      certainty: 'absent',
      detail: { reason: 'foreign_reversal', detail: stuck.detail },
    }),
    event('decision_noted', 40, {
      detail: { by: 'vera', note: '<img src=x onerror=alert(1)> asked the seller on the phone' },
    }),
  ],
};

const storyOfSettlement = {
  lookup: { nonce: '0x5f1c09be', network: 'eip155:8453' },
  events: [
    event('opened', 4.2, {
      certainty: 'not_sent',
      detail: { offer: '1.25 USDC on eip155:8453', parameters: 'sha256:77aa…03fe' },
    }),
    event('closed', 4.1, { detail: { spent: '1250000', delivery: 'delivered' } }),
    event('attempt', 4, { certainty: 'unknown', answer: 'timeout', key: IDS.settlement, detail: { after: '4 s' } }),
    event('attempt', 3, {
      certainty: 'unknown',
      answer: 'unavailable',
      key: IDS.settlement,
      request_id: 'req_a1',
      status: 503,
    }),
    event('attempt', 2, { certainty: 'unknown', answer: 'timeout', key: IDS.settlement, detail: { after: '30 s' } }),
  ].map((one) => ({ ...one, item: `settlement/${IDS.settlement}` })),
};

const points = Array.from({ length: 48 }, (_, nth) => {
  const ill = nth > 20 && nth < 33;
  return {
    at: ago((47 - nth) * 15),
    done: ill ? 4 : 60 + Math.round(25 * Math.sin(nth / 4)) + (nth > 33 && nth < 38 ? 90 : 0),
    failed: ill ? 38 + (nth % 5) : nth % 7 === 0 ? 3 : 0,
    backlog: ill ? (nth - 20) * 31 : nth >= 33 && nth < 40 ? (40 - nth) * 50 : 9 + (nth % 6),
    needs_attention: nth < 24 ? 2 : nth < 34 ? nth - 20 : 11,
  };
});

export const overview = {
  at: ago(0),
  needs_a_person: [
    {
      kind: 'reversal',
      reason: 'foreign_reversal',
      count: 1,
      oldest_at: ago(74),
      amounts: [{ unit: 'EUR', decimals: null, amount: '4500' }],
      runbook: 'docs/runbooks/foreign-reversal.md',
    },
    {
      kind: 'settlement',
      reason: 'credential_expired',
      count: 7,
      oldest_at: ago(260),
      amounts: [
        { unit: 'USDC', decimals: 6, amount: '18250000' },
        { unit: 'USD', decimals: 2, amount: '9' },
      ],
      runbook: 'docs/runbooks/credential-expiring.md',
    },
    {
      kind: 'reversal',
      reason: 'retries_exhausted',
      count: 42,
      oldest_at: ago(1_730),
      amounts: [
        { unit: 'JPY', decimals: null, amount: '120000' },
        { unit: 'USD', decimals: null, amount: '1999900' },
      ],
      runbook: 'docs/runbooks/reversal-permanently-failed.md',
    },
    {
      kind: 'reversal',
      reason: 'approval_pending',
      count: 1,
      oldest_at: ago(31),
      amounts: [{ unit: 'USD', decimals: null, amount: '1999900' }],
      runbook: 'docs/runbooks/needs-attention.md',
    },
  ],
  unsettled: [
    { protocol: 'x402', asset: 'USDC', decimals: 6, amount: '90718250000', count: 318, oldest_at: ago(41) },
    { protocol: 'atxp', asset: 'USDC', decimals: 6, amount: '1250', count: 1, oldest_at: ago(4) },
  ],
  marketplace: [
    { kind: 'transfer', status: 'waiting_seller', currency: 'JPY', amount: '120000', count: 1, oldest_at: ago(130) },
    { kind: 'transfer', status: 'pending', currency: 'USD', amount: '1999905', count: 2, oldest_at: ago(530) },
    { kind: 'reversal', status: 'waiting_balance', currency: 'JPY', amount: '120000', count: 1, oldest_at: ago(130) },
    { kind: 'refund', status: 'pending', currency: 'EUR', amount: '990', count: 1, oldest_at: ago(8) },
  ],
  decisions_not_taken: [],
  providers: [
    {
      provider: 'stripe',
      pausable: 'stripe',
      state: 'closed',
      reason: null,
      detail: null,
      since: null,
      paused_by: null,
      paused_note: null,
      next_probe_at: null,
      pace_per_second: 17,
      limit_per_second: 25,
      rate: {
        of_settings: 100,
        set: { per_second: 25, by: 'olga', authenticated: true, note: 'their incident 2026-118', at: ago(12) },
        in_force: 25,
        per_endpoint: 25,
        most: 100,
        pace: 17,
        endpoints: [{ endpoint: 'reversals.create', pace: 9 }],
      },
      last_success_at: ago(0.05),
    },
    {
      provider: 'stripe:acct_1QmWeaving',
      pausable: null,
      state: 'open',
      reason: 'forbidden',
      detail: '403 of this account',
      since: ago(210),
      paused_by: null,
      paused_note: null,
      next_probe_at: later(1),
      pace_per_second: null,
      limit_per_second: null,
      rate: null,
      last_success_at: ago(215),
    },
    {
      provider: 'hyperswitch',
      pausable: 'hyperswitch',
      state: 'open',
      reason: 'paused',
      detail: null,
      since: ago(12),
      paused_by: 'olga',
      paused_note: 'their incident 2026-118',
      next_probe_at: null,
      pace_per_second: null,
      limit_per_second: null,
      rate: null,
      last_success_at: ago(13),
    },
    {
      provider: 'auth-server:x402',
      pausable: 'auth-server',
      state: 'half_open',
      reason: 'unavailable',
      detail: '503 three times',
      since: ago(41),
      paused_by: null,
      paused_note: null,
      next_probe_at: later(0.5),
      pace_per_second: null,
      limit_per_second: null,
      rate: null,
      last_success_at: ago(42),
    },
  ],
  inbox: [
    { provider: 'stripe', count: 1, oldest_at: ago(75) },
    { provider: 'hyperswitch', count: 0, oldest_at: ago(0) },
  ],
  sweeps: [
    { name: 'settlement', last_success_at: ago(1) },
    { name: 'transfer', last_success_at: ago(1) },
    { name: 'reversal', last_success_at: ago(2) },
    { name: 'stripe-read', last_success_at: ago(4) },
  ],
  compared: overviewOfComparing,
  counts: {
    unknown: 3,
    expiring: 12,
    suspected_elsewhere: 0,
    delivery_unknown: 1,
    answers_due: 2,
    drift: 2,
    payouts_failed: 1,
  },
  series: { step_seconds: 900, from: ago(47 * 15), points },
};

const found = {
  results: [
    {
      kind: 'reversal',
      id: IDS.reversals[1],
      matched: 'seller',
      label: '45.00 EUR of acct_1QmWeaving',
      status: 'permanently_failed',
      needs_attention: true,
    },
    {
      kind: 'transfer',
      id: IDS.transfers[1],
      matched: 'seller',
      label: '90.00 EUR to acct_1QmWeaving',
      status: 'permanently_failed',
      needs_attention: false,
    },
  ],
  more: false,
};

const bulk = (dryRun: boolean) => ({
  dry_run: dryRun,
  effect: "looks at Stripe's records, and takes back what is not taken yet",
  items: [60, 61, 62].map((nth, at) => ({
    id: id(nth),
    outcome: at === 2 ? 'skipped' : dryRun ? 'would_decide' : at === 0 ? 'decided' : 'pending_approval',
    status: at === 0 && !dryRun ? 'pending' : 'permanently_failed',
    amount: ['120000 JPY', '1999900 USD', '12500 KWD'][at],
    needs_second_person: at === 1,
    decision_id: null,
    detail: at === 2 ? 'it waits for another reason now' : null,
  })),
  amounts: [
    { unit: 'JPY', amount: '120000' },
    { unit: 'USD', amount: '1999900' },
  ],
  more: true,
});

export interface Planned {
  readonly status: number;
  readonly body: unknown;
}
const ok = (body: unknown): Planned => ({ status: 200, body });
const nothing: Planned = {
  status: 404,
  body: {
    title: 'There is nothing here',
    status: 404,
    detail: 'there is no item with this id',
    code: 'not_found',
    request_id: 'req-of-the-night',
  },
};

/** @param path without its query */
export function plannedAnswer(
  method: string,
  path: string,
  query: URLSearchParams,
  body: { dry_run?: boolean },
): Planned {
  if (path === '/api/v1/overview') return ok(overview);
  if (path === '/api/v1/search') return ok(query.get('q') === 'acct_1QmWeaving' ? found : { results: [], more: false });
  if (path === '/api/v1/drift') {
    const about = query.get('item_id');
    return ok(page(drifts.filter(({ item }) => about === null || item?.id === about)));
  }
  if (path === '/api/v1/reconciliations' && method === 'GET') return ok(page(runs));
  if (path === `/api/v1/live/reversal/${IDS.reversals[1]}`) return ok(live);
  if (path === '/api/v1/decisions/bulk') return ok(bulk(body.dry_run === true));
  const [, , , first = '', second, third] = path.split('/');
  if (first === 'explanations')
    return explanations[`${second}/${third}`] ? ok(explanations[`${second}/${third}`]) : nothing;
  if (first === 'stories') return ok(second === 'settlement' ? storyOfSettlement : story);
  if (method === 'POST') return ok({ id: second, status: 'pending', decision_id: IDS.decision });
  const items = lists[first];
  if (!items) return nothing;
  if (second) {
    const one = items.find((item) => (item as { id: string }).id === second);
    return one ? ok(one) : nothing;
  }
  if (query.get('state') === 'pending_approval') return ok(page(waiting));
  if (query.get('key') === 'nobody-has-this') return ok(page([]));
  return ok(page(items));
}
