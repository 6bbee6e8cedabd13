/** Figures of one round by name: ratios, milliseconds or items per second. */
export type Figures = Readonly<Record<string, number>>;

export interface Round {
  /** What counts: two things measured next to each other on one machine, divided. */
  readonly ratios: Figures;
  /** What they were made of; true of this machine and moment only. */
  readonly context: Figures;
}

export const nowMs = (): number => performance.now();
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Nearest rank. @param share 0.5 for the median, 0.99 for p99 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? Number.NaN;
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = nowMs();
  await work();
  return nowMs() - startedMs;
}

/** `items` one after another in `width` lanes, as a server sees callers that wait for their answer. */
export async function inLanes<T>(items: readonly T[], width: number, work: (item: T) => Promise<unknown>) {
  const left = items.values();
  const lane = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Starts one every `everyMs`, whether or not the one before is done. @returns the latency of each */
export async function paced<T>(items: readonly T[], everyMs: number, work: (item: T) => Promise<unknown>) {
  const startedMs = nowMs();
  const running: Promise<number>[] = [];
  for (const [index, item] of items.entries()) {
    const waitMs = startedMs + index * everyMs - nowMs();
    if (waitMs > 0) await pause(waitMs);
    running.push(timed(() => work(item)));
  }
  return Promise.all(running);
}

/** @throws Error when it does not come true: a measurement that hangs measures nothing */
export async function until(what: string, holds: () => Promise<boolean>, limitMs = 180_000): Promise<void> {
  const giveUpMs = nowMs() + limitMs;
  while (!(await holds())) {
    if (nowMs() > giveUpMs) throw new Error(`it did not come true within ${limitMs / 1000} s that ${what}`);
    await pause(20);
  }
}

/** min / median / max of one figure over the rounds. */
export function spread(rounds: readonly Figures[], name: string): string {
  const values = rounds.map((figures) => figures[name] ?? Number.NaN);
  return [Math.min(...values), percentile(values, 0.5), Math.max(...values)].map(short).join(' / ');
}

const short = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));
