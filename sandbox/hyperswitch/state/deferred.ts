/** Calls whose caller was cut off and that are carried out all the same, later: after their time, or when they are let go. */
export interface DeferredWork {
  /** @param afterMs undefined: not before `land` */
  keep(work: () => Promise<void>, afterMs: number | undefined): void;
  /** Carries out all that wait, the oldest first. @returns how many */
  land(): Promise<number>;
  /** Forgets them: they never happened. */
  clear(): void;
}

export function createDeferredWork(): DeferredWork {
  const waiting = new Set<() => Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  const carryOut = async (work: () => Promise<void>): Promise<void> => {
    if (waiting.delete(work)) await work();
  };
  return {
    keep(work, afterMs) {
      waiting.add(work);
      if (afterMs === undefined) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        void carryOut(work);
      }, afterMs);
      timers.add(timer);
    },
    async land() {
      const all = Array.from(waiting);
      for (const work of all) await carryOut(work);
      return all.length;
    },
    clear() {
      waiting.clear();
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}
