import { Credential } from 'mppx';
import { createChannelStore, Fetch, sessionManager, tempo } from 'mppx/client';
import type { Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuthServerSandbox, startAuthServerSandbox } from '../../../sandbox/auth-server/start.js';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { mppCredential } from '../../../sandbox/payer/mpp.js';
import { startTempoSandbox, type TempoSandbox } from '../../../sandbox/tempo/start.js';
import { createRecorder } from '../../../src/calls/settlements/recorder.js';
import { createSettleFirst } from '../../../src/calls/settlements/settle-first.js';
import { createSettleRows } from '../../../src/calls/settlements/settle-rows.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { createAuthServer } from '../../../src/providers/auth-server/client.js';
import { chainClient, newAccount } from '../../support/channels/tempo-chain.js';
import { openTestLedger, type TestLedger } from '../../support/ledger-fixtures.js';
import { BY_VOUCHERS } from '../../support/sessions/offers.js';
import { type PaidServer, startPaidServer } from '../../support/sessions/paid-server.js';
import { memoryLogger, TIMINGS } from '../../support/settlements/settlement-world.js';

/** The whole life of a channel that the auth server settles: opened, paid from, topped up and closed. */

const PRICE = 10_000;
let store: TestLedger;
let sandbox: AuthServerSandbox;
let chain: TempoSandbox;
let server: PaidServer;
let url: string;
let served: number;

beforeEach(async () => {
  store = await openTestLedger();
  [sandbox, chain] = await Promise.all([startAuthServerSandbox({ clock: store.clock }), startTempoSandbox()]);
  served = 0;
  const settleRows = createSettleRows({
    ledger: { ...store.ledger, recordAttempt: createRecorder((outcomes) => store.ledger.recordAttempts(outcomes)) },
    authServer: createAuthServer({ baseUrl: sandbox.url, clock: store.clock }),
    tempo: undefined,
    timings: TIMINGS,
    logger: memoryLogger(),
    processName: 'test',
    monotonicMs: () => performance.now(),
  });
  settle = async (ids) => void (await settleRows(ids ?? (await rows()).map((row) => row.id), 30_000));
  server = await startPaidServer(
    store,
    sandbox.url,
    (app, sessions) =>
      app.all(
        '/by-voucher',
        sessions.paidSession({
          cap: `${PRICE}`,
          ...BY_VOUCHERS,
        }),
        (req, res) => {
          served += 1;
          req.paymentSession?.charge(PRICE.toString());
          res.json({ ok: true });
        },
      ),
    { settleNow: createSettleFirst({ settle: (id) => settle([id]), ledger: store.ledger }), leaseMs: 86_400_000 },
  );
  url = `${server.url}/by-voucher`;
});
afterEach(async () => {
  await server.stop();
  await Promise.all([sandbox.close(), chain.close()]);
  await store.dispose();
});

/** As a worker does; the settlements of these ids, or all there are. */
let settle: (ids?: readonly SettlementId[]) => Promise<void>;

interface Row {
  readonly id: SettlementId;
  readonly status: string;
  readonly spent: string;
  readonly closes: boolean;
}
const rows = (): Promise<Row[]> =>
  store.database.query(
    'SELECT id, status, spent::text, voucher_closes AS closes FROM settlements ORDER BY created_at, id',
  ) as Promise<Row[]>;
const closeRow = async () => (await rows()).find(({ closes }) => closes);

const CHANNEL: Hex = `0x${'c4'.repeat(32)}`;
const OWNER = 'channel-owner';
type Challenge = Awaited<ReturnType<typeof readOffers>>['mpp'][number];

async function challengeOf(response: Promise<Response> = fetch(url)): Promise<Challenge> {
  const { mpp } = await readOffers(await response);
  const challenge = mpp.find(({ intent }) => intent === 'session');
  if (!challenge) throw new Error('the route offers no MPP session');
  return challenge;
}
async function credentialOf(cumulative: number, { challenge, action = 'voucher', by = OWNER }: Said = {}) {
  const { content } = await mppCredential({
    account: payerAccount(by),
    challenge: challenge ?? (await challengeOf()),
    channelId: CHANNEL,
    cumulativeAmount: `${cumulative}`,
  });
  const payload = { ...(content.payload as object), action };
  return `Payment ${Buffer.from(JSON.stringify({ ...content, payload })).toString('base64url')}`;
}
async function topUpOf(more: object = {}, { challenge, by = OWNER }: Said = {}) {
  const { content } = await mppCredential({
    account: payerAccount(by),
    challenge: challenge ?? (await challengeOf()),
    channelId: CHANNEL,
    cumulativeAmount: '0',
  });
  const payload = { action: 'topUp', type: 'transaction', channelId: CHANNEL, additionalDeposit: '1', ...more };
  return `Payment ${Buffer.from(JSON.stringify({ ...content, payload })).toString('base64url')}`;
}
const topUp = async (more: object = {}, said: Said = {}) => send(await topUpOf(more, said), 'POST');
interface Said {
  readonly challenge?: Challenge;
  readonly action?: 'voucher' | 'close';
  readonly by?: string;
}
const send = (authorization: string, method = 'GET') => fetch(url, { method, headers: { authorization } });
const pay = async (cumulative: number, challenge?: Challenge) =>
  (await send(await credentialOf(cumulative, { challenge }))).status;
