import { afterAll, beforeAll, expect, it } from 'vitest';
import { withoutTriggers } from '../support/marketplace/fixtures.js';
import { type MarketplaceStack, type Sold, startMarketplaceStack } from '../support/marketplace/stack.js';
import { type RunbookFolder, type RunbookShell, runbookFolder } from '../support/runbook-shell.js';

/** Who is woken at night types what these runbooks say, word for word, while what they are about is the case. */

/** Our balance is read once a minute, however many ask. */
const PATIENT = { timeout: 90_000, interval: 200 };
let stack: MarketplaceStack;
let folder: RunbookFolder;
beforeAll(async () => {
  stack = await startMarketplaceStack({ TRANSFER_RETRY_INTERVAL: '1s', REVERSAL_CHECK_INTERVAL: '1s' });
  folder = runbookFolder(stack.at);
}, 240_000);
afterAll(async () => {
  folder.remove();
  await stack.stop();
}, 60_000);

/** Sold and paid, to one seller. @param how as the switch of the stand-in takes it */
async function paid(seller: string, amount: number, how: object = {}): Promise<Sold> {
  const sold = await stack.sell({ [seller]: amount });
  await stack.hyperswitch(`payments/${sold.hyperswitchPaymentId}`, ['PUT', { to: 'succeeded', ...how }]);
  return sold;
}
const transferOf = async ({ id }: Sold, status: string): Promise<string> => {
  const is = (order: Awaited<ReturnType<MarketplaceStack['order']>>) => order.transfers[0]?.status === status;
  const { transfers } = await stack.orderUntil(`its transfer is ${status}`, id, is);
  return transfers[0]?.id ?? '';
};
const askedTransferOf = async ({ id }: Sold): Promise<string> => {
  const { transfers } = await stack.orderUntil('a person is asked', id, (order) =>
    Boolean(order.transfers[0]?.attention),
  );
  return transfers[0]?.id ?? '';
};
/** Stripe's events do not reach us. */
const deaf = (isDeaf: boolean) =>
  stack.stripe('webhooks/faults', ['PUT', { rules: isDeaf ? [{ kinds: ['lost'] }] : [] }]);
