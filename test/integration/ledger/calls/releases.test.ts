import { describe, expect, it } from 'vitest';
import type { DisputeId, TransferId } from '../../../../src/domain/ids.js';
import type { SellerTransfer } from '../../../../src/domain/marketplace/marketplace.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique, withoutTriggers } from '../../../support/marketplace/fixtures.js';
import { AFTER_A_WEEK, line, ON_REQUEST, releasesForFile } from '../../../support/marketplace/releases.js';
import { type Paid, UNKNOWN } from '../../../support/marketplace/steps.js';

const { test, steps, sold, share, shown, releaseIt, dueNow } = await releasesForFile();

const told = ({ release, amount }: SellerTransfer) => [release.kind, amount] as const;

/** Found, and not ended; DISPUTE_POLICY plays no part. */
async function disputed({ id, paymentId }: Paid, status = 'open'): Promise<DisputeId> {
  const [row] = await test.database.query<{ id: DisputeId }>(
    `INSERT INTO disputes (id, order_id, payment_id, psp_account, provider_dispute_id, amount, currency, status)
     VALUES (gen_random_uuid(), $1, $2, 'stripe', $3, 1, 'USD', $4) RETURNING id`,
    [id, paymentId, unique('dp'), status],
  );
  return row!.id;
}

describe('the shares of an order that is paid', () => {
  it('are one transfer for each release of a seller, in the order of the lines', async () => {
    const seller = unique('acct');
    const other = unique('acct');
    const { all } = await sold(
      line(seller, 100),
      line(seller, 200, ON_REQUEST),
      line(other, 50, ON_REQUEST),
      line(seller, 300, AFTER_A_WEEK),
      line(seller, 400, ON_REQUEST),
      line(seller, 10, { kind: 'after', afterMs: 168 * HOUR_MS }),
    );
    expect(all.filter(({ sellerAccount }) => sellerAccount === seller).map(told)).toEqual([
      ['immediately', 100n],
      ['on_request', 600n],
      ['after', 310n],
    ]);
    expect(all.filter(({ sellerAccount }) => sellerAccount === other).map(told)).toEqual([['on_request', 50n]]);
  });

  it('are held from the beginning, with the date counted from when it was paid', async () => {
    const { all, id } = await sold(line(unique('acct'), 100, ON_REQUEST), line(unique('acct'), 200, AFTER_A_WEEK));
    const { paid_at: paidAt } = await steps.row<{ paid_at: Date }>('orders', id);
    const until = new Date(paidAt.getTime() + 7 * DAY_MS).toISOString();
    expect(all.map(({ status, heldFor, release }) => ({ status, heldFor, release }))).toEqual([
      { status: 'held', heldFor: { kind: 'release' }, release: { kind: 'on_request', at: null, releasedAt: null } },
      { status: 'held', heldFor: { kind: 'date', until }, release: { kind: 'after', at: until, releasedAt: null } },
    ]);
    for (const one of all) expect(await steps.events(one.id)).toEqual(['promised']);
  });
});

