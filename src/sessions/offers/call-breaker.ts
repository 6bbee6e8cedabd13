export interface CallBreaker {
  /** @returns to be told why the call failed, or nothing where it did not; undefined: the call is not to be made now */
  begin(): ((failure: string | undefined) => void) | undefined;
}

const FAILURES_TO_OPEN = 3;
/** Of what answers nobody's money: long enough that nobody is flooded, short enough that nobody notices its end. */
const OPEN_MS = 2_000;

/** Open after so many failures in a row; then one call at a time finds out whether it is over. It has no timer. */
export function createCallBreaker(monotonicMs: () => number, onOpen: (failure: string) => void): CallBreaker {
  let failures = 0;
  let tryAgainAt = 0;
  let trying = false;
  return {
    begin() {
      const trial = failures >= FAILURES_TO_OPEN;
      if (trial && (trying || monotonicMs() < tryAgainAt)) return undefined;
      if (trial) trying = true;
      return (failure) => {
        if (trial) trying = false;
        failures = failure === undefined ? 0 : failures + 1;
        if (failures >= FAILURES_TO_OPEN) tryAgainAt = monotonicMs() + OPEN_MS;
        if (failure !== undefined && failures === FAILURES_TO_OPEN) onOpen(failure);
      };
    },
  };
}