const close = async (cumulative: number, said: Said = {}) =>
  send(await credentialOf(cumulative, { ...said, action: 'close' }), 'POST');
const problemOf = async (response: Response) => {
  const { type, code } = (await response.json()) as { type: string; code: string };
  return [response.status, type.split('/').slice(-2).join('/'), code];
};

describe('the unmodified mppx client', () => {
  const account = newAccount();
  const sent: string[] = [];
  const watched: typeof fetch = async (input, init) => {
    const header = new Headers(init?.headers).get('authorization');
    const response = await fetch(input, init);
    if (header !== null) {
      const {
        action,
        cumulativeAmount = '',
        transaction,
      } = Credential.deserialize<Record<string, string>>(header).payload;
      sent.push(`${action} ${cumulativeAmount} ${response.status}`);
      if (transaction !== undefined && response.ok) await broadcast(transaction);
    }
    return response;
  };
  /** The stand-in has no chain to send a payer's transaction to, as the auth server does; the client asks that chain for gas. */
  const broadcast = async (transaction: string): Promise<void> => {
    const request = { jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransactionSync', params: [transaction] };
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(chain.url, { method: 'POST', headers, body: JSON.stringify(request) });
    expect(await answer.json()).toMatchObject({ result: { status: '0x1' } });
  };
  const options = () => ({ account, getClient: () => chainClient(chain.url, account), maxDeposit: '5' });
  beforeEach(() => {
    sent.length = 0;
  });

  it('pays three times, topping its channel up for each, and closes it; what it owes is settled first', async () => {
    const manager = sessionManager({ ...options(), fetch: watched });
    for (let n = 0; n < 3; n += 1) expect((await manager.fetch(url)).status).toBe(200);
    await manager.close();
    expect(sent).toEqual([
      'open 10000 200',
      'topUp  204',
      'voucher 20000 200',
      'topUp  204',
      'voucher 30000 200',
      'close 30000 204',
    ]);
    expect(served).toBe(3);
    // Nothing is owed for what managed the channel, and the close is sent last.
    for (let round = 0; round < 4; round += 1) await settle();
    expect((await rows()).map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'settled'));
    expect(sandbox.ledger().totals.debited).toBe('30000');
    expect(sandbox.ledger().debits.map(({ manages, amount }) => [manages, amount])).toEqual([
      ['topUp', '0'],
      ['topUp', '0'],
      [null, '10000'],
      [null, '10000'],
      [null, '10000'],
      ['close', '0'],
    ]);
  });

  it('pays again and again by the plain fetch, too', async () => {
    const pays = Fetch.from({
      fetch: watched,
      methods: [tempo.session({ ...options(), channelStore: createChannelStore() })],
    });
    for (let n = 0; n < 3; n += 1) expect((await pays(url)).status).toBe(200);
    expect(sent.filter((one) => one.startsWith('topUp'))).toEqual(['topUp  204', 'topUp  204']);
  });

  it('gets no deposit counted that the auth server refused, and may ask again while nobody knows', async () => {
    const manager = sessionManager({ ...options(), fetch: watched });
    await manager.fetch(url);
    // It answers a refusal once more, on the challenge that comes with it.
    sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 2 }]);
    await expect(manager.topUp('1')).rejects.toThrow('402');
    expect((await rows()).map(({ status }) => status)).toEqual(['pending', 'written_off', 'written_off']);
    sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
    await expect(manager.topUp('1')).rejects.toThrow('503');
    // It was carried out: the same bytes find that out, and nobody is asked.
    store.clock.advance(60_000);
    await settle();
    expect((await rows()).map(({ status }) => status).toSorted()).toEqual([
      'settled',
      'settled',
      'written_off',
      'written_off',
    ]);
    expect(served).toBe(1);
  });
});

