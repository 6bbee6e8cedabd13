import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import { startTempoSandbox } from '../../sandbox/tempo/start.js';
import { startChannelShop } from '../support/channels/channel-shop.js';
import { isPassedOverWithout } from '../support/programs.js';
import { BY_VOUCHERS, IN_USDC } from '../support/sessions/offers.js';
import { type Asked, ask } from '../unit/sessions/support/ask.js';
import { type Nginx, startNginx } from './support/nginx.js';
import { credentialOverTls } from './support/over-tls.js';
import { had, shopForFile } from './support/shop.js';

/** How much of a head nginx takes from a server, and from a client, where nobody has told it otherwise. */

const ALL = ['atxp', 'x402', { ...BY_VOUCHERS, protocol: 'mpp' }, 'tempo'] as const;
const DESCRIPTION = 'What is sold here, and to whom, and by whom, in some detail. '.repeat(8);

const shop = await shopForFile((app, sessions) => {
  app.set('trust proxy', 'loopback');
  app.get('/large', sessions.paidSession({ ...IN_USDC, price: '10000', protocols: ['x402'] }), (req, res) => {
    req.paymentSession?.charge('10000');
    res.json({ report: 'it' });
  });
  // A head of as many bytes as are asked for.
  app.get('/filled', (req, res) => void res.writeHead(200, { 'X-Fill': 'x'.repeat(Number(req.query['bytes'])) }).end());
});
const chain = await startTempoSandbox();
const byAll = await startChannelShop(shop.store, {
  chainUrl: chain.url,
  authServerUrl: shop.sandbox.url,
  mount(app, sessions) {
    const all = sessions.paidSession({ ...IN_USDC, price: '10000', protocols: ALL, description: DESCRIPTION });
    app.all('/all', all, (_req, res) => void res.end());
  },
});
afterAll(async () => {
  await byAll.stop();
  await chain.close();
});

/** How long the head of an answer is on the wire. */
const raw = (url: string): Promise<{ readonly status: number; readonly bytes: number }> =>
  new Promise((resolve, reject) => {
    const asking = request(url, { agent: false }, (res) => {
      res.resume();
      const { rawHeaders, statusCode = 0, statusMessage = '' } = res;
      // Names and values have two bytes beside them each: a colon and a space, or the end of the line.
      const lines = rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
      resolve({ status: statusCode, bytes: `HTTP/1.1 ${statusCode} ${statusMessage}\r\n\r\n`.length + lines });
    });
    asking.on('error', reject).end();
  });

describe.skipIf(isPassedOverWithout('nginx'))('nginx', () => {
  let nginx: Nginx;
  beforeAll(async () => {
    nginx = await startNginx({
      locations: `
    location / { proxy_pass ${byAll.url}; {forwarded} }
    location /demo { proxy_pass ${shop.url}; {forwarded} }
    location /large { proxy_pass ${shop.url}; {forwarded} }
    location /filled { proxy_pass ${shop.url}; {forwarded} }
    location /all/16k { rewrite ^/all/16k /all break; proxy_pass ${byAll.url}; proxy_buffer_size 16k; proxy_buffers 8 16k; {forwarded} }`,
    });
  });
  afterAll(() => nginx.stop());

  it.each([
    ['/demo/fixed, by ATXP, x402 and MPP', 2_400, '/demo/fixed'],
    ['/demo/metered, the same metered', 2_800, '/demo/metered'],
    [
      'a route that sells by channels too, with 500 characters of description and 400 of query',
      4_000,
      `/all?q=${'q'.repeat(400)}`,
    ],
  ] as const)('the 402 of %s, has less than %i bytes of head, which fits in its buffer', async (_sold, most, path) => {
    const direct = await raw((path.startsWith('/demo') ? shop : byAll).url + path);
    const answer = await ask(nginx.url + path);
    expect([direct.status, answer.status]).toEqual([402, 402]);
    expect(direct.bytes).toBeLessThan(most);
    for (const name of ['payment-required', 'www-authenticate', 'x-atxp-payment-request'])
      expect(answer.headers[name], name).toBeTypeOf('string');
  });

  it('takes a head of 4 KiB and answers 502 beyond, also for a 402 of 3,000 characters of query; with proxy_buffer_size 16k that passes', async () => {
    let [fits, tooMuch] = [1_000, 8_000];
    while (tooMuch - fits > 1) {
      const bytes = Math.floor((fits + tooMuch) / 2);
      const { status } = await ask(`${nginx.url}/filled?bytes=${bytes}`);
      if (status === 200) fits = bytes;
      else tooMuch = bytes;
    }
    // nginx asks by HTTP/1.0, to which a head is some bytes longer or shorter.
    expect(Math.abs((await raw(`${shop.url}/filled?bytes=${fits}`)).bytes - 4_096)).toBeLessThan(64);
    expect(nginx.errors.join('\n')).toContain('upstream sent too big header');
    const long = `q=${'q'.repeat(3_000)}`;
    expect((await ask(`${nginx.url}/all?${long}`)).status).toBe(502);
    expect((await ask(`${nginx.url}/all/16k?${long}`)).status).toBe(402);
    expect(await shop.charges('/all')).toEqual([]);
  });

  /** A payment is as long as its client writes it: JSON may hold any space. */
  async function withCredentialOf(bytes: number, url: string): Promise<Asked> {
    const { headers } = await credentialOverTls(url, payerAccount(`writes ${bytes}`), { protocol: 'x402' });
    const [name, value] = Object.entries(headers)[0]!;
    const json = Buffer.from(value, 'base64').toString();
    return ask(url, { headers: { [name]: Buffer.from(json.padEnd(Math.floor(bytes * 0.75))).toString('base64') } });
  }

  it.each([
    ['400 by nginx, whose buffer holds 8k', () => nginx.url, 400],
    ['431 by Node, which takes 16k of head', () => shop.url, 431],
  ])('a credential of 20 kB is answered %s, and charged for by nobody', async (_by, at, status) => {
    expect((await withCredentialOf(20_000, `${at()}/large`)).status).toBe(status);
    expect(await shop.charges('/large')).toEqual([]);
  });

  it('a credential of 7 kB passes both, and is charged for once', async () => {
    expect((await withCredentialOf(7_000, `${nginx.url}/large`)).status).toBe(200);
    await shop.expectCharges('/large', [had('10000')]);
    expect(await shop.settle('/large')).toEqual(['10000']);
  });
});
