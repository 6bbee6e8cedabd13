import { decodePaymentRequiredHeader } from '@x402/core/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.js';
import { isPassedOverWithout } from '../support/programs.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { ask } from '../unit/sessions/support/ask.js';
import { type Nginx, startNginx } from './support/nginx.js';
import { buyOverTls, credentialOverTls } from './support/over-tls.js';
import { had, shopForFile } from './support/shop.js';
import { mountTicks, type Ticks } from './support/ticks.js';

const FIXED = { ...IN_USDC, price: '10000', protocols: ['x402'] } as const;
const X402 = { protocol: 'x402' } as const;
let ticks: Ticks;

let made = 0;
const shop = await shopForFile((app, sessions) => {
  app.set('trust proxy', 'loopback');
  const paid = sessions.paidSession(FIXED);
  for (const path of ['/report', '/again', '/http2', '/cached', '/cached-wrongly'])
    app.get(path, paid, (req, res) => {
      req.paymentSession?.charge('10000');
      res.set({ 'Cache-Control': 'public, max-age=600', 'X-Accel-Expires': '600' });
      res.json({ made: (made += 1) });
    });
  app.get('/cached/free', (_req, res) => void res.set('Cache-Control', 'public').json({ made: (made += 1) }));
  ticks = mountTicks(app, sessions, { paths: ['/left'], breaksOff: ['/cut'] });
});

let buyers = 0;
const buyer = () => payerAccount(`behind nginx ${(buyers += 1)}`);

