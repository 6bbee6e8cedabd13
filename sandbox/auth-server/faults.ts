import { z } from 'zod';
import { callRuleBase, createFaultRules, type FaultRules } from '../stand-in/fault-rules.js';
import { SANDBOX_PROTOCOLS, type SandboxProtocol } from './claims/claim.js';

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

export const protocolsSchema = z.array(z.enum(SANDBOX_PROTOCOLS)).min(1);
export const faultRuleSchema = z.strictObject({
  /** One of these is drawn evenly each time the rule strikes. */
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z
    .array(z.enum(['settle', 'verify', 'payment-request', 'supported']))
    .min(1)
    .default(['settle']),
  protocols: protocolsSchema.default(Array.from(SANDBOX_PROTOCOLS)),
  ...callRuleBase,
});
type ReadRule = z.output<typeof faultRuleSchema>;
export type FaultRule = z.input<typeof faultRuleSchema>;
export type FaultCall = ReadRule['on'][number];

export interface Faults extends FaultRules<FaultRule, ReadRule> {
  setDown(down: boolean, which?: readonly SandboxProtocol[]): void;
  /** @param protocol undefined: every one of them */
  isDown(protocol?: SandboxProtocol): boolean;
  downProtocols(): readonly SandboxProtocol[];
}

export function createFaults(seed?: number): Faults {
  const book = createFaultRules(faultRuleSchema, seed);
  const down = new Set<SandboxProtocol>();
  return {
    ...book,
    setDown(isDown, which = SANDBOX_PROTOCOLS) {
      for (const protocol of which) {
        if (isDown) down.add(protocol);
        else down.delete(protocol);
      }
    },
    isDown: (protocol) => (protocol === undefined ? down.size === SANDBOX_PROTOCOLS.length : down.has(protocol)),
    downProtocols: () => Array.from(down),
    clear() {
      book.clear();
      down.clear();
    },
  };
}
