import { setTimeout as delay } from 'node:timers/promises';
import express, { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { assertNever } from '../../../src/domain/assert-never.js';
import { hang, reset, sendPage } from '../../stand-in/broken-replies.js';
import type { CallLog } from '../control/call-log.js';
import type { Fault, Faults } from '../faults.js';
import type { Chain, Fate } from '../state/chain.js';
import { callMethod } from './rpc.js';
import { RpcRefused } from './rpc-error.js';

export interface RpcDependencies {
  readonly chain: Chain;
  readonly faults: Faults;
  readonly calls: CallLog;
  /** Aborted when the stand-in ends: whoever waits stops waiting. */
  readonly closing: AbortSignal;
}

const requestSchema = z.object({
  jsonrpc: z.literal('2.0').optional(),
  id: z.union([z.number(), z.string(), z.null()]).default(null),
  method: z.string(),
  params: z.array(z.unknown()).default([]),
});
type RpcRequest = z.output<typeof requestSchema>;
type RpcAnswer = { readonly jsonrpc: '2.0'; readonly id: RpcRequest['id'] } & (
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: string } }
);

/** The socket was cut, or something other than JSON-RPC was sent. */
const CUT = Symbol('cut');
const SLOW_MS = 5_000;

/** JSON-RPC over POST /, single calls and batches; in a batch the first fault that cuts ends all of it. */
export function rpcRoutes(dependencies: RpcDependencies): Router {
  const router = Router();
  router.use(express.json({ type: () => true, limit: '1mb' }));
  router.post('/', (req, res) => answerAll(dependencies, req, res));
  return router;
}

async function answerAll(dependencies: RpcDependencies, req: Request, res: Response): Promise<void> {
  if (dependencies.faults.isDown()) {
    res.status(503).type('text').send('unavailable');
    return;
  }
  const batch: unknown = req.body;
  const requests = z.union([requestSchema, z.array(requestSchema).min(1)]).safeParse(batch);
  if (!requests.success) {
    res.status(400).json(errorAnswer(null, new RpcRefused(-32_600, 'no JSON-RPC 2.0 request')));
    return;
  }
  const answers: RpcAnswer[] = [];
  for (const request of [requests.data].flat()) {
    const answer = await answerOne(dependencies, request, res);
    if (answer === CUT) return;
    answers.push(answer);
  }
  res.json(Array.isArray(batch) ? answers : answers[0]);
}

async function answerOne(
  { chain, faults, calls, closing }: RpcDependencies,
  request: RpcRequest,
  res: Response,
): Promise<RpcAnswer | typeof CUT> {
  const call = calls.begin(request.method);
  const fault = faults.strike(({ on }) => on.some((method) => method === request.method));
  call.note({ fault: fault?.kind ?? null });
  const instead = await before(fault, request, res);
  if (instead !== undefined) return instead;
  const answer = await carryOut(chain, request, fateOf(fault));
  if (fault?.kind === 'slow')
    await delay(fault.rule.ms ?? SLOW_MS, undefined, { signal: closing }).catch(() => undefined);
  const lost = await after(fault, request, res);
  if (lost !== undefined) return lost;
  call.note({ answered: 'error' in answer ? 'error' : 'result' });
  return answer;
}

const fateOf = (fault: Fault | undefined): Fate => {
  if (fault?.kind === 'reverted') return 'reverted';
  return fault?.kind === 'stay_pending' ? 'pending' : 'mined';
};

async function carryOut(chain: Chain, request: RpcRequest, fate: Fate): Promise<RpcAnswer> {
  try {
    return { jsonrpc: '2.0', id: request.id, result: await callMethod(chain, request, fate) };
  } catch (error) {
    if (error instanceof RpcRefused) return errorAnswer(request.id, error);
    throw error;
  }
}

/** What happens in place of the call; undefined: it is carried out. */
async function before(
  fault: Fault | undefined,
  { id }: RpcRequest,
  res: Response,
): Promise<RpcAnswer | typeof CUT | undefined> {
  if (fault === undefined) return undefined;
  switch (fault.kind) {
    case 'unavailable':
      res.status(503).type('text').send('unavailable');
      return CUT;
    case 'html_502':
      sendPage(res, 502, 'Bad Gateway');
      return CUT;
    case 'http_401':
      res.status(401).json({ error: 'invalid API key' });
      return CUT;
    case 'http_404':
      sendPage(res, 404, 'Not Found');
      return CUT;
    case 'rate_limited':
      res.status(429).set('Retry-After', String(fault.rule.retryAfterSeconds)).type('text').send('too many requests');
      return CUT;
    case 'rpc_error':
      return errorAnswer(id, INTERNAL);
    case 'reset_before_commit':
      reset(res);
      return CUT;
    case 'hang_before_commit':
      await hang(res, fault.rule.ms);
      return CUT;
    case 'slow':
    case 'reverted':
    case 'stay_pending':
    case 'rpc_error_after_commit':
    case 'reset_after_commit':
    case 'hang_after_commit':
    case 'invalid_json':
      return undefined;
    default:
      return assertNever(fault.kind);
  }
}

/** How the answer gets lost after the call was carried out; undefined: it arrives. */
async function after(
  fault: Fault | undefined,
  { id }: RpcRequest,
  res: Response,
): Promise<RpcAnswer | typeof CUT | undefined> {
  if (fault?.kind === 'rpc_error_after_commit') return errorAnswer(id, INTERNAL);
  if (fault?.kind === 'invalid_json') {
    res.type('json').send('{"jsonrpc":"2.0","id":');
    return CUT;
  }
  if (fault?.kind === 'reset_after_commit') {
    reset(res);
    return CUT;
  }
  if (fault?.kind !== 'hang_after_commit') return undefined;
  await hang(res, fault.rule.ms);
  return CUT;
}

const INTERNAL = new RpcRefused(-32_603, 'internal error');

const errorAnswer = (id: RpcRequest['id'], { code, message, data }: RpcRefused): RpcAnswer => ({
  jsonrpc: '2.0',
  id,
  error: { code, message, ...(data === undefined ? {} : { data }) },
});
