export type CaseCounts = ReturnType<typeof createCaseCounts>;

/**
 * Counts what the runs of a property really met: one whose steps were all refused, or whose premise never came true, would
 * hold as well.
 */
export function createCaseCounts() {
  const counts = new Map<string, number>();
  const all = (): string => [...counts].map(([what, times]) => `${times} ${what}`).join(', ');
  return {
    count(what: string, by: number | boolean = 1): void {
      counts.set(what, (counts.get(what) ?? 0) + Number(by));
    },
    /** @throws naming what came about less often than it must, beside everything that was counted */
    expectAtLeast(least: Readonly<Record<string, number>>): void {
      const rare = Object.entries(least).filter(([what, times]) => (counts.get(what) ?? 0) < times);
      if (rare.length === 0) return;
      const missing = rare.map(([what, times]) => `fewer than ${times} ${what}`).join(', ');
      throw new Error(`${missing}, of all this: ${all()}`);
    },
    /** For a person who wonders how much was tried. */
    all,
  };
}
