import type { IncomingMessage, Server } from 'node:http';

/** A response as Node looks at it when it closes idle connections. */
interface Endable {
  finished: boolean;
}

/** Responses that are held back. Most have ended, and by that Node takes their connections for idle. */
export const notIdle = new Set<Endable>();

const watched = new WeakSet<Server>();

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
}
