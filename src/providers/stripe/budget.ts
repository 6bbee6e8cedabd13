import { STRIPE_REQUESTS_PER_SECOND } from '../../domain/stripe-rate.js';

/** What the budget needs of the ledger; a token is whatever the ledger knows it by. */
export interface TokenLedger<Token> {
  /** @returns no token while all are out; then `inMs` is when to ask again, otherwise when the request may be sent */
  takeToken(
    endpoint: string,
    limits: { readonly perEndpoint: number; readonly overall: number },
  ): Promise<{ readonly token: Token | undefined; readonly inMs: number }>;
  /** @param countedMs since when, at least, Stripe has counted the request */
  returnToken(endpoint: string, token: Token, countedMs: number): Promise<void>;
}

/**
 * To be called when the request was answered or given up.
 * @param sentAtMs by `performance.now()`; null: nothing was sent
 */
export type Answered = (sentAtMs: number | null) => void;

/**
 * Nobody waits longer for a token: the claim that allows the request would lapse. It is also too late for a process that
 * was stopped while it waited.
 */
const LONGEST_WAIT_MS = 50_000;

/**
 * The token before every request. All processes share each endpoint's tokens, and those of all endpoints together, through
 * the ledger, where one that was used is free a second after Stripe counted the request: however late a process, the network
 * or Stripe is, no second sees more requests than there are tokens. Inside one process tokens go to the lanes in turn, so a seller with one call never stands
 * behind another's thousand.
 *
 * @param overall requests a second to all endpoints together; a function is asked for each token
 * @returns takeToken; its answer is undefined when there was no token in time, and it rejects only when the ledger cannot
 *   be asked: nothing is sent then
 */
export function createBudget<Token>(
  ledger: TokenLedger<Token>,
  overall: number | (() => number),
): (endpoint: string, lane: string) => Promise<Answered | undefined> {
  const limits = () => ({
    perEndpoint: STRIPE_REQUESTS_PER_SECOND,
    overall: typeof overall === 'number' ? overall : overall(),
  });
  const endpoints = new Map<string, { readonly line: Line<Token>; readonly quickest: Quickest }>();

  function endpointOf(name: string) {
    const known = endpoints.get(name);
    if (known) return known;
    const nextToken = async () => {
      const { token, inMs } = await ledger.takeToken(name, limits());
      await pause(inMs);
      return token;
    };
    const made = { line: createLine(nextToken), quickest: createQuickest() };
    endpoints.set(name, made);
    return made;
  }

  return async function takeToken(endpoint, lane) {
    const { line, quickest } = endpointOf(endpoint);
    const token = await line.wait(lane);
    if (token === undefined) return undefined;
    return (sentAtMs) => {
      if (sentAtMs !== null) quickest.add(performance.now() - sentAtMs);
      // One that cannot be given back now is free by itself a few seconds later.
      ledger.returnToken(endpoint, token, sentAtMs === null ? 0 : quickest.ms()).catch(() => undefined);
    };
  };
}

/** The answers that are compared: those of the last minute at full pace. */
const COMPARED = 1_500;

interface Quickest {
  add(ms: number): void;
  ms(): number;
}

/**
 * The quickest answer: every other request was counted at least that long before its answer came, give or take the way
 * there, which the next request has before it as well. Before each token was used once, only that an answered request was
 * counted is certain: the first ones had their connections made.
 */
function createQuickest(): Quickest {
  const answers: number[] = [];
  return {
    add(ms) {
      answers.push(ms);
      if (answers.length > COMPARED) answers.shift();
    },
    ms: () => (answers.length < STRIPE_REQUESTS_PER_SECOND ? 0 : Math.min(...answers)),
  };
}

interface Waiting<Token> {
  readonly since: number;
  readonly grant: (token: Token | undefined) => void;
  readonly refuse: (error: unknown) => void;
}

interface Line<Token> {
  /** @returns undefined: it came too late to be used */
  wait(lane: string): Promise<Token | undefined>;
}

/** Those who wait for a token of one endpoint. While there are any, one loop takes tokens and gives them to the lanes in turn. */
function createLine<Token>(nextToken: () => Promise<Token | undefined>): Line<Token> {
  const lanes = new Map<string, Waiting<Token>[]>();
  let serving = false;

  async function serve(): Promise<void> {
    serving = true;
    while (lanes.size > 0) {
      try {
        const token = await nextToken();
        if (token !== undefined) firstInTime()?.grant(token);
      } catch (error) {
        nextInLine(lanes)?.refuse(error);
      }
    }
    serving = false;
  }

  function firstInTime(): Waiting<Token> | undefined {
    for (;;) {
      const first = nextInLine(lanes);
      if (!first || performance.now() - first.since <= LONGEST_WAIT_MS) return first;
      first.grant(undefined);
    }
  }

  return {
    wait: (lane) =>
      new Promise((resolve, reject) => {
        const waiting = lanes.get(lane) ?? [];
        waiting.push({ since: performance.now(), grant: resolve, refuse: reject });
        lanes.set(lane, waiting);
        if (!serving) void serve();
      }),
  };
}

/** The lane that was served goes to the end of the row. */
function nextInLine<Token>(lanes: Map<string, Waiting<Token>[]>): Waiting<Token> | undefined {
  const [first] = lanes;
  if (!first) return undefined;
  const [lane, waiting] = first;
  lanes.delete(lane);
  const next = waiting.shift();
  if (waiting.length > 0) lanes.set(lane, waiting);
  return next;
}

const pause = (ms: number): Promise<void> =>
  ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
