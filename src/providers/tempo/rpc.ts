import { type CustomTransport, custom } from 'viem';
import type { JsonObject } from '../../domain/json.js';
import { isObject } from '../../protocols/wire-json.js';
import { httpCall } from '../http-call.js';
import { jsonObject, type Reply } from '../reply.js';

/** A block with the hashes of some thousand transactions, or the logs of a busy channel. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024;

/** The node did not carry the call out, or its answer was lost on the way. */
export class RpcFailed extends Error {
  /** What came in place of a JSON-RPC answer; undefined: the node itself refused, with `code`. */
  readonly reply: Reply | undefined;
  readonly code: number | undefined;
  readonly data: string | undefined;

  constructor(message: string, fault: { reply?: Reply; code?: number; data?: string }) {
    super(message);
    this.name = 'RpcFailed';
    this.reply = fault.reply;
    this.code = fault.code;
    this.data = fault.data;
  }
}

/** The one that is at the bottom of whatever viem threw; undefined: it came from no call. */
export function rpcFailure(error: unknown): RpcFailed | undefined {
  for (let each = error; each instanceof Error; each = each.cause) if (each instanceof RpcFailed) return each;
  return undefined;
}

export interface RpcSettings {
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Until the deadline that all calls of one attempt share. */
  readonly leftMs: () => number;
}

/**
 * JSON-RPC for viem over our own HTTP call: made once, never repeated by itself, never redirected, and whatever comes back is
 * told apart. The address may hold a key of the node's provider, so no text quotes it.
 */
export function rpcTransport({ url, fetch: fetcher, leftMs }: RpcSettings): CustomTransport {
  let id = 0;
  const request = async ({ method, params }: { method: string; params?: unknown }): Promise<unknown> => {
    id += 1;
    const timeoutMs = leftMs();
    if (timeoutMs <= 0) throw new RpcFailed('the time is up', { reply: { kind: 'failed', why: 'no_answer' } });
    const reply = await httpCall(fetcher, {
      url,
      what: method,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id, method, params: params ?? [] }),
      timeoutMs,
      maxReplyBytes: MAX_REPLY_BYTES,
    });
    return resultOf(method, reply);
  };
  return custom({ request }, { retryCount: 0 });
}

/** Nodes answer refusals with 200, some with 400; an error body under any other status is of what stands before the node. */
function resultOf(method: string, reply: Reply): unknown {
  const answer = reply.kind === 'http' && [200, 400].includes(reply.status) ? jsonObject(reply.body) : undefined;
  if (answer && isObject(answer['error'])) throw rpcFailureOf(answer['error']);
  if (answer === undefined || !Object.hasOwn(answer, 'result') || (reply.kind === 'http' && reply.status !== 200)) {
    throw new RpcFailed(`${method} was not answered`, { reply });
  }
  return answer['result'];
}

function rpcFailureOf({ code, message, data }: JsonObject): RpcFailed {
  const text = typeof message === 'string' ? message : 'no message';
  return new RpcFailed(text, {
    code: typeof code === 'number' ? code : -32_603,
    data: typeof data === 'string' ? data : undefined,
  });
}