const topUp = (usd: number) => stack.stripe('seed', ['POST', { topups: { usd } }]);
/** One person's decisions of a day add up: from the threshold on the second one is asked. */
async function decided(shell: RunbookShell, begins: string, given: Readonly<Record<string, string>>): Promise<void> {
  const told = await shell.type(begins, given);
  if (/makegood approve|"pending_approval"/.test(told))
    await shell.type('makegood approve', { decision: decisionIn(told) }, 'approver');
}
/** The decision that a command, or an answer of the API, has asked to be approved. */
const decisionIn = (told: string): string => /(?:makegood approve |"decision_id":")([\w-]{36})/.exec(told)?.[1] ?? told;
const change = (statement: string, id: string) => withoutTriggers(stack.database, (query) => query(statement, [id]));

it('the runbook platform-balance does what it says', async () => {
  const shell = folder.open('platform-balance');
  await stack.stripe('settlement', ['PUT', { days: 2 }]);
  const sold = await paid('acct_1Ada', 6_000, { method: 'us_bank_account' });
  const id = await transferOf(sold, 'waiting_platform_balance');
  expect(await shell.type('makegood list transfers')).toContain(id);
  const shown = await shell.type('makegood show', { id });
  expect(shown).toMatch(/waits .*, 6000 USD short when it was read last/);
  expect(shown).toMatch(/sent .*"no_source":"\S+ was paid by us_bank_account, not by card"/);
  expect(JSON.parse(await shell.type('curl'))).toMatchObject({
    available: [{ amount: 0 }],
    pending: [{ amount: 6_000 }],
  });
  await topUp(10_000);
  expect(await shell.type('makegood resolve', { transfer: id })).toContain('is waiting_platform_balance by decision');
  await expect.poll(async () => (await stack.order(sold.id)).transfers[0]?.status, PATIENT).toBe('completed');
  await stack.stripe('settlement', ['PUT', { days: 0 }]);
  expect(shell.untyped()).toEqual([]);
}, 180_000);

it('the runbook seller-not-able-to-receive does what it says', async () => {
  const shell = folder.open('seller-not-able-to-receive');
  const account = 'acct_1Dan';
  await stack.stripe('accounts', ['PUT', { account, transfers: 'inactive' }]);
  const sold = await paid(account, 5_000);
  const id = await transferOf(sold, 'waiting_seller');
  expect(await shell.type('makegood list transfers')).toContain(id);
  await expect.poll(() => shell.type('makegood seller', { account }), PATIENT).toMatch(/: waiting.*transfers_inactive/);
  expect(JSON.parse(await shell.type('curl ${STRIPE', { account }))).toMatchObject({
    capabilities: { transfers: 'inactive' },
    requirements: { past_due: [] },
  });
  await deaf(true);
  await stack.stripe('accounts', ['PUT', { account, transfers: 'active' }]);
  await shell.type('makegood resolve', { transfer: id });
  await transferOf(sold, 'completed');
  await deaf(false);
  expect(shell.untyped()).toEqual([]);
}, 120_000);

it('the runbook seller-gone does what it says', async () => {
  const shell = folder.open('seller-gone');
  const account = 'acct_1Eve';
  await stack.stripe('accounts', ['PUT', { account, disabledReason: 'rejected.fraud' }]);
  const back = await paid(account, 5_000);
  const one = await askedTransferOf(back);
  const given = await paid(account, 6_000);
  const other = await askedTransferOf(given);
  expect(await shell.type('makegood seller', { account })).toMatch(/: gone.*rejected\.fraud/);
  expect(await shell.type('makegood list transfers')).toMatch(new RegExp(`${one} .*seller_gone`));
  const told = await shell.type('makegood resolve <transfer> write_off', { transfer: other });
  expect(told).toMatch(/is \w+ by decision/);
  await deaf(true);
  await stack.stripe('accounts', ['PUT', { account, disabledReason: null }]);
  await shell.type('makegood resolve <transfer> retry', { transfer: one });
  await transferOf(back, 'completed');
  await deaf(false);
  expect((await stack.order(given.id)).transfers[0]?.stripe_transfer_id).toBeNull();
  expect(shell.untyped()).toEqual([]);
}, 120_000);

/** Sold on request, and nobody has released it in time. */
async function unreleased(seller: string, amount: number): Promise<{ sold: Sold; id: string }> {
  const sold = await stack.sell([{ seller_account: seller, amount, description: 'one lot', release: 'on_request' }]);
  await stack.hyperswitch(`payments/${sold.hyperswitchPaymentId}`, ['PUT', { to: 'succeeded' }]);
  const id = await transferOf(sold, 'held');
  await change(
    `UPDATE seller_transfers SET created_at = created_at - interval '31 days', next_check_at = clock_now() WHERE id = $1`,
    id,
  );
  return { sold, id: await askedTransferOf(sold) };
}

it('the runbook release-overdue does what it says', async () => {
  const shell = folder.open('release-overdue');
  const [decidedAbout, released, given] = [
    await unreleased('acct_1Ina', 2_000),
    await unreleased('acct_1Jan', 2_100),
    await unreleased('acct_1Kim', 2_200),
  ];
  expect(await shell.type('makegood list transfers')).toMatch(new RegExp(`${decidedAbout.id} .*release_overdue`));
  expect(await shell.type('makegood explain', { id: decidedAbout.id })).toMatch(/release/);
  await decided(shell, 'makegood resolve <transfer> release', { transfer: decidedAbout.id });
  await transferOf(decidedAbout.sold, 'completed');
  expect(JSON.parse(await shell.type('curl', { id: released.id }))).toMatchObject({
    attention: null,
    release: { kind: 'on_request', released_at: expect.any(String) },
  });
  await transferOf(released.sold, 'completed');
  await decided(shell, 'makegood resolve <transfer> write_off', { transfer: given.id });
  await transferOf(given.sold, 'permanently_failed');
  expect(shell.untyped()).toEqual([]);
}, 120_000);

it('the runbook payout-failed does what it says', async () => {
  const shell = folder.open('payout-failed');
  const fails = async (account: string): Promise<string> => {
    const sold = await paid(account, 3_000);
    await transferOf(sold, 'completed');
    const payout = { account, amount: 3_000, currency: 'usd', status: 'failed', failureCode: 'account_closed' };
    return (await stack.stripe<{ readonly id: string }>('payouts', ['POST', payout])).id;
  };
  const [one, other] = [await fails('acct_1Lea'), await fails('acct_1Mia')];
  await expect
    .poll(() => shell.type('makegood payouts --needs-attention'), PATIENT)
    .toMatch(new RegExp(`${one} +failed`));
  await expect
    .poll(() => shell.type('makegood payouts <', { payout: one }), PATIENT)
    .toMatch(/account_closed.*\n.*every transfer in it is named/s);
  expect(await shell.type('makegood payouts --dismiss', { payout: one })).toContain('dismissed');
  await expect.poll(() => shell.type('makegood payouts --needs-attention'), PATIENT).toContain(other);
  expect(JSON.parse(await shell.type('curl', { payout: other }))).toMatchObject({
    attention: null,
    failure_ended: 'dismissed',
  });
  expect(shell.untyped()).toEqual([]);
}, 120_000);

/** Of another account, whose records nobody here can read: where its funds are is said by persons alone. */
async function unreadable(shell: RunbookShell): Promise<string> {
  const sold = await paid('acct_1Gus', 4_000);
  await transferOf(sold, 'completed');
  await stack.hyperswitch('disputes', ['POST', { payment_id: sold.hyperswitchPaymentId, elsewhere: true }]);
  return await asked(shell, sold);
}
async function asked(shell: RunbookShell, { id }: Sold): Promise<string> {
  const { disputes } = await stack.orderUntil('a person is asked', id, (order) =>
    order.disputes.some((one) => one.attention),
  );
  const dispute = disputes[0]?.id ?? '';
  expect(await shell.type('makegood list disputes')).toMatch(new RegExp(`${dispute} .* dispute`));
  return dispute;
}
/** Hyperswitch hears nothing of it, for longer than an hour. */
async function unnamed(shell: RunbookShell): Promise<Sold & { dispute: string; atHyperswitch: string }> {
  const sold = await paid('acct_1Hal', 3_000);
  await transferOf(sold, 'completed');
  const opened = { payment_id: sold.hyperswitchPaymentId, events: [] };
  const { dispute } = await stack.hyperswitch<{ dispute: { id: string } }>('disputes', ['POST', opened]);
  const { disputes } = await stack.orderUntil('Stripe tells of it', sold.id, (order) => order.disputes.length > 0);
  const id = disputes[0]?.id ?? '';
  await change(
    `UPDATE disputes SET created_at = created_at - interval '2 hours', next_check_at = clock_now() WHERE id = $1`,
    id,
  );
  return { ...sold, dispute: await asked(shell, sold), atHyperswitch: dispute.id };
}
const fundsOf = async (dispute: string): Promise<string> => {
  const [row] = await stack.database.query<{ funds: string }>('SELECT funds FROM disputes WHERE id = $1', [dispute]);
  return row?.funds ?? '';
};

it('the runbook dispute does what it says', async () => {
  const shell = folder.open('dispute');
  await topUp(1_000_000);
  const said = await unreadable(shell);
  expect(await shell.type('makegood show <id>', { id: said })).toContain('where its funds are cannot be read here');
  await decided(shell, 'makegood resolve <dispute> funds_out', { dispute: said });
  expect(await fundsOf(said)).toBe('out');
  const back = await shell.type('makegood resolve <dispute> funds_back', { dispute: said });
  await shell.type('makegood approve', { decision: decisionIn(back) }, 'approver');
  expect(await fundsOf(said)).toBe('back');
  const posted = await unreadable(shell);
  await decided(shell, 'curl', { dispute: posted });
  expect(await fundsOf(posted)).toBe('out');
  await decided(shell, 'makegood resolve <dispute> write_off', { dispute: await unreadable(shell) });

  const adopted = await unnamed(shell);
  expect(await shell.type('makegood show <order>', { order: adopted.id })).toContain(adopted.dispute);
  await decided(shell, 'makegood resolve <dispute> adopt', { dispute: adopted.dispute });
  await expect.poll(() => fundsOf(adopted.dispute), PATIENT).toBe('out');
  const heard = await unnamed(shell);
  await stack.hyperswitch('webhooks', ['PUT', { rules: [{ what: 'lost' }] }]);
  await stack.hyperswitch(`disputes/${heard.atHyperswitch}`, ['PUT', { events: ['charge.dispute.created'] }]);
  await shell.type('makegood resolve <dispute> retry', { dispute: heard.dispute });
  await expect.poll(() => fundsOf(heard.dispute), PATIENT).toBe('out');
  await stack.hyperswitch('webhooks', ['PUT', { rules: [] }]);
  await givenBack(shell);
  expect(shell.untyped()).toEqual([]);
}, 240_000);

/** Somebody refunds the charge in Stripe's dashboard. */
async function givenBack(shell: RunbookShell): Promise<void> {
  const sold = await paid('acct_1Ina', 2_000);
  await transferOf(sold, 'completed');
  const { charges } = await stack.books();
  const charge = charges.find(({ amount }) => amount === 2_000)?.id;
  await stack.stripe('refunds', ['POST', { charge }]);
  const [payment] = await stack.database.query<{ id: string }>('SELECT id FROM payments WHERE order_id = $1', [
    sold.id,
  ]);
  const id = payment?.id ?? '';
  const noted = () => stack.database.query('SELECT 1 FROM unnamed_refunds WHERE payment_id = $1', [id]);
  await expect.poll(noted, PATIENT).toHaveLength(1);
  await change(`UPDATE unnamed_refunds SET seen_at = seen_at - interval '2 hours' WHERE payment_id = $1`, id);
  await change('UPDATE payments SET disputes_look_at = clock_now() WHERE id = $1', id);
  const asks = async () =>
    (
      await stack.database.query<{ reason: string }>('SELECT attention_reason AS reason FROM payments WHERE id = $1', [
        id,
      ])
    )[0]?.reason;
  await expect.poll(asks, PATIENT).toBe('unknown_refund');
  await decided(shell, 'makegood resolve <payment> given_back', { payment: id });
  await stack.orderUntil('the share is taken back', sold.id, ({ reversals }) => reversals[0]?.status === 'reversed');
}
