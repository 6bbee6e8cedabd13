import { z } from 'zod';
import { type FaultSwitches, ruleBase, type Strike } from '../stand-in/fault-rules.js';
import { ENDPOINTS } from './http/endpoints.js';

/** In place of the answer, before anything begins; no key keeps it. */
const AT_THE_DOOR = [
  'unavailable',
  'html_502',
  'reset_before_commit',
  'http_401',
  'http_403',
  'odd_403',
  'rate_limited',
  'lock_timeout',
  'key_in_use',
] as const;
/** While a request is carried out; an answer from a key's memory is not, and meets none of these. */
const AT_WORK = [
  'server_error',
  'server_error_after_commit',
  'finish_later',
  'refused',
  'hang_before_commit',
  'slow',
] as const;
/** To an answer on its way, from memory or not. */
const ON_THE_WAY = ['hang_after_commit', 'reset_after_commit', 'truncated_json', 'html_502_after_commit'] as const;

/** Every way the stand-in can misbehave; docs/sandbox.md says what each looks like on the wire. */
export const FAULT_KINDS = [...AT_THE_DOOR, ...AT_WORK, ...ON_THE_WAY] as const;
type FaultKind = (typeof FAULT_KINDS)[number];
export type DoorKind = (typeof AT_THE_DOOR)[number];
export type WorkKind = (typeof AT_WORK)[number];
export type WayKind = (typeof ON_THE_WAY)[number];

const ids = z.array(z.string().min(1)).min(1).optional();
export const faultRuleSchema = z.strictObject({
  /** One of these is drawn evenly each time the rule strikes. */
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z.array(z.enum(ENDPOINTS)).min(1).default(['transfers.create', 'reversals.create']),
  /** Only calls about these transfers. */
  transfers: ids,
  /** Only calls about these connected accounts: destination of the transfer, or Stripe-Account. */
  sellers: ids,
  ...ruleBase,
  /** `slow`: until the answer. Hangs: until the socket is cut. `finish_later`: until it is done, by the stand-in's clock. */
  ms: z.int().min(0).optional(),
  /** Of `unavailable` (503), the server errors (500) and `refused` (400). */
  status: z.int().min(400).max(599).optional(),
  /** Of `refused` and `odd_403`. */
  code: z.string().min(1).optional(),
  message: z.string().min(1).optional(),
  /** Of `rate_limited` and `lock_timeout`; without it no such header. */
  retryAfterSeconds: z.int().min(0).max(86_400).optional(),
});
export type FaultRule = z.input<typeof faultRuleSchema>;
type Rule = z.output<typeof faultRuleSchema>;

export type Fault<Kind extends FaultKind = FaultKind> = Strike<Rule> & { readonly kind: Kind };

/** What a rule can look at. */
export interface FaultTarget {
  readonly endpoint: string;
  readonly transfer: string | null;
  readonly seller: string | null;
  /** It will be answered from an idempotency key's memory. */
  readonly replays: boolean;
}

export type Faults = FaultSwitches<FaultRule, Rule>;

export function applies(rule: Rule, { endpoint, transfer, seller, replays }: FaultTarget): boolean {
  const named = (list: readonly string[] | undefined, id: string | null) =>
    list === undefined || (id !== null && list.includes(id));
  return (
    rule.on.some((name) => name === endpoint) &&
    named(rule.transfers, transfer) &&
    named(rule.sellers, seller) &&
    // Nothing is carried out, so a rule that only disturbs the work keeps its strikes for a call that does some.
    !(replays && rule.kinds.every((kind) => isAtWork(kind)))
  );
}

const isAtWork = (kind: FaultKind): kind is WorkKind => AT_WORK.some((each) => each === kind);

/** The same fault, where it belongs to that stage. */
export const atTheDoor = (fault: Fault | undefined): Fault<DoorKind> | undefined =>
  of(fault, (kind): kind is DoorKind => AT_THE_DOOR.some((each) => each === kind));
export const atWork = (fault: Fault | undefined): Fault<WorkKind> | undefined => of(fault, isAtWork);
export const onTheWay = (fault: Fault | undefined): Fault<WayKind> | undefined =>
  of(fault, (kind): kind is WayKind => ON_THE_WAY.some((each) => each === kind));

function of<Kind extends FaultKind>(
  fault: Fault | undefined,
  belongs: (kind: FaultKind) => kind is Kind,
): Fault<Kind> | undefined {
  return fault !== undefined && belongs(fault.kind) ? { ...fault, kind: fault.kind } : undefined;
}
