import type { Response } from 'express';
import { z } from 'zod';
import { createFaultBook, type FaultBook, ruleBase } from '../fault-book.js';
import { hang, htmlPage, reset } from '../silence.js';
import {
  forbidden,
  locked,
  type Problem,
  rateLimited,
  refundFailed,
  sendProblem,
  serverError,
  unauthorized,
} from './problems.js';

export const ENDPOINTS = [
  'payments.create',
  'payments.read',
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

const faultRuleSchema = z.strictObject({
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  on: z.array(z.enum(ENDPOINTS)).min(1).default(['payments.create', 'refunds.create']),
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
  readonly draw: number;
}

export interface Faults extends Pick<FaultBook<FaultRule, ReadRule>, 'set' | 'rules'> {
  strike(endpoint: Endpoint): Fault | undefined;
  /** Answers 503 to everything, and nothing is committed. */
  setDown(down: boolean): void;
  isDown(): boolean;
}

export function createFaults(seed?: number): Faults {
  const book = createFaultBook<FaultRule, ReadRule>(faultRuleSchema, seed);
  let down = false;
  return {
    set: (rules, newSeed) => book.set(rules, newSeed),
    rules: () => book.rules(),
    strike(endpoint) {
      const struck = book.strike(({ on }) => on.includes(endpoint));
      return struck && { kind: struck.kind, draw: struck.draw, ...pick(struck.rule) };
    },
    setDown(isDown) {
      down = isDown;
    },
    isDown: () => down,
  };
}

const pick = ({ ms, retryAfterSeconds }: ReadRule) => ({ ms, retryAfterSeconds });

export type Misbehaviour = (res: Response, fault: Fault) => Promise<void>;

const withProblem =
  (problem: Problem): Misbehaviour =>
  async (res) =>
    sendProblem(res, problem);
const stumble: Misbehaviour = async (res, { draw }) =>
  sendProblem(res, serverError([500, 502, 503, 504][Math.floor(draw * 4)] ?? 500));
const silent: Misbehaviour = (res, { ms }) => hang(res, ms);
const cut: Misbehaviour = async (res) => reset(res);
const page =
  (status: number, title: string): Misbehaviour =>
  async (res) =>
    void res.status(status).type('html').send(htmlPage(title));

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
  html_200: page(200, 'Sign in to continue'),
  html_404: page(404, '404 Not Found'),
  redirect: async (res) => res.redirect(307, '/maintenance'),
  rate_limited: async (res, { retryAfterSeconds }) => {
    res.set('Retry-After', String(retryAfterSeconds));
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
