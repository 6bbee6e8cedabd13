import { z } from 'zod';
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
  /** Strikes this often, then ends; without it, until it is taken away. */
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).default(1),
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
  let random = randomFrom(seed);
  let rules: { rule: z.output<typeof faultRuleSchema>; left: number }[] = [];
  const down = new Set<SandboxProtocol>();
  return {
    set(given, newSeed) {
      rules = given.map((rule) => {
        const parsed = faultRuleSchema.parse(rule);
        return { rule: parsed, left: parsed.times ?? Number.POSITIVE_INFINITY };
      });
      if (newSeed !== undefined) random = randomFrom(newSeed);
    },
    rules: () =>
      rules
        .filter(({ left }) => left > 0)
        .map(({ rule, left }) => (Number.isFinite(left) ? { ...rule, times: left } : rule)),
    strike(call, protocol) {
      for (const entry of rules) {
        const { rule } = entry;
        const applies = rule.on.includes(call) && (protocol === undefined || rule.protocols.includes(protocol));
        if (entry.left <= 0 || !applies || random() >= rule.probability) continue;
        entry.left -= 1;
        const kind = rule.kinds[Math.floor(random() * rule.kinds.length)] ?? 'server_error';
        return { kind, ms: rule.ms, retryAfterSeconds: rule.retryAfterSeconds, draw: random() };
      }
      return undefined;
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
