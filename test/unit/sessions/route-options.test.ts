import { expect, test } from 'vitest';
import { createPaidSessions, type PaidSessionOptions } from '../../../src/sessions/index.js';
import { routeOffers } from '../../../src/sessions/offers/offers.js';
import { FakeLedger } from './support/fake-ledger.js';
import { FakeAuthServer, FIXED, METERED } from './support/world.js';

const BOUNDS = { credentialValidityMs: 3_600_000, minRetryWindowMs: 120_000 };
const offers = (options: PaidSessionOptions) => routeOffers(options, BOUNDS).offers;

test.each<[string, Partial<Record<keyof PaidSessionOptions, unknown>>]>([
  ['price', { price: undefined }],
  ['price', { cap: '5' }],
  ['price', { price: '0' }],
  ['price', { price: '-1' }],
  ['price', { price: '1.5' }],
  ['price', { price: 0.01 }],
  ['decimals', { decimals: 1.5 }],
  ['decimals', { decimals: '6' }],
  ['asset', { asset: '' }],
  ['asset', { asset: 'USDC' }],
  ['payTo', { payTo: '0x12' }],
  ['network', { network: 'moon' }],
  ['network', { network: 'solana' }],
  ['protocols', { protocols: [] }],
  ['protocols', { protocols: ['x402', 'x402'] }],
  ['protocols', { protocols: ['card'] }],
  ['settle', { settle: 'never' }],
  ['exposure.perPayer', { exposure: { perPayer: '0' } }],
  ['exposure.total', { exposure: { total: '9999' } }],
  ['exposure.over', { exposure: { over: 'shrug' } }],
  ['longest', { longest: '5 minutes' }],
  ['longest', { longest: 0 }],
  ['longest', { longest: '58m' }],
  ['streamed', { streamed: true }],
  ['settle', { price: undefined, cap: '5', streamed: true, settle: 'before-release' }],
  ['exposure.over', { price: undefined, cap: '5', streamed: true, exposure: { total: '9', over: 'settle-first' } }],
  ['settleFirstBuffer', { settleFirstBuffer: '1MB' }],
  ['settleFirstBuffer', { settleFirstBuffer: 0 }],
])('a bad %s stops the start with its name and an example: %j', (name, bad) => {
  const attempt = () => offers({ ...FIXED, ...bad } as PaidSessionOptions);
  expect(attempt).toThrow(`paidSession option ${name}:`);
  expect(attempt).toThrow('for example {');
});

test('a price is sold whole, a cap metered, in each protocol by one scheme', () => {
  expect(offers(FIXED).map((offer) => offer.scheme)).toEqual(['atxp', 'exact', 'charge']);
  expect(offers({ ...METERED, streamed: true }).map((offer) => offer.scheme)).toEqual(['atxp', 'upto', 'session']);
});

test('networks are CAIP-2 whatever name they were given', () => {
  const { network } = offers({ ...FIXED, network: 'base-sepolia', protocols: ['x402'] })[0] ?? {};
  expect(network).toBe('eip155:84532');
});

test('mpp without its secret key is refused when the route is defined', () => {
  const sessions = createPaidSessions({
    ledger: new FakeLedger(),
    authServer: new FakeAuthServer(),
    settings: { ...BOUNDS, checkpointAmount: 1n, checkpointIntervalMs: 1_000 },
    secrets: { requestIds: 'secret' },
    holder: 'test',
    clock: { nowMs: () => 0 },
    log: { warn: () => {}, error: () => {} },
    settleNow: async () => 'settled',
    dispatch: () => {},
  });
  expect(() => sessions.paidSession(FIXED)).toThrow('MPP_SECRET_KEY');
  expect(sessions.paidSession({ ...FIXED, protocols: ['x402'] })).toBeTypeOf('function');
});
