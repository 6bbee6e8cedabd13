import type { TransferId } from '../../../src/domain/ids.js';
import type { NewOrderItem } from '../../../src/domain/marketplace/marketplace.js';
import type { ReleaseTerms } from '../../../src/domain/marketplace/releases.js';
import { DAY_MS } from '../durations.js';
import { unique } from './fixtures.js';
import { marketplaceLedgerForFile } from './steps.js';

export const ON_REQUEST: ReleaseTerms = { kind: 'on_request' };
export const AFTER_A_WEEK: ReleaseTerms = { kind: 'after', afterMs: 7 * DAY_MS };

export const line = (sellerAccount: string, amount: number, release?: ReleaseTerms): NewOrderItem => ({
  sellerAccount,
  amount: BigInt(amount),
  description: 'goods',
  ...(release && { release }),
});

/** The ledger of one test file, and shares that wait for their release in it. */
export async function releasesForFile() {
  const { test, steps } = await marketplaceLedgerForFile();
  async function sold(...items: NewOrderItem[]) {
    const order = await steps.paid(items);
    return { ...order, all: (await steps.find(order.id)).transfers };
  }
  async function share(release: ReleaseTerms, amount = 600) {
    const seller = unique('acct');
    const order = await sold(line(seller, amount, release));
    return { order, seller, id: order.all[0]!.id };
  }
  const shown = async (id: TransferId) => {
    const { status, amount, release, heldFor } = await steps.transfer(id);
    return { status, amount, released: release.releasedAt !== null, heldFor };
  };
  const releaseIt = (id: TransferId, by = 'shop') => test.ledger.releaseHeld(id, by);
  const dueNow = async (id: TransferId) =>
    (await test.ledger.dueItems('transfer', 1_000)).some((item) => item.id === id);
  return { test, steps, sold, share, shown, releaseIt, dueNow };
}
