import { once, setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Clock } from '../../src/domain/clock.js';

/** What every stand-in is started with. */
export interface StandInOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where the journal lives; absent: nothing outlives the process. */
  readonly stateDir?: string;
  readonly clock?: Clock;
  /** Draws of the fault rules; the same calls in the same order meet the same faults. */
  readonly seed?: number;
}

/** One that runs. */
export interface StandIn {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The web server of a stand-in; it can go away and come back on the same port. */
export interface Listener extends StandIn {
  readonly app: Express;
  /** Aborted by `close`, so that a slow answer does not commit behind its back. */
  readonly closing: AbortSignal;
  /** Closes the socket and cuts every connection; comes back by itself after `forMs`. */
  die(forMs?: number): Promise<void>;
  revive(): Promise<void>;
}

/** Loopback only: the sandbox asks nobody who they are; port 0 is any free one. @throws Error when the port is taken */
export async function listen(port = 0): Promise<Listener> {
  const app = express().disable('x-powered-by').disable('etag');
  const closing = new AbortController();
  // Every slow call waits on it, and any number of calls may be slow at once.
  setMaxListeners(0, closing.signal);
  let server: Server | undefined;
  const open = async (on: number): Promise<number> => {
    // Longer than any client keeps a socket, so that no client meets a socket closed under its request by accident.
    const next = createServer({ keepAliveTimeout: 60_000 }, app).listen(on, '127.0.0.1');
    await once(next, 'listening');
    server = next;
    return (next.address() as AddressInfo).port;
  };
  const bound = await open(port);
  let revival: NodeJS.Timeout | undefined;
  const revive = async (): Promise<void> => {
    clearTimeout(revival);
    if (server === undefined) await open(bound);
  };
  const die = async (forMs?: number): Promise<void> => {
    clearTimeout(revival);
    if (forMs !== undefined) revival = setTimeout(() => void revive(), forMs);
    const stopping = server;
    server = undefined;
    if (stopping === undefined) return;
    const closed = once(stopping, 'close');
    stopping.close();
    stopping.closeAllConnections();
    await closed;
  };
  return {
    app,
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    closing: closing.signal,
    die,
    revive,
    close() {
      closing.abort();
      return die();
    },
  };
}

/** For bad bodies and calls cut short by the end of the stand-in; express would print them to the console. */
export function answerErrors(bodyOf: (status: number, error: { message?: string }) => object): ErrorRequestHandler {
  return (error: { status?: number; message?: string }, _req, res, _next) => {
    if (res.headersSent || res.destroyed) {
      res.destroy();
      return;
    }
    const status = error.status ?? 500;
    res.status(status).json(bodyOf(status, error));
  };
}