describe('what nobody has released', () => {
  it.each([
    ['pending', `status = 'pending'`],
    ['taken for a send', `runner = 'x', runner_until = clock_now()`],
    ['frozen', `params = '{}'`],
    ['sent', `certainty = 'in_flight'`],
    ['released on another day', `release_kind = 'after', release_at = clock_now()`],
  ])('cannot be %s in the ledger, whoever writes it', async (_what, set) => {
    const { id } = await share(ON_REQUEST);
    await expect(test.database.query(`UPDATE seller_transfers SET ${set} WHERE id = $1`, [id])).rejects.toMatchObject({
      code: '23514',
    });
  });

  it('is released once, and that stays', async () => {
    const { id } = await share(ON_REQUEST);
    await releaseIt(id);
    await expect(
      test.database.query('UPDATE seller_transfers SET released_at = NULL WHERE id = $1', [id]),
    ).rejects.toMatchObject({ code: '23514' });
  });

  it('is not claimed, however often a sweep finds it, and says until when it waits', async () => {
    const one = await share(AFTER_A_WEEK);
    const asked = await share(ON_REQUEST);
    for (let day = 0; day < 6; day += 1) {
      expect(await steps.claimTransfer(one.id)).toMatchObject({
        kind: 'waiting',
        why: expect.stringMatching(/^it is held until \d{4}-\d\d-\d\dT.*Z, when it is released$/),
      });
      expect(await steps.claimTransfer(asked.id)).toMatchObject({
        kind: 'waiting',
        why: expect.stringMatching(/^it is held until somebody releases it/),
      });
      steps.pass(DAY_MS);
    }
    expect(await shown(one.id)).toMatchObject({ status: 'held', released: false });
  });

  it('is found by the sweep at its date, and not a day before', async () => {
    const { id } = await share(AFTER_A_WEEK);
    await steps.claimTransfer(id);
    steps.pass(6 * DAY_MS);
    expect(await dueNow(id)).toBe(false);
    steps.pass(DAY_MS + MINUTE_MS);
    expect(await dueNow(id)).toBe(true);
    await steps.send(id);
    expect(await shown(id)).toMatchObject({ status: 'completed', released: true });
    expect(await steps.events(id)).toEqual([
      'promised',
      'released',
      'let_go',
      'looked',
      'sent',
      'answered',
      'completed',
    ]);
  });

  it('is completed all the same where Stripe turns out to hold it', async () => {
    const { id } = await share(ON_REQUEST);
    await test.ledger.adoptTransfer(id, unique('tr'));
    expect(await shown(id)).toMatchObject({ status: 'completed', released: true });
  });
});

describe('a release by somebody', () => {
  it('lets it go, is told with who said it, and said again changes nothing', async () => {
    const { id } = await share(ON_REQUEST);
    expect(await releaseIt(id, 'shop')).toBe('released');
    const first = await steps.transfer(id);
    expect(first).toMatchObject({ status: 'pending' });
    expect(await releaseIt(id, 'somebody else')).toBe('as_it_was');
    expect(await steps.transfer(id)).toEqual(first);
    expect(await dueNow(id)).toBe(true);
    const events = await test.database.query<{ detail: { by: string } }>(
      `SELECT detail FROM operation_events WHERE item_id = $1 AND kind = 'released'`,
      [id],
    );
    expect(events.map(({ detail }) => detail)).toEqual([{ by: 'shop' }]);
  });

  it('may come before its date', async () => {
    const { id } = await share(AFTER_A_WEEK);
    await releaseIt(id);
    await steps.send(id);
    expect(await shown(id)).toMatchObject({ status: 'completed' });
  });

  it('leaves what was sent, or never waited for it, as it is', async () => {
    const sent = await steps.sentShare();
    const before = await steps.transfer(sent.transferId);
    expect(await releaseIt(sent.transferId)).toBe('as_it_was');
    expect(await steps.transfer(sent.transferId)).toEqual(before);
    const own = await share(ON_REQUEST);
    await releaseIt(own.id);
    await steps.send(own.id);
    expect(await releaseIt(own.id)).toBe('as_it_was');
    expect(await shown(own.id)).toMatchObject({ status: 'completed' });
  });
});

