import { bytesToHex } from 'viem';
import { payerAccount } from '../sandbox/payer/account.js';
import { x402Credential } from '../sandbox/payer/x402.js';
import { newSettlementId } from '../src/domain/ids.js';
import type { AtomicAmount } from '../src/domain/money.js';
import type { Lease, NewSession, NewSettlement, SessionChange } from '../src/ledger/settlements/settlement-types.js';
import { isUndecodable } from '../src/protocols/credential.js';
import { decodeCredential } from '../src/protocols/decode-credential.js';
import { settleBody } from '../src/protocols/settle-body.js';

const PRICE = '3000' as AtomicAmount;
const VALID_FOR_SECONDS = 3_600;
const OFFER = {
  scheme: 'exact',
  network: 'eip155:84532',
  asset: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  amount: PRICE,
  payTo: '0x1111111111111111111111111111111111111111',
  maxTimeoutSeconds: VALID_FOR_SECONDS,
  extra: { name: 'USDC', version: '2' },
};

interface Authorized {
  readonly payload: { readonly authorization: Readonly<Record<string, unknown>> };
}

/**
 * Charges as they come in production, each with a credential of its own. Signed once and then given other nonces,
 * because the sandbox of a measurement looks at no signature and signing would be most of the work.
 */
export async function createCharges(): Promise<() => NewSettlement> {
  const signed = await x402Credential({ account: payerAccount('bench'), accept: OFFER });
  const { payload, ...rest } = signed.content as unknown as Authorized;
  return () => {
    const nonce = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
    const content = { ...rest, payload: { ...payload, authorization: { ...payload.authorization, nonce } } };
    const credential = Buffer.from(JSON.stringify(content)).toString('base64');
    return toSettlement(credential);
  };
}

function toSettlement(credential: string): NewSettlement {
  const context = { paymentRequirements: OFFER };
  const decoded = decodeCredential('x402', credential, context);
  if (isUndecodable(decoded)) throw new Error(decoded.undecodable);
  const { identity, account, voucher, lookup, expiresAtMs, cap } = decoded;
  return {
    id: newSettlementId(Date.now()),
    key: identity,
    identity,
    contentSha256: 'the same for all',
    protocol: 'x402',
    asset: 'USDC',
    decimals: 6,
    payer: account,
    voucher,
    lookup,
    context,
    expiresAtMs,
    spent: PRICE,
    cap,
    body: settleBody({ credential: decoded, context, spent: PRICE, decimals: 6 }),
    undecodable: null,
    credential,
  };
}

/** The same charge as a paid route opens it. */
export function asSession(charge: NewSettlement, lease: Lease): NewSession {
  const { spent, cap, body: _body, undecodable: _undecodable, ...facts } = charge;
  return {
    ...facts,
    route: 'GET /bench',
    cap: cap ?? spent,
    lease,
    closeToken: crypto.randomUUID(),
    longestMs: VALID_FOR_SECONDS * 1000,
    voucherChallenge: null,
    releasedLimit: 1_000_000,
    exposure: {},
  };
}

export const closeOf = ({ id, lease, closeToken }: NewSession, { spent, body }: NewSettlement): SessionChange => ({
  kind: 'close',
  id,
  lease,
  closeToken,
  by: 'end',
  spent,
  body,
  delivery: 'unknown',
});
