import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { sendMail } from '../../../../src/providers/notifications/mail-sender.js';

/** A mail server that never ends its answer, and says a little more of it now and then. */
async function startDripping() {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.write('220 hello\r\n');
    const dripping = setInterval(() => socket.write('250-WAIT\r\n'), 20);
    socket.on('close', () => {
      clearInterval(dripping);
      open.delete(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, open };
}

it('a mail server that keeps talking is left in time, and its connection with it', async () => {
  const { port, open } = await startDripping();
  const letter = { id: 'm1', from: 'm@example.com', to: 'a@example.com', mail: { subject: 's', text: 't', html: '' } };
  const server = { host: '127.0.0.1', port, tls: 'off', login: undefined } as const;
  expect(await sendMail(server, letter, 200)).toEqual({
    kind: 'failed',
    detail: 'the mail server gave no answer in time',
  });
  await expect.poll(() => open.size).toBe(0);
});
