import { afterEach, beforeEach, expect, it } from 'vitest';
import { showSettlement } from '../../../src/cli/showing/show-settlement.js';
import { createExplanationFacts } from '../../../src/ledger/explanation-facts.js';
import { createStoryReader } from '../../../src/ledger/settlements/settlement-story.js';
import { openSettleFirstShop, SETTLED_FIRST, type SettleFirstShop } from '../../support/sessions/settle-first-shop.js';

/** Billed and unserved is counted and listed: also a charge that was settled first, whose payer did not come back for its answer. */

let shop: SettleFirstShop;

beforeEach(async () => {
  shop = await openSettleFirstShop((app, sessions) =>
    app.get('/report', sessions.paidSession({ ...SETTLED_FIRST, price: '10000' }), (req, res) => {
      req.paymentSession?.charge('10000');
      res.json({ report: 'it' });
    }),
  );
});
afterEach(() => shop.close());

const counted = async () => (await shop.store.ledger.figures()).answersDue;

it('a charge is counted from a minute after it was settled until its answer is had, and shown', async () => {
  const { id, headers } = await shop.due('/report');
  const { ledger, database, clock } = shop.store;
  const operator = { ...ledger, ...createStoryReader(database), ...createExplanationFacts(database) };
  expect(await counted()).toBe(0);
  clock.advance(61_000);
  expect(await counted()).toBe(1);
  const shown = await showSettlement(operator as never, id, clock.nowMs());
  expect(shown.answer).toMatchObject({ id, status: 'settled', answer: 'due' });
  expect(shown.lines.join('\n')).toMatch(/answer +due/);
  expect((await ledger.listSettlements({ limit: 10 })).map(({ answer }) => answer)).toEqual(['due']);

  expect((await fetch(`${shop.url}/report`, { headers })).status).toBe(200);
  expect(await counted()).toBe(0);
  expect((await showSettlement(operator as never, id, clock.nowMs())).answer).toMatchObject({ answer: 'given' });
});
