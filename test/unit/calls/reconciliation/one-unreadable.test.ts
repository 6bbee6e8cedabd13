import { expect, it } from 'vitest';
import { comparePage } from '../../../../src/calls/reconciliation/compare-page.js';
import { hyperswitchLists } from '../../../../src/providers/hyperswitch/account-lists.js';
import { accountLists } from '../../../../src/providers/stripe/account-lists.js';

const place = {
  runId: 'r',
  since: '2026-01-01T00:00:00Z',
  until: '2026-01-02T00:00:00Z',
  cursor: null,
  pages: 0,
} as never;
const clock = { nowMs: () => Date.parse('2026-01-02T00:00:00Z') };

const row = (id: string, network: string) => ({
  id,
  network,
  asset: '0xa',
  from: '0xb',
  nonce: id,
  status: 'settled',
  spent: 5n,
  symbol: 'USDC',
  changedAt: '2026-01-01T00:00:00Z',
  underWay: false,
});
const page = (away: readonly string[]) =>
  comparePage({ ...(place as object), part: 'chain-nonces', listed: true } as never, 'chain-nonces', {
    ledger: { heldAuthorizations: () => Promise.resolve([row('1', 'eip155:1'), row('2', 'eip155:8453')]) },
    chain: {
      networks: ['eip155:1', 'eip155:8453'],
      readUsed: ({ network }: { network: string }) =>
        Promise.resolve(away.includes(network) ? { kind: 'unclear', detail: 'away' } : { kind: 'found', value: false }),
    },
    clock,
    youngMs: 0,
  } as never);

it('a node that is away leaves its own network uncompared, by name, and no other', async () => {
  expect(await page(['eip155:1'])).toMatchObject({
    kind: 'page',
    uncompared: ['eip155:1'],
    suspicions: [{ kind: 'settlement_missing', item: { id: '2' } }],
  });
  expect(await page([])).toMatchObject({ uncompared: [], suspicions: [{ item: { id: '1' } }, { item: { id: '2' } }] });
  expect(await page(['eip155:1', 'eip155:8453'])).toMatchObject({ kind: 'unclear' });
});

it('an object of a list that cannot be read is named, and all others are compared', async () => {
  const transfer = {
    object: 'transfer',
    id: 'tr_1',
    amount: 100,
    amount_reversed: 0,
    currency: 'usd',
    destination: 'acct_1',
    transfer_group: null,
    metadata: {},
    livemode: false,
    created: 1_767_225_600,
  };
  const list = (data: readonly object[]) =>
    accountLists(() =>
      Promise.resolve({
        kind: 'object',
        asked: { what: 'transfers', account: null, secretKey: 'sk_test_x' },
        requestId: null,
        object: { object: 'list', has_more: true, data },
      } as never),
    ).transfersSince({ createdSince: new Date(0), startingAfter: null });
  const strange = { ...transfer, id: 'tr_2', amount: 'much' };
  expect(await list([transfer, strange])).toMatchObject({
    kind: 'found',
    value: { items: [{ stripeTransferId: 'tr_1' }], unreadable: ['tr_2'], next: 'tr_2' },
  });
  // Of one that has no name nobody could say which it was.
  expect(await list([transfer, { ...strange, id: 7 }])).toMatchObject({ kind: 'unclear' });
});

const hyperswitchList = (object: object) =>
  hyperswitchLists(() => Promise.resolve({ verdict: { kind: 'object', object } }) as never);
const since = (startingAfter: string | null = null) => ({ createdSince: new Date(0), startingAfter });

it('a payment at Hyperswitch that cannot be read is named, and all others are compared', async () => {
  const payment = {
    payment_id: 'pay_1',
    merchant_id: 'm',
    profile_id: 'p',
    amount: 100,
    amount_received: 100,
    currency: 'USD',
    status: 'succeeded',
  };
  const list = (data: readonly unknown[]) => hyperswitchList({ data }).paymentsSince(since());
  const strange = { ...payment, payment_id: 'pay_2', amount: 'much' };
  expect(await list([payment, strange])).toMatchObject({
    kind: 'found',
    value: { items: [{ hyperswitchPaymentId: 'pay_1' }], unreadable: ['pay_2'], next: 'pay_2' },
  });
  expect(await list([payment, { ...strange, payment_id: 7 }])).toMatchObject({ kind: 'unclear' });
  expect(await list([payment, 'pay_3'])).toMatchObject({ kind: 'unclear' });

  const compared = await comparePage(place, 'hyperswitch-payments', {
    ledger: { heldPayments: () => Promise.resolve([]) },
    hyperswitch: {
      account: { verify: () => Promise.resolve({ kind: 'ours' }), owns: () => true },
      calls: hyperswitchList({ data: [payment, strange] }),
    },
  } as never);
  expect(compared).toMatchObject({
    kind: 'page',
    named: ['pay_1', 'pay_2'],
    lookedAt: 1,
    suspicions: [{ kind: 'payment_unknown', providerId: 'pay_1' }],
    uncompared: ['payments: pay_2'],
  });
});

it('a refund at Hyperswitch that cannot be read is named, and the list goes on behind it', async () => {
  const refund = { refund_id: 'ref_1', payment_id: 'pay_1', amount: 100, currency: 'USD', status: 'succeeded' };
  const list = (data: readonly object[]) => hyperswitchList({ data, total_count: 250 }).refundsSince(since('100'));
  const strange = { ...refund, refund_id: 'ref_2', status: 3 };
  expect(await list([refund, strange])).toMatchObject({
    kind: 'found',
    value: { items: [{ hyperswitchRefundId: 'ref_1' }], unreadable: ['ref_2'], next: '102' },
  });
  expect(await list([refund, { ...strange, refund_id: '' }])).toMatchObject({ kind: 'unclear' });
});
