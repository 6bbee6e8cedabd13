import { connect, type Socket } from 'node:net';
import { type Asked, ask } from './ask.js';
import type { Handler, World } from './world.js';

export const VERSIONS = [
  ['HTTP/1.1', false],
  ['HTTP/2', true],
] as const;

export const charging =
  (serve: Handler): Handler =>
  (req, res) => {
    req.paymentSession?.charge('10000');
    return serve(req, res);
  };

export async function buy(world: World, http2: boolean, path = '/paid'): Promise<Asked> {
  const { headers } = await world.credential({}, path);
  return ask(world.url + path, { headers, http2 });
}

/** A connection over which the test writes its requests byte by byte. */
export function raw(url: string): { socket: Socket; text: () => string } {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  return { socket, text: () => Buffer.concat(chunks).toString() };
}
