import { afterEach, expect, it } from 'vitest';
import {
  startAuthServerSandbox,
  startHyperswitchSandbox,
  startStripeSandbox,
  startTempoSandbox,
} from '../../../sandbox/index.js';

let close = async (): Promise<void> => {};
afterEach(() => close());

it.each([
  {
    name: 'the auth server',
    start: startAuthServerSandbox,
    control: '_sandbox',
    path: '/payment-request',
    rule: { kinds: ['server_error'], on: ['payment-request'] },
  },
  {
    name: 'Hyperswitch',
    start: startHyperswitchSandbox,
    path: '/refunds/list',
    rule: { kinds: ['http_503'], on: ['refunds.list'] },
  },
  { name: 'Stripe', start: startStripeSandbox, path: '/v1/transfers', rule: { kinds: ['unavailable'] } },
  { name: 'Tempo', start: startTempoSandbox, path: '/', rule: { kinds: ['unavailable'], on: ['eth_chainId'] } },
])(
  'after a reset of $name the same calls meet the same faults again',
  async ({ start, control = 'control', path, rule }) => {
    const sandbox = await start();
    close = () => sandbox.close();
    const send = async (method: string, to: string, body: object) => {
      const headers = { 'Content-Type': 'application/json', 'api-key': 'sandbox-hyperswitch-api-key' };
      return (await fetch(`${sandbox.url}${to}`, { method, headers, body: JSON.stringify(body) })).status;
    };
    const run = async () => {
      await send('PUT', `/${control}/faults`, { rules: [{ ...rule, probability: 0.5 }] });
      const struck: boolean[] = [];
      for (let call = 0; call < 20; call += 1) {
        struck.push((await send('POST', path, { jsonrpc: '2.0', id: 1, method: 'eth_chainId' })) >= 500);
      }
      return struck;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([true, false]));
    await send('POST', `/${control}/reset`, {});
    expect(await run()).toEqual(first);
  },
);
