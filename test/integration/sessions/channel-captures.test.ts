import { privateKeyToAccount } from 'viem/accounts';
import { beforeEach, describe, expect, it } from 'vitest';
import { type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { captureWorker } from '../../support/channels/captures.js';
import { type OpenedPayer, openPayer, paying } from '../../support/channels/channel-payer.js';
import {
  type ChannelShop,
  channelIn,
  openChannelShop,
  PAYEE_KEY,
  PRICE,
  SOLD,
} from '../../support/channels/channel-shop.js';
import { Chain, chainClient, signVoucher } from '../../support/channels/tempo-chain.js';
import { MINUTE_MS } from '../../support/durations.js';
import { type TestLedger } from '../../support/ledger-fixtures.js';
import { until } from '../../support/until.js';

const POLICY = { threshold: 5n * PRICE, intervalMs: 3_600_000 };

let chain: TempoSandbox;
let store: TestLedger;
let shop: ChannelShop;
let url: string;
let payer: OpenedPayer;
/** Ends the response of the handler that waits. */
let finish: () => void;

beforeEach(async () => {
  ({ chain, store, shop } = await openChannelShop({
    // The clock is moved by hours here, and the lease must not end by it.
    leaseMs: 86_400_000,
    mount: (app, sessions) =>
      app.all('/slow', sessions.paidSession(SOLD), (req, res) => {
        finish = () => {
          req.paymentSession?.charge(PRICE);
          res.json({ ok: true });
        };
      }),
  }));
  url = `${shop.url}/paid`;
  payer = await openPayer(chain.url, url);
});

const sweep = (logged?: readonly object[]) => captureWorker(store, chain.url, POLICY).sweep(logged);
const settle = () => captureWorker(store, chain.url, POLICY).settle();
const later = (ms: number) => store.clock.advance(ms);
const channel = () => channelIn(store, payer.channelId);
const onChain = () => chain.ledger().channels.find(({ channelId }) => channelId === payer.channelId);
const captures = () => onChain()?.captures.map(({ kind, captured }) => `${kind} ${captured}`);
const pay = async (from: bigint, to: bigint) => {
  const challenge = await payer.challenge(url);
  for (let n = from; n <= to; n += 1n) {
    expect((await paying(url, await payer.voucher(challenge, n * PRICE))).status).toBe(200);
  }
};

describe('what a channel has earned', () => {
  it('is captured by the sweep above the threshold, once, and what comes later is captured later', async () => {
    await pay(2n, 4n);
    later(61_000);
    expect(await sweep()).toBe(0);
    await pay(5n, 6n);
    later(61_000);
    expect(await sweep()).toBe(1);
    later(61_000);
    expect(await sweep()).toBe(0);
    expect(await settle()).toEqual(['final']);
    expect(await channel()).toMatchObject({ settled: 6n * PRICE, earned: 6n * PRICE, finalized: false });
    expect(captures()).toEqual(['settle 60000']);
    later(61_000);
    expect(await sweep()).toBe(0);
    expect(await settle()).toEqual([]);
  });

  it('is captured after the interval at the latest, however little it is', async () => {
    await pay(2n, 2n);
    for (let passed = 0; passed < 59; passed += 5) {
      later(5 * 60_000);
      expect([passed, await sweep()]).toEqual([passed, passed < 55 ? 0 : 1]);
    }
    expect(await settle()).toEqual(['final']);
    expect(captures()).toEqual(['settle 20000']);
  });

  it('is never exceeded: a voucher that promises more than was served is not sent while the channel lives', async () => {
    await pay(2n, 6n);
    // Signed far ahead; only one more price of it was served.
    expect((await paying(url, await payer.voucher(await payer.challenge(url), 50n * PRICE))).status).toBe(200);
    later(61_000);
    expect(await sweep()).toBe(1);
    await settle();
    expect(await channel()).toMatchObject({ accepted: 50n * PRICE, earned: 7n * PRICE, settled: 6n * PRICE });
    expect(captures()).toEqual(['settle 60000']);
    await paying(url, await payer.voucher(await payer.challenge(url), 50n * PRICE, 'close'), { method: 'POST' });
    await sweep();
    await settle();
    // The close names its amount, so it takes exactly what was earned, and the rest goes back.
    expect(captures()).toEqual(['settle 60000', 'close 10000']);
    expect(onChain()).toMatchObject({ closed: true, settled: '70000' });
  });

  it('waits for the chain while requests stay 200, and lands once when it is back', async () => {
    await pay(2n, 6n);
    later(61_000);
    expect(await sweep()).toBe(1);
    chain.setDown(true);
    expect(await settle()).toEqual(['retry']);
    await pay(7n, 9n);
    chain.setDown(false);
    chain.setFaults([{ kinds: ['reset_after_commit'], times: 1 }]);
    later(60_000);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await settle();
      later(120_000);
    }
    expect(captures()).toEqual(['settle 60000']);
    expect(await channel()).toMatchObject({ settled: 6n * PRICE, earned: 9n * PRICE });
  });
});

