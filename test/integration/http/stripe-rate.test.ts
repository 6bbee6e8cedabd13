import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { startApi, summary, TOKENS } from '../../support/api.js';
import { runMakegood } from '../../support/cli.js';
import { consoleRoutes } from '../../support/console-routes.js';
import { ledgerForFile } from '../../support/ledger-fixtures.js';

const test = await ledgerForFile();
const { database, ledger } = test;
let ofSettings: number | undefined = 25;
const api = await startApi({ ledger, console: consoleRoutes({ ledger, stripePerSecond: () => ofSettings }) });
afterAll(() => api.close());

beforeEach(async () => {
  ofSettings = 25;
  env['STRIPE_MAX_RPS'] = '20';
  await database.query('DELETE FROM stripe_rate');
  await database.query('DELETE FROM stripe_tokens');
  await database.query('DELETE FROM stripe_endpoints');
});

const LIMITS = { perEndpoint: 25, overall: 25 };
const read = async () => (await api.send('/api/v1/stripe-rate', { token: TOKENS.viewer })).body;
const set = (per_second: unknown, token: string = TOKENS.operator) =>
  api.send('/api/v1/stripe-rate', { token, json: { per_second, note: 'Stripe asked us' } });
const reset = (token: string = TOKENS.operator) =>
  api.send('/api/v1/stripe-rate/reset', { token, json: { note: 'they are well' } });
const stripe = async () => {
  const { body } = await api.send('/api/v1/overview', { token: TOKENS.viewer });
  return body.providers.find(({ provider }: { provider: string }) => provider === 'stripe');
};
/** How many tokens one endpoint gives before all are out. */
async function given(endpoint: string, most = 40): Promise<number> {
  let got = 0;
  for (let nth = 0; nth < most; nth += 1) if ((await ledger.takeToken(endpoint, LIMITS)).token) got += 1;
  return got;
}

const env: Record<string, string> = { DATABASE_URL: test.url, STRIPE_SECRET_KEY: 'sk_test_rate' };
async function makegood(...args: string[]): Promise<string> {
  const out: string[] = [];
  await runMakegood(args, {
    env,
    clock: test.clock,
    out: (line) => out.push(line),
    err: (line) => out.push(line),
  });
  return out.join('\n');
}

describe('the rate of Stripe', () => {
  it('that a person sets holds for every process at its next token, and not above the settings', async () => {
    expect((await set(3)).body).toMatchObject({ of_settings: 25, in_force: 3, per_endpoint: 3, set: { by: 'olga' } });
    expect(await given('transfers.read')).toBe(3);
    await database.query('DELETE FROM stripe_tokens');
    // Whoever has a lower setting keeps to that.
    await set(20);
    const lower = { perEndpoint: 25, overall: 2 };
    let got = 0;
    for (let nth = 0; nth < 10; nth += 1) if ((await ledger.takeToken('balance', lower)).token) got += 1;
    expect(got).toBe(2);
  });

  it('is for all endpoints together', async () => {
    await set(4);
    expect((await given('transfers.read', 3)) + (await given('balance', 3)) + (await given('account', 3))).toBe(4);
  });

  it('is what the settings say again once it is reset', async () => {
    await set(3);
    expect((await reset()).body).toMatchObject({ set: null, in_force: 25, per_endpoint: 25 });
    expect(await given('transfers.read')).toBe(25);
    expect((await reset()).status).toBe(200);
  });

  it('has who set it, when and why, as events of Stripe', async () => {
    const before = (await database.query('SELECT 1 FROM operation_events')).length;
    await set(5);
    await set(7, TOKENS.approver);
    await reset();
    const told = await database.query(
      `SELECT kind, detail FROM operation_events WHERE item_kind = 'provider' AND item_id = 'stripe' ORDER BY seq OFFSET $1`,
      [before],
    );
    expect(told).toEqual([
      {
        kind: 'rate_set',
        detail: { by: 'olga', authenticated: true, note: 'Stripe asked us', per_second: 5, before: null },
      },
      {
        kind: 'rate_set',
        detail: { by: 'anna', authenticated: true, note: 'Stripe asked us', per_second: 7, before: 5 },
      },
      { kind: 'rate_reset', detail: { by: 'olga', authenticated: true, note: 'they are well', before: 7 } },
    ]);
  });

  it('has bounds: one a second, and what the settings allow', async () => {
    for (const wrong of [0, -1, 2.5, 26, '5', null])
      expect(summary(await set(wrong))).toEqual([400, 'invalid_request']);
    ofSettings = undefined;
    expect((await set(25)).status).toBe(200);
    expect(summary(await set(26))).toEqual([400, 'invalid_request']);
    expect((await read()).in_force).toBe(25);
    for (const token of [TOKENS.viewer, TOKENS.service]) {
      expect(summary(await set(5, token))).toEqual([403, 'forbidden']);
      expect(summary(await reset(token))).toEqual([403, 'forbidden']);
    }
  });

  it('stands in the overview as it is in force, also after the settings were read again', async () => {
    expect(await stripe()).toMatchObject({ limit_per_second: 25, rate: { set: null } });
    ofSettings = 9;
    expect(await stripe()).toMatchObject({ limit_per_second: 9 });
    await set(4);
    await given('transfers.read', 2);
    expect(await stripe()).toMatchObject({
      limit_per_second: 4,
      pace_per_second: 2,
      rate: { of_settings: 9, set: { per_second: 4, note: 'Stripe asked us' } },
    });
    ofSettings = 3;
    expect(await stripe()).toMatchObject({ limit_per_second: 3 });
    expect(await read()).toMatchObject({ pace: 2, endpoints: [{ endpoint: 'transfers.read', pace: 2 }] });
  });
});

describe('makegood stripe-rate', () => {
  it('shows, sets and resets it, under the same bounds', async () => {
    expect(await makegood('stripe-rate')).toContain('nobody has set a rate: STRIPE_MAX_RPS allows 20 a second');
    const text = await makegood('stripe-rate', '--set', '6', '--note', 'slowly');
    expect(text).toMatch(
      /^6 a second, set by nora \(as claimed\) at 20\S+ \(slowly\); STRIPE_MAX_RPS allows 20 a second$/m,
    );
    expect(text).toMatch(/^in force: 6 a second over all endpoints, and 6 for each$/m);
    expect(await given('transfers.read')).toBe(6);
    expect(JSON.parse(await makegood('stripe-rate', '--json'))).toMatchObject({
      of_settings: 20,
      in_force: 6,
      pace: 6,
      set: { per_second: 6, by: 'nora', authenticated: false },
    });
    await expect(makegood('stripe-rate', '--set', '21')).rejects.toThrow('above the 20');
    await expect(makegood('stripe-rate', '--set', '0')).rejects.toThrow('makegood pause stripe');
    await expect(makegood('stripe-rate', '--set', '5', '--reset')).rejects.toThrow('nothing was changed');
    expect((await read()).in_force).toBe(6);
    expect(await makegood('stripe-rate', '--reset')).toContain('nobody has set a rate');
    expect(await makegood('stripe-rate', '--reset')).toContain('nothing was changed');
    delete env['STRIPE_MAX_RPS'];
    expect(await makegood('stripe-rate')).toContain(
      'nobody has set a rate: STRIPE_MAX_RPS is not set, and Stripe allows a key like this one 25 a second',
    );
  });
});
