/** How long one request waits, in all, for what its answer can do without. */
export interface Patience {
  readonly ms: number;
  /** Until `work` has ended, however it ends, or patience is over. */
  outlast(work: Promise<unknown>): Promise<void>;
}

/** Of the 50 ms that a 402 may take, the rest is for everything else. */
const BESIDE_OTHERS_MS = 40;
const SLICES = 8;

/** Counted in slices and not by the clock: a process that stood still itself has not waited for anybody. */
export function createPatience(ms: number = BESIDE_OTHERS_MS): Patience {
  let left = SLICES;
  return {
    ms,
    async outlast(work) {
      let ended = false;
      const end = (): void => void (ended = true);
      const settled = work.then(end, end);
      while (!ended && left > 0) {
        left -= 1;
        await settledOrAfter(settled, ms / SLICES);
      }
    },
  };
}

async function settledOrAfter(settled: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const later = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([settled, later]);
  clearTimeout(timer);
}