describe.skipIf(isPassedOverWithout('nginx'))('nginx', () => {
  let nginx: Nginx;
  let wire: FaultProxy;
  beforeAll(async () => {
    wire = await startFaultProxy(shop.url);
    const { host } = new URL(shop.url);
    nginx = await startNginx({
      http: (folder) => `
  proxy_cache_path ${folder}/cache keys_zone=shared:1m;
  upstream twice { server 127.0.0.1:${wire.port}; server ${host} backup; }`,
      locations: `
    location / { proxy_pass http://${host}; {forwarded} }
    location /again { proxy_pass http://twice; {forwarded} }
    location ~ ^/(left|cut) { proxy_pass http://${host}; proxy_http_version 1.1; proxy_buffering off; {forwarded} }
    location /cached {
      proxy_pass http://${host}; {forwarded}
      proxy_cache shared; proxy_cache_valid 200 402 10m; add_header X-Cache $upstream_cache_status always;
    }
    location /cached-wrongly {
      proxy_pass http://${host}; {forwarded}
      proxy_cache shared; proxy_cache_valid 200 402 10m; add_header X-Cache $upstream_cache_status always;
      proxy_ignore_headers Cache-Control Expires X-Accel-Expires;
    }`,
    });
  });
  afterAll(async () => {
    await nginx.stop();
    await wire.close();
  });

  it('asks the price of the https URL of outside, and what is paid for there is served there, once', async () => {
    const url = `${nginx.url}/report?b=2&a=1`;
    const { status, headers } = await ask(url);
    const { resource } = decodePaymentRequiredHeader(String(headers['payment-required']));
    expect([status, resource?.url]).toEqual([402, `${nginx.url}/report?a=1&b=2`]);
    const credential = await credentialOverTls(url, buyer(), X402);
    const answer = await ask(url, { headers: { ...credential.headers } });
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.headers['cache-control']).toBe('private, max-age=600');
    const [charge] = await shop.charges('/report');
    const again = await ask(url, { headers: { ...credential.headers } });
    expect([again.status, again.headers['settlement-id']]).toEqual([409, charge?.id]);
    await shop.expectCharges('/report', [had('10000')]);
    expect(await shop.settle('/report')).toEqual(['10000']);
  });

  it('the same over HTTP/2 in front', async () => {
    const answer = await buyOverTls(`${nginx.url}/http2`, buyer(), { ...X402, http2: true });
    expect(answer).toMatchObject({ status: 200, whole: true });
    await shop.expectCharges('/http2', [had('10000')]);
  });

  it.each([
    ['atxp', 'atxp'],
    ['x402 upto', 'x402'],
    ['an MPP session', 'mpp'],
  ] as const)(
    'server-sent events by %s come whole through its buffers, and cost what was sent',
    async (_name, protocol) => {
      const before = await shop.charges('/demo/stream');
      const answer = await buyOverTls(`${nginx.url}/demo/stream?n=4`, buyer(), { protocol });
      expect([answer.status, answer.whole]).toEqual([200, true]);
      expect(answer.body.toString().match(/^data: \d$/gm)).toEqual(['data: 1', 'data: 2', 'data: 3', 'data: 4']);
      await shop.expectCharges('/demo/stream', [...before, had('4000')]);
      expect(await shop.settle('/demo/stream')).toEqual(['4000']);
    },
  );

  it('who leaves a stream pays for what was let go', async () => {
    const leaving = new AbortController();
    await buyOverTls(`${nginx.url}/left`, buyer(), {
      protocol: 'atxp',
      signal: leaving.signal,
      onBytes: (bytes) => (bytes.includes('tick 2') ? leaving.abort() : ticks.arrived(bytes)),
    });
    await shop.expectCharges('/left', [{ status: 'pending', spent: '2000', delivery: 'aborted' }]);
    expect(await shop.settle('/left')).toEqual(['2000']);
  });

  it('with proxy_http_version 1.1 a stream that its server cuts off is cut off for its client too', async () => {
    const answer = await buyOverTls(`${nginx.url}/cut`, buyer(), {
      protocol: 'atxp',
      onBytes: (bytes) => ticks.arrived(bytes),
    });
    expect([answer.body.toString(), answer.whole]).toEqual(['tick 1\ntick 2\n', false]);
    await shop.expectCharges('/cut', [{ status: 'pending', spent: '2000', delivery: 'aborted' }]);
  });

  it('proxy_next_upstream sends a GET again whose answer never came: 409 with its charge, and charged once', async () => {
    const credential = await credentialOverTls(`${nginx.url}/again`, buyer(), X402);
    wire.cutAnswerTo('PAYMENT-SIGNATURE');
    const answer = await ask(`${nginx.url}/again`, { headers: { ...credential.headers } });
    const [charge] = await shop.charges('/again');
    expect([answer.status, answer.headers['settlement-id']]).toEqual([409, charge?.id]);
    expect(answer.headers['payment-required']).toBeUndefined();
    expect(nginx.errors.join('\n')).toMatch(/upstream prematurely closed|reset by peer/);
    expect(await shop.settle('/again')).toEqual(['10000']);
  });

  describe.each([
    ['proxy_cache', '/cached'],
    ['proxy_cache that is told to ignore Cache-Control', '/cached-wrongly'],
  ])('%s', (_name, path) => {
    it('gives a paid answer to nobody else, and who pays no 402', async () => {
      const url = nginx.url + path;
      const bodies = [];
      for (let n = 0; n < 2; n += 1) {
        expect((await ask(url)).status).toBe(402);
        const answer = await buyOverTls(url, buyer(), X402);
        expect([answer.status, answer.headers['x-cache']]).toEqual([200, 'MISS']);
        bodies.push(answer.body.toString());
      }
      expect(new Set(bodies).size).toBe(2);
      await shop.expectCharges(path, [had('10000'), had('10000')]);
      expect(await shop.settle(path)).toEqual(['10000', '10000']);
    });
  });

  it('proxy_cache keeps what is free, so that these had a cache to be kept from', async () => {
    const answers = [await ask(`${nginx.url}/cached/free`), await ask(`${nginx.url}/cached/free`)];
    expect(answers.map(({ headers }) => headers['x-cache'])).toEqual(['MISS', 'HIT']);
  });
});
