import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import express, { type RequestHandler } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { describedBy } from '../../../src/sessions/discovery/discovery.js';
import { expressPaidSession } from '../../../src/sessions/frameworks/express.js';
import type { PaidRequest } from '../../../src/sessions/paid-request.js';
import { refusal, sendProblem } from '../../../src/sessions/refusals.js';

const UNDESCRIBED = { openApi: () => ({}), listed: false };

/** A layer before has lost patience and has answered, as npm connect-timeout has its application do. */

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

it('a refusal that comes too late leaves the next answer on its connection alone', async () => {
  let refused: () => void = () => undefined;
  const late = new Promise<void>((resolve) => {
    refused = resolve;
  });
  const inTime: RequestHandler = (_req, res, next) => {
    res.status(503).end('too slow');
    next();
  };
  const app = express().set('env', 'test');
  app.get(
    '/paid',
    inTime,
    expressPaidSession(
      describedBy(UNDESCRIBED, async (asked: PaidRequest) => {
        await late;
        return sendProblem(asked, refusal('payment_required'));
      }),
    ),
  );
  app.get('/next', async (_req, res) => {
    res.write('the beginning, ');
    refused();
    await soon();
    res.end('and the end');
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => {
    agent.destroy();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const get = async (path: string) => {
    const [answer] = (await once(request({ port, path, agent }).end(), 'response')) as [IncomingMessage];
    return text(answer);
  };
  expect(await get('/paid')).toBe('too slow');
  expect(await get('/next')).toBe('the beginning, and the end');
});
