import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import httpProxy from 'http-proxy';
import { afterAll, describe, expect, it } from 'vitest';
import { payerAccount } from '../../sandbox/payer/account.js';
import { startFaultProxy } from '../support/fault-proxy.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { credentialFor, pay, request } from '../support/sessions/paying.js';
import { ask } from '../unit/sessions/support/ask.js';
import { had, shopForFile } from './support/shop.js';
import { mountTicks, type Ticks } from './support/ticks.js';

const FIXED = { ...IN_USDC, price: '10000', protocols: ['x402'] } as const;

let ticks: Ticks;
let upstreamSockets = new Set<unknown>();

const shop = await shopForFile((app, sessions) => {
  app.set('trust proxy', 'loopback');
  app.use((req, _res, next) => (upstreamSockets.add(req.socket), next()));
  for (const path of ['/report', '/kept', '/lost'])
    app.get(path, sessions.paidSession(FIXED), (req, res) => {
      req.paymentSession?.charge('10000');
      res.json({ for: req.query['of'] });
    });
  app.get('/first', sessions.paidSession({ ...FIXED, settle: 'before-release' }), (req, res) => {
    req.paymentSession?.charge('10000');
    res.json({ report: 'it' });
  });
  ticks = mountTicks(app, sessions, { paths: ['/stream'], breaksOff: ['/cut'] });
});
const outside = await shopForFile(() => undefined, { publicUrl: 'https://api.example/' });

interface Front {
  readonly url: string;
  /** Requests that were sent once more. */
  readonly retried: () => number;
}

/**
 * One instance, over a connection that it keeps. By itself it tells neither side that the other has broken off (1.18.1), so that
 * a client waits for ever; its users add that (`passesEndsOn`).
 */
async function startFront(
  target: string,
  options: { readonly retries?: number; readonly passesEndsOn?: boolean; readonly xfwd?: boolean } = {},
): Promise<Front> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const proxy = httpProxy.createProxyServer({ target, agent, changeOrigin: true, xfwd: options.xfwd ?? true });
  let retried = 0;
  if (options.passesEndsOn) {
    proxy.on('proxyReq', (upstream, _req, res) => res.on('close', () => res.writableFinished || upstream.destroy()));
    proxy.on('proxyRes', (upstream, _req, res) => upstream.on('close', () => upstream.complete || res.destroy()));
  }
  const forward = (req: IncomingMessage, res: ServerResponse, left: number): void =>
    proxy.web(req, res, {}, () => {
      if (left > 0 && !res.headersSent) {
        retried += 1;
        return forward(req, res, left - 1);
      }
      if (!res.headersSent) res.writeHead(502);
      res.end();
    });
  const server = createServer((req, res) => forward(req, res, options.retries ?? 0)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, retried: () => retried };
}

const front = await startFront(shop.url);
const priced = (headers: Headers) => decodePaymentRequiredHeader(headers.get('payment-required') ?? '').resource?.url;
let buyers = 0;
const buyer = () => payerAccount(`behind a proxy ${(buyers += 1)}`);

