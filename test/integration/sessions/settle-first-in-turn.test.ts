import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { payerAccount } from '../../../sandbox/payer/account.js';
import { readOffers } from '../../../sandbox/payer/challenge.js';
import { mppCredential } from '../../../sandbox/payer/mpp.js';
import type { SettlementId } from '../../../src/domain/ids.js';
import { BY_VOUCHERS } from '../../support/sessions/offers.js';
import { openSettleFirstShop, type SettleFirstShop } from '../../support/sessions/settle-first-shop.js';
import { until } from '../../support/until.js';

/** Vouchers of one channel are settled one after the other: one that is settled first waits for those before it. */

const PRICE = 10_000;
const PATIENCE_MS = 2_000;
const SOLD = {
  cap: `${PRICE}`,
  ...BY_VOUCHERS,
} as const;
let shop: SettleFirstShop;
/** Handlers that hold their answer. */
let held: (() => void)[];

beforeEach(async () => {
  held = [];
  shop = await openSettleFirstShop(
    (app, sessions) => {
      for (const [path, terms] of [
        ['/settled-first', { settle: 'before-release' }],
        // Credit for one response; whoever would owe more is settled first.
        ['/on-credit', { exposure: { perPayer: `${PRICE}`, over: 'settle-first' } }],
      ] as const)
        app.get(path, sessions.paidSession({ ...SOLD, ...terms }), (req, res) => {
          req.paymentSession?.charge(`${PRICE}`);
          const answer = () => void res.json({ ok: true });
          if (req.query['held'] === undefined) answer();
          else held.push(answer);
        });
    },
    { patienceMs: PATIENCE_MS },
  );
});
afterEach(async () => {
  for (const release of held) release();
  await shop.close();
});

async function pay(nth: number, path: string): Promise<number> {
  const url = shop.url + path;
  const { mpp } = await readOffers(await fetch(url));
  const challenge = mpp.find(({ intent }) => intent === 'session');
  if (!challenge) throw new Error('the route offers no MPP session');
  const { headers } = await mppCredential({
    account: payerAccount('in turn'),
    challenge,
    channelId: `0x${'c4'.repeat(32)}`,
    cumulativeAmount: `${nth * PRICE}`,
  });
  return (await fetch(url, { headers })).status;
}
const rows = (): Promise<{ id: SettlementId; status: string; answer: string | null }[]> =>
  shop.store.database.query('SELECT id, status, answer FROM settlements ORDER BY voucher_place');
const statuses = async () => (await rows()).map(({ status }) => status);
const firstId = async (): Promise<SettlementId> => (await rows())[0]?.id as SettlementId;

async function timed(answer: Promise<number>): Promise<{ status: number; ms: number }> {
  const began = performance.now();
  return { status: await answer, ms: performance.now() - began };
}

describe('a charge that is settled first', () => {
  it('is settled after one before it whose response ends later', async () => {
    const first = pay(1, '/settled-first?held');
    await until('the first is served', () => held.length === 1, { limitMs: 5_000 });
    const second = pay(2, '/settled-first');
    await until('the second waits', async () => (await statuses())[1] === 'pending', { limitMs: 5_000 });
    held.pop()?.();
    expect(await Promise.all([first, second])).toEqual([200, 200]);
    expect((await rows()).map(({ status, answer }) => [status, answer])).toEqual([
      ['settled', 'given'],
      ['settled', 'given'],
    ]);
    expect(shop.sandbox.ledger().debits.map(({ amount }) => amount)).toEqual(['10000', '10000']);
  });

  it('is settled also among many at once', async () => {
    const all = Array.from({ length: 6 }, async (_, n) => {
      await wait(20 * n);
      return await pay(n + 1, '/settled-first');
    });
    const answers = await Promise.all(all);
    // A voucher that comes after a higher one covers nothing of its own: that is 402, and never 503.
    expect(answers.filter((status) => status !== 402)).toEqual(answers.filter((status) => status === 200));
    expect(answers).toContain(200);
    expect(new Set(await statuses())).toEqual(new Set(['settled']));
  });

  it('is settled after one that was served on credit, and is on its way', async () => {
    expect(await pay(1, '/on-credit')).toBe(200);
    const second = pay(2, '/on-credit');
    await until('the second waits', async () => (await statuses())[1] === 'pending', { limitMs: 5_000 });
    // As its workflow does.
    await shop.settle(await firstId());
    expect(await second).toBe(200);
    expect(await statuses()).toEqual(['settled', 'settled']);
  });

  it('settles itself one before it that nobody has settled in time', async () => {
    expect(await pay(1, '/on-credit')).toBe(200);
    shop.store.clock.advance(20_000);
    expect(await pay(2, '/on-credit')).toBe(200);
    expect(await statuses()).toEqual(['settled', 'settled']);
  });

  it('takes nothing before its time: what was served a moment ago may still be taken back', async () => {
    expect(await pay(1, '/on-credit')).toBe(200);
    const { status, ms } = await timed(pay(2, '/on-credit'));
    expect(status).toBe(503);
    expect(ms).toBeGreaterThan(PATIENCE_MS);
    expect(await statuses()).toEqual(['pending', 'pending']);
    expect(shop.sandbox.calls().totals.settleCalls).toBe(0);
  });

  const IN_DOUBT = async () => {
    shop.sandbox.setFaults([{ kinds: ['server_error'], on: ['settle'], times: 1 }]);
    await shop.settle(await firstId());
  };
  const FAILING = () =>
    shop.store.database.query(
      `INSERT INTO provider_breakers (provider, state, reason, probe_at)
       SELECT provider, 'open', 'outage', clock_now() + interval '1 minute' FROM settlements`,
    );
  it.each([
    ['one before it is in doubt', IN_DOUBT],
    ['its auth server fails', FAILING],
  ])('is 503 at once where %s', async (_what, comes) => {
    expect(await pay(1, '/on-credit')).toBe(200);
    await comes();
    const { status, ms } = await timed(pay(2, '/on-credit'));
    expect(status).toBe(503);
    expect(ms).toBeLessThan(PATIENCE_MS);
  });
});
