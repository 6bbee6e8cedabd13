import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPatience } from '../../../src/sessions/offers/patience.js';
import type {
  PaymentRequestOutcome as Outcome,
  PaymentRequests,
  PaymentRequestTerms,
} from '../../../src/sessions/offers/payment-requests.js';
import { createRequestIdStock, type RequestIdStock } from '../../../src/sessions/offers/request-id-stock.js';

type Input = Parameters<PaymentRequests['createPaymentRequest']>[0];

interface HeldCall {
  readonly amount: string;
  readonly signal: AbortSignal;
  readonly answer: (outcome: Outcome) => void;
}

/** An auth server that answers when it is told to, or by itself. */
class AuthServer {
  readonly held: HeldCall[] = [];
  asked = 0;
  answers: ((amount: string) => Outcome | 'breaks') | undefined;
  #made = 0;

  createPaymentRequest({ options, signal }: Input): Promise<Outcome> {
    this.asked += 1;
    const amount = options[0]?.['amount'] as string;
    const own = this.answers?.(amount);
    if (own === 'breaks') return Promise.reject(new Error('the call broke'));
    if (own !== undefined) return Promise.resolve(own);
    return new Promise((answer) => this.held.push({ amount, signal, answer }));
  }
  readonly makes = (amount: string): Outcome => {
    this.#made += 1;
    return { kind: 'created', id: `${amount}#${this.#made}` };
  };
  /** Answers the call that has waited longest, or the given one. */
  async answerOne(nth = 0, well = true): Promise<void> {
    const [call] = this.held.splice(nth, 1);
    call?.answer(well ? this.makes(call.amount) : DOWN);
    await settled();
  }
}

const DOWN: Outcome = { kind: 'unavailable', detail: 'auth server answered 503' };
const settled = () => vi.advanceTimersByTimeAsync(0);

let auth: AuthServer;
let stock: RequestIdStock;
let outages: string[];
beforeEach(() => {
  vi.useFakeTimers();
  fresh();
});
afterEach(() => void vi.useRealTimers());

function fresh(): void {
  auth = new AuthServer();
  outages = [];
  stock = createRequestIdStock(auth, (detail) => outages.push(detail));
}

const of = (amount: string): PaymentRequestTerms => ({ options: [{ amount }], destinationAccountId: 'atxp:shop' });
const take = (amount = '1', ms?: number) => stock.take(of(amount), createPatience(ms));

/** What has come of a promise by now. */
function watched<T>(promise: Promise<T>): { came: T | 'waits' } {
  const watch: { came: T | 'waits' } = { came: 'waits' };
  promise.then((value) => (watch.came = value)).catch(() => undefined);
  return watch;
}