describe('a refund before the release', () => {
  it('makes less of it, and the rest is sent when it is released', async () => {
    const one = await share(ON_REQUEST, 600);
    await steps.refunded(one.order.id, 200);
    expect(await shown(one.id)).toMatchObject({ status: 'held', amount: 400n });
    await releaseIt(one.id);
    await steps.send(one.id);
    expect(await shown(one.id)).toMatchObject({ status: 'completed', amount: 400n });
    expect(await steps.reversalsOf(one.order.id)).toEqual([]);
  });

  it('of everything cancels it: there is nothing to release', async () => {
    const one = await share(AFTER_A_WEEK);
    await steps.refunded(one.order.id);
    expect(await shown(one.id)).toMatchObject({ status: 'cancelled', amount: 0n });
    expect(await releaseIt(one.id)).toBe('cancelled');
    steps.pass(8 * DAY_MS);
    expect(await steps.claimTransfer(one.id)).toEqual({ kind: 'final', status: 'cancelled' });
  });

  it('takes of what waits before anything that the seller was sent already is taken back', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 500), line(seller, 500, ON_REQUEST));
    const [sent, waits] = order.all.map(({ id }) => id) as [TransferId, TransferId];
    await steps.send(sent);
    await steps.refunded(order.id, 400);
    expect(await shown(waits)).toMatchObject({ amount: 100n });
    expect(await steps.reversalsOf(order.id)).toEqual([]);
    await steps.refunded(order.id, 300);
    expect(await shown(waits)).toMatchObject({ status: 'cancelled' });
    expect(await steps.reversalsOf(order.id)).toMatchObject([{ transferId: sent, amount: 200n }]);
  });

  /** All of the order is refunded, the refund fails later, and two persons have the seller paid again. */
  async function paidAgain({ id }: Paid): Promise<TransferId> {
    const refund = await steps.refunded(id);
    await steps.refundSays(refund, 'failed');
    const asked = await steps.decide({ kind: 'refund', itemId: refund, action: 'compensate' });
    if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
    const verified = { kind: 'not_needed' } as const;
    await test.ledger.approve({ decisionId: asked.decisionId, by: 'anna', note: 'yes', verified });
    return (await steps.find(id)).transfers.find(({ origin }) => origin === 'compensation')!.id;
  }

  it('that fails later, after it had cancelled it, pays the seller again only on release', async () => {
    const one = await share(ON_REQUEST, 600);
    const again = await paidAgain(one.order);
    expect(await shown(again)).toMatchObject({ status: 'held', amount: 600n, released: false });
    expect(await steps.claimTransfer(again)).toMatchObject({ kind: 'waiting' });
    await releaseIt(again);
    await steps.send(again);
    expect(await shown(again)).toMatchObject({ status: 'completed' });
  });

  it('that fails later, after what was released had waited for it, pays the seller again at once, and his story says so', async () => {
    const one = await share(ON_REQUEST, 600);
    const before = await steps.askRefund(one.order.id, 1);
    await releaseIt(one.id);
    await steps.refundSays(before, 'failed');
    const again = await paidAgain(one.order);
    expect(await shown(again)).toMatchObject({ amount: 600n, released: true });
    await steps.send(again);
    const [promised] = await test.database.query<{ detail: object }>(
      `SELECT detail FROM operation_events WHERE item_id = $1 AND kind = 'promised'`,
      [again],
    );
    expect(promised!.detail).toMatchObject({ release: 'on_request', released_at: expect.any(String) });
  });
});

