/** One place in the ledger-wide row of an endpoint, by the ledger's clock, in milliseconds since any fixed moment. */
export interface Place {
  readonly atMs: number;
  /** When the ledger answered. */
  readonly nowMs: number;
}

export type ReservePlace = (endpoint: string) => Promise<Place>;

export interface BudgetOptions {
  readonly reserve: ReservePlace;
  readonly sleep?: (ms: number) => Promise<void>;
  /** A clock that nobody sets, in milliseconds. */
  readonly now?: () => number;
}

interface Waiting {
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
}

/** Half of what the spacing of the places leaves; the other half is for the way to Stripe. */
const MISSED_AFTER_MS = 20;
/** A process that stands still all the time sends late rather than never: one too many in a second costs a 429, no retry. */
const MOST_LET_GO = 5;

/**
 * The token before every request. All processes share each endpoint's evenly spaced places through the ledger; inside one
 * process a place goes to the lanes in turn, so a seller with one call never stands behind another's thousand. A place that
 * was missed, because the ledger's answer or this process was slow, is let go: used late, it would come into the second
 * of those behind it.
 *
 * @returns takeToken, which rejects only when the ledger cannot be asked: then nothing is sent
 */
export function createBudget({ reserve, sleep = pause, now = () => performance.now() }: BudgetOptions) {
  const endpoints = new Map<string, Map<string, Waiting[]>>();
  const clock = createClockComparison();

  /** @returns false when it was missed, or when it cannot be known: the first answer has nothing to be compared with */
  async function waitForPlace(endpoint: string): Promise<boolean> {
    const { atMs, nowMs } = await reserve(endpoint);
    const aheadMs = clock.compare(nowMs, now());
    if (aheadMs === undefined) return false;
    const due = atMs + aheadMs;
    await sleep(due - now());
    return now() - due <= MISSED_AFTER_MS;
  }

  /** One loop per endpoint while anybody waits: reserve, wait for the place, give it to the next lane. */
  async function serve(endpoint: string, lanes: Map<string, Waiting[]>): Promise<void> {
    let letGo = 0;
    while (lanes.size > 0) {
      try {
        const inTime = await waitForPlace(endpoint);
        letGo = inTime || letGo === MOST_LET_GO ? 0 : letGo + 1;
        if (letGo === 0) takeTurn(lanes)?.grant();
      } catch (error) {
        takeTurn(lanes)?.refuse(error);
      }
    }
    endpoints.delete(endpoint);
  }

  return function takeToken(endpoint: string, lane: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const known = endpoints.get(endpoint);
      const lanes = known ?? new Map<string, Waiting[]>();
      const waiting = lanes.get(lane) ?? [];
      waiting.push({ grant: resolve, refuse: reject });
      lanes.set(lane, waiting);
      if (known) return;
      endpoints.set(endpoint, lanes);
      void serve(endpoint, lanes);
    });
  };
}

/** So many answers are compared: about three seconds, because no two clocks run quite alike. */
const COMPARED = 64;

/**
 * How far this process' clock is ahead of the ledger's. The answer that came quickest tells it best: a slow one left the
 * ledger long before it was read.
 */
function createClockComparison() {
  const seen: number[] = [];
  return {
    /** @returns milliseconds; undefined for the first answer, whose connection had to be made */
    compare(ledgerNow: number, now: number): number | undefined {
      seen.push(now - ledgerNow);
      if (seen.length > COMPARED) seen.shift();
      return seen.length === 1 ? undefined : Math.min(...seen);
    },
  };
}

/** The lane that was served goes to the end of the row. */
function takeTurn(lanes: Map<string, Waiting[]>): Waiting | undefined {
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