describe('a close', () => {
  it('waits for the request that is still being served, and captures it too', async () => {
    const challenge = await payer.challenge(`${shop.url}/slow`);
    const slow = paying(`${shop.url}/slow`, await payer.voucher(challenge, 2n * PRICE));
    await until('its reservation', async () => (await channel()).spent === 2n * PRICE, { limitMs: 10_000 });
    const here = await payer.challenge(url);
    const tooLow = await paying(url, await payer.voucher(here, PRICE, 'close'), { method: 'POST' });
    expect(tooLow.status).toBe(402);
    const close = await paying(url, await payer.voucher(here, 2n * PRICE, 'close'), { method: 'POST' });
    expect(close.status).toBe(204);
    expect(await sweep()).toBe(0);
    finish();
    expect((await slow).status).toBe(200);
    expect(await sweep()).toBe(1);
    expect(await settle()).toEqual(['final']);
    expect(captures()).toEqual(['close 20000']);
    expect(await channel()).toMatchObject({ finalized: true, settled: 2n * PRICE });
    expect((await paying(url, await payer.voucher(here, 3n * PRICE))).status).toBe(410);
  });

  it('of a channel that has paid for nothing gives the whole deposit back', async () => {
    await store.database.query('ALTER TABLE channels DISABLE TRIGGER channels_guard');
    await store.database.query('UPDATE channels SET earned = 0, spent = 0');
    await store.database.query('ALTER TABLE channels ENABLE TRIGGER channels_guard');
    const close = await paying(url, await payer.voucher(await payer.challenge(url), 0n, 'close'), { method: 'POST' });
    expect(close.status).toBe(204);
    expect(await sweep()).toBe(1);
    expect(await settle()).toEqual(['final']);
    expect(onChain()).toMatchObject({ closed: true, settled: '0', refunded: '1000000' });
    expect(await channel()).toMatchObject({ finalized: true });
  });

  it('that the payer asks the chain for is noticed, and what was earned is captured before the deposit can be taken back', async () => {
    await pay(2n, 3n);
    await Chain.requestCloseOnChain(payer.client, payer.descriptor);
    later(6 * 60_000);
    expect(await sweep()).toBe(1);
    expect(await settle()).toEqual(['final']);
    expect(onChain()).toMatchObject({ closed: true, settled: '30000', refunded: '970000' });
    expect(await channel()).toMatchObject({ closing: true, finalized: true });
    expect((await payer.pay(url, 4n * PRICE)).status).toBe(410);
  });

  it('that happened on chain behind our back becomes a question for a person, not a loss in silence', async () => {
    await pay(2n, 3n);
    const shopkeeper = chainClient(chain.url, privateKeyToAccount(PAYEE_KEY));
    const signature = await signVoucher(payer.client, payer.channelId, PRICE);
    await Chain.closeOnChain(shopkeeper, payer.descriptor, PRICE, PRICE, signature);
    later(6 * 60_000);
    expect(await sweep()).toBe(1);
    expect(await settle()).toEqual(['attention']);
    expect(await channel()).toMatchObject({ earned: 3n * PRICE, closing: true });
  });
});

