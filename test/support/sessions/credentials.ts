import type { JsonObject } from '../../../src/domain/json.js';
import type { Protocol } from '../../../src/domain/settlements/settlement-status.js';
import type { DecodedCredential, SettlementContext } from '../../../src/protocols/credential.js';
import { decodeCredential } from '../../../src/protocols/decode-credential.js';

export const PAYER = '0x857b06519E91e3A54538791bDbb0E22373e36b66';
const PAYEE = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C';
export const USDC = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
export const NONCE = '0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480';
export const SIGNATURE = `0x2d6a7588d6acca505cbf0d9a4a227e0c52c6c34008c8e8986a12832597641736${'08a2ce64'.repeat(8)}1c`;

export const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
export const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const authorization = (change: object = {}): JsonObject => ({
  from: PAYER,
  to: PAYEE,
  value: '10000',
  validAfter: '1740672089',
  validBefore: '1740672154',
  nonce: NONCE,
  ...change,
});

export const requirements = (change: object = {}): JsonObject => ({
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '10000',
  asset: USDC,
  payTo: PAYEE,
  maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2' },
  ...change,
});

export const x402v1 = (change: object = {}): JsonObject => ({
  x402Version: 1,
  scheme: 'exact',
  network: 'base-sepolia',
  payload: { signature: SIGNATURE, authorization: authorization(change) },
});

export const x402v2 = (change: object = {}): JsonObject => ({
  x402Version: 2,
  resource: { url: 'https://api.example.com/data' },
  accepted: requirements(),
  payload: { signature: SIGNATURE, authorization: authorization(change) },
});

export const x402upto = (change: object = {}): JsonObject => ({
  x402Version: 2,
  accepted: requirements({ scheme: 'upto' }),
  payload: {
    signature: SIGNATURE,
    permit2Authorization: {
      permitted: { token: USDC, amount: '10000' },
      from: PAYER,
      spender: '0x4020615294c913F045dc10f0a5cdEbd86c280002',
      nonce: NONCE,
      deadline: '1740672154',
      witness: { to: PAYEE, validAfter: '1740672089', extra: {} },
      ...change,
    },
  },
});

export const CHALLENGE_ID = 'qB3wErTyUiOpAsDfGhJkLzXcVbNm0123456789-_abc';
export const CHANNEL = `0x${'Ab12'.repeat(16)}`;

export const mppCharge = (change: object = {}): JsonObject => ({
  challenge: {
    id: CHALLENGE_ID,
    realm: 'api.example.com',
    method: 'tempo',
    intent: 'charge',
    request: base64url({ amount: '10000', currency: '0x20c0000000000000000000000000000000000001', recipient: PAYEE }),
    expires: '2026-01-06T12:00:00Z',
    ...change,
  },
  payload: { type: 'transaction', signature: SIGNATURE },
  source: `did:pkh:eip155:42431:${PAYER}`,
});

export const mppSession = (change: object = {}): JsonObject => ({
  challenge: {
    id: CHALLENGE_ID,
    realm: 'api.example.com',
    method: 'tempo',
    intent: 'session',
    request: base64url({ amount: '10000', currency: '0x20c0000000000000000000000000000000000001' }),
    expires: '2026-01-06T12:00:00Z',
  },
  payload: { action: 'voucher', channelId: CHANNEL, cumulativeAmount: '30000', signature: SIGNATURE, ...change },
  source: `did:pkh:eip155:42431:${PAYER}`,
});

export const ATXP_TOKEN = 'tok_canary_9f8e7d6c5b4a39281706f5e4d3c2b1a0';

export const atxp = (change: object = {}): JsonObject => ({
  sourceAccountId: 'atxp:acct_buyer',
  sourceAccountToken: ATXP_TOKEN,
  options: [{ network: 'base', currency: 'USDC', address: PAYEE, amount: '0.01' }],
  ...change,
});

/** Decodes, or fails the test with the reason. */
export function decoded(protocol: Protocol, raw: string, context: SettlementContext = {}): DecodedCredential {
  const credential = decodeCredential(protocol, raw, context);
  if ('undecodable' in credential) throw new Error(`undecodable: ${credential.undecodable}`);
  return credential;
}
