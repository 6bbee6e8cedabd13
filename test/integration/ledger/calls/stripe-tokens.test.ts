import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestLedger, type TestLedger } from '../../../support/ledger-fixtures.js';
import { sizeOf } from '../../../support/whole-or-sample.js';

let test: TestLedger;
beforeEach(async () => {
  test = await openTestLedger();
});
afterEach(() => test.dispose());

const LIMIT = 25;
const LIMITS = { perEndpoint: LIMIT, overall: 100 };
const SPACING_MS = 1_000 / (1.2 * LIMIT);

/** Each is thousands of statements, and a run draws others each time. */
const RUNS = sizeOf({ whole: 40, sample: 6 });
/**
 * About a second and a half each, on a machine that has nothing else to do; in a run of everything up to eight, on two processors that six
 * other files and their servers share.
 */
const TIME_FOR_ALL_MS = RUNS * 30_000;

interface Taken {
  readonly token: number | null;
  readonly taken: string;
  readonly overallToken: number | null;
  readonly overallTaken: string;
  readonly sendAt: number;
}

/** More than one endpoint can use up. */
const PLENTY = 100;

/**
 * The ledger's own functions on a clock of the test's, in milliseconds since any moment. Whoever wants tokens of all
 * endpoints together that no other test has touched, empties the tables first.
 */
const clocked = (endpoint = `endpoint-${crypto.randomUUID()}`, overall = PLENTY) => ({
  async take(atMs: number): Promise<Taken> {
    const [row] = await test.database.query<Taken>(
      `SELECT token, taken, overall_token AS "overallToken", overall_taken AS "overallTaken",
         (extract(epoch FROM send_at) * 1000)::float8 AS "sendAt"
       FROM take_stripe_token($1, $2, $3, to_timestamp($4 / 1000.0::float8))`,
      [endpoint, LIMIT, overall, atMs],
    );
    return row!;
  },
  async giveBack({ token, taken, overallToken, overallTaken }: Taken, countedMs: number, atMs: number): Promise<void> {
    await test.database.query('SELECT return_stripe_token($1, $2, $3, $4, $5, $6, to_timestamp($7 / 1000.0::float8))', [
      endpoint,
      token,
      taken,
      overallToken,
      overallTaken,
      countedMs,
      atMs,
    ]);
  },
});

/** How long one request and its token are under way. */
interface Delays {
  /** From its moment until it leaves the process, beside the millisecond that everything takes. */
  readonly late: number;
  readonly wayThere: number;
  readonly wayBack: number;
  /** Until the ledger has the token again. */
  readonly giveBack: number;
}

const PROMPT: Delays = { late: 0, wayThere: 0, wayBack: 0, giveBack: 0 };

interface Demand {
  readonly requests: number;
  /** Each has three processes with always more to do. */
  readonly endpoints?: number;
  readonly overall?: number;
}

/** @returns when Stripe counted each request, by the endpoint it was for */
async function counted(
  { requests, endpoints = 1, overall = PLENTY }: Demand,
  delaysOf: (nth: number) => Delays,
): Promise<number[][]> {
  await test.database.query('TRUNCATE stripe_tokens, stripe_endpoints');
  const ledgers = Array.from({ length: endpoints }, () => clocked(undefined, overall));
  const times: number[][] = ledgers.map(() => []);
  const agenda: { readonly at: number; readonly act: () => Promise<void> }[] = [];
  const ask = (at: number, of: number) => agenda.push({ at, act: () => takeAndSend(at, of) });
  let sent = 0;
  async function takeAndSend(at: number, of: number): Promise<void> {
    if (sent === requests) return;
    const ledger = ledgers[of]!;
    const taken = await ledger.take(at);
    if (taken.token === null) return void ask(Math.max(at + 1, taken.sendAt), of);
    const { late, wayThere, wayBack, giveBack } = delaysOf(sent);
    sent += 1;
    const sentAt = Math.max(at + 1, taken.sendAt) + late;
    const countedAt = sentAt + 1 + wayThere;
    const backAt = countedAt + 1 + wayBack + giveBack;
    times[of]!.push(countedAt);
    // The quickest answer takes a millisecond there and one back.
    agenda.push({ at: backAt, act: () => ledger.giveBack(taken, 2, backAt) });
    ask(sentAt, of);
  }
  for (const of of ledgers.keys()) for (const at of [0, 5, 10]) ask(at + of, of);
  while (agenda.length > 0) {
    const first = agenda.reduce((one, other) => (other.at < one.at ? other : one));
    agenda.splice(agenda.indexOf(first), 1);
    await first.act();
  }
  return times.map((each) => each.sort((one, other) => one - other));
}

