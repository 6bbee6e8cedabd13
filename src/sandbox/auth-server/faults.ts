import { z } from 'zod';
import { createFaultBook, ruleBase } from '../fault-book.js';
import { SANDBOX_PROTOCOLS, type SandboxProtocol } from './claim.js';

/** Every way the sandbox can misbehave; docs/sandbox.md says what each looks like on the wire. */
export const FAULT_KINDS = [
  'server_error',
  'server_error_after_commit',
  'slow',
  'hang_before_commit',
  'hang_after_commit',
  'reset_before_commit',
  'reset_after_commit',
  'refused',
  'refused_unrecognised',
  'http_401',
  'http_403',
  'http_404',
  'html_200',
  'html_404',
  'redirect',
  'rate_limited',
  'invalid_json',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export type FaultCall = 'settle' | 'verify' | 'payment-request';

const protocols = z.enum(['atxp', 'x402', 'mpp']);
export const faultRuleSchema = z.strictObject({
  /** One of these is drawn evenly each time the rule strikes. */
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z
    .array(z.enum(['settle', 'verify', 'payment-request']))
    .min(1)
    .default(['settle']),
  protocols: z.array(protocols).min(1).default(Array.from(SANDBOX_PROTOCOLS)),
  ...ruleBase,
  /** `slow`: how long until the answer. Hangs: how long until the socket is cut (they never answer). */
  ms: z.int().min(0).max(3_600_000).optional(),
  retryAfterSeconds: z.int().min(0).max(86_400).default(1),
});
export type FaultRule = z.input<typeof faultRuleSchema>;
export const faultsSchema = z.strictObject({ rules: z.array(faultRuleSchema), seed: z.int().optional() });

export interface Fault {
  readonly kind: FaultKind;
  readonly ms: number | undefined;
  readonly retryAfterSeconds: number;
  /** 0 ≤ draw < 1, for faults that have a choice left. */
  readonly draw: number;
}

export interface Faults {
  /** Replaces all rules. @throws ZodError when a rule does not read */
  set(rules: readonly FaultRule[], seed?: number): void;
  rules(): readonly FaultRule[];
  /** The first rule that strikes this call; uses up one of its `times`. */
  strike(call: FaultCall, protocol: SandboxProtocol | undefined): Fault | undefined;
  setDown(down: boolean, which?: readonly SandboxProtocol[]): void;
  isDown(protocol: SandboxProtocol | undefined): boolean;
  downProtocols(): readonly SandboxProtocol[];
}

/** Seeded, so that a run can be had again: the same calls in the same order meet the same faults. */
export function createFaults(seed = 1): Faults {
  const book = createFaultBook<FaultRule, z.output<typeof faultRuleSchema>>(faultRuleSchema, seed);
  const down = new Set<SandboxProtocol>();
  return {
    set: (rules, newSeed) => book.set(rules, newSeed),
    rules: () => book.rules(),
    strike(call, protocol) {
      const struck = book.strike(
        ({ on, protocols: which }) => on.includes(call) && (protocol === undefined || which.includes(protocol)),
      );
      if (struck === undefined) return undefined;
      const { kind, rule, draw } = struck;
      return { kind, ms: rule.ms, retryAfterSeconds: rule.retryAfterSeconds, draw };
    },
    setDown(isDown, which = SANDBOX_PROTOCOLS) {
      for (const protocol of which) {
        if (isDown) down.add(protocol);
        else down.delete(protocol);
      }
    },
    isDown: (protocol) => (protocol === undefined ? down.size === SANDBOX_PROTOCOLS.length : down.has(protocol)),
    downProtocols: () => Array.from(down),
  };
}
