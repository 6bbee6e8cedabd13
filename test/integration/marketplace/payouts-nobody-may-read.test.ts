import { afterEach, beforeEach, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../support/durations.js';
import { type DisputeWorld, openDisputeWorld } from '../../support/marketplace/dispute-world.js';
import { unique } from '../../support/marketplace/fixtures.js';

let world: DisputeWorld;
beforeEach(async () => {
  world = await openDisputeWorld();
});
afterEach(() => world.close());

const ADA = 'acct_ada';
/** A payout whose event comes when its seller has disconnected. */
async function refused() {
  await world.paid({ [ADA]: 600n });
  await world.settle();
  const paid = await world.atStripe.createPayout({ account: ADA, amount: 600, currency: 'usd', status: 'paid' });
  await world.atStripe.setAccount(ADA, { access: 'revoked' });
  const event = {
    provider: 'stripe' as const,
    eventId: unique('evt'),
    type: 'payout.paid',
    objectId: paid.id,
    parentId: null,
    account: ADA,
    bodySha256: 'x',
  };
  await world.ledger.storeWebhook(event);
  return { paid, event };
}
async function hour(): Promise<void> {
  world.clock.advance(HOUR_MS);
  for (const due of await world.ledger.dueWebhooks('stripe-read', 10)) await world.hears(due);
}
const asked = () => world.atStripe.calls().calls.length;
async function back(): Promise<void> {
  await world.atStripe.setAccount(ADA, { access: 'granted' });
  const event = { type: 'account.application.authorized', objectId: 'ca_1', parentId: null, account: ADA };
  await world.hears({ provider: 'stripe', eventId: unique('evt'), bodySha256: 'x', ...event });
}
const storyOf = async (kind: string, id: string) => {
  const rows = await world.database.query<{ kind: string }>(
    'SELECT kind FROM operation_events WHERE item_kind = $1 AND item_id = $2 ORDER BY seq',
    [kind, id],
  );
  return rows.map((row) => row.kind);
};

it('an event of a payout whose seller has disconnected is not asked about for ever', async () => {
  const { event } = await refused();
  const before = asked();
  for (let hours = 0; hours < 40 * 24; hours += 1) await hour();
  expect({ open: await world.openEvents(), asked: asked() - before }).toEqual({
    open: 0,
    asked: expect.toSatisfy((n: number) => n > 60 && n < 100),
  });
  expect(await storyOf('webhook', `stripe/${event.eventId}`)).toEqual(['received', 'refused', 'processed']);
  expect(await storyOf('seller', ADA)).toContain('payout_event_unreadable');
});

it('what ended because he had disconnected is read when he is back', async () => {
  const { paid, event } = await refused();
  for (let hours = 0; hours < 4 * 24; hours += 1) await hour();
  expect(await world.openEvents()).toBe(0);
  await back();
  await hour();
  expect(await world.ledger.findPayout(paid.id)).toMatchObject({ status: 'paid' });
  expect(await storyOf('webhook', `stripe/${event.eventId}`)).toEqual([
    'received',
    'refused',
    'processed',
    'readable_again',
    'processed',
  ]);
});

it('days in which nobody was asked are none of those in which he let nobody in', async () => {
  await refused();
  world.clock.advance(10 * DAY_MS);
  await hour();
  expect(await world.openEvents()).toBe(1);
});

it('a seller who is known to have gone is asked once', async () => {
  await refused();
  await world.ledger.sellerShows(ADA, { state: 'gone', reason: 'deauthorised' });
  await hour();
  expect(await world.openEvents()).toBe(0);
});

it('an answer of before he was back ends nothing', async () => {
  const { paid, event } = await refused();
  for (let hours = 0; hours < 2 * 24; hours += 1) await hour();
  const round = await world.ledger.webhookRound(event);
  world.clock.advance(2 * DAY_MS);
  await back();
  await world.ledger.payoutEventRefused({ ...event, round }, { id: paid.id, account: ADA, detail: '403' });
  expect(await world.openEvents()).toBe(1);
  await world.atStripe.setAccount(ADA, { access: 'revoked' });
  await hour();
  expect(await world.openEvents()).toBe(1);
});
