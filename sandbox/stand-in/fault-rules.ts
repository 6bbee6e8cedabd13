import { z } from 'zod';

/** What every fault rule has, whatever stand-in it is for. */
export const ruleBase = {
  /** Strikes this often, then ends; without it, until it is taken away. */
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).default(1),
};

export const callRuleBase = {
  ...ruleBase,
  /** `slow`: how long until the answer. Hangs: how long until the socket is cut (they never answer). */
  ms: z.int().min(0).max(3_600_000).optional(),
  retryAfterSeconds: z.int().min(0).max(86_400).default(1),
};

interface Rule<Kind> {
  /** One of these is drawn evenly each time the rule strikes. */
  readonly kinds: readonly Kind[];
  readonly times?: number | undefined;
  readonly probability: number;
}

export interface Strike<R extends Rule<unknown>> {
  readonly kind: R['kinds'][number];
  readonly rule: R;
  /** 0 ≤ draw < 1, for faults that have a choice left. */
  readonly draw: number;
}

export interface FaultRules<Input, R extends Rule<unknown>> {
  /** Replaces all rules. @throws ZodError when a rule does not read */
  set(rules: readonly Input[], seed?: number): void;
  /** What is switched on now, `times` as often as it will still strike. */
  rules(): readonly R[];
  /** The first rule that applies and strikes; uses up one of its `times`. */
  strike(applies: (rule: R) => boolean): Strike<R> | undefined;
  /** No rules, and the draws of the start. */
  clear(): void;
}

/** The faults of a stand-in that is down as a whole or not at all. */
export interface FaultSwitches<Input, R extends Rule<unknown>> extends FaultRules<Input, R> {
  /** Answers 503 to everything, and nothing is committed. */
  setDown(down: boolean): void;
  isDown(): boolean;
}

/** Seeded, so that a run can be had again: the same calls in the same order meet the same faults. */
export function createFaultRules<Input, R extends Rule<unknown>>(
  schema: z.ZodType<R, Input>,
  seed = 1,
): FaultRules<Input, R> {
  let random = randomFrom(seed);
  let entries: { rule: R; left: number }[] = [];
  return {
    set(given, newSeed) {
      entries = given.map((each) => {
        const rule = schema.parse(each);
        return { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      });
      if (newSeed !== undefined) random = randomFrom(newSeed);
    },
    rules: () =>
      entries
        .filter(({ left }) => left > 0)
        .map(({ rule, left }) => (Number.isFinite(left) ? { ...rule, times: left } : rule)),
    strike(applies) {
      for (const entry of entries) {
        const { rule } = entry;
        if (entry.left <= 0 || !applies(rule) || random() >= rule.probability) continue;
        const kind = rule.kinds[Math.floor(random() * rule.kinds.length)];
        if (kind === undefined) continue;
        entry.left -= 1;
        return { kind, rule, draw: random() };
      }
      return undefined;
    },
    clear() {
      entries = [];
      random = randomFrom(seed);
    },
  };
}

export function createFaultSwitches<Input, R extends Rule<unknown>>(
  schema: z.ZodType<R, Input>,
  seed?: number,
): FaultSwitches<Input, R> {
  const book = createFaultRules(schema, seed);
  let down = false;
  return {
    ...book,
    setDown(isDown) {
      down = isDown;
    },
    isDown: () => down,
    clear() {
      book.clear();
      down = false;
    },
  };
}

/** mulberry32: 32 bits of state are plenty for drawing faults. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
