import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { createDatabase } from '../../../src/ledger/database.js';

/** Messages of the PostgreSQL protocol, version 3: a type, the length of the rest, the rest. */
function message(type: string, rest: Buffer): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(rest.length + 4, 1);
  return Buffer.concat([head, rest]);
}
const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const POSTMASTER_IS_GONE = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

it('survives a database that dies in the packet that ends the handshake', async () => {
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, POSTMASTER_IS_GONE])));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const database = createDatabase({ url: `postgres://somebody@127.0.0.1:${port}/anything` });
  await expect(database.query('SELECT 1')).rejects.toThrow();
  await database.close();
  server.close();
});
