import { decodePaymentRequiredHeader } from '@x402/core/http';
import { Challenge } from 'mppx';
import { validate } from 'mppx/discovery';
import { afterEach, describe, expect, it } from 'vitest';
import { createDocuments, type Described, paidPaths } from '../../../src/sessions/discovery/discovery.js';
import { createPaidSessions, type PaidSessionOptions, type PublishedRoute } from '../../../src/sessions/index.js';
import { routeOffers } from '../../../src/sessions/offers/offers.js';
import { offeredExtensions } from '../../../src/sessions/offers/x402-extensions.js';
import { FakeLedger } from './support/fake-ledger.js';
import { FIXED, type Handler, jsonOf, type Loose, METERED, sell, type World } from './support/world.js';

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const serve: Handler = (req, res) => {
  req.paymentSession?.charge('10000');
  res.json({ ok: true });
};
const listed: PaidSessionOptions = { ...FIXED, description: 'a report', discoverable: true };
const BOUNDS = { credentialValidityMs: 3_600_000, minRetryWindowMs: 120_000 };

/** What is sold at `/paid`, at `/listed` and at `/listed/{id}`, with what tells of it before or after them. */
async function open(publicUrl?: string) {
  world = await sell(serve, {
    publicUrl,
    sells: METERED,
    mount: (app, paid) => {
      const report = paid(listed);
      app.get('/listed', report, serve);
      app.get('/listed/:id', report, serve);
      const routes: readonly PublishedRoute[] = [
        { method: 'get', path: '/paid', paid: paid(METERED), operation: { summary: 'Work, by its amount.' } },
        { method: 'GET', path: '/listed', paid: report, operation: { responses: { 200: { description: 'It.' } } } },
        { method: 'POST', path: '/listed/{id}', paid: report, operation: { requestBody: {} } },
      ];
      app.use(paid.discovery({ title: 'Reports', version: '2', routes }));
    },
  });
  return world.url;
}

describe('what a route says of itself', () => {
  it.each(['/paid', '/listed'])('at %s is what its 402 offers, way by way', async (path) => {
    const url = await open();
    const { paths } = await jsonOf(await fetch(`${url}/openapi.json`));
    const { offers } = paths[path].get['x-payment-info'];
    const answer = await fetch(url + path);
    expect(answer.status).toBe(402);
    const [accept] = decodePaymentRequiredHeader(answer.headers.get('payment-required') ?? '').accepts;
    const [challenge] = Challenge.fromResponseList(answer) as [Loose];
    const atxp = JSON.parse(answer.headers.get('x-atxp-payment-request') ?? '');
    const byProtocol = (name: string): Loose => offers.find((offer: Loose) => offer.protocol === name);
    const x402 = byProtocol('x402');
    expect([x402.amount, x402.currency, x402.network, x402.recipient]).toEqual([
      accept?.amount,
      accept?.asset,
      accept?.network,
      accept?.payTo,
    ]);
    const mpp = byProtocol('mpp');
    expect([mpp.method, mpp.intent, mpp.amount, mpp.currency, mpp.recipient, mpp.network]).toEqual([
      challenge.method,
      challenge.intent,
      challenge.request.amount,
      challenge.request.currency,
      challenge.request.recipient,
      `eip155:${challenge.request.methodDetails.chainId}`,
    ]);
    expect(Number(byProtocol('atxp').amount) / 10 ** byProtocol('atxp').decimals).toBe(Number(atxp.chargeAmount));
    expect(Object.keys(paths[path].get.responses['402'].headers).sort()).toEqual([
      'PAYMENT-REQUIRED',
      'WWW-Authenticate',
      'X-ATXP-Payment-Request',
    ]);
  });

  it('has no fault that npm mppx finds, and keeps what the application says beside it', async () => {
    const url = await open();
    const document = await jsonOf(await fetch(`${url}/openapi.json`));
    expect(validate(document)).toEqual([]);
    expect(document.info).toEqual({ title: 'Reports', version: '2' });
    expect(document.paths['/paid'].get.summary).toBe('Work, by its amount.');
    expect(Object.keys(document.paths['/listed'].get.responses)).toEqual(['200', '402']);
    expect(document.paths['/listed'].get.responses['200']).toEqual({ description: 'It.' });
    expect(document.paths['/listed'].get['x-payment-info'].offers[0].description).toBe('a report');
    const intents = (path: string) =>
      document.paths[path].get['x-payment-info'].offers.map((offer: Loose) => `${offer.method}/${offer.intent}`);
    expect(intents('/paid')).toEqual(['atxp/upto', 'evm/upto', 'tempo/session']);
    expect(intents('/listed')).toEqual(['atxp/charge', 'evm/charge', 'tempo/charge']);
  });

  it('is nothing to pay where nothing can be sold', () => {
    const sessions = createPaidSessions({
      ledger: new FakeLedger(),
      authServer: undefined,
      settings: { ...BOUNDS, checkpointAmount: 1n, checkpointIntervalMs: 1_000 },
      secrets: { requestIds: 'secret' },
      holder: 'test',
      clock: { nowMs: () => 0 },
      log: { warn: () => {}, error: () => {} },
      settleNow: async () => 'settled',
      dispatch: () => {},
    });
    const paid = sessions.paidSession(listed);
    expect(paid.listed).toBe(false);
    expect(paidPaths([{ method: 'GET', path: '/a', paid, operation: { summary: 'A.' } }])).toEqual({
      '/a': { get: { summary: 'A.', responses: { 200: { description: 'What was paid for.' } } } },
    });
  });
});

