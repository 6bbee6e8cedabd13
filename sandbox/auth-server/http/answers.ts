import type { Response } from 'express';
import { AFTER_COMMIT, BEFORE_COMMIT, drawnStatus, type Misbehaviour } from '../../stand-in/misbehaviour.js';
import type { Problem } from '../claims/claim.js';
import type { FaultKind } from '../faults.js';

export const sendProblem = (res: Response, { status, code, message }: Problem): void =>
  sendError(res, status, code, message);

const sendError = (res: Response, status: number, code: string, message: string): void => {
  res.status(status).json({ error: { code, message } });
};

const withError =
  (status: number, code: string, message: string): Misbehaviour =>
  (res) =>
    sendError(res, status, code, message);

const serverError: Misbehaviour = (res, { draw }) =>
  sendError(res, drawnStatus(draw), 'internal_error', 'the auth server stumbled');

/** Instead of the call's work: nothing is committed. */
export const BEFORE: Partial<Record<FaultKind, Misbehaviour>> = {
  ...BEFORE_COMMIT,
  server_error: serverError,
  refused: withError(400, 'invalid_credential', 'the credential was refused'),
  refused_unrecognised: (res) => void res.status(400).type('text/plain').send('no'),
  http_401: withError(401, 'unauthorized', 'unknown application'),
  http_403: withError(403, 'forbidden', 'this application may not settle'),
  http_404: withError(404, 'not_found', 'no such route'),
  rate_limited(res, { rule }) {
    res.set('Retry-After', String(rule.retryAfterSeconds));
    sendError(res, 429, 'rate_limited', 'too many requests');
  },
};

/** After the commit is durable: the money has moved and the caller is not told. */
export const AFTER: Partial<Record<FaultKind, Misbehaviour>> = {
  ...AFTER_COMMIT,
  server_error_after_commit: serverError,
  invalid_json: (res) => void res.status(200).type('json').send('{"txHash":"0x'),
};
