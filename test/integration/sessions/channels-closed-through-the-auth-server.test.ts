import { beforeEach, describe, expect, it } from 'vitest';
import { openVoucherRoute, PRICE, problemOf } from '../../support/channels/voucher-route.js';

/** A channel that the auth server settles is closed: once, by its owner, when all that is owed is collected. */

let route: Awaited<ReturnType<typeof openVoucherRoute>>;
beforeEach(async () => {
  route = await openVoucherRoute();
});

describe('a close', () => {
  it('that was refused and given up is not answered as if the channel were closed: it sells, and closes higher', async () => {
    expect(await route.pay(10_000)).toBe(200);
    await route.settle();
    const credential = await route.credentialOf(10_001, { action: 'close' });
    expect((await route.send(credential, 'POST')).status).toBe(204);
    route.sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 1 }]);
    await route.settle();
    expect((await route.closeRow())?.status).toBe('needs_attention');
    await route.store.database.query(
      `UPDATE settlements SET status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL,
         next_check_at = NULL WHERE status = 'needs_attention'`,
    );
    expect(await problemOf(await route.send(credential, 'POST'))).toEqual([
      402,
      'problems/verification-failed',
      'voucher_refused',
    ]);
    expect(await route.pay(20_000)).toBe(200);
    expect((await route.close(20_001)).status).toBe(204);
  });

  it('is answered 204 without a handler, sells nothing more, and is sent when all that is owed is settled', async () => {
    for (const cumulative of [10_000, 20_000]) expect(await route.pay(cumulative)).toBe(200);
    const closed = await route.close(20_000);
    expect([closed.status, closed.headers.get('cache-control'), route.served()]).toEqual([204, 'no-store', 2]);
    const row = await route.closeRow();
    expect(closed.headers.get('settlement-id')).toBe(row?.id);
    expect(row).toMatchObject({ status: 'pending', spent: '0' });
    expect(await problemOf(await route.send(await route.credentialOf(30_000)))).toEqual([
      410,
      'session/channel-finalized',
      'channel_gone',
    ]);
    expect(route.served()).toBe(2);
    await route.settle([row!.id]);
    expect(route.sandbox.calls().totals.settleCalls).toBe(0);
    for (let round = 0; round < 3; round += 1) await route.settle();
    expect(route.sandbox.ledger().debits.map(({ manages, amount }) => [manages, amount])).toEqual([
      [null, '10000'],
      [null, '10000'],
      ['close', '0'],
    ]);
    expect((await route.rows()).every(({ status }) => status === 'settled')).toBe(true);
  });

  it('waits also for a charge that waits for a person: with the deposit gone it could never be collected', async () => {
    expect(await route.pay(10_000)).toBe(200);
    route.sandbox.setFaults([{ kinds: ['refused'], on: ['settle'], times: 1 }]);
    await route.settle();
    expect((await route.rows())[0]?.status).toBe('needs_attention');
    expect((await route.close(10_001)).status).toBe(204);
    await route.settle();
    expect((await route.closeRow())?.status).toBe('pending');
    await route.store.database.query(
      `UPDATE settlements SET status = 'written_off', attention_reason = NULL, attention_since = NULL, attention_detail = NULL,
         next_check_at = NULL WHERE status = 'needs_attention'`,
    );
    await route.settle();
    expect((await route.closeRow())?.status).toBe('settled');
  });

  it('is never on credit: its voucher covers what is collected, owed and being served', async () => {
    for (const cumulative of [10_000, 20_000]) expect(await route.pay(cumulative)).toBe(200);
    expect(await problemOf(await route.close(19_999))).toEqual([
      402,
      'session/insufficient-balance',
      'voucher_refused',
    ]);
    expect(await route.closeRow()).toBeUndefined();
    expect(await route.pay(30_000)).toBe(200);
  });

  it('by whoever has read a settled voucher on chain closes nothing, whatever challenge he asks for', async () => {
    const paidWith = await route.challengeOf();
    expect(await route.pay(10_000, paidWith)).toBe(200);
    await route.settle();
    expect(await problemOf(await route.close(10_000))).toEqual([402, 'session/close-unproven', 'voucher_refused']);
    expect(await route.closeRow()).toBeUndefined();
    // Its payer answers the challenge that he paid with, or signs higher than what anybody has seen.
    expect((await route.close(10_000, { challenge: paidWith })).status).toBe(204);
  });

  it('is taken where its voucher was never sent anywhere', async () => {
    expect(await route.pay(10_000)).toBe(200);
    await route.settle();
    expect((await route.close(10_001)).status).toBe(204);
  });

  it('that was taken is answered to the very same credential also when its challenge has expired', async () => {
    await route.pay(PRICE);
    await route.settle();
    const credential = await route.credentialOf(2 * PRICE, { action: 'close' });
    expect((await route.send(credential, 'POST')).status).toBe(204);
    route.store.clock.advance(70 * 60_000);
    expect((await route.send(credential, 'POST')).status).toBe(204);
  });

  it('answers an expired challenge only by the next one, which says whose it is', async () => {
    const paidWith = await route.challengeOf();
    expect(await route.pay(10_000, paidWith)).toBe(200);
    await route.settle();
    route.store.clock.advance(3_700_000);
    const late = route.close(10_000, { challenge: paidWith });
    expect((await late).status).toBe(402);
    const next = await route.challengeOf(late);
    expect((await route.close(10_000, { challenge: next })).status).toBe(204);
  });

  it('by another’s signature, of a channel that nobody paid from, or of one that closes already is refused', async () => {
    expect(await problemOf(await route.close(10_000))).toEqual([410, 'session/channel-not-found', 'channel_gone']);
    expect(await route.pay(10_000)).toBe(200);
    await route.settle();
    expect(await problemOf(await route.close(50_000, { by: 'mallory' }))).toEqual([
      402,
      'problems/verification-failed',
      'voucher_refused',
    ]);
    const credential = await route.credentialOf(10_001, { action: 'close' });
    const [first, again] = [await route.send(credential, 'POST'), await route.send(credential, 'POST')];
    expect([first.status, again.status]).toEqual([204, 204]);
    expect(again.headers.get('settlement-id')).toBe(first.headers.get('settlement-id'));
    expect(await problemOf(await route.close(10_002))).toEqual([410, 'session/channel-finalized', 'channel_gone']);
    expect((await route.rows()).filter(({ closes }) => closes)).toHaveLength(1);
  });

  it('and vouchers at once: either the voucher is served and settled first, or the channel is closed', async () => {
    expect(await route.pay(10_000)).toBe(200);
    const [voucher, closing] = [
      await route.credentialOf(20_000),
      await route.credentialOf(20_001, { action: 'close' }),
    ];
    const [paid, closed] = await Promise.all([route.send(voucher), route.send(closing, 'POST')]);
    expect(closed.status).toBe(204);
    expect([200, 410]).toContain(paid.status);
    for (let round = 0; round < 3; round += 1) await route.settle();
    expect(route.sandbox.ledger().totals.debited).toBe(paid.status === 200 ? '20000' : '10000');
    expect(route.sandbox.ledger().debits.at(-1)?.manages).toBe('close');
  });

  it('is asked for again while the auth server cannot be reached', async () => {
    expect(await route.pay(10_000)).toBe(200);
    const credential = await route.credentialOf(10_001, { action: 'close' });
    route.sandbox.setDown(true);
    const away = await route.send(credential, 'POST');
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
    route.sandbox.setDown(false);
    expect((await route.send(credential, 'POST')).status).toBe(204);
  });
});
