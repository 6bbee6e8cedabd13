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
      const ended = work.then(yes, yes);
      while (left > 0) {
        left -= 1;
        if (await within(ms / SLICES, ended)) return;
      }
    },
  };
}

const yes = (): boolean => true;

async function within(ms: number, ended: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const later = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([ended, later]);
  } finally {
    clearTimeout(timer);
  }
}
