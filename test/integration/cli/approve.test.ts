import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { API_TOKENS, TOKENS } from '../../support/api.js';
import { type MarketplaceCli, openMarketplaceCli } from '../../support/marketplace/cli.js';
import { UNDECIDED } from '../../support/undecided-items.js';

let terminal: MarketplaceCli;
beforeAll(async () => {
  terminal = await openMarketplaceCli();
});
afterAll(() => terminal.close());
beforeEach(() => {
  terminal.env = { API_TOKENS: API_TOKENS.map(({ name, role, token }) => `${name}:${role}:${token}`).join() };
});

/** What a person types, under the token that he holds. */
const types = (token: string | undefined, ...args: readonly string[]): Promise<string> => {
  terminal.token = token;
  return terminal.makegood(...args);
};
const json = async (token: string | undefined, ...args: readonly string[]) =>
  JSON.parse(await types(token, ...args, '--json'));

/** New money to sellers, which always takes two. */
const compensated = async (): Promise<string> => (await UNDECIDED.refund.compensate(terminal.test, 4_000n)).id;
const requested = async (token: string | undefined, id: string): Promise<string> =>
  (await json(token, 'resolve', id, 'compensate', '--note', 'the bank sent it back')).decision_id;
const recorded = (decision: string) =>
  terminal.test.database.query(
    'SELECT state, by, principal, first_approver, approved_by, approval_note FROM decisions WHERE id = $1',
    [decision],
  );

it('two persons give new money by commands alone: one asks, the other sees that it waits, by which decision, and approves', async () => {
  const id = await compensated();
  const asked = await types(TOKENS.operator, 'resolve', id, 'compensate', '--note', 'the bank sent it back');
  const decision = /makegood approve (\S+) --note/.exec(asked)?.[1] ?? '';

  const listed = await types(TOKENS.approver, 'list', 'refunds', '--needs-attention');
  expect(listed.split('\n').find((line) => line.startsWith(id))).toMatch(/approval_pending$/);
  const shown = await types(TOKENS.approver, 'show', id);
  expect(shown).toMatch(
    new RegExp(`^attention +approval_pending since .*olga asks to compensate \\(decision ${decision}\\)`, 'm'),
  );
  expect(shown).toMatch(/^next: an approver confirms .*makegood approve <decision>/m);
  expect(shown).toContain('the bank sent it back');

  expect(await types(TOKENS.approver, 'approve', decision, '--note', 'checked with the bank')).toMatch(
    new RegExp(`^refund ${id} is \\S+ by decision ${decision}; makegood show ${id} says what happens next`),
  );
  expect(await recorded(decision)).toMatchObject([
    { state: 'applied', principal: 'olga', approved_by: 'anna', approval_note: 'checked with the bank' },
  ]);
  await expect(types(TOKENS.approver, 'approve', decision, '--note', 'again')).rejects.toThrow(
    `decision ${decision} cannot be approved: it was approved and carried out before: nothing was changed; makegood show ${id} tells what became of it`,
  );
});

it('what nobody was authenticated for takes two approvers, and the first is told so', async () => {
  const decision = await requested(undefined, await compensated());
  expect(await types(TOKENS.operatorAsApprover, 'approve', decision, '--note', 'x')).toMatch(
    /^approved by the first of two/,
  );
  expect(await json(TOKENS.approver, 'approve', decision, '--note', 'y')).toMatchObject({ decision_id: decision });
  expect(await recorded(decision)).toMatchObject([
    { state: 'applied', principal: null, first_approver: 'olga', approved_by: 'anna' },
  ]);
});

it.each([
  ['of the one who asked, under another token of his', TOKENS.operatorAsApprover, /is one person/],
  ['of an operator', TOKENS.operator, /olga is for the role operator; this takes approver/],
  ['that nobody has', 'token-of-nobody-000001', /none of API_TOKENS/],
  ['of nobody, whatever his name', undefined, /under the token of an approver alone/],
])('a token %s approves nothing', async (_what, token, why) => {
  const decision = await requested(TOKENS.operator, await compensated());
  await expect(types(token, 'approve', decision, '--note', 'x')).rejects.toThrow(why);
  expect(await recorded(decision)).toMatchObject([{ state: 'pending_approval', approved_by: null }]);
});

it('refuses a note that says nothing, and what is no decision', async () => {
  const id = await compensated();
  const decision = await requested(TOKENS.operator, id);
  await expect(types(TOKENS.approver, 'approve', decision, '--note', ' ')).rejects.toThrow(/the note says nothing/);
  for (const none of [id, 'x'])
    await expect(types(TOKENS.approver, 'approve', none, '--note', 'x')).rejects.toThrow(
      `there is no decision ${none}`,
    );
});
