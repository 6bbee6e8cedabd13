import { afterEach, it } from 'vitest';
import type { DisputeId } from '../../src/domain/ids.js';
import { hyperswitchPaymentId } from '../../src/providers/hyperswitch/ids.js';
import { resolveUpdate } from '../../workflows/messages.js';
import { HOUR_MS } from '../support/durations.js';
import { type MarketplaceTest, openMarketplaceTest } from '../support/marketplace/time-skipping.js';
import { recordHistory } from './recording.js';

/** Records the histories of disputes; see histories.record.ts for when that is right. */

const SELLER = 'acct_1';
let market: MarketplaceTest;
afterEach(() => market.dispose());

/** A chargeback of an order that was sold, as Hyperswitch tells of it. @param linked Stripe's record of it can be read */
async function disputed(linked: boolean): Promise<{ readonly id: DisputeId; readonly at: string }> {
  market = await openMarketplaceTest({ linked });
  const order = await market.sold({ [SELLER]: 1_000n });
  const opened = await market.hyperswitch.openDispute({ payment_id: hyperswitchPaymentId(order.id), amount: 400 });
  if ('problem' in opened) throw new Error(JSON.stringify(opened.problem));
  await market.world.calls?.searchPayment(order.payment!.id);
  const find = async () => (await market.order(order)).disputes[0];
  await market.until('it is known', async () => (await find()) !== undefined);
  return { id: (await find())!.id, at: opened.dispute.id };
}
const status = async (id: DisputeId) => (await market.test.ledger.findDispute(id))?.status;
const record = async (shape: string, id: DisputeId): Promise<void> => {
  const { runId } = await market.handle('dispute', id).describe();
  await recordHistory(shape, market.client.workflow.getHandle(`dispute/${id}`, runId));
};
const ended = (id: DisputeId) =>
  market.until('it ends', async () => (await market.handle('dispute', id).describe()).status.name !== 'RUNNING');

it('a dispute is read until it is won', async () => {
  const { id, at } = await disputed(true);
  await market.until('its funds are out', async () => (await market.test.ledger.findDispute(id))?.funds === 'out');
  await market.hyperswitch.changeDispute(at, { move: 'win' });
  await market.until('it is won', async () => (await status(id)) === 'won');
  await ended(id);
  await record('dispute/read-until-won', id);
});

it('a person says where the funds of a dispute are', async () => {
  const { id } = await disputed(false);
  await market.untilIn('needs_attention', 'dispute', id);
  await market.handle('dispute', id).executeUpdate(resolveUpdate, {
    args: [{ action: 'write_off', by: 'ann', note: 'recorded' }],
  });
  await market.sleep(HOUR_MS);
  await record('dispute/asked-where-its-funds-are', id);
});

it('a dispute is open for more than a day', async () => {
  const { id } = await disputed(true);
  await market.until('its funds are out', async () => (await market.test.ledger.findDispute(id))?.funds === 'out');
  const { runId } = await market.handle('dispute', id).describe();
  await market.sleep(60 * HOUR_MS);
  await recordHistory('dispute/continued-after-a-day', market.client.workflow.getHandle(`dispute/${id}`, runId));
});