/** Within any second. */
function expectAtMost(limit: number, times: readonly number[]): void {
  for (const [nth, time] of times.slice(limit).entries()) expect(time - times[nth]!).toBeGreaterThanOrEqual(1_000);
}

const howLong = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 100, max: 2_500 }));
const oneIsLate = (what: keyof Delays) => howLong.map((ms): Delays => ({ ...PROMPT, [what]: ms }));

const delays = fc.oneof(
  { weight: 6, arbitrary: fc.constant(PROMPT) },
  { weight: 2, arbitrary: oneIsLate('late') },
  { weight: 2, arbitrary: oneIsLate('wayThere') },
  { weight: 1, arbitrary: oneIsLate('wayBack') },
  { weight: 1, arbitrary: oneIsLate('giveBack') },
);
const perSecond = (times: readonly number[]) => ((times.length - 1) / (times.at(-1)! - times[0]!)) * 1_000;

describe('the tokens of an endpoint', () => {
  it(
    'let no 26th request be counted within a second, however late requests, answers and tokens are',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(delays, { minLength: 20, maxLength: 60 }), async (list) => {
          const [times = []] = await counted({ requests: 120 }, (nth) => list[nth % list.length]!);
          expect(times).toHaveLength(120);
          expectAtMost(LIMIT, times);
        }),
        { numRuns: RUNS },
      );
    },
    TIME_FOR_ALL_MS,
  );

  it('are used to 96 % while there is a backlog and answers take 20 ms more than the quickest', async () => {
    const [times = []] = await counted({ requests: 300 }, (nth) =>
      nth % 2 === 0 ? PROMPT : { ...PROMPT, wayThere: 10, wayBack: 10 },
    );
    expect(perSecond(times)).toBeGreaterThan(0.959 * LIMIT);
  });

  it('follow each other a little closer than the limit, so that a moment in which nothing was sent is made up for', async () => {
    const ledger = clocked();
    const standingStill = 600;
    const times = [];
    for (let nth = 0; nth < 2 * LIMIT; nth += 1) {
      const taken = await ledger.take(nth === LIMIT ? 1_000 + standingStill : (times.at(-1) ?? 0));
      times.push(taken.sendAt);
      await ledger.giveBack(taken, 0, taken.sendAt);
    }
    expect(times.at(LIMIT)).toBe(1_000 + standingStill);
    expect(times.at(-1)! - times.at(LIMIT)!).toBeCloseTo((LIMIT - 1) * SPACING_MS, 0);
    expect((LIMIT - 1) * SPACING_MS).toBeLessThan(900);
  });

  it('are all out while nothing is answered: each is free by itself four seconds after its moment', async () => {
    const ledger = clocked();
    const first = await ledger.take(0);
    for (let nth = 1; nth < LIMIT; nth += 1) await ledger.take(nth * SPACING_MS);
    expect(await ledger.take(1_050)).toMatchObject({ token: null, taken: null });
    const { sendAt } = await ledger.take(1_100);
    expect(sendAt - 1_100).toBeCloseTo(SPACING_MS, 0);
    expect(await ledger.take(3_900)).toMatchObject({ token: null });
    expect(await ledger.take(3_990)).toMatchObject({ token: first.token, taken: '2', sendAt: 4_000 });
  });

  it('belong to who took them last: a return that comes after the lease frees nobody else’s', async () => {
    const ledger = clocked();
    const taken: Taken[] = [];
    for (let nth = 0; nth < LIMIT; nth += 1) taken.push(await ledger.take(nth * SPACING_MS));
    const again = await ledger.take(4_000);
    expect(again.token).toBe(taken[0]!.token);
    await ledger.giveBack(taken[0]!, 0, 4_001);
    for (const late of taken.slice(1)) await ledger.giveBack(late, 0, 4_001);
    for (let nth = 0; nth < LIMIT - 1; nth += 1) await ledger.take(5_011 + nth * SPACING_MS);
    expect(await ledger.take(6_060)).toMatchObject({ token: null });
  });

  it('are given out at once when the clock was set back, but for the second that may have been used', async () => {
    const ledger = clocked();
    for (let nth = 0; nth < LIMIT; nth += 1) await ledger.take(3_600_000 + nth * SPACING_MS);
    expect(await ledger.take(0)).toMatchObject({ token: null });
    expect(await ledger.take(990)).toMatchObject({ sendAt: 1_000 });
  });

  it('are given to one process each, whoever asks at once', async () => {
    const asked = await Promise.all(Array.from({ length: 3 * LIMIT }, () => test.ledger.takeToken('balance', LIMITS)));
    const numbers = asked.flatMap(({ token }) => token?.number ?? []);
    expect(numbers).toHaveLength(LIMIT);
    expect(new Set(numbers).size).toBe(LIMIT);
  });

  it('are counted for each endpoint by itself', async () => {
    for (let nth = 0; nth < LIMIT; nth += 1)
      expect((await test.ledger.takeToken('transfers.create', LIMITS)).token).toBeDefined();
    const { token, inMs } = await test.ledger.takeToken('transfers.read', LIMITS);
    expect({ token, soon: inMs < SPACING_MS }).toMatchObject({ token: { taken: '1' }, soon: true });
  });

  it('come back through the ledger’s own operation, a second after the request was counted', async () => {
    for (let nth = 0; nth < LIMIT - 1; nth += 1) await test.ledger.takeToken('balance', LIMITS);
    const { token } = await test.ledger.takeToken('balance', LIMITS);
    await test.ledger.returnToken('balance', token!, 300);
    const [row] = await test.database.query<{ ms: number }>(
      `SELECT (extract(epoch FROM min(free_at) - clock_timestamp()) * 1000)::float8 AS ms FROM stripe_tokens WHERE endpoint = 'balance'`,
    );
    expect(row!.ms).toBeLessThanOrEqual(705);
    expect(
      await test.database.query(`SELECT token FROM stripe_tokens WHERE endpoint = 'balance' ORDER BY free_at LIMIT 1`),
    ).toEqual([{ token: token!.number }]);
  });
});

