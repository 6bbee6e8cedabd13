import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A listening socket that can go away and come back on the same port. */
export interface Listener {
  readonly port: number;
  /** Closes the socket and cuts every connection; comes back by itself after `forMs`. */
  silence(forMs?: number): Promise<void>;
  revive(): Promise<void>;
}

/** Loopback only: the sandbox asks nobody who they are. @throws Error when the port is taken */
export async function listen(port: number, handler: RequestListener): Promise<Listener> {
  let server: Server | undefined;
  const open = async (on: number): Promise<number> => {
    // Longer than any client keeps a socket, so that no client meets a socket closed under its request by accident.
    const next = createServer({ keepAliveTimeout: 60_000 }, handler).listen(on, '127.0.0.1');
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
  return {
    port: bound,
    revive,
    async silence(forMs) {
      clearTimeout(revival);
      if (forMs !== undefined) revival = setTimeout(() => void revive(), forMs);
      const stopping = server;
      server = undefined;
      if (stopping === undefined) return;
      const closed = once(stopping, 'close');
      stopping.close();
      stopping.closeAllConnections();
      await closed;
    },
  };
}
