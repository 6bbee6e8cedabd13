import { DEFAULT_ASSETS } from '@x402/evm';
import { eurc, usdc } from 'viem/tokens';
import { expect, it } from 'vitest';
import { KNOWN_TOKENS, knownToken } from '../../src/protocols/known-tokens.js';

/** What we know of tokens, held against the tables of others. */

const ours = Object.entries(KNOWN_TOKENS).flatMap(([network, tokens]) =>
  Object.keys(tokens).map((asset) => ({ network, asset, ...knownToken(network, asset) })),
);

it.each(ours)('$currency on $network is at $asset, as viem has it', ({ network, asset, currency, decimals }) => {
  const { addresses, decimals: theirs } = currency === 'EURC' ? eurc : usdc;
  const chainId = Number(network.slice('eip155:'.length));
  expect((addresses as Readonly<Record<number, string>>)[chainId]?.toLowerCase()).toBe(asset);
  expect(decimals).toBe(theirs);
});

it('USDC has the domain that x402 has it signed over, wherever both know it', () => {
  const theirs = Object.entries(DEFAULT_ASSETS).flatMap(([network, assets]) =>
    assets.flatMap(({ asset, symbol, name, version, decimals }) => {
      const known = knownToken(network, asset);
      return known === undefined ? [] : [[{ currency: symbol, decimals, domain: { name, version } }, known] as const];
    }),
  );
  expect(theirs.length).toBeGreaterThanOrEqual(10);
  for (const [stated, known] of theirs) expect(known).toEqual(stated);
});
