import { describe, expect, it } from 'vitest';
import { createAuthorizationReader } from '../../../../src/providers/evm/authorizations.js';

const NETWORK = 'eip155:8453';
const SIGNED = {
  network: NETWORK,
  asset: `0x${'a'.repeat(40)}`,
  from: `0x${'b'.repeat(40)}`,
  nonce: `0x${'c'.repeat(64)}`,
};
const USED = `0x${'0'.repeat(63)}1`;

type Said = { readonly result: string } | { readonly error: { readonly code: number; readonly message: string } };

/** A node of Base that says this of the token. */
const nodeThat =
  (says: Said): typeof fetch =>
  (_url, init) => {
    const { id, method } = JSON.parse(init?.body as string) as { id: number; method: string };
    const said: Said = method === 'eth_chainId' ? { result: '0x2105' } : says;
    return Promise.resolve(Response.json({ jsonrpc: '2.0', id, ...said }));
  };
const reader = (says: Said) => createAuthorizationReader(new Map([[NETWORK, 'https://node.example']]), nodeThat(says));

describe('an authorization on chain', () => {
  it('is used where its token says so', async () => {
    expect(await reader({ result: USED }).readUsed(SIGNED)).toEqual({ kind: 'found', value: true });
  });

  it.each([
    ['no contract is where its token should be', { result: '0x' }, SIGNED],
    ['the contract refuses the question', { error: { code: 3, message: 'execution reverted' } }, SIGNED],
    ['an older node says so in words', { error: { code: -32_000, message: 'execution reverted' } }, SIGNED],
    ['what was signed is no address', { result: USED }, { ...SIGNED, asset: 'USDC' }],
  ] as const)('can never be read where %s', async (_why, says, signed) => {
    expect((await reader(says).readUsed(signed)).kind).toBe('missing');
  });

  it('is not known while its node does not answer', async () => {
    const says = { error: { code: -32_603, message: 'try again' } };
    expect((await reader(says).readUsed(SIGNED)).kind).toBe('unclear');
  });
});
