import { Challenge } from 'mppx';
import { type PayerAccount, payerAccount } from '../../sandbox/payer/account.js';
import { atxpCredential } from '../../sandbox/payer/atxp.js';
import { type MppCredentialOptions, mppCredential } from '../../sandbox/payer/mpp.js';
import { type X402Accept, type X402CredentialOptions, x402Credential } from '../../sandbox/payer/x402.js';

/** Bodies for the sandbox's verify and settle, made from the wire facts and not by the product's own builder. */

export const alice = payerAccount('alice');
export const NOW = Date.parse('2026-03-01T12:00:00Z');

export const exactAccept: X402Accept = {
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '10000',
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  payTo: '0xde30000000000000000000000000000000000402',
  maxTimeoutSeconds: 3600,
  extra: { name: 'USDC', version: '2' },
};
export const uptoAccept: X402Accept = {
  ...exactAccept,
  scheme: 'upto',
  extra: { name: 'USDC', version: '2', facilitatorAddress: '0x5a4db0c5a4db0c5a4db0c5a4db0c5a4db0c5a4db' },
};

export const challenge = (intent: 'charge' | 'session', expires = '2026-03-01T13:00:00Z'): Challenge.Challenge =>
  Challenge.from({
    secretKey: 'a secret of at least thirty-two characters',
    realm: 'sandbox.test',
    method: 'tempo',
    intent,
    expires,
    request: {
      amount: '10000',
      currency: exactAccept.asset,
      recipient: exactAccept.payTo,
      methodDetails: { chainId: 42431, escrowContract: '0x4d50500000000000000000000000000000000000' },
    },
    meta: { nonce: crypto.randomUUID() },
  });

export function atxpBody(given: { amount?: string; requestId?: string; token?: string; account?: PayerAccount } = {}) {
  const { content } = atxpCredential({ account: given.account ?? alice, token: given.token });
  return {
    ...content,
    destinationAccountId: 'atxp_acct_shop',
    options: [{ network: 'base', currency: 'USDC', address: exactAccept.payTo, amount: given.amount ?? '0.01' }],
    ...(given.requestId !== undefined && { paymentRequestId: given.requestId }),
  };
}

export async function x402Body(
  given: Partial<X402CredentialOptions> & { override?: string; requestId?: string; requirements?: object } = {},
) {
  const accept = given.accept ?? exactAccept;
  const { content } = await x402Credential({ account: alice, accept, nowMs: NOW, ...given });
  return {
    payload: content,
    paymentRequirements: given.requirements ?? accept,
    ...(given.override !== undefined && { settlementOverrides: { amount: given.override } }),
    ...(given.requestId !== undefined && { paymentRequestId: given.requestId }),
  };
}

export async function mppBody(given: Partial<MppCredentialOptions> & { override?: string } = {}) {
  const { content } = await mppCredential({ account: alice, challenge: challenge('charge'), ...given });
  return {
    credential: content,
    ...(given.override !== undefined && { settlementOverrides: { amount: given.override } }),
  };
}

/** POSTs JSON; the body comes back parsed, or as text where it is no JSON. */
export async function post(url: string, body: unknown, init: RequestInit = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
    ...init,
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parsed(text) };
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
