import { beforeEach, expect, it } from 'vitest';
import { CommandRefused } from '../../../src/cli/context.js';
import { startApi, TOKENS } from '../../support/api.js';
import { runMakegood } from '../../support/cli.js';
import { debtWorld } from '../../support/marketplace/debt-world.js';

/** One seller who owes, and what her bank was sent, by the commands. */

let world: Awaited<ReturnType<typeof debtWorld>>;
let url: string;
beforeEach(async () => {
  world = await debtWorld();
  ({ url } = world);
  const { reversal } = await world.short(1_000n, 800n);
  await world.decide(reversal, 'offset');
  await world.order(300n);
  await world.sweep();
  await world.ledger.savePayout({
    externalPayoutId: 'po_of_ada',
    sellerAccount: 'acct_ada',
    amount: 500n,
    currency: 'USD',
    status: 'failed',
    arrivalAt: null,
    failureCode: 'account_closed',
    automatic: true,
    list: 'complete',
    madeAt: '2026-11-01T00:00:00.000Z',
  });
}, 60_000);

async function makegood(...args: readonly string[]): Promise<string> {
  const out: string[] = [];
  await runMakegood(args, {
    env: { DATABASE_URL: url },
    clock: world.clock,
    out: (line) => out.push(line),
    err: () => undefined,
  });
  return out.join('\n');
}

it('makegood seller says what a seller owes in each currency and how that came about, as the API does', async () => {
  const api = await startApi({ ledger: world.ledger });
  const { body } = await api.send('/api/v1/sellers/acct_ada', { token: TOKENS.viewer });
  await api.close();
  expect(JSON.parse(await makegood('seller', 'acct_ada', '--json'))).toEqual(body);

  const lines = (await makegood('seller', 'acct_ada')).split('\n');
  expect(lines[0]).toBe('seller acct_ada: able');
  const [head, balance] = lines.slice(lines.findIndex((line) => line.startsWith('CURRENCY')));
  expect(head).toMatch(/^CURRENCY +OWES +TO OFFSET +ON ITS WAY +OFFSET +TAKEN BACK +GIVEN UP$/);
  expect(balance?.split(/ +/)).toEqual(['USD', '500', '500', '0', '300', '0', '0']);
  expect(lines.some((line) => / offset_reserved +300 USD /.test(line))).toBe(true);
  await expect(makegood('seller', 'acct_nobody')).rejects.toThrow(CommandRefused);
});

it('makegood explain and export tell of a payout by what Stripe calls it', async () => {
  const text = await makegood('explain', 'po_of_ada');
  expect(text).toContain('payout po_of_ada: 500 USD (minor units) of acct_ada, failed');
  expect(text).toContain('runbook: docs/runbooks/payout-failed.md');
  expect(JSON.parse(await makegood('explain', 'po_of_ada', '--json'))).toMatchObject({
    kind: 'payout',
    id: 'po_of_ada',
  });
  const pack = await makegood('export', 'po_of_ada');
  expect(pack).toContain('"seller/acct_ada"');
  expect(pack).toContain('payout_failed');
});
