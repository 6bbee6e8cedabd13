import { z } from 'zod';
import { createFaultBook, type FaultBook, ruleBase } from '../fault-book.js';
import { METHOD_NAMES, type MethodName, SENDING } from './rpc.js';

/** Every way the stand-in can misbehave; docs/sandbox.md says what each looks like on the wire. */
const FAULT_KINDS = [
  'unavailable',
  'html_502',
  'http_401',
  'http_404',
  'rate_limited',
  'rpc_error',
  'reset_before_commit',
  'hang_before_commit',
  'slow',
  'reverted',
  'stay_pending',
  'rpc_error_after_commit',
  'reset_after_commit',
  'hang_after_commit',
  'invalid_json',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const faultRuleSchema = z.strictObject({
  /** One of these is drawn evenly each time the rule strikes. */
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z
    .array(z.enum(METHOD_NAMES))
    .min(1)
    .default(() => Array.from(SENDING)),
  ...ruleBase,
  /** `slow`: how long until the answer. Hangs: how long until the socket is cut (they never answer). */
  ms: z.int().min(0).max(3_600_000).optional(),
  retryAfterSeconds: z.int().min(0).max(86_400).default(1),
});
export type FaultRule = z.input<typeof faultRuleSchema>;
type ReadRule = z.output<typeof faultRuleSchema>;
export const faultsSchema = z.strictObject({ rules: z.array(faultRuleSchema), seed: z.int().optional() });

export interface Fault {
  readonly kind: FaultKind;
  readonly ms: number | undefined;
  readonly retryAfterSeconds: number;
}

export interface Faults {
  /** Replaces all rules. @throws ZodError when a rule does not read */
  set(rules: readonly FaultRule[], seed?: number): void;
  rules(): readonly FaultRule[];
  /** The first rule that strikes this call; uses up one of its `times`. */
  strike(method: MethodName): Fault | undefined;
  setDown(down: boolean): void;
  isDown(): boolean;
}

/** Seeded, so that a run can be had again: the same calls in the same order meet the same faults. */
export function createFaults(seed = 1): Faults {
  const book: FaultBook<FaultRule, ReadRule> = createFaultBook(faultRuleSchema, seed);
  let down = false;
  return {
    set: (rules, newSeed) => book.set(rules, newSeed),
    rules: () => book.rules(),
    strike(method) {
      const struck = book.strike(({ on }) => on.includes(method));
      if (struck === undefined) return undefined;
      return { kind: struck.kind, ms: struck.rule.ms, retryAfterSeconds: struck.rule.retryAfterSeconds };
    },
    setDown(isDown) {
      down = isDown;
    },
    isDown: () => down,
  };
}
