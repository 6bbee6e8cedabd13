import type { Response } from 'express';
import { hang, reset, sendPage } from '../../stand-in/broken-replies.js';
import type { Problem } from '../claims/claim.js';
import type { Fault, FaultKind } from '../faults.js';

/** What a settle that turns credit into USDC takes at its slowest. */
export const SLOW_MS = 15_000;

export const sendProblem = (res: Response, { status, code, message }: Problem): void => {
  res.status(status).json({ error: { code, message } });
};

type Misbehave = (res: Response, fault: Fault) => Promise<void>;

async function serverError(res: Response, fault: Fault): Promise<void> {
  const status = [500, 502, 503, 504][Math.floor(fault.draw * 4)] ?? 500;
  res.status(status).json({ error: { code: 'internal_error', message: 'the auth server stumbled' } });
}

const silent: Misbehave = (res, fault) => hang(res, fault.rule.ms);
const cut: Misbehave = async (res) => reset(res);

const withError = (status: number, code: string, message: string): Misbehave => {
  return async (res) => {
    res.status(status).json({ error: { code, message } });
  };
};

/** Instead of the call's work: nothing is committed. */
export const BEFORE: Partial<Record<FaultKind, Misbehave>> = {
  server_error: serverError,
  hang_before_commit: silent,
  reset_before_commit: cut,
  refused: withError(400, 'invalid_credential', 'the credential was refused'),
  refused_unrecognised: async (res) => {
    res.status(400).type('text/plain').send('no');
  },
  http_401: withError(401, 'unauthorized', 'unknown application'),
  http_403: withError(403, 'forbidden', 'this application may not settle'),
  http_404: withError(404, 'not_found', 'no such route'),
  html_200: async (res) => sendPage(res, 200, 'Sign in to continue'),
  html_404: async (res) => sendPage(res, 404, '404 Not Found'),
  redirect: async (res) => res.redirect(307, '/maintenance'),
  rate_limited: async (res, fault) => {
    res.status(429).set('Retry-After', String(fault.rule.retryAfterSeconds));
    res.json({ error: { code: 'rate_limited', message: 'too many requests' } });
  },
};

/** After the commit is durable: the money has moved and the caller is not told. */
export const AFTER: Partial<Record<FaultKind, Misbehave>> = {
  server_error_after_commit: serverError,
  hang_after_commit: silent,
  reset_after_commit: cut,
  invalid_json: async (res) => {
    res.status(200).type('json').send('{"txHash":"0x');
  },
};
