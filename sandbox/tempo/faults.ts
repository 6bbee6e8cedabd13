import { z } from 'zod';
import { callRuleBase, type FaultSwitches, type Strike } from '../stand-in/fault-rules.js';
import { METHOD_NAMES, SENDING } from './http/rpc.js';

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

export const faultRuleSchema = z.strictObject({
  /** One of these is drawn evenly each time the rule strikes. */
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z
    .array(z.enum(METHOD_NAMES))
    .min(1)
    .default(() => Array.from(SENDING)),
  ...callRuleBase,
});
type ReadRule = z.output<typeof faultRuleSchema>;
export type FaultRule = z.input<typeof faultRuleSchema>;
export type Fault = Strike<ReadRule>;
export type Faults = FaultSwitches<FaultRule, ReadRule>;