describe('while the auth server is well', () => {
  beforeEach(() => void (auth.answers = auth.makes));

  test('the first who asks has an id, and the next one is there before it is asked for', async () => {
    expect(await take()).toBe('1#1');
    await settled();
    expect(auth.asked).toBe(2);
    auth.answers = undefined;
    expect(await take()).toBe('1#2');
  });

  test('nobody asks it for anything while nobody asks here', async () => {
    await take();
    await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    expect([auth.asked, vi.getTimerCount()]).toEqual([2, 0]);
  });

  test('ids are for the terms that they were made for, with the account they are paid to', async () => {
    await take('1');
    expect(await take('2')).toMatch(/^2#/);
    const elsewhere = stock.take({ ...of('1'), destinationAccountId: 'atxp:other' }, createPatience());
    await settled();
    // Two for each kind of terms.
    expect(auth.asked).toBe(6);
    expect(await elsewhere).toMatch(/^1#/);
  });

  test('the newest is handed out first, and none that is older than ten minutes', async () => {
    auth.answers = undefined;
    const first = take();
    await auth.answerOne();
    await auth.answerOne();
    await vi.advanceTimersByTimeAsync(599_000);
    const second = take();
    await auth.answerOne();
    expect(await Promise.all([first, second])).toEqual(['1#1', '1#2']);
    await vi.advanceTimersByTimeAsync(599_999);
    expect(await take()).toBe('1#3');
    await auth.answerOne();
    await vi.advanceTimersByTimeAsync(600_000);
    const late = watched(take());
    await settled();
    expect(late.came).toBe('waits');
    await auth.answerOne();
    expect(late.came).toBe('1#5');
  });

  test('who only asks costs one call for each id, and at most 200 calls a second', async () => {
    const taken = await Promise.all(Array.from({ length: 1_000 }, () => take()));
    expect(auth.asked).toBe(200);
    expect(taken.filter((id) => id !== undefined).length).toBeGreaterThan(150);
    await vi.advanceTimersByTimeAsync(500);
    await Promise.all(Array.from({ length: 1_000 }, () => take()));
    expect(auth.asked).toBe(300);
  });

  test('terms that nobody has asked for since 256 others are forgotten', async () => {
    await take('first');
    for (let n = 0; n < 256; n += 1) {
      await take(String(n));
      await vi.advanceTimersByTimeAsync(10);
    }
    auth.answers = undefined;
    expect(await take('255')).toMatch(/^255#/);
    const forgotten = watched(take('first'));
    await settled();
    expect(forgotten.came).toBe('waits');
  });
});

describe('while the auth server is slow', () => {
  test('the first who asks waits 40 ms, and nobody after that', async () => {
    const first = watched(take());
    await vi.advanceTimersByTimeAsync(39);
    expect(first.came).toBe('waits');
    await vi.advanceTimersByTimeAsync(1);
    expect(first.came).toBeUndefined();
    for (let n = 0; n < 100; n += 1) {
      const next = watched(take());
      await settled();
      expect(next.came).toBeUndefined();
    }
    expect(auth.asked).toBe(8);
  });

  test('what it answers in the end is handed out', async () => {
    for (let n = 0; n < 20; n += 1) watched(take());
    await vi.advanceTimersByTimeAsync(3_000);
    while (auth.held.length > 0 && auth.asked < 40) await auth.answerOne();
    const taken = await Promise.all(Array.from({ length: 16 }, () => take()));
    expect(taken.filter((id) => id !== undefined)).toHaveLength(16);
  });

  test('whoever needs an id waits for it as long as he says', async () => {
    const needs = watched(take('1', 3_000));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(needs.came).toBe('waits');
    await auth.answerOne();
    expect(needs.came).toBe('1#1');
    const inVain = watched(take('2', 3_000));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(inVain.came).toBeUndefined();
  });

  test('there are never more than 8 calls under way for one kind of terms, and 32 for all', async () => {
    for (let n = 0; n < 100; n += 1) watched(take('0'));
    expect(auth.held).toHaveLength(8);
    for (let n = 0; n < 1_000; n += 1) watched(take(String(n % 100)));
    expect(auth.held).toHaveLength(32);
    // They take turns: the next call is not for the terms that had the most.
    await auth.answerOne();
    expect([auth.held.length, inFlight('0')]).toEqual([32, 7]);
  });
});

test('whoever waits for terms that are forgotten before their turn waits no longer', async () => {
  const waits = Array.from({ length: 300 }, (_, n) => watched(take(String(n), 3_000)));
  await settled();
  // The first 16 have their calls, two each, under way; of all, the last 256 are remembered.
  expect(waits.filter(({ came }) => came === undefined)).toHaveLength(300 - 256 - 16);
});

const inFlight = (amount: string): number => auth.held.filter((call) => call.amount === amount).length;

describe('while the auth server fails', () => {
  test.each([['with an answer', DOWN] as const, ['without one', 'breaks'] as const])(
    '%s, it is asked a few times, then once in two seconds, however many ask here',
    async (_how, failure) => {
      auth.answers = () => failure;
      for (let n = 0; n < 100; n += 1) expect(await take()).toBeUndefined();
      expect([auth.asked, outages.length]).toEqual([4, 1]);
      for (let second = 0; second < 60; second += 1) {
        await vi.advanceTimersByTimeAsync(1_000);
        for (let n = 0; n < 10; n += 1) expect(await take('1', 3_000)).toBeUndefined();
      }
      expect([auth.asked, outages.length]).toEqual([34, 1]);
    },
  );

  test('nobody waits while one call finds out whether it is well again, and all are served when it is', async () => {
    auth.answers = () => DOWN;
    await take();
    auth.answers = undefined;
    await vi.advanceTimersByTimeAsync(2_000);
    const asks = Array.from({ length: 5 }, () => watched(take('1', 3_000)));
    await settled();
    expect(auth.held).toHaveLength(1);
    auth.answers = auth.makes;
    await auth.answerOne();
    expect(asks.map(({ came }) => came)).toEqual(Array.from({ length: 5 }, () => expect.stringMatching(/^1#/)));
  });

  test('for some terms, others have their ids', async () => {
    auth.answers = (amount) => (amount === 'bad' ? DOWN : auth.makes(amount));
    for (let n = 0; n < 20; n += 1) {
      expect(await take('bad')).toBeUndefined();
      expect(await take('good')).toMatch(/^good#/);
      await settled();
    }
  });

  test('it is not asked ahead for anybody', async () => {
    auth.answers = auth.makes;
    await take();
    auth.answers = () => DOWN;
    await take();
    await settled();
    const asked = auth.asked;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(auth.asked).toBe(asked);
  });
});

test('after a stop nothing is asked for, nobody waits, and what was asked for is given up', async () => {
  const waits = watched(take('1', 3_000));
  const { held } = auth;
  stock.stop();
  await settled();
  expect([waits.came, held.map(({ signal }) => signal.aborted)]).toEqual([undefined, [true, true]]);
  for (const { answer } of held.splice(0)) answer(DOWN);
  expect(await take()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([auth.asked, outages, vi.getTimerCount()]).toEqual([2, [], 0]);
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ take: fc.constantFrom('1', '2', '3'), ms: fc.constantFrom(40, 3_000) }) },
  { weight: 4, arbitrary: fc.record({ answer: fc.nat(40), well: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(0, 5, 40, 3_000, 700_000) }) },
);

test('whoever asks, whatever is answered when: each id is handed out once, for its own terms, within all bounds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      fresh();
      const taken: Promise<{ amount: string; id: string | undefined }>[] = [];
      let answered = 0;
      for (const next of steps) {
        if ('take' in next) {
          const { take: amount, ms } = next;
          taken.push(take(amount, ms).then((id) => ({ amount, id })));
        } else if ('answer' in next) {
          if (next.well && auth.held.length > 0) answered += 1;
          await auth.answerOne(next.answer % Math.max(auth.held.length, 1), next.well);
        } else await vi.advanceTimersByTimeAsync(next.passMs);
        expect(auth.held.length).toBeLessThanOrEqual(24);
        for (const amount of ['1', '2', '3']) expect(inFlight(amount)).toBeLessThanOrEqual(8);
      }
      await vi.advanceTimersByTimeAsync(3_000);
      const given = (await Promise.all(taken)).filter(({ id }) => id !== undefined);
      expect(new Set(given.map(({ id }) => id)).size).toBe(given.length);
      expect(given.filter(({ amount, id }) => !id?.startsWith(`${amount}#`))).toEqual([]);
      expect(given.length).toBeLessThanOrEqual(answered);
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 200 },
  );
});
