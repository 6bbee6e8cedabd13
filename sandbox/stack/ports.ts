import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** Below the range from which systems take ports for outgoing connections, so that none of those can slip in. */
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 200;

/** A free port on 127.0.0.1 that nobody else who asks this way can get until it is released. */
export interface ReservedPort {
  readonly port: number;
  /** Call immediately before the process that is to listen there starts. */
  release(): Promise<void>;
}

/** @param preferred taken when it is free, so that a stack keeps its addresses from one start to the next */
export async function reservePort(preferred?: number): Promise<ReservedPort> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = attempt === 0 && preferred !== undefined ? preferred : randomInt(FIRST, LAST);
    const server = await listen(port);
    if (server) return { port, release: () => close(server) };
  }
  throw new Error(`no free port found on 127.0.0.1 between ${FIRST} and ${LAST}`);
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
