/** Takes one place in the ledger-wide row of an endpoint. @returns milliseconds until it may be used */
export type ReserveToken = (endpoint: string) => Promise<number>;

export interface BudgetOptions {
  readonly reserve: ReserveToken;
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Waiting {
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * The token before every request. All processes share each endpoint's evenly spaced places through the ledger; inside one
 * process a place goes to the lanes in turn, so a seller with one call never stands behind another's thousand.
 *
 * @returns takeToken, which rejects only when the ledger cannot be asked: then nothing is sent
 */
export function createBudget({ reserve, sleep = pause }: BudgetOptions) {
  const endpoints = new Map<string, Map<string, Waiting[]>>();

  /** One loop per endpoint while anybody waits: reserve, wait for the place, give it to the next lane. */
  async function serve(endpoint: string, lanes: Map<string, Waiting[]>): Promise<void> {
    while (lanes.size > 0) {
      try {
        await sleep(await reserve(endpoint));
        takeTurn(lanes)?.grant();
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
