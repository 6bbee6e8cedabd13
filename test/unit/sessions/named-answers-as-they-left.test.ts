import type { RequestHandler, Response } from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { named } from '../../support/sessions/naming.js';
import { ask } from './support/ask.js';
import { LAYERS } from './support/compressions.js';
import { FIXED, type Handler, sell, type World, type WorldOptions } from './support/world.js';

/** A named answer that is given again says what it said. */

let world: World;
afterEach(() => world.close());

const SELLS = { ...FIXED, protocols: ['x402'] as const };
const open = async (handler: Handler, options: WorldOptions = {}) => {
  world = await sell(handler, { sells: SELLS, ...options });
};
const paying = async () => ({ ...named(await world.credential()).headers }) as Record<string, string>;

describe('an answer that is given again', () => {
  it('says each line of a field that was sent in several lines', async () => {
    await open(
      (req, res) => {
        req.paymentSession?.charge('10000');
        res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Content-Type', 'text/plain']);
        res.end('served');
      },
      { mount: (app) => app.disable('x-powered-by') },
    );
    const headers = await paying();
    const first = await ask(`${world.url}/paid`, { headers });
    const again = await ask(`${world.url}/paid`, { headers });
    expect(first.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(again.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it('says of its body what a layer before had said', async () => {
    const before: RequestHandler = (_req, res, next) => {
      res.setHeader('Content-Language', 'de');
      res.setHeader('Content-Disposition', 'attachment; filename="report.csv"');
      next();
    };
    await open(
      (req, res) => {
        req.paymentSession?.charge('10000');
        res.end('served');
      },
      { before: [before] },
    );
    const headers = await paying();
    const first = await ask(`${world.url}/paid`, { headers });
    const again = await ask(`${world.url}/paid`, { headers });
    const told = ({ headers: said }: typeof first) => [said['content-language'], said['content-disposition']];
    expect(told(first)).toEqual(['de', 'attachment; filename="report.csv"']);
    expect(told(again)).toEqual(told(first));
  });
});

describe('layers that change every answer', () => {
  /** As what envelopes, injects or signs does. */
  const wraps: RequestHandler = (_req, res, next) => {
    const end = res.end.bind(res) as (body: string) => Response;
    res.end = ((body: string) => {
      res.removeHeader('content-length');
      return end(`<${body}>`);
    }) as typeof res.end;
    next();
  };

  it('change one that is given again no second time', async () => {
    await open(
      (req, res) => {
        req.paymentSession?.charge('10000');
        res.end('served');
      },
      { before: [wraps] },
    );
    const headers = await paying();
    const first = await ask(`${world.url}/paid`, { headers });
    const again = await ask(`${world.url}/paid`, { headers });
    expect([first.body.toString(), again.body.toString()]).toEqual(['<served>', '<served>']);
  });

  it('give it to a client in an encoding that it reads', async () => {
    await open(
      (req, res) => {
        req.paymentSession?.charge('10000');
        res.type('text').send('served '.repeat(1000));
      },
      { before: LAYERS.find(({ name }) => name === '1.8 before')?.before ?? [] },
    );
    const headers = await paying();
    const first = await ask(`${world.url}/paid`, { headers: { ...headers, 'accept-encoding': 'gzip' } });
    const again = await ask(`${world.url}/paid`, { headers });
    expect([first.status, first.headers['content-encoding']]).toEqual([200, 'gzip']);
    expect([again.status, again.headers['content-encoding']]).toEqual([200, undefined]);
  });
});