describe('the tokens of all endpoints together', () => {
  it(
    'let no second see more than Stripe allows an account, whichever endpoints are asked and whatever is late',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(delays, { minLength: 20, maxLength: 60 }),
          fc.integer({ min: 10, max: 60 }),
          fc.integer({ min: 1, max: 4 }),
          async (list, overall, endpoints) => {
            const times = await counted({ requests: 200, endpoints, overall }, (nth) => list[nth % list.length]!);
            for (const each of times) expectAtMost(LIMIT, each);
            const all = times.flat().sort((one, other) => one - other);
            expect(all).toHaveLength(200);
            expectAtMost(overall, all);
          },
        ),
        { numRuns: RUNS },
      );
    },
    TIME_FOR_ALL_MS,
  );

  it('are used to 90 % by three endpoints with a backlog, and none of the three gets less than half of its part', async () => {
    const times = await counted({ requests: 400, endpoints: 3, overall: 40 }, () => PROMPT);
    const all = times.flat().sort((one, other) => one - other);
    expect(perSecond(all)).toBeGreaterThan(36);
    for (const each of times) expect(each.length).toBeGreaterThan(400 / 6);
  });

  it('are given back with the endpoint’s own, and are out for every other endpoint until then', async () => {
    await test.database.query('TRUNCATE stripe_tokens, stripe_endpoints');
    const [one, other] = [clocked('one', 2), clocked('other', 2)];
    const first = await one.take(0);
    await other.take(0);
    expect(await other.take(50)).toMatchObject({ token: null, overallToken: null });
    await one.giveBack(first, 0, 100);
    expect(await other.take(1_080)).toMatchObject({ overallToken: first.overallToken, sendAt: 1_105 });
  });

  it('deadlock nobody: takers and givers of every endpoint meet at once', async () => {
    const endpoints = ['transfers.create', 'transfers.read', 'reversals.create', 'account'];
    const taking = Array.from({ length: 160 }, async (_, nth) => {
      const endpoint = endpoints[nth % endpoints.length]!;
      const { token } = await test.ledger.takeToken(endpoint, LIMITS);
      if (token) await test.ledger.returnToken(endpoint, token, 0);
      return token?.overallNumber;
    });
    const numbers = (await Promise.all(taking)).flatMap((number) => number ?? []);
    expect(numbers).toHaveLength(100);
    expect(new Set(numbers).size).toBe(100);
  });
});
