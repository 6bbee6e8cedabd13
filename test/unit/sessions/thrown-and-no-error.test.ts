import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type RequestHandler } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { describedBy } from '../../../src/sessions/discovery/discovery.js';
import { expressPaidSession } from '../../../src/sessions/frameworks/express.js';
import { fastifyPaidSession } from '../../../src/sessions/frameworks/fastify.js';

const failing = (thrown: unknown) =>
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors
  describedBy({ openApi: () => ({}), listed: false }, () => Promise.reject(thrown));

/** What an application throws (`identify`) need be no error, and frameworks go on to the handler for some of it. */

const THROWN: readonly unknown[] = [undefined, null, false, 0, '', 'route', 'router', Object.create(null)];

it.each(THROWN)('a paid route of Express that fails with %o serves nothing', async (thrown) => {
  let served = 0;
  const handler: RequestHandler = (_req, res) => {
    served += 1;
    res.end('protected');
  };
  const app = express().set('env', 'test');
  app.get('/paid', expressPaidSession(failing(thrown)), handler);
  app.get('/paid', handler);
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { status } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/paid`);
  expect([status, served]).toEqual([500, 0]);
});

it.each(THROWN)('one of Fastify that fails with %o tells of an error', async (thrown) => {
  const hook = fastifyPaidSession(failing(thrown));
  const request = { raw: {}, protocol: 'http', host: 'shop', ip: '', originalUrl: '/paid', routeOptions: {} };
  const error = await new Promise((told) => hook(request as never, { raw: {} } as never, told));
  expect(error).toBeInstanceOf(Error);
});
