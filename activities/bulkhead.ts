/** Lets so many calls to one provider be open at once. @returns undefined when there is no place: nothing was begun */
export type Bulkhead = <T>(work: () => Promise<T>) => Promise<T> | undefined;

/**
 * More are never open at one provider from one worker, so a provider that hangs takes no slot of a worker from the others:
 * what finds no place waits in the ledger. The worker's own options leave room for all providers at their limits.
 */
export const CALLS_AT_ONCE = 250;

export function createBulkhead(most: number = CALLS_AT_ONCE): Bulkhead {
  let open = 0;
  return (work) => {
    if (open >= most) return undefined;
    open += 1;
    return work().finally(() => {
      open -= 1;
    });
  };
}
