import { decodePaymentRequiredHeader } from '@x402/core/http';
import type { PaymentPayload } from '@x402/core/types';
import { ExactEvmScheme } from '@x402/evm/exact/client';
import {
  type DiscoveryExtension,
  extractDiscoveryInfo,
  validateDiscoveryExtension,
  validateDiscoveryExtensionSpec,
} from '@x402/extensions/bazaar';
import { wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { describe, expect, it } from 'vitest';
import type { Discoverable } from '../../src/sessions/offers/bazaar.js';
import { openDemoServer } from '../support/sessions/demo-server.js';
import { IN_USDC } from '../support/sessions/offers.js';
import { stockWallet } from './support/stock-wallet.js';

const WAYS: readonly (readonly [string, true | Discoverable])[] = [
  ['a GET that takes nothing', true],
  [
    'a GET with a query',
    {
      input: { place: 'Vienna' },
      inputSchema: { properties: { place: { type: 'string' } }, required: ['place'] },
      output: { hours: [12.5] },
    },
  ],
  ['a POST of JSON', { bodyType: 'json', input: { place: 'Vienna' }, output: 'fair' }],
  ['a PUT of a form', { method: 'PUT', bodyType: 'form-data' }],
];

const wayPath = (nth: number) => `/report-${nth}`;

/** Sells each way at a path of its own, by every method. */
const open = () =>
  openDemoServer({
    mount: (app, paidSession) =>
      WAYS.map(([summary, discoverable], nth) => {
        const options = { ...IN_USDC, price: '10000', protocols: ['x402'], description: summary } as const;
        const paid = paidSession({ ...options, discoverable });
        app.all(wayPath(nth), paid, (req, res) => {
          req.paymentSession?.charge('10000');
          res.json({ hours: [] });
        });
        return { method: 'GET', path: wayPath(nth), paid };
      }),
  });

/** The unmodified client of x402, and the payments it sent. */
function stockClient() {
  const sent: PaymentPayload[] = [];
  const watched: typeof fetch = (input, init) => {
    const { headers } = input instanceof Request ? input : new Request(input, init);
    const raw = headers.get('payment-signature');
    if (raw !== null) sent.push(JSON.parse(Buffer.from(raw, 'base64').toString()) as PaymentPayload);
    return fetch(input, init);
  };
  const client = new x402Client().register('eip155:*', new ExactEvmScheme(stockWallet));
  return { buy: wrapFetchWithPayment(watched, client), sent };
}

describe('the extension bazaar', () => {
  it('is what @x402/extensions checks, and a stock client that repeats it is served', async () => {
    const { url } = await open();
    const { buy, sent } = stockClient();
    for (const [nth, [description, how]] of WAYS.entries()) {
      const path = wayPath(nth);
      const challenge = (await fetch(url + path)).headers.get('payment-required') ?? '';
      const { accepts, extensions } = decodePaymentRequiredHeader(challenge);
      const bazaar = extensions?.['bazaar'] as DiscoveryExtension & Record<string, unknown>;
      expect([description, validateDiscoveryExtensionSpec(bazaar)]).toEqual([description, { valid: true }]);
      expect([description, validateDiscoveryExtension(bazaar)]).toEqual([description, { valid: true }]);

      const [method = ''] = /[A-Z]{3,}/.exec(description) ?? [];
      const body = how === true || how.bodyType === undefined ? undefined : '{}';
      const answer = await buy(url + path, { method, body });
      expect([description, answer.status, await answer.json()]).toEqual([description, 200, { hours: [] }]);

      const payload = sent[nth];
      const [accept] = accepts;
      const found = payload && accept ? extractDiscoveryInfo(payload, accept) : null;
      expect(found).toMatchObject({ resourceUrl: `http://127.0.0.1${path}`, description, method });
      expect(found?.discoveryInfo).toEqual(bazaar.info);
      expect(payload?.extensions).toEqual(extensions);
    }
    expect(sent).toHaveLength(WAYS.length);
    expect(await (await fetch(`${url}/.well-known/x402`)).json()).toEqual({
      version: 1,
      resources: WAYS.map((_, nth) => `http://127.0.0.1${wayPath(nth)}`),
    });
  });
});
