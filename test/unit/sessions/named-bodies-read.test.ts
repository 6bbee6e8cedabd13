import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { named } from '../../support/sessions/naming.js';
import { FIXED, type Handler, sell, type World } from './support/world.js';

/** However a handler reads the body of a request whose payment gives a name, it reads all of it, as it was sent. */

type Reads = (req: Parameters<Handler>[0]) => Promise<Buffer>;

const READERS: Readonly<Record<string, Reads>> = {
  events: (req) =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
    }),
  'events, later': async (req) => {
    await turn();
    await turn();
    return READERS['events']?.(req) ?? Buffer.alloc(0);
  },
  'async iteration': async (req) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  },
  pipe: (req) => buffer(req.pipe(new PassThrough())),
  pipeline: async (req) => {
    const through = new PassThrough();
    const [, whole] = await Promise.all([pipeline(req, through), buffer(through)]);
    return whole;
  },
  readable: (req) =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      req.on('readable', () => {
        for (let chunk = req.read(); chunk !== null; chunk = req.read()) chunks.push(chunk);
      });
      req.on('end', () => resolve(Buffer.concat(chunks)));
    }),
  'a text': async (req) => {
    req.setEncoding('utf8');
    let text = '';
    for await (const chunk of req) text += String(chunk);
    return Buffer.from(text);
  },
  'a web stream': async (req) => buffer(Readable.fromWeb(Readable.toWeb(req) as never)),
};
const SIZES = [0, 1, 70_000, 1024 * 1024, 1024 * 1024 + 1, 2_500_000];
const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/2', true],
])('%s', (_version, http2) => {
  let world: World;
  beforeAll(async () => {
    world = await sell(
      async (req, res) => {
        req.paymentSession?.charge('10000');
        const whole = await READERS[new URL(req.url, world.url).searchParams.get('reads') ?? '']?.(req);
        res.end(`${whole?.length} ${whole && sha(whole)}`);
      },
      { sells: { ...FIXED, protocols: ['x402'] }, http2 },
    );
  });
  afterAll(() => world.close());

  async function send(path: string, body: Buffer, how: 'length' | 'chunked' | 'trickle') {
    const headers = { ...named(await world.credential({}, path)).headers } as Record<string, string>;
    if (how === 'length') headers['content-length'] = String(body.length);
    const write = async (to: NodeJS.WritableStream) => {
      if (how !== 'trickle') return void to.end(body);
      for (let at = 0; at < body.length; at += 100_000) {
        if (!to.write(body.subarray(at, at + 100_000))) await once(to, 'drain');
        await turn();
      }
      await turn();
      to.end();
    };
    if (!http2) {
      const request = httpRequest(world.url + path, { method: 'POST', headers });
      void write(request);
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      return (await buffer(answer)).toString();
    }
    const client = connectHttp2(world.url);
    const stream = client.request({ ':method': 'POST', ':path': path, ...headers }, { endStream: false });
    void write(stream);
    const text = (await buffer(stream)).toString();
    client.close();
    return text;
  }

  describe.each(Object.keys(READERS))('%s', (reads) => {
    it.each(['length', 'chunked', 'trickle'] as const)(
      '%s',
      async (how) => {
        for (const size of SIZES) {
          const body = Buffer.alloc(size, 'some text that is sold ');
          const told = await send(`/paid?reads=${encodeURIComponent(reads)}`, body, how);
          expect(told).toBe(`${size} ${sha(body)}`);
        }
      },
      15_000,
    );
  });
});
