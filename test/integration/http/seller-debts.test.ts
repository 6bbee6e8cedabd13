import { expect, it, onTestFinished } from 'vitest';
import { startApi, TOKENS } from '../../support/api.js';
import { debtWorld } from '../../support/marketplace/debt-world.js';

it('what waits for a seller’s balance is kept of his transfers by the API, which says what he owes and how it came about', async () => {
  const world = await debtWorld();
  const api = await startApi({ ledger: world.ledger, resolution: world.resolution });
  onTestFinished(() => api.close());
  const { reversal } = await world.short(1_000n, 800n);
  const seller = async () => (await api.send('/api/v1/sellers/acct_ada', { token: TOKENS.viewer })).body;
  const resolve = (action: string, evidence?: Record<string, string>) =>
    api.send(`/api/v1/reversals/${reversal.id}/resolve`, {
      token: TOKENS.operator,
      json: { action, note: 'as agreed', ...(evidence ? { evidence } : {}) },
    });
  expect((await seller()).balances).toEqual([
    { currency: 'USD', owed: 800, to_offset: 0, on_its_way: 0, offset: 0, taken: 0, given_up: 0 },
  ]);

  world.earn(50n);
  expect(await resolve('take_available', { amount: '51' })).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining('the seller has 50 at Stripe') },
  });
  expect(await resolve('write_off')).toMatchObject({ status: 409, body: { code: 'not_waiting' } });
  expect(await resolve('offset')).toMatchObject({ status: 200, body: { status: 'waiting_balance' } });

  const next = await world.order(300n);
  await world.sweep();
  const { body: transfer } = await api.send(`/api/v1/transfers/${(await world.only(next)).id}`, {
    token: TOKENS.viewer,
  });
  expect(transfer).toMatchObject({ status: 'completed', amount: 0, offset: 300, stripe_transfer_id: null });

  const { balances, story } = await seller();
  expect(balances).toMatchObject([{ owed: 500, to_offset: 500, offset: 300 }]);
  expect(story[0]).toMatchObject({ what: 'reversed', amount: 300, currency: 'USD', offset_transfer_id: transfer.id });
  expect(story.map(({ what }: { what: string }) => what)).toEqual(
    expect.arrayContaining(['demanded', 'owed', 'split']),
  );
  const { body: debt } = await api.send(`/api/v1/reversals/${reversal.id}`, { token: TOKENS.viewer });
  expect(debt).toMatchObject({ amount: 500, debt: { state: 'open', transfer_id: null } });
});
