import type { ServerResponse } from 'node:http';
import type { Wire, WireEvents } from './wire.js';
import { Http1Wire } from './wire-http1.js';
import { Http2Wire, isHttp2 } from './wire-http2.js';

/**
 * False of an answer that npm light-my-request has made up, by which Fastify injects requests: that takes down what a handler
 * writes, and hands it over when the handler ends it, above everything that could be held.
 */
export const canBeHeld = (res: ServerResponse): boolean => !('_lightMyRequest' in res);

/** Puts the gate between a response and its client, beneath everything else that was or will be put around the response. */
export const holdWire = (res: ServerResponse, events: WireEvents): Wire =>
  isHttp2(res) ? new Http2Wire(res, events) : new Http1Wire(res, events);
