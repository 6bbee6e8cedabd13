import { describe, expect, it } from 'vitest';
import type { OrderId, RefundId, TransferId } from '../../../../src/domain/ids.js';
import { DAY_MS, MINUTE_MS } from '../../../support/durations.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { AFTER_A_WEEK, line, ON_REQUEST, releasesForFile } from '../../../support/marketplace/releases.js';
import type { Paid } from '../../../support/marketplace/steps.js';

// A seller has several shares of one order: of which of them the money is that is taken, put back or given up.

const { test, steps, sold, releaseIt } = await releasesForFile();

/** @param nth from 0 */
async function giveBack(order: OrderId, nth: number, amount: number): Promise<RefundId> {
  const { items } = await steps.find(order);
  const lines = { items: [{ itemId: items[nth]!.id, amount: BigInt(amount) }] };
  const refund = await steps.askRefund(order, undefined, { lines });
  await steps.refundSays(refund, 'succeeded');
  return refund;
}

async function giveUp(id: TransferId): Promise<void> {
  steps.pass(31 * DAY_MS);
  await steps.claimTransfer(id);
  const verified = { kind: 'absent' } as const;
  const said = await steps.decide({ kind: 'transfer', itemId: id, action: 'write_off', verified });
  expect(said).toMatchObject({ kind: 'applied' });
}

async function approved(refund: RefundId, action: string): Promise<void> {
  const asked = await steps.decide({ kind: 'refund', itemId: refund, action });
  if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
  const verified = { kind: 'not_needed' } as const;
  await test.ledger.approve({ decisionId: asked.decisionId, by: 'anna', note: 'yes', verified });
}

const shares = async ({ id }: Pick<Paid, 'id'>) =>
  (await steps.find(id)).transfers.map(({ status, amount, release }) => [release.kind, status, amount]);

const asked = async ({ id }: Pick<Paid, 'id'>) => {
  const { refunds, transfers, reversals } = await steps.find(id);
  return [...refunds, ...transfers, ...reversals].flatMap(({ attention }) => (attention ? [attention.reason] : []));
};

/** Of one seller: entitled to, and of that sent or to be sent, and given up. */
async function sums({ id }: Pick<Paid, 'id'>, seller: string) {
  const [share] = await test.database.query<{ left: string }>(
    'SELECT promised - due_back AS left FROM order_shares WHERE order_id = $1 AND seller_account = $2',
    [id, seller],
  );
  const { transfers, reversals } = await steps.find(id);
  const all = (which: (one: (typeof transfers)[number]) => boolean) =>
    transfers.filter((one) => one.sellerAccount === seller && which(one)).reduce((sum, { amount }) => sum + amount, 0n);
  const back = reversals.filter((one) => one.sellerAccount === seller && one.status !== 'written_off');
  const givenUp = ({ status, certainty }: (typeof transfers)[number]) =>
    status === 'permanently_failed' && certainty !== 'done';
  return {
    entitled: BigInt(share?.left ?? 0),
    has: all((one) => !givenUp(one)) - back.reduce((sum, { amount }) => sum + amount, 0n),
    givenUp: all(givenUp),
  };
}

describe('a refund of lines after one of the whole', () => {
  it('moves no cent of a seller because his lines have many releases', async () => {
    const seller = unique('acct');
    const many = Array.from({ length: 20 }, (_, nth) =>
      line(seller, 1, { kind: 'after', afterMs: (nth + 1) * MINUTE_MS }),
    );
    const order = await sold(...many, line(unique('acct'), 20));
    await steps.refunded(order.id, 20);
    expect(await sums(order, seller)).toMatchObject({ entitled: 10n, has: 10n });
    await giveBack(order.id, 20, 5);
    expect(await sums(order, seller)).toMatchObject({ entitled: 10n, has: 10n });
  });
});

describe('a refund of lines that has failed since', () => {
  it('is put back onto the share of these lines, and not onto one with room whose own lines the buyer has', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 500, AFTER_A_WEEK), line(seller, 500, ON_REQUEST));
    await giveBack(order.id, 0, 300);
    const failing = await giveBack(order.id, 1, 300);
    await steps.refundSays(failing, 'failed');
    expect(await shares(order)).toEqual([
      ['after', 'held', 200n],
      ['on_request', 'held', 500n],
    ]);
  });

  it('pays nothing of it again before the release that it waited for', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 500), line(seller, 500, ON_REQUEST));
    await steps.send(order.all[0]!.id);
    const failing = await giveBack(order.id, 1, 500);
    await giveBack(order.id, 0, 300);
    for (const { id } of await steps.reversalsOf(order.id)) await steps.reverse(id);
    await steps.refundSays(failing, 'failed');
    await approved(failing, 'compensate');
    expect((await shares(order)).slice(2)).toEqual([['on_request', 'held', 500n]]);
    expect(await sums(order, seller)).toEqual({ entitled: 700n, has: 700n, givenUp: 0n });
  });
});

describe('a share that a person has given up', () => {
  it('is what a refund of its lines is of: nothing is taken back of what the seller was sent for others', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 600, ON_REQUEST), line(seller, 400));
    await steps.send(order.all[1]!.id);
    await giveUp(order.all[0]!.id);
    await giveBack(order.id, 0, 600);
    expect(await steps.reversalsOf(order.id)).toEqual([]);
    await giveBack(order.id, 1, 100);
    expect(await steps.reversalsOf(order.id)).toMatchObject([{ amount: 100n }]);
    expect(await sums(order, seller)).toEqual({ entitled: 300n, has: 300n, givenUp: 600n });
  });

  it('is what a refund of the whole is of first, like all that was never sent', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 600, ON_REQUEST), line(seller, 400));
    await steps.send(order.all[1]!.id);
    await giveUp(order.all[0]!.id);
    await steps.refunded(order.id, 500);
    expect(await steps.reversalsOf(order.id)).toEqual([]);
    await steps.refunded(order.id);
    expect(await steps.reversalsOf(order.id)).toMatchObject([{ amount: 400n }]);
  });

  it('and that Stripe turns out to hold gives back what its lines did', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 600, ON_REQUEST), line(seller, 400));
    await steps.send(order.all[1]!.id);
    await giveUp(order.all[0]!.id);
    await giveBack(order.id, 0, 600);
    await test.ledger.adoptTransfer(order.all[0]!.id, unique('tr'));
    expect(await steps.reversalsOf(order.id)).toMatchObject([{ transferId: order.all[0]!.id, amount: 600n }]);
    expect(await sums(order, seller)).toEqual({ entitled: 400n, has: 400n, givenUp: 0n });
  });

  it('does not swallow what a refund had withheld of it that has failed since: two persons are asked', async () => {
    const seller = unique('acct');
    const order = await sold(line(seller, 600, ON_REQUEST));
    const refund = await steps.refunded(order.id, 300);
    await giveUp(order.all[0]!.id);
    await steps.refundSays(refund, 'failed');
    expect(await asked(order)).toEqual(['refund_failed_after_reversal']);
    await approved(refund, 'compensate');
    expect(await asked(order)).toEqual([]);
    expect(await shares(order)).toEqual([
      ['on_request', 'permanently_failed', 300n],
      ['on_request', 'held', 300n],
    ]);
    expect(await sums(order, seller)).toEqual({ entitled: 600n, has: 300n, givenUp: 300n });
    await releaseIt((await steps.find(order.id)).transfers[1]!.id);
  });
});
