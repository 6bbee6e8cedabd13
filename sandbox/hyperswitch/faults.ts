import type { Response } from 'express';
import { z } from 'zod';
import { hang, reset, sendPage } from '../stand-in/broken-replies.js';
import { callRuleBase, type FaultSwitches, type Strike } from '../stand-in/fault-rules.js';
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
  'payments.cancel',
  'refunds.create',
  'refunds.read',
  'refunds.list',
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

type Misbehaviour = (res: Response, fault: Strike<ReadRule>) => Promise<void>;

const withProblem =
  (problem: Problem): Misbehaviour =>
  async (res) =>
    sendProblem(res, problem);
const stumble: Misbehaviour = async (res, { draw }) =>
  sendProblem(res, serverError([500, 502, 503, 504][Math.floor(draw * 4)] ?? 500));
const silent: Misbehaviour = (res, { rule }) => hang(res, rule.ms);
const cut: Misbehaviour = async (res) => reset(res);

/** Instead of the call's work: nothing is created. */
export const BEFORE: Partial<Record<FaultKind, Misbehaviour>> = {
  server_error: stumble,
  http_500: withProblem(serverError(500)),
  http_503: withProblem(serverError(503)),
  http_401: withProblem(unauthorized),
  http_403: withProblem(forbidden),
  locked: withProblem(locked),
  connector_failed: withProblem(refundFailed),
  hang_before_commit: silent,
  reset_before_commit: cut,
  html_200: async (res) => sendPage(res, 200, 'Sign in to continue'),
  html_404: async (res) => sendPage(res, 404, '404 Not Found'),
  redirect: async (res) => res.redirect(307, '/maintenance'),
  rate_limited: async (res, { rule }) => {
    res.set('Retry-After', String(rule.retryAfterSeconds));
    sendProblem(res, rateLimited);
  },
};

/** After the work is durable: it is done, and the caller is not told. */
export const AFTER: Partial<Record<FaultKind, Misbehaviour>> = {
  server_error_after_commit: stumble,
  hang_after_commit: silent,
  reset_after_commit: cut,
  invalid_json: async (res) => void res.status(200).type('json').send('{"payment_id":"pay_'),
};
