/** The one clock that code outside Postgres may read; tests move it together with the ledger's and the sandbox's. */
export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