describe('a top-up', () => {
  const transaction = `0x76${'ab'.repeat(40)}`;

  it('takes the place of no voucher: one that states an amount, or has no transaction, is refused as what it is', async () => {
    expect(await pay(10_000)).toBe(200);
    for (const [more, why] of [
      [{ transaction, cumulativeAmount: '20000' }, 'states a cumulative amount'],
      [{ transaction, signature: '0x01' }, 'it states more than was offered'],
      [{}, 'carries no transaction'],
    ] as const) {
      const refused = await topUp(more, { by: 'mallory' });
      expect(refused.status).toBe(402);
      expect(await refused.text()).toContain(why);
    }
    expect((await topUp({ transaction }, { by: 'mallory' })).status).toBe(204);
    expect(await pay(20_000)).toBe(200);
    expect(served).toBe(2);
  });

  it('that names the amount of a settled voucher is not answered by that charge', async () => {
    expect(await pay(10_000)).toBe(200);
    await settle();
    const answer = await topUp({ transaction, cumulativeAmount: '10000' }, { by: 'mallory' });
    expect([answer.status, answer.headers.get('settlement-id')]).toEqual([402, null]);
  });

  it('is answered again to the very same credential, and to no other with its transaction', async () => {
    const credential = await topUpOf({ transaction });
    const [first, again] = [await send(credential, 'POST'), await send(credential, 'POST')];
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get('settlement-id')).toBe(first.headers.get('settlement-id'));
    const madeUp = { ...(await challengeOf()), id: 'made-up' };
    for (const said of [{}, { challenge: madeUp }]) {
      const other = await topUp({ transaction }, { by: 'mallory', ...said });
      expect([other.status, other.headers.get('settlement-id')]).toEqual([402, null]);
    }
    expect(await rows()).toHaveLength(1);
  });

  it('whose settlement took longer than its challenge holds is answered to the very same credential', async () => {
    const credential = await topUpOf({ transaction });
    sandbox.setFaults([{ kinds: ['server_error'], on: ['settle'], times: 1 }]);
    expect((await send(credential, 'POST')).status).toBe(503);
    store.clock.advance(70 * 60_000);
    expect((await send(credential, 'POST')).status).toBe(503);
    await settle();
    expect((await send(credential, 'POST')).status).toBe(204);
    expect(await rows()).toHaveLength(1);
  });

  it('of a channel whose close was taken is refused: its deposit would lie where nothing is sold', async () => {
    expect(await pay(10_000)).toBe(200);
    expect((await close(10_001)).status).toBe(204);
    const late = await topUp({ transaction });
    expect(await problemOf(late)).toEqual([410, 'session/channel-finalized', 'channel_gone']);
    expect(await rows()).toHaveLength(2);
  });
});

describe('a voucher', () => {
  it('is not held up by one that waits, with its payer’s question, for a person; a close waits for both', async () => {
    for (const cumulative of [10_000, 20_000, 30_000]) expect(await pay(cumulative)).toBe(200);
    const [first, second, third] = (await rows()).map(({ id }) => id);
    await sandbox.setBalance(payerOnLedger(payerAccount(OWNER), 'mpp'), 0n);
    for (const id of [first, second]) await settle([id!]);
    await sandbox.setBalance(payerOnLedger(payerAccount(OWNER), 'mpp'), 1_000_000n);
    await settle([third!]);
    expect((await rows()).map(({ status }) => status)).toEqual(['needs_attention', 'pending', 'settled']);
    const [charge] = sandbox.ledger().debits;
    expect(charge?.amount).toBe('10000');
    expect((await close(30_001)).status).toBe(204);
    await settle();
    expect((await closeRow())?.status).toBe('pending');
  });
});

