import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { createDatabase } from '../../../src/ledger/database.js';
import { createLedger } from '../../../src/ledger/ledger.js';
import { createSealer } from '../../../src/ledger/sealer.js';
import { openPayer, paying } from '../../support/channels/channel-payer.js';
import { type ChannelShop, channelIn, PRICE, SOLD, startChannelShop } from '../../support/channels/channel-shop.js';
import { openTestLedger, type TestLedger, testKey } from '../../support/ledger-fixtures.js';

let chain: TempoSandbox;
let stores: [TestLedger, TestLedger];
let shops: [ChannelShop, ChannelShop];
/** Responses whose handler ran to its end, by the cumulative amount they were asked with. */
let served: string[];

const mount: Parameters<typeof startChannelShop>[1]['mount'] = (app, sessions) => {
  app.all('/many', sessions.paidSession({ ...SOLD, suggestedDeposit: 1_000n * PRICE }), (req, res) => {
    if (req.get('x-fail') !== undefined) return void res.status(500).end();
    if (req.paymentSession?.charge(PRICE) !== true) return void res.status(402).end();
    served.push(req.get('x-n') ?? '');
    res.json({ ok: true });
  });
};

/** All of one resource, so that one challenge does for all of them. */
const asking = (n: number, fails = false): RequestInit => ({
  headers: { 'x-n': `${n}`, ...(fails && { 'x-fail': 'yes' }) },
});

beforeEach(async () => {
  served = [];
  const [sandbox, store] = await Promise.all([startTempoSandbox(), openTestLedger()]);
  chain = sandbox;
  const database = createDatabase({ url: store.url, clock: store.clock });
  const ledger = createLedger({
    database,
    sealer: createSealer([testKey()]),
    clock: store.clock,
    approvalThreshold: 0n,
  });
  stores = [store, { ...store, database, ledger, dispose: () => database.close() }];
  shops = [
    await startChannelShop(stores[0], { chainUrl: chain.url, mount }),
    await startChannelShop(stores[1], { chainUrl: chain.url, mount }),
  ];
});
afterEach(async () => {
  await Promise.all(shops.map((shop) => shop.stop()));
  await stores[1].dispose();
  await Promise.all([chain.close(), stores[0].dispose()]);
});

it('two servers count two hundred requests at once on one channel, in any order, each voucher once, and give back what failed', async () => {
  const payer = await openPayer(chain.url, `${shops[0].url}/many`, asking(1));
  const challenge = await payer.challenge(`${shops[0].url}/many`);
  const numbers = Array.from({ length: 200 }, (_, n) => n + 2);
  const credentials = await Promise.all(numbers.map((n) => payer.voucher(challenge, BigInt(n) * PRICE)));
  const fails = (n: number) => n % 10 === 0;
  const twice = (n: number) => n % 4 === 0;
  const ask = (n: number, server: number) =>
    paying(`${shops[server % 2 === 0 ? 0 : 1].url}/many`, credentials[n - 2] ?? '', asking(n, fails(n)));
  const shuffled = numbers.toSorted((a, b) => ((a * 7919) % 211) - ((b * 7919) % 211));
  const answers = await Promise.all(
    shuffled.flatMap((n) =>
      [n, ...(twice(n) ? [n] : [])].map(async (asked, at) => ({ n, status: (await ask(asked, n + at)).status })),
    ),
  );

  for (const n of numbers) {
    const statuses = answers.filter((answer) => answer.n === n).map(({ status }) => status);
    expect([n, statuses.toSorted((a, b) => a - b)]).toEqual([
      n,
      [fails(n) ? 500 : 200, ...(twice(n) ? [402] : [])].toSorted((a, b) => a - b),
    ]);
  }
  const failed = numbers.filter(fails).length;
  const paid = BigInt(1 + numbers.length - failed);
  expect(served.toSorted()).toEqual([1, ...numbers.filter((n) => !fails(n))].map(String).toSorted());
  const channel = await channelIn(stores[0], payer.channelId);
  expect(channel).toMatchObject({ accepted: 201n * PRICE, earned: paid * PRICE, spent: paid * PRICE });
  const rows = await stores[0].database.query<{ status: string; n: string; spent: string }>(
    'SELECT status, count(*) AS n, sum(spent) AS spent FROM channel_requests GROUP BY status ORDER BY status',
  );
  expect(rows).toEqual([
    { status: 'charged', n: paid.toString(), spent: (paid * PRICE).toString() },
    { status: 'released', n: failed.toString(), spent: '0' },
  ]);
});

it('a reservation of a server that died is given back by the sweep, and what it had made durable of a stream is earned', async () => {
  const [store] = stores;
  const payer = await openPayer(chain.url, `${shops[1].url}/many`, asking(1));
  const challenge = await payer.challenge(`${shops[1].url}/many`);
  const lease = await store.ledger.takeLease('about to die', 30_000);
  const reserve = (n: bigint) => ({
    identity: null,
    oldestChainReadMs: 600_000,
    voucher: { channelId: payer.channelId as never, cumulative: n * PRICE, signature: `0x${n}`, challengeId: 'c' },
    reservation: {
      id: crypto.randomUUID() as never,
      route: '/many',
      amount: PRICE,
      closeToken: crypto.randomUUID(),
      longestMs: 60_000,
      releasedLimit: 60,
      lease,
    },
  });
  const accept = () => Promise.resolve(undefined);
  const [untouched, streamed] = [reserve(2n), reserve(3n)];
  for (const one of [untouched, streamed]) expect((await store.ledger.payFromChannel(one, accept)).kind).toBe('paid');
  const { id, closeToken } = streamed.reservation;
  const checkpoint = { kind: 'checkpoint', id, lease, closeToken, spent: '4000' as never } as const;
  expect(await store.ledger.commitChannelRequests([checkpoint])).toEqual(['committed']);
  expect(await channelIn(store, payer.channelId)).toMatchObject({ spent: 3n * PRICE, earned: PRICE + 4_000n });
  const reserved = `SELECT count(*)::int AS count FROM channel_requests WHERE channel_id = $1 AND status = 'reserved'`;
  expect(await store.database.query(reserved, [payer.channelId.toLowerCase()])).toEqual([{ count: 2 }]);

  store.clock.advance(31_000);
  await store.ledger.abandonedSessions(10);
  const left = await store.ledger.abandonedRequests(10);
  expect(left.map((request) => request.spent).toSorted()).toEqual(['0', '4000']);
  for (const request of left) expect(await store.ledger.closeAbandonedRequest(request)).toBe(true);
  expect(await channelIn(store, payer.channelId)).toMatchObject({ spent: PRICE + 4_000n, earned: PRICE + 4_000n });
  // The dead server's own close comes too late, and changes nothing.
  const late = {
    kind: 'close',
    id,
    lease,
    closeToken,
    by: 'end',
    spent: '10000' as never,
    body: '',
    delivery: 'unknown',
  } as const;
  expect(await store.ledger.commitChannelRequests([late])).toEqual(['lost']);
  expect(await store.ledger.channelRequestState(id, closeToken)).toBe('lost');
  await shops[1].stop();
  shops[1] = await startChannelShop(stores[1], { chainUrl: chain.url, mount });
  expect((await paying(`${shops[1].url}/many`, await payer.voucher(challenge, 4n * PRICE))).status).toBe(200);
});