describe('a close that the payer asks the chain for', () => {
  /** A request that is served until the handler is told to end, paid by the voucher of this many prices. */
  async function serving(n: bigint) {
    const response = paying(
      `${shop.url}/slow`,
      await payer.voucher(await payer.challenge(`${shop.url}/slow`), n * PRICE),
    );
    await until('its reservation', async () => (await channel()).spent === n * PRICE, { limitMs: 10_000 });
    return response.then(
      ({ status }) => status,
      () => 'cut off',
    );
  }
  const requestClose = () => Chain.requestCloseOnChain(payer.client, payer.descriptor);
  const endedOne = [{ channel: expect.stringMatching(/^0x/), ended: 1 }];

  it.each(['after one that was asked for here', 'alone'])(
    'while a response is under way (%s): what is earned is captured, and all of it before the deposit can be taken back',
    async (which) => {
      await pay(2n, 3n);
      const slow = serving(4n);
      await until('its reservation', async () => (await channel()).spent === 4n * PRICE, { limitMs: 10_000 });
      if (which !== 'alone') {
        const close = await payer.voucher(await payer.challenge(url), 4n * PRICE, 'close');
        expect((await paying(url, close, { method: 'POST' })).status).toBe(204);
      }
      await requestClose();
      later(6 * MINUTE_MS);
      expect(await sweep()).toBe(1);
      expect(await settle()).toEqual(['final']);
      expect(captures()).toEqual(['settle 30000']);
      // In time: a quarter of an hour after the payer asked, the rest would be his.
      later(5 * MINUTE_MS);
      expect(await sweep(endedOne)).toBe(1);
      expect(await settle()).toEqual(['final']);
      expect(onChain()).toMatchObject({ closed: true, settled: '30000', refunded: '970000' });
      // What came too late to be captured is not served either.
      finish();
      expect(await slow).toBe('cut off');
      expect(await channel()).toMatchObject({ finalized: true, earned: 3n * PRICE, spent: 3n * PRICE });
    },
  );

  it('before anything is earned is noticed while a response is under way', async () => {
    const slow = serving(2n);
    await until('its reservation', async () => (await channel()).spent === 2n * PRICE, { limitMs: 10_000 });
    later(61_000);
    await captureWorker(store, chain.url, { threshold: 1n, intervalMs: 1 }).sweep();
    await settle();
    expect(await channel()).toMatchObject({ earned: PRICE, settled: PRICE });
    await requestClose();
    later(6 * MINUTE_MS);
    await sweep();
    expect(await channel()).toMatchObject({ closing: true });
    finish();
    expect(await slow).toBe(200);
    later(MINUTE_MS);
    expect(await sweep()).toBe(1);
    await settle();
    expect(onChain()).toMatchObject({ closed: true, settled: '20000' });
  });

  it('and is taken back by a top-up: the channel pays again, as soon as somebody pays from it', async () => {
    await requestClose();
    later(6 * MINUTE_MS);
    await captureWorker(store, chain.url, POLICY).watch();
    expect(await channel()).toMatchObject({ closing: true });
    const challenge = await payer.challenge(url);
    expect((await paying(url, await payer.voucher(challenge, 2n * PRICE))).status).toBe(410);
    await Chain.topUpOnChain(payer.client, payer.descriptor, 1n);
    later(10_000);
    expect((await paying(url, await payer.voucher(challenge, 2n * PRICE))).status).toBe(200);
    expect(await channel()).toMatchObject({ closing: false, earned: 2n * PRICE });
  });

  it('is not said to be final while the chain does not answer: 503, and the channel is not forgotten', async () => {
    await requestClose();
    later(6 * MINUTE_MS);
    await captureWorker(store, chain.url, POLICY).watch();
    const challenge = await payer.challenge(url);
    chain.setDown(true);
    later(10_000);
    const answer = await paying(url, await payer.voucher(challenge, 2n * PRICE));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it('is not undone by an answer that comes late, nor by a top-up once it was asked for here or is being captured', async () => {
    const id = (await channel()).id;
    const seen = { deposit: 1_000_000n, settled: 0n, closeRequestedAtMs: store.clock.nowMs() };
    await store.ledger.recordChainState(id, seen);
    await store.ledger.recordChainState(id, { ...seen, closeRequestedAtMs: null });
    expect(await channel()).toMatchObject({ closing: true });
    await store.ledger.recordChainState(id, { ...seen, deposit: 1_000_001n, closeRequestedAtMs: null });
    expect(await channel()).toMatchObject({ closing: false });
    await store.ledger.recordChainState(id, { ...seen, deposit: 1_000_001n });
    expect((await store.ledger.captureWhenDue(id, POLICY)).kind).toBe('opened');
    await store.ledger.recordChainState(id, { ...seen, deposit: 1_000_002n, closeRequestedAtMs: null });
    expect(await channel()).toMatchObject({ closing: true });
  });
});
