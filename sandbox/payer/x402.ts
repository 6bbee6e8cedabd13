import { bytesToHex, type Hex } from 'viem';
import type { PayerAccount } from './account.js';
import { encodeJson, type JsonLayout, type PaymentCredential } from './credential.js';

/** One entry of `accepts`; v1 says maxAmountRequired where v2 says amount. */
export interface X402Accept {
  readonly scheme: string;
  readonly network: string;
  readonly asset: string;
  readonly payTo: string;
  readonly amount?: string;
  readonly maxAmountRequired?: string;
  readonly maxTimeoutSeconds: number;
  readonly extra?: Readonly<Record<string, unknown>> | null;
  readonly [field: string]: unknown;
}

export interface X402CredentialOptions {
  readonly account: PayerAccount;
  /** The offer that is answered; v2 sends it back as `accepted`. */
  readonly accept: X402Accept;
  readonly version?: 1 | 2;
  /** v2: the `resource` object of the 402. */
  readonly resource?: Readonly<Record<string, unknown>>;
  readonly nowMs?: number;
  /** Unix seconds; default: a minute ago, to forgive clocks. */
  readonly validAfter?: number;
  /** Unix seconds; default: now + the offer's maxTimeoutSeconds. */
  readonly validBefore?: number;
  /** 32 bytes as hex; random by default. */
  readonly nonce?: Hex;
  /** Signs for another amount than the offer's. */
  readonly value?: string;
  readonly layout?: JsonLayout;
}

const V1_NETWORKS: Readonly<Record<string, string>> = {
  'eip155:137': 'polygon',
  'eip155:8453': 'base',
  'eip155:84532': 'base-sepolia',
};
/** Same address on every EVM chain. */
const PERMIT2 = '0x000000000022d473030f116ddee9f6b43ac78ba3';
/** The only spender an `upto` permit may name: it enforces payee, facilitator and maximum. */
const UPTO_PROXY = '0x4020a4f3b7b90cca423b9fabcc0ce57c6c240002';

/**
 * A signed x402 payment: EIP-3009 authorization for `exact`, Permit2 permit for `upto`, base64 JSON in
 * PAYMENT-SIGNATURE (v2) or X-PAYMENT (v1).
 * @throws Error for a scheme that is neither, or `upto` without a facilitator
 */
export async function x402Credential(given: X402CredentialOptions): Promise<PaymentCredential> {
  const { accept, version = 2 } = given;
  const payload = accept.scheme === 'upto' ? await permit(given) : await authorization(given);
  const content =
    version === 1
      ? {
          x402Version: 1,
          scheme: accept.scheme,
          network: V1_NETWORKS[accept.network] ?? accept.network,
          payload,
        }
      : { x402Version: 2, ...(given.resource && { resource: given.resource }), accepted: accept, payload };
  const value = Buffer.from(encodeJson(content, given.layout)).toString('base64');
  return { content, headers: { [version === 1 ? 'X-PAYMENT' : 'PAYMENT-SIGNATURE']: value } };
}

interface Terms {
  readonly value: string;
  readonly validAfter: string;
  readonly validBefore: string;
  readonly nonce: Hex;
  readonly chainId: number;
  readonly token: Hex;
  readonly payTo: Hex;
}

function termsOf(given: X402CredentialOptions): Terms {
  const { accept } = given;
  const nowSeconds = Math.floor((given.nowMs ?? Date.now()) / 1000);
  const caip2 = Object.entries(V1_NETWORKS).find(([, name]) => name === accept.network)?.[0] ?? accept.network;
  return {
    value: given.value ?? accept.amount ?? accept.maxAmountRequired ?? '',
    validAfter: String(given.validAfter ?? nowSeconds - 60),
    validBefore: String(given.validBefore ?? nowSeconds + accept.maxTimeoutSeconds),
    nonce: given.nonce ?? bytesToHex(crypto.getRandomValues(new Uint8Array(32))),
    chainId: Number(caip2.replace('eip155:', '')),
    token: accept.asset as Hex,
    payTo: accept.payTo as Hex,
  };
}

async function authorization(given: X402CredentialOptions): Promise<Record<string, unknown>> {
  const { account, accept } = given;
  if (accept.scheme !== 'exact') throw new Error(`the paying client knows exact and upto, not ${accept.scheme}`);
  const { value, validAfter, validBefore, nonce, chainId, token, payTo } = termsOf(given);
  const from = account.wallet.address;
  const signature = await account.wallet.signTypedData({
    domain: {
      name: textOr(accept.extra?.name, 'USD Coin'),
      version: textOr(accept.extra?.version, '2'),
      chainId,
      verifyingContract: token,
    },
    types: {
      TransferWithAuthorization: [
        { name: 'from', type: 'address' },
        { name: 'to', type: 'address' },
        { name: 'value', type: 'uint256' },
        { name: 'validAfter', type: 'uint256' },
        { name: 'validBefore', type: 'uint256' },
        { name: 'nonce', type: 'bytes32' },
      ],
    },
    primaryType: 'TransferWithAuthorization',
    message: {
      from,
      to: payTo,
      value: BigInt(value),
      validAfter: BigInt(validAfter),
      validBefore: BigInt(validBefore),
      nonce,
    },
  });
  return { signature, authorization: { from, to: payTo, value, validAfter, validBefore, nonce } };
}

async function permit(given: X402CredentialOptions): Promise<Record<string, unknown>> {
  const { account, accept } = given;
  const facilitator = textOr(accept.extra?.facilitatorAddress, '') as Hex;
  if (facilitator.length === 0) throw new Error('an upto offer must name extra.facilitatorAddress');
  const { value, validAfter, validBefore, nonce, chainId, token, payTo } = termsOf(given);
  // Permit2 counts nonces as uint256 and writes them in decimal.
  const permitNonce = BigInt(nonce);
  const signature = await account.wallet.signTypedData({
    domain: { name: 'Permit2', chainId, verifyingContract: PERMIT2 },
    types: PERMIT2_TYPES,
    primaryType: 'PermitWitnessTransferFrom',
    message: {
      permitted: { token, amount: BigInt(value) },
      spender: UPTO_PROXY,
      nonce: permitNonce,
      deadline: BigInt(validBefore),
      witness: { to: payTo, facilitator, validAfter: BigInt(validAfter) },
    },
  });
  return {
    signature,
    permit2Authorization: {
      from: account.wallet.address,
      permitted: { token, amount: value },
      spender: UPTO_PROXY,
      nonce: permitNonce.toString(),
      deadline: validBefore,
      witness: { to: payTo, facilitator, validAfter },
    },
  };
}

const PERMIT2_TYPES = {
  PermitWitnessTransferFrom: [
    { name: 'permitted', type: 'TokenPermissions' },
    { name: 'spender', type: 'address' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
    { name: 'witness', type: 'Witness' },
  ],
  TokenPermissions: [
    { name: 'token', type: 'address' },
    { name: 'amount', type: 'uint256' },
  ],
  Witness: [
    { name: 'to', type: 'address' },
    { name: 'facilitator', type: 'address' },
    { name: 'validAfter', type: 'uint256' },
  ],
} as const;

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise);