describe('a close', () => {
  it('that was refused and given up is not answered as if the channel were closed: it sells, and closes higher', async () => {
    expect(await pay(10_000)).toBe(200);
    await settle();
    const credential = await credentialOf(10_001, { action: 'close' });
    expect((await send(credential, 'POST')).status).toBe(204);
    sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 1 }]);
    await settle();
    expect((await closeRow())?.status).toBe('needs_attention');
    await store.database.query(
      `UPDATE settlements SET status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL,
         next_check_at = NULL WHERE status = 'needs_attention'`,
    );
    expect(await problemOf(await send(credential, 'POST'))).toEqual([
      402,
      'problems/verification-failed',
      'voucher_refused',
    ]);
    expect(await pay(20_000)).toBe(200);
    expect((await close(20_001)).status).toBe(204);
  });

  it('is answered 204 without a handler, sells nothing more, and is sent when all that is owed is settled', async () => {
    for (const cumulative of [10_000, 20_000]) expect(await pay(cumulative)).toBe(200);
    const closed = await close(20_000);
    expect([closed.status, closed.headers.get('cache-control'), served]).toEqual([204, 'no-store', 2]);
    const row = await closeRow();
    expect(closed.headers.get('settlement-id')).toBe(row?.id);
    expect(row).toMatchObject({ status: 'pending', spent: '0' });
    expect(await problemOf(await send(await credentialOf(30_000)))).toEqual([
      410,
      'session/channel-finalized',
      'channel_gone',
    ]);
    expect(served).toBe(2);
    await settle([row!.id]);
    expect(sandbox.calls().totals.settleCalls).toBe(0);
    for (let round = 0; round < 3; round += 1) await settle();
    expect(sandbox.ledger().debits.map(({ manages, amount }) => [manages, amount])).toEqual([
      [null, '10000'],
      [null, '10000'],
      ['close', '0'],
    ]);
    expect((await rows()).every(({ status }) => status === 'settled')).toBe(true);
  });

  it('waits also for a charge that waits for a person: with the deposit gone it could never be collected', async () => {
    expect(await pay(10_000)).toBe(200);
    sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 1 }]);
    await settle();
    expect((await rows())[0]?.status).toBe('needs_attention');
    expect((await close(10_001)).status).toBe(204);
    await settle();
    expect((await closeRow())?.status).toBe('pending');
    await store.database.query(
      `UPDATE settlements SET status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL,
         next_check_at = NULL WHERE status = 'needs_attention'`,
    );
    await settle();
    expect((await closeRow())?.status).toBe('settled');
  });

  it('is never on credit: its voucher covers what is collected, owed and being served', async () => {
    for (const cumulative of [10_000, 20_000]) expect(await pay(cumulative)).toBe(200);
    expect(await problemOf(await close(19_999))).toEqual([402, 'session/insufficient-balance', 'voucher_refused']);
    expect(await closeRow()).toBeUndefined();
    expect(await pay(30_000)).toBe(200);
  });

  it('by whoever has read a settled voucher on chain closes nothing, whatever challenge he asks for', async () => {
    const paidWith = await challengeOf();
    expect(await pay(10_000, paidWith)).toBe(200);
    await settle();
    expect(await problemOf(await close(10_000))).toEqual([402, 'session/close-unproven', 'voucher_refused']);
    expect(await closeRow()).toBeUndefined();
    // Its payer answers the challenge that he paid with, or signs higher than what anybody has seen.
    expect((await close(10_000, { challenge: paidWith })).status).toBe(204);
  });

  it('is taken where its voucher was never sent anywhere', async () => {
    expect(await pay(10_000)).toBe(200);
    await settle();
    expect((await close(10_001)).status).toBe(204);
  });

  it('that was taken is answered to the very same credential also when its challenge has expired', async () => {
    await pay(PRICE);
    await settle();
    const credential = await credentialOf(2 * PRICE, { action: 'close' });
    expect((await send(credential, 'POST')).status).toBe(204);
    store.clock.advance(70 * 60_000);
    expect((await send(credential, 'POST')).status).toBe(204);
  });

  it('answers an expired challenge only by the next one, which says whose it is', async () => {
    const paidWith = await challengeOf();
    expect(await pay(10_000, paidWith)).toBe(200);
    await settle();
    store.clock.advance(3_700_000);
    const late = close(10_000, { challenge: paidWith });
    expect((await late).status).toBe(402);
    const next = await challengeOf(late);
    expect((await close(10_000, { challenge: next })).status).toBe(204);
  });

  it('by another’s signature, of a channel that nobody paid from, or of one that closes already is refused', async () => {
    expect(await problemOf(await close(10_000))).toEqual([410, 'session/channel-not-found', 'channel_gone']);
    expect(await pay(10_000)).toBe(200);
    await settle();
    expect(await problemOf(await close(50_000, { by: 'mallory' }))).toEqual([
      402,
      'problems/verification-failed',
      'voucher_refused',
    ]);
    const credential = await credentialOf(10_001, { action: 'close' });
    const [first, again] = [await send(credential, 'POST'), await send(credential, 'POST')];
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get('settlement-id')).toBe(first.headers.get('settlement-id'));
    expect(await problemOf(await close(10_002))).toEqual([410, 'session/channel-finalized', 'channel_gone']);
    expect((await rows()).filter(({ closes }) => closes)).toHaveLength(1);
  });

  it('and vouchers at once: either the voucher is served and settled first, or the channel is closed', async () => {
    expect(await pay(10_000)).toBe(200);
    const [voucher, closing] = [await credentialOf(20_000), await credentialOf(20_001, { action: 'close' })];
    const [paid, closed] = await Promise.all([send(voucher), send(closing, 'POST')]);
    expect(closed.status).toBe(204);
    expect([200, 410]).toContain(paid.status);
    for (let round = 0; round < 3; round += 1) await settle();
    expect(sandbox.ledger().totals.debited).toBe(paid.status === 200 ? '20000' : '10000');
    expect(sandbox.ledger().debits.at(-1)?.manages).toBe('close');
  });

  it('is asked for again while the auth server cannot be reached', async () => {
    expect(await pay(10_000)).toBe(200);
    const credential = await credentialOf(10_001, { action: 'close' });
    sandbox.setDown(true);
    const away = await send(credential, 'POST');
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
    sandbox.setDown(false);
    expect((await send(credential, 'POST')).status).toBe(204);
  });
});