describe('what is released', () => {
  it.each(['inquiry', 'open'])('is not sent while a dispute (%s) of its order has not ended', async (status) => {
    const one = await share(ON_REQUEST);
    const dispute = await disputed(one.order, status);
    await releaseIt(one.id);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting', why: expect.stringContaining(dispute) });
    expect(await shown(one.id)).toMatchObject({
      status: 'held',
      released: true,
      heldFor: { kind: 'dispute', id: dispute },
    });
  });

  it('is not sent at its date either, and not while a person is asked about a dispute that has ended', async () => {
    const one = await share(AFTER_A_WEEK);
    const dispute = await disputed(one.order, 'lost');
    await withoutTriggers(test.database, (query) =>
      query(
        `UPDATE disputes SET attention_reason = 'dispute', attention_since = clock_now(), attention_detail = 'x' WHERE id = $1`,
        [dispute],
      ),
    );
    steps.pass(8 * DAY_MS);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting' });
    expect(await shown(one.id)).toMatchObject({ status: 'held', released: true });
    await steps.decide({ kind: 'dispute', itemId: dispute, action: 'write_off' });
    expect(await dueNow(one.id)).toBe(true);
    await steps.send(one.id);
  });

  it('is let go by no dispute that kept all that was unsent of its order (DISPUTE_POLICY=hold) before its release', async () => {
    const order = await sold(
      line(unique('acct'), 500),
      line(unique('acct'), 600, ON_REQUEST),
      line(unique('acct'), 700, ON_REQUEST),
    );
    const [now, later, released] = order.all.map(({ id }) => id) as [TransferId, TransferId, TransferId];
    const dispute = await disputed(order, 'lost');
    await withoutTriggers(test.database, (query) =>
      query(
        `UPDATE disputes SET holds = true, attention_reason = 'dispute', attention_since = clock_now(), attention_detail = 'x' WHERE id = $1`,
        [dispute],
      ),
    );
    await releaseIt(released);
    for (const id of [now, later, released]) await steps.claimTransfer(id);
    expect(await shown(now)).toMatchObject({ status: 'held', heldFor: { kind: 'dispute', id: dispute } });
    expect(await shown(later)).toMatchObject({ status: 'held', heldFor: { kind: 'release' } });
    expect(await shown(released)).toMatchObject({ status: 'held', heldFor: { kind: 'dispute', id: dispute } });
    await steps.decide({ kind: 'dispute', itemId: dispute, action: 'write_off' });
    expect(await shown(now)).toMatchObject({ status: 'pending' });
    expect(await shown(later)).toMatchObject({ status: 'held', released: false });
    expect([await dueNow(now), await dueNow(released)]).toEqual([true, true]);
    await steps.send(released);
    expect(await steps.claimTransfer(later)).toMatchObject({
      why: expect.stringMatching(/^it is held until somebody releases it/),
    });
  });

  it('is not sent while a refund of its order is pending, and goes on by itself when that has succeeded', async () => {
    const one = await share(ON_REQUEST, 600);
    const refund = await steps.askRefund(one.order.id, 100);
    await releaseIt(one.id);
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting', why: expect.stringContaining(refund) });
    expect(await shown(one.id)).toMatchObject({ status: 'held', heldFor: { kind: 'refund', id: refund } });
    await steps.refundSays(refund, 'review');
    expect(await steps.claimTransfer(one.id)).toMatchObject({ kind: 'waiting' });
    expect(await dueNow(one.id)).toBe(false);
    expect(await steps.refundSays(refund, 'succeeded')).toContainEqual({ kind: 'transfer', id: one.id });
    expect(await dueNow(one.id)).toBe(true);
    await steps.send(one.id);
    expect(await shown(one.id)).toMatchObject({ status: 'completed', amount: 500n });
  });

  it('goes on in the transaction in which a refund fails, and stays while another one is open', async () => {
    const one = await share(ON_REQUEST, 600);
    const first = await steps.askRefund(one.order.id, 100);
    const second = await steps.askRefund(one.order.id, 100);
    await releaseIt(one.id);
    await steps.claimTransfer(one.id);
    expect(await steps.refundSays(first, 'failed')).toEqual([]);
    expect(await dueNow(one.id)).toBe(false);
    const runner = unique('runner');
    await test.ledger.claimRefund(second, runner, MINUTE_MS);
    await test.ledger.refundRefused({ id: second, runner, detail: 'IR_06' });
    expect(await dueNow(one.id)).toBe(true);
    await steps.send(one.id);
    expect(await shown(one.id)).toMatchObject({ status: 'completed', amount: 600n });
  });

  it('does not leave where a dispute, or a refund, came between its claim and its send', async () => {
    for (const comes of [(order: Paid) => disputed(order), (order: Paid) => steps.askRefund(order.id, 100)]) {
      const one = await share(ON_REQUEST);
      await releaseIt(one.id);
      const claim = await steps.holdTransfer(one.id);
      await comes(one.order);
      expect(await steps.permit(claim)).toMatchObject({
        kind: 'stop',
        why: expect.stringMatching(/^it is held until/),
      });
      const row = await steps.row<{ attempts: number; runner: string | null }>('seller_transfers', one.id);
      expect(row).toMatchObject({ attempts: 0, runner: null, status: 'held' });
    }
  });

  it('goes on under its key where it may have been sent before', async () => {
    const one = await share(ON_REQUEST);
    await releaseIt(one.id);
    await steps.send(one.id, UNKNOWN);
    steps.pass(HOUR_MS);
    const claim = await steps.holdTransfer(one.id);
    await disputed(one.order);
    expect(await steps.permit(claim)).toMatchObject({ kind: 'send', key: one.id });
  });
});

describe('a share that is sent at once', () => {
  it('is stopped by none of that', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 500));
    await disputed(order);
    await steps.askRefund(order.id, 100);
    await steps.send(order.all[0]!.id);
    expect(await shown(order.all[0]!.id)).toMatchObject({ status: 'completed' });
  });
});
