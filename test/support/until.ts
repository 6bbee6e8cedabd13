import { setTimeout as wait } from 'node:timers/promises';

export interface Patience {
  readonly limitMs: number;
  readonly everyMs?: number;
}

/** Polls until `look` gives something; the bound is part of the promise under test. @throws naming what never came */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { limitMs, everyMs = 50 }: Patience,
): Promise<T> {
  const giveUpAt = performance.now() + limitMs;
  let last: unknown;
  while (performance.now() < giveUpAt) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await wait(everyMs);
  }
  throw new Error(`not within ${limitMs / 1000} s: ${what}`, { cause: last });
}