describe('discovery', () => {
  it('names what is discoverable, under the address that clients see, and no template', async () => {
    const own = await open();
    expect(await jsonOf(await fetch(`${own}/.well-known/x402`))).toEqual({ version: 1, resources: [`${own}/listed`] });
    await world?.close();
    const behindProxy = await open('https://api.example.com/v2');
    expect(await jsonOf(await fetch(`${behindProxy}/.well-known/x402?again`))).toEqual({
      version: 1,
      resources: ['https://api.example.com/v2/listed'],
    });
  });

  it('says in words what is sold, answers HEAD, and leaves everything else to those after it', async () => {
    const url = await open();
    const text = await (await fetch(`${url}/llms.txt`)).text();
    expect(text).toContain('# Reports\n');
    expect(text).toContain(
      `- GET /paid: Work, by its amount.; atxp upto, 100000 atomic units of ${METERED.asset} on eip155:8453`,
    );
    const head = await fetch(`${url}/openapi.json`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, 'application/json', '']);
    expect((await fetch(`${url}/openapi.json`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it('knows no list of x402 where no route asks to be on it', async () => {
    const paid: Described = { openApi: () => ({}), listed: false };
    const routes: readonly PublishedRoute[] = [{ method: 'GET', path: '/a', paid }];
    const documents = createDocuments({ title: 'A', version: '1', routes }, undefined);
    const at = (url: string) => documents({ method: 'GET', url }, () => 'https://api.example.com')?.status;
    expect([at('/openapi.json'), at('/.well-known/x402')]).toEqual([200, undefined]);
  });
});

describe('the extension bazaar', () => {
  it('is in the 402 of a route that asks for it, and of no other', async () => {
    const url = await open();
    const extensionsAt = async (path: string) =>
      decodePaymentRequiredHeader((await fetch(url + path)).headers.get('payment-required') ?? '').extensions;
    expect(Object.keys((await extensionsAt('/paid')) ?? {})).toEqual(['payment-identifier']);
    expect(await extensionsAt('/listed')).toMatchObject({
      'payment-identifier': { info: { required: false } },
      bazaar: { info: { input: { type: 'http', method: 'GET' } } },
    });
  });

  it('is alone there on a route that keeps no answers, and without it there are none', async () => {
    const extensionsOf = (change: Partial<PaidSessionOptions>) => {
      const options = { ...listed, replay: false, ...change } as const;
      return Object.keys(offeredExtensions(options, routeOffers(options, BOUNDS)));
    };
    expect([extensionsOf({}), extensionsOf({ discoverable: false })]).toEqual([['bazaar'], []]);
    world = await sell(serve, { sells: { ...FIXED, replay: false } });
    const asked = (await fetch(`${world.url}/paid`)).headers.get('payment-required') ?? '';
    expect(decodePaymentRequiredHeader(asked)).not.toHaveProperty('extensions');
  });

  it.each<[string, PaidSessionOptions['discoverable'], Partial<PaidSessionOptions>]>([
    ['does not sell by x402', true, { protocols: ['atxp'] }],
    ['has a body and a method without one', { method: 'GET', bodyType: 'json' }, {}],
    ['has a method with a body and none', { method: 'POST' }, {}],
    ['has a method that nobody knows', { method: 'HEAD' as 'GET' }, {}],
  ])('stops the start, with the option and an example, where the route %s', (_, discoverable, change) => {
    const options = { ...FIXED, ...change, discoverable };
    const attempt = () => offeredExtensions(options, routeOffers(options, BOUNDS));
    expect(attempt).toThrow('paidSession option discoverable:');
    expect(attempt).toThrow('for example {');
  });
});
