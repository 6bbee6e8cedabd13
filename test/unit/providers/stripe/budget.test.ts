import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stripeRequestsOverall } from '../../../../src/domain/stripe-rate.js';
import { createBudget, type TokenLedger } from '../../../../src/providers/stripe/budget.js';

const ENDPOINT = 'reversals.create';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A ledger that gives tokens 1, 2, 3 … without end, each `inMs` after it was asked. */
function endlessTokens(inMs = 0) {
  let given = 0;
  const takeToken = vi.fn<TokenLedger<number>['takeToken']>(async () => ({ token: ++given, inMs }));
  const returnToken = vi.fn<TokenLedger<number>['returnToken']>(async () => undefined);
  return { takeToken, returnToken };
}

/** One request that is answered after so long. */
async function ask(takeToken: ReturnType<typeof createBudget>, answeredAfterMs: number, lane = 'acct_a') {
  const token = takeToken(ENDPOINT, lane);
  await vi.advanceTimersByTimeAsync(0);
  const answered = await token;
  const sentAtMs = performance.now();
  await vi.advanceTimersByTimeAsync(answeredAfterMs);
  answered?.(sentAtMs);
}

describe('a token', () => {
  it('is asked for under Stripe’s limit of the endpoint, and the request waits for its moment', async () => {
    const ledger = endlessTokens(500);
    const granted = vi.fn<() => void>();
    void createBudget(ledger, 100)(ENDPOINT, 'acct_a').then(() => granted());
    await vi.advanceTimersByTimeAsync(499);
    expect(granted).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(granted).toHaveBeenCalledOnce();
    expect(ledger.takeToken.mock.calls).toEqual([[ENDPOINT, { perEndpoint: 25, overall: 100 }]]);
  });

  it('is asked for again, when the ledger says, while all are out', async () => {
    const ledger = endlessTokens();
    ledger.takeToken.mockResolvedValueOnce({ token: undefined, inMs: 40 });
    const granted = vi.fn<() => void>();
    void createBudget(ledger, 100)(ENDPOINT, 'acct_a').then(() => granted());
    await vi.advanceTimersByTimeAsync(39);
    expect(ledger.takeToken).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(1);
    expect(ledger.takeToken).toHaveBeenCalledTimes(2);
    expect(granted).toHaveBeenCalledOnce();
  });

  it('is given back when the request was answered, not before, and is the one that was taken', async () => {
    const ledger = endlessTokens();
    const takeToken = createBudget(ledger, 100);
    const [one, other] = [takeToken(ENDPOINT, 'acct_a'), takeToken(ENDPOINT, 'acct_a')];
    await vi.advanceTimersByTimeAsync(0);
    expect(ledger.returnToken).not.toHaveBeenCalled();
    (await other)?.(performance.now());
    (await one)?.(performance.now());
    expect(ledger.returnToken.mock.calls.map(([endpoint, token]) => [endpoint, token])).toEqual([
      [ENDPOINT, 2],
      [ENDPOINT, 1],
    ]);
  });

  it('that cannot be given back disturbs nobody', async () => {
    const ledger = endlessTokens();
    ledger.returnToken.mockRejectedValue(new Error('the ledger is away'));
    const takeToken = createBudget(ledger, 100);
    await ask(takeToken, 10);
    await ask(takeToken, 10);
    expect(ledger.returnToken).toHaveBeenCalledTimes(2);
  });
});

describe('a wait that became too long for the claim behind it', () => {
  it('ends without a token, and whoever waits since has the next one', async () => {
    const ledger = endlessTokens();
    ledger.takeToken.mockImplementationOnce(async () => ({ token: undefined, inMs: 30_000 }));
    ledger.takeToken.mockImplementationOnce(async () => ({ token: undefined, inMs: 21_000 }));
    const takeToken = createBudget(ledger, 100);
    const [first, second] = [takeToken(ENDPOINT, 'acct_a'), takeToken(ENDPOINT, 'acct_a')];
    await vi.advanceTimersByTimeAsync(30_000);
    const third = takeToken(ENDPOINT, 'acct_a');
    await vi.advanceTimersByTimeAsync(21_000);
    expect(await first).toBeUndefined();
    expect(await second).toBeUndefined();
    (await third)?.(performance.now());
    expect(ledger.returnToken.mock.calls).toEqual([[ENDPOINT, 1, 0]]);
  });

  it('ends with one up to fifty seconds', async () => {
    const ledger = endlessTokens();
    ledger.takeToken.mockImplementationOnce(async () => ({ token: undefined, inMs: 50_000 }));
    const token = createBudget(ledger, 100)(ENDPOINT, 'acct_a');
    await vi.advanceTimersByTimeAsync(50_000);
    expect(await token).toBeDefined();
  });
});

