import { Credential } from 'mppx';
import { createChannelStore, Fetch, sessionManager, tempo } from 'mppx/client';
import { beforeEach, describe, expect, it } from 'vitest';
import { payerAccount, payerOnLedger } from '../../../sandbox/payer/account.js';
import { chainClient, newAccount } from '../../support/channels/tempo-chain.js';
import { OWNER, openVoucherRoute, problemOf } from '../../support/channels/voucher-route.js';

/** A channel that the auth server settles: opened, paid from and topped up. */

let route: Awaited<ReturnType<typeof openVoucherRoute>>;
beforeEach(async () => {
  route = await openVoucherRoute();
});

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
    const answer = await fetch(route.chain.url, { method: 'POST', headers, body: JSON.stringify(request) });
    expect(await answer.json()).toMatchObject({ result: { status: '0x1' } });
  };
  const options = () => ({ account, getClient: () => chainClient(route.chain.url, account), maxDeposit: '5' });
  beforeEach(() => {
    sent.length = 0;
  });

  it('pays three times, topping its channel up for each, and closes it; what it owes is settled first', async () => {
    const manager = sessionManager({ ...options(), fetch: watched });
    for (let n = 0; n < 3; n += 1) expect((await manager.fetch(route.url)).status).toBe(200);
    await manager.close();
    expect(sent).toEqual([
      'open 10000 200',
      'topUp  204',
      'voucher 20000 200',
      'topUp  204',
      'voucher 30000 200',
      'close 30000 204',
    ]);
    expect(route.served()).toBe(3);
    // Nothing is owed for what managed the channel, and the close is sent last.
    for (let round = 0; round < 4; round += 1) await route.settle();
    expect((await route.rows()).map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'settled'));
    expect(route.sandbox.ledger().totals.debited).toBe('30000');
    expect(route.sandbox.ledger().debits.map(({ manages, amount }) => [manages, amount])).toEqual([
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
    for (let n = 0; n < 3; n += 1) expect((await pays(route.url)).status).toBe(200);
    expect(sent.filter((one) => one.startsWith('topUp'))).toEqual(['topUp  204', 'topUp  204']);
  });

  it('gets no deposit counted that the auth server refused, and may ask again while nobody knows', async () => {
    const manager = sessionManager({ ...options(), fetch: watched });
    await manager.fetch(route.url);
    // It answers a refusal once more, on the challenge that comes with it.
    route.sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 2 }]);
    await expect(manager.topUp('1')).rejects.toThrow('402');
    expect((await route.rows()).map(({ status }) => status)).toEqual(['pending', 'written_off', 'written_off']);
    route.sandbox.setFaults([{ kinds: ['server_error_after_commit'], on: ['settle'], times: 1 }]);
    await expect(manager.topUp('1')).rejects.toThrow('503');
    // It was carried out: the same bytes find that out, and nobody is asked.
    route.store.clock.advance(60_000);
    await route.settle();
    expect((await route.rows()).map(({ status }) => status).toSorted()).toEqual([
      'settled',
      'settled',
      'written_off',
      'written_off',
    ]);
    expect(route.served()).toBe(1);
  });
});

describe('a top-up', () => {
  const transaction = `0x76${'ab'.repeat(40)}`;

  it('takes the place of no voucher: one that states an amount, or has no transaction, is refused as what it is', async () => {
    expect(await route.pay(10_000)).toBe(200);
    for (const [more, why] of [
      [{ transaction, cumulativeAmount: '20000' }, 'states a cumulative amount'],
      [{ transaction, signature: '0x01' }, 'it states more than was offered'],
      [{}, 'carries no transaction'],
    ] as const) {
      const refused = await route.topUp(more, { by: 'mallory' });
      expect(refused.status).toBe(402);
      expect(await refused.text()).toContain(why);
    }
    expect((await route.topUp({ transaction }, { by: 'mallory' })).status).toBe(204);
    expect(await route.pay(20_000)).toBe(200);
    expect(route.served()).toBe(2);
  });

  it('that names the amount of a settled voucher is not answered by that charge', async () => {
    expect(await route.pay(10_000)).toBe(200);
    await route.settle();
    const answer = await route.topUp({ transaction, cumulativeAmount: '10000' }, { by: 'mallory' });
    expect([answer.status, answer.headers.get('settlement-id')]).toEqual([402, null]);
  });

  it('is answered again to the very same credential, and to no other with its transaction', async () => {
    const credential = await route.topUpOf({ transaction });
    const [first, again] = [await route.send(credential, 'POST'), await route.send(credential, 'POST')];
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get('settlement-id')).toBe(first.headers.get('settlement-id'));
    const madeUp = { ...(await route.challengeOf()), id: 'made-up' };
    for (const said of [{}, { challenge: madeUp }]) {
      const other = await route.topUp({ transaction }, { by: 'mallory', ...said });
      expect([other.status, other.headers.get('settlement-id')]).toEqual([402, null]);
    }
    expect(await route.rows()).toHaveLength(1);
  });

  it('whose settlement took longer than its challenge holds is answered to the very same credential', async () => {
    const credential = await route.topUpOf({ transaction });
    route.sandbox.setFaults([{ kinds: ['server_error'], on: ['settle'], times: 1 }]);
    expect((await route.send(credential, 'POST')).status).toBe(503);
    route.store.clock.advance(70 * 60_000);
    expect((await route.send(credential, 'POST')).status).toBe(503);
    await route.settle();
    expect((await route.send(credential, 'POST')).status).toBe(204);
    expect(await route.rows()).toHaveLength(1);
  });

  it('of a channel whose close was taken is refused: its deposit would lie where nothing is sold', async () => {
    expect(await route.pay(10_000)).toBe(200);
    expect((await route.close(10_001)).status).toBe(204);
    const late = await route.topUp({ transaction });
    expect(await problemOf(late)).toEqual([410, 'session/channel-finalized', 'channel_gone']);
    expect(await route.rows()).toHaveLength(2);
  });
});

describe('a voucher', () => {
  it('is not held up by one that waits, with its payer’s question, for a person; a close waits for both', async () => {
    for (const cumulative of [10_000, 20_000, 30_000]) expect(await route.pay(cumulative)).toBe(200);
    const [first, second, third] = (await route.rows()).map(({ id }) => id);
    await route.sandbox.setBalance(payerOnLedger(payerAccount(OWNER), 'mpp'), 0n);
    for (const id of [first, second]) await route.settle([id!]);
    await route.sandbox.setBalance(payerOnLedger(payerAccount(OWNER), 'mpp'), 1_000_000n);
    await route.settle([third!]);
    expect((await route.rows()).map(({ status }) => status)).toEqual(['needs_attention', 'pending', 'settled']);
    const [charge] = route.sandbox.ledger().debits;
    expect(charge?.amount).toBe('10000');
    expect((await route.close(30_001)).status).toBe(204);
    await route.settle();
    expect((await route.closeRow())?.status).toBe('pending');
  });
});
