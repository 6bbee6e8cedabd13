import { expect, it } from 'vitest';
import type { TransferId } from '../../../../src/domain/ids.js';
import { unique } from '../../../support/marketplace/fixtures.js';
import { AFTER_A_WEEK, line, ON_REQUEST, releasesForFile } from '../../../support/marketplace/releases.js';
import type { Paid } from '../../../support/marketplace/steps.js';

// Whoever gives the word knows the share by its first name, and nothing of what became of it since.

const { test, steps, sold, share, shown, releaseIt, dueNow } = await releasesForFile();

/** All of the order is refunded, the refund fails later, and two persons have the sellers paid again. */
async function paidAgain({ id }: Pick<Paid, 'id'>): Promise<readonly TransferId[]> {
  const refund = await steps.refunded(id);
  await steps.refundSays(refund, 'failed');
  const asked = await steps.decide({ kind: 'refund', itemId: refund, action: 'compensate' });
  if (asked.kind !== 'pending_approval') throw new Error(asked.kind);
  const verified = { kind: 'not_needed' } as const;
  await test.ledger.approve({ decisionId: asked.decisionId, by: 'anna', note: 'yes', verified });
  return (await steps.find(id)).transfers.filter(({ origin }) => origin === 'compensation').map((one) => one.id);
}

it.each([ON_REQUEST, AFTER_A_WEEK])(
  'a release by the first name lets go what is paid again of it (%s)',
  async (terms) => {
    const { order, id } = await share(terms);
    const [again] = await paidAgain(order);
    expect(await releaseIt(id)).toBe('released');
    expect(await shown(again!)).toMatchObject({ status: 'pending', released: true });
    expect(await dueNow(again!)).toBe(true);
    expect(await shown(id)).toMatchObject({ status: 'cancelled' });
    await steps.send(again!);
    expect(await releaseIt(id)).toBe('as_it_was');
  },
);

it('and nothing that waits for another release, or is another seller’s', async () => {
  const seller = unique('acct');
  const order = await sold(
    line(seller, 100, ON_REQUEST),
    line(seller, 200, AFTER_A_WEEK),
    line(unique('acct'), 300, ON_REQUEST),
  );
  const again = await paidAgain(order);
  expect(again).toHaveLength(3);
  await releaseIt(order.all[0]!.id);
  const released = [];
  for (const id of again) {
    const { amount, released: is } = await shown(id);
    if (is) released.push(amount);
  }
  expect(released).toEqual([100n]);
});

it('of which nothing is paid again has nothing to release', async () => {
  const { order, id } = await share(ON_REQUEST);
  await steps.refunded(order.id);
  expect(await releaseIt(id)).toBe('cancelled');
  expect(await steps.events(id)).not.toContain('released');
});
