import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** A response as Node looks at it when it closes idle connections. */
interface Endable {
  finished: boolean;
}

/** Responses that are held back. Most have ended, and by that Node takes their connections for idle. */
export const notIdle = new Set<Endable>();

const watched = new WeakSet<Server>();
const guarded = new WeakSet<Socket>();
/** Who is asked before a connection is given up. @returns true: it ends later */
const askedFirst = new WeakMap<Socket, () => boolean>();
/** `server.closeAllConnections()` is under way, and means it. */
let closingAll = false;

/**
 * `server.close()` ends idle connections, those whose response has ended; one whose bytes wait for their charge is not idle.
 * For the time of that call its response has not ended.
 */
export function keepHeldConnections(req: IncomingMessage): void {
  const { server } = req.socket as { readonly server?: Server };
  if (server === undefined || watched.has(server) || typeof server.closeIdleConnections !== 'function') return;
  watched.add(server);
  const closeIdle = server.closeIdleConnections.bind(server);
  server.closeIdleConnections = () => {
    const ended = [...notIdle].filter((response) => response.finished);
    for (const response of ended) response.finished = false;
    try {
      closeIdle();
    } finally {
      for (const response of ended) response.finished = true;
    }
  };
  // A server of HTTP/2 that speaks HTTP/1 too has none.
  if (typeof server.closeAllConnections !== 'function') return;
  const closeAll = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closingAll = true;
    try {
      closeAll();
    } finally {
      closingAll = false;
    }
  };
}

/**
 * A connection that is destroyed without an error, while its client is there, is given up by somebody above the response: Express
 * does so when a handler fails that has answered already. Of a response that is not held the answer is on its way by then.
 */
export function askBeforeDestroy(socket: Socket, mayEndLater: () => boolean): void {
  askedFirst.set(socket, mayEndLater);
  if (guarded.has(socket)) return;
  guarded.add(socket);
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error) => {
    const givenUp = error === undefined && !closingAll && socket.writable && !socket.readableEnded;
    return givenUp && askedFirst.get(socket)?.() === true ? socket : destroy(error);
  };
}

export function destroyFreely(socket: Socket | null): void {
  if (socket) askedFirst.delete(socket);
}
