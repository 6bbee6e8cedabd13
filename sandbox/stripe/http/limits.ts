import type { Clock } from '../../../src/domain/clock.js';
import type { EndpointName } from './endpoints.js';

export interface LimitSettings {
  /** Requests in any 1000 ms to one endpoint; Stripe's default is 25. Null: no limit. */
  readonly perEndpoint: number | null;
  /** Over all endpoints; Stripe's are 100 in live mode and 25 in a sandbox. */
  readonly overall: number | null;
  /** Put on every 429; null: none, as Stripe sends none. */
  readonly retryAfterSeconds: number | null;
}

const NO_LIMITS: LimitSettings = { perEndpoint: null, overall: null, retryAfterSeconds: null };

/** Limits per second, and one writer at a time for each object (docs.stripe.com/rate-limits). */
export interface Limits {
  settings(): LimitSettings;
  set(settings: LimitSettings): void;
  /** Whether one more request fits; a refused one takes no place. */
  admits(endpoint: EndpointName): boolean;
  /** @returns the function that frees the object, once or more; undefined: somebody else is writing it */
  lock(id: string): (() => void) | undefined;
  clear(): void;
}

export function createLimits(clock: Clock): Limits {
  let settings = NO_LIMITS;
  const windows = new Map<string, number[]>();
  const locks = new Map<string, symbol>();
  const hasPlace = (name: string, limit: number | null): boolean => {
    if (limit === null) return true;
    const now = clock.nowMs();
    // A clock that was moved back leaves times of the future, which count for nothing.
    const recent = (windows.get(name) ?? []).filter((at) => at <= now && now - at < 1000);
    windows.set(name, recent);
    return recent.length < limit;
  };
  const take = (name: string, limit: number | null): void => {
    if (limit !== null) windows.get(name)?.push(clock.nowMs());
  };
  return {
    settings: () => settings,
    set(next) {
      settings = next;
      windows.clear();
    },
    admits(endpoint) {
      const { perEndpoint, overall } = settings;
      if (!hasPlace(endpoint, perEndpoint) || !hasPlace('*', overall)) return false;
      take(endpoint, perEndpoint);
      take('*', overall);
      return true;
    },
    lock(id) {
      if (locks.has(id)) return undefined;
      const mine = Symbol(id);
      locks.set(id, mine);
      return () => {
        if (locks.get(id) === mine) locks.delete(id);
      };
    },
    clear() {
      settings = NO_LIMITS;
      windows.clear();
      locks.clear();
    },
  };
}
