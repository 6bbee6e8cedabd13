import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import express4 from 'express-4';
import { describe, expect, it, onTestFinished } from 'vitest';
import { paidSession } from '../../src/index.js';

const PREFLIGHT = {
  Origin: 'https://shop.example',
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'payment-signature, access-control-expose-headers',
};

/** Answers every request with its method, behind `paidSession.cors()`. */
const SERVERS: Readonly<Record<string, () => RequestListener>> = {
  'Express 4': () => behindCors(express4),
  'Express 5': () => behindCors(express),
  'node:http': () => {
    const cors = paidSession.cors();
    return (req, res) => cors(req, res, () => res.end(req.method));
  },
};

function behindCors(framework: typeof express) {
  const app = framework();
  app.use(paidSession.cors());
  app.all('/report', (req, res) => void res.end(req.method));
  return app;
}

describe.each(Object.entries(SERVERS))('%s', (_name, listener) => {
  async function ask(method: string, headers: Record<string, string>): Promise<Response> {
    const server = createServer(listener()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    return await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/report`, { method, headers });
  }

  it('answers preflights by paidSession.cors(), which needs no settings', async () => {
    const { status, headers } = await ask('OPTIONS', PREFLIGHT);
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    for (const header of PREFLIGHT['Access-Control-Request-Headers'].split(', '))
      expect(headers.get('access-control-allow-headers')?.toLowerCase().split(',')).toContain(header);
  });

  it.each(['GET', 'POST', 'OPTIONS'])('hands on %s, and says what pages may read of its answer', async (method) => {
    const answer = await ask(method, { Origin: 'https://shop.example' });
    expect(await answer.text()).toBe(method);
    expect(answer.headers.get('access-control-expose-headers')).toContain('Settlement-Id');
  });
});