describe('since when Stripe has counted a request', () => {
  const saidOfLast = (ledger: ReturnType<typeof endlessTokens>) => ledger.returnToken.mock.lastCall?.[2];

  it('is not known from the first answers, whose connections had to be made', async () => {
    const ledger = endlessTokens();
    const takeToken = createBudget(ledger, 100);
    for (let nth = 0; nth < 24; nth += 1) await ask(takeToken, 300);
    expect(saidOfLast(ledger)).toBe(0);
    await ask(takeToken, 300);
    expect(saidOfLast(ledger)).toBe(300);
  });

  it('is never longer than the quickest answer took, however long this one did', async () => {
    const ledger = endlessTokens();
    const takeToken = createBudget(ledger, 100);
    for (let nth = 0; nth < 30; nth += 1) await ask(takeToken, nth === 7 ? 120 : 300);
    await ask(takeToken, 5_000);
    expect(saidOfLast(ledger)).toBe(120);
    await ask(takeToken, 90);
    expect(saidOfLast(ledger)).toBe(90);
  });

  it('follows a way that became longer for good', async () => {
    const ledger = endlessTokens();
    const takeToken = createBudget(ledger, 100);
    for (let nth = 0; nth < 30; nth += 1) await ask(takeToken, 20);
    for (let nth = 0; nth < 1_500; nth += 1) await ask(takeToken, 50);
    expect(saidOfLast(ledger)).toBe(50);
  });

  it('is not known of one that was never sent: its token is given back as used now, and nothing is compared with it', async () => {
    const ledger = endlessTokens();
    const takeToken = createBudget(ledger, 100);
    for (let nth = 0; nth < 30; nth += 1) await ask(takeToken, 20);
    (await takeToken(ENDPOINT, 'acct_a'))?.(null);
    expect(saidOfLast(ledger)).toBe(0);
    await ask(takeToken, 20);
    expect(saidOfLast(ledger)).toBe(20);
  });

  it('is compared for each endpoint by itself', async () => {
    const ledger = endlessTokens();
    const takeToken = createBudget(ledger, 100);
    for (let nth = 0; nth < 30; nth += 1) await ask(takeToken, 20);
    (await takeToken('transfers.list', 'backfill'))?.(performance.now());
    expect(ledger.returnToken.mock.lastCall).toEqual(['transfers.list', 31, 0]);
  });
});

describe('between lanes', () => {
  it('goes in turn: one request never stands behind the thousand of another', async () => {
    const takeToken = createBudget(endlessTokens(40), 100);
    const order: string[] = [];
    for (const lane of ['busy', 'busy', 'busy', 'busy', 'quiet'])
      void takeToken(ENDPOINT, lane).then(() => order.push(lane));
    await vi.runAllTimersAsync();
    expect(order).toEqual(['busy', 'quiet', 'busy', 'busy', 'busy']);
  });

  it('begins anew after everybody was served', async () => {
    const takeToken = createBudget(endlessTokens(40), 100);
    const granted = vi.fn<() => void>();
    void takeToken(ENDPOINT, 'acct_a').then(() => granted());
    await vi.runAllTimersAsync();
    void takeToken(ENDPOINT, 'acct_a').then(() => granted());
    await vi.runAllTimersAsync();
    expect(granted).toHaveBeenCalledTimes(2);
  });
});

it('refuses one request when the ledger cannot be asked, and goes on with the others', async () => {
  const ledger = endlessTokens();
  ledger.takeToken.mockRejectedValueOnce(new Error('the ledger is away'));
  const takeToken = createBudget(ledger, 100);
  const both = Promise.allSettled([takeToken(ENDPOINT, 'acct_a'), takeToken(ENDPOINT, 'acct_a')]);
  await vi.runAllTimersAsync();
  expect((await both).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

it.each([
  ['sk_live_1', 100],
  ['rk_live_1', 100],
  ['sk_test_1', 25],
  ['rk_test_1', 25],
])('all endpoints together get what Stripe allows the mode of the key: %s', (secretKey, perSecond) => {
  expect(stripeRequestsOverall(secretKey)).toBe(perSecond);
});
