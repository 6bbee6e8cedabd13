import { expect, it } from 'vitest';
import { comparePage } from '../../../../src/calls/reconciliation/compare-page.js';
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