describe('http-proxy', () => {
  it('with trust proxy, the price is asked for the URL as it is seen from outside, and its credential is good there', async () => {
    const url = `${front.url}/report?of=whales`;
    expect(priced((await fetch(url)).headers)).toBe(url);
    const credential = await credentialFor(url, buyer(), { protocol: 'x402' });
    expect(await pay(url, credential)).toMatchObject({ status: 200, body: '{"for":"whales"}' });
    expect((await pay(url, credential)).status).toBe(409);
    expect((await pay(`${front.url}/report?of=ants`, credential)).status).toBe(409);
    await shop.expectCharges('/report', [had('10000')]);
  });

  it('with PUBLIC_URL, the price is asked for the URL of the public, whatever the proxy says', async () => {
    const { url } = await startFront(outside.url, { xfwd: false });
    const said = await fetch(`${url}/demo/fixed?b=2&a=1`);
    expect(priced(said.headers)).toBe('https://api.example/demo/fixed?a=1&b=2');
    const credential = await credentialFor(`${url}/demo/fixed?b=2&a=1`, buyer(), { protocol: 'x402' });
    expect(await pay(`${url}/demo/fixed?a=1&b=2`, credential)).toMatchObject({ status: 200, complete: true });
    await outside.expectCharges('/demo/fixed', [had('10000')]);
  });

  it('many buyers over one connection to the server have each their own answer, and pay once', async () => {
    const paths = Array.from({ length: 12 }, (_, nth) => `${front.url}/kept?of=${nth}`);
    const credentials = await Promise.all(paths.map((path) => credentialFor(path, buyer(), { protocol: 'x402' })));
    upstreamSockets = new Set();
    const answers = await Promise.all(paths.map((path, nth) => pay(path, credentials[nth]!)));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      paths.map((_, nth) => [200, JSON.stringify({ for: `${nth}` })]),
    );
    expect(upstreamSockets.size).toBe(1);
    await shop.expectCharges(
      '/kept',
      paths.map(() => had('10000')),
    );
    expect(await shop.settle('/kept')).toEqual(paths.map(() => '10000'));
  });

  it('a client who leaves a metered stream pays for what was let go, and the proxy goes on serving others', async () => {
    const through = await startFront(shop.url, { passesEndsOn: true });
    const credential = await credentialFor(`${through.url}/stream`, buyer(), { protocol: 'atxp' });
    const leaving = new AbortController();
    await ask(`${through.url}/stream`, {
      headers: { ...credential.headers },
      signal: leaving.signal,
      onBytes: (bytes) => (bytes.includes('tick 2') ? leaving.abort() : ticks.arrived(bytes)),
    });
    await shop.expectCharges('/stream', [{ status: 'pending', spent: '2000', delivery: 'aborted' }]);
    expect(await shop.settle('/stream')).toEqual(['2000']);
    expect((await fetch(`${through.url}/kept`)).status).toBe(402);
  });

  it('of a stream that its server cuts off, the client sees the cut, and pays for what came before', async () => {
    const url = `${(await startFront(shop.url, { passesEndsOn: true })).url}/cut`;
    const credential = await credentialFor(url, buyer(), { protocol: 'atxp' });
    const cut = await pay(url, credential, {}, (text) => ticks.arrived(text));
    expect(cut).toMatchObject({ status: 200, body: 'tick 1\ntick 2\n', complete: false });
    await shop.expectCharges('/cut', [{ status: 'pending', spent: '2000', delivery: 'aborted' }]);
  });

  it('a GET that the proxy sends again, because the answer never came, is answered 409 with its charge, and charged once', async () => {
    const wire = await startFaultProxy(shop.url);
    const through = await startFront(`http://127.0.0.1:${wire.port}`, { retries: 1 });
    const credential = await credentialFor(`${through.url}/lost`, buyer(), { protocol: 'x402' });
    wire.cutAnswerTo('payment-signature');
    const answer = await pay(`${through.url}/lost`, credential);
    const [charge] = await shop.charges('/lost');
    expect([answer.status, answer.headers.get('settlement-id')]).toEqual([409, charge?.id]);
    expect(answer.headers.get('payment-required')).toBeNull();
    expect(through.retried()).toBe(1);
    expect(await shop.settle('/lost')).toEqual(['10000']);
    await wire.close();
  });

  it('who leaves while his payment is settled has the answer when he comes again, through the same proxy', async () => {
    const through = await startFront(shop.url, { passesEndsOn: true });
    const credential = await credentialFor(`${through.url}/first`, buyer(), { protocol: 'x402' });
    shop.sandbox.setFaults([{ kinds: ['slow'], on: ['settle'], times: 1, ms: 1_000 }]);
    const leaving = new AbortController();
    const { debits } = shop.sandbox.ledger().totals;
    const { settleCalls } = shop.sandbox.calls().totals;
    const left = request(`${through.url}/first`, { headers: credential.headers, signal: leaving.signal });
    await expect.poll(() => shop.sandbox.calls().totals.settleCalls).toBe(settleCalls + 1);
    leaving.abort();
    expect((await left).status).toBeUndefined();
    await expect.poll(async () => (await shop.charges('/first'))[0]?.status).toBe('settled');
    await expect.poll(async () => (await pay(`${through.url}/first`, credential)).status).toBe(200);
    expect((await pay(`${through.url}/first`, credential)).status).toBe(409);
    expect(shop.sandbox.ledger().totals.debits).toBe(debits + 1);
  });
});
