import { z } from 'zod';
import { callRuleBase, type FaultSwitches } from '../stand-in/fault-rules.js';
import { AFTER_COMMIT, BEFORE_COMMIT, drawnStatus, type Misbehaviour } from '../stand-in/misbehaviour.js';
import {
  forbidden,
  locked,
  type Problem,
  rateLimited,
  refundFailed,
  sendProblem,
  serverError,
  unauthorized,
} from './http/problems.js';

export const ENDPOINTS = [
  'payments.create',
  'payments.read',
  'payments.list',
  'payments.cancel',
  'payments.capture',
  'payments.cancel_post_capture',
  'refunds.create',
  'refunds.read',
  'refunds.list',
  'disputes.read',
  'disputes.list',
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** Every way the stand-in can misbehave; docs/sandbox.md says what each looks like on the wire. */
const FAULT_KINDS = [
  'server_error',
  'server_error_after_commit',
  'http_500',
  'http_503',
  'http_401',
  'http_403',
  'rate_limited',
  'locked',
  'connector_failed',
  'slow',
  'lands_late',
  'hang_before_commit',
  'hang_after_commit',
  'reset_before_commit',
  'reset_after_commit',
  'html_200',
  'html_404',
  'redirect',
  'invalid_json',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export const faultRuleSchema = z.strictObject({
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z.array(z.enum(ENDPOINTS)).min(1).default(['payments.create', 'refunds.create']),
  ...callRuleBase,
});
type ReadRule = z.output<typeof faultRuleSchema>;
export type FaultRule = z.input<typeof faultRuleSchema>;
export type Faults = FaultSwitches<FaultRule, ReadRule>;

const withProblem =
  (problem: Problem): Misbehaviour =>
  (res) =>
    sendProblem(res, problem);
const stumble: Misbehaviour = (res, { draw }) => sendProblem(res, serverError(drawnStatus(draw)));

/** Instead of the call's work: nothing is created. */
export const BEFORE: Partial<Record<FaultKind, Misbehaviour>> = {
  ...BEFORE_COMMIT,
  server_error: stumble,
  http_500: withProblem(serverError(500)),
  http_503: withProblem(serverError(503)),
  http_401: withProblem(unauthorized),
  http_403: withProblem(forbidden),
  locked: withProblem(locked),
  connector_failed: withProblem(refundFailed),
  rate_limited(res, { rule }) {
    res.set('Retry-After', String(rule.retryAfterSeconds));
    sendProblem(res, rateLimited);
  },
};

/** After the work is durable: it is done, and the caller is not told. */
export const AFTER: Partial<Record<FaultKind, Misbehaviour>> = {
  ...AFTER_COMMIT,
  server_error_after_commit: stumble,
  invalid_json: (res) => void res.status(200).type('json').send('{"payment_id":"pay_'),
};
