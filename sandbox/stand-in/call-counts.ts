/** A stand-in that runs for weeks must not grow for ever; counts stay complete. */
const KEPT = 10_000;

/** The newest of what came, oldest of them first. */
export interface Recent<T> {
  add(each: T): void;
  all(): readonly T[];
  clear(): void;
}

export function createRecent<T>(): Recent<T> {
  let kept: T[] = [];
  return {
    add(each) {
      kept.push(each);
      if (kept.length > 2 * KEPT) kept = kept.slice(-KEPT);
    },
    all: () => kept.slice(-KEPT),
    clear() {
      kept = [];
    },
  };
}

/** What came of calls that should all be the same one. */
export interface RepeatedCalls {
  readonly calls: number;
  /** sha256 of every body, with how often; more than one entry is a broken promise. */
  readonly bodies: Readonly<Record<string, number>>;
  /** The Idempotency-Key headers they came with, with how often. */
  readonly idempotencyKeys: Readonly<Record<string, number>>;
  /** How often one arrived while an earlier one was still at work. */
  readonly overlaps: number;
}

export interface Repeats {
  /** @returns how many are at work now, this one included */
  begin(body: string, idempotencyKey?: string): number;
  end(): void;
  /** One of before a restart. */
  replay(body: string, idempotencyKey: string, atOnce: number): void;
  view(): RepeatedCalls;
}

export function createRepeats(): Repeats {
  const bodies = new Map<string, number>();
  const idempotencyKeys = new Map<string, number>();
  let calls = 0;
  let overlaps = 0;
  let atWork = 0;
  const count = (body: string, idempotencyKey: string, atOnce: number): void => {
    calls += 1;
    addOne(bodies, body);
    addOne(idempotencyKeys, idempotencyKey);
    if (atOnce > 1) overlaps += 1;
  };
  return {
    begin(body, idempotencyKey = '') {
      atWork += 1;
      count(body, idempotencyKey, atWork);
      return atWork;
    },
    end() {
      atWork -= 1;
    },
    replay: count,
    view: () => ({
      calls,
      bodies: Object.fromEntries(bodies),
      idempotencyKeys: Object.fromEntries(idempotencyKeys),
      overlaps,
    }),
  };
}

/** How many of these calls were not all the same. */
export const differing = (counts: readonly Readonly<Record<string, number>>[]): number =>
  counts.filter((each) => Object.keys(each).length > 1).length;

export const overlapsOf = (all: readonly Pick<RepeatedCalls, 'overlaps'>[]): number =>
  all.reduce((sum, { overlaps }) => sum + overlaps, 0);

export function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export function known<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
