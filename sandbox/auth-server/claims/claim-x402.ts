import { type Claim, malformed, type Problem, type Reading, type TypedData } from './claim.js';
import { type Fields, fieldsOf, overriddenAmount, sameText, textOf, wholeOf } from './fields.js';

/** x402 v1 names its networks, v2 uses CAIP-2; the chain beneath is one, and so is the nonce on it. */
const CAIP2: Readonly<Record<string, string>> = {
  base: 'eip155:8453',
  'base-sepolia': 'eip155:84532',
  polygon: 'eip155:137',
  'polygon-amoy': 'eip155:80002',
  avalanche: 'eip155:43114',
  'avalanche-fuji': 'eip155:43113',
};
const chainOf = (network: string): string => CAIP2[network.toLowerCase()] ?? network.toLowerCase();

/** The payer's signed promise, in the two forms EVM schemes use: EIP-3009 for `exact`, Permit2 for `upto`. */
interface Promised {
  readonly from: string;
  readonly to: string;
  readonly value: bigint;
  readonly nonce: string;
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly token: string | undefined;
  readonly facilitator: string | undefined;
}

/** `{payload, paymentRequirements, settlementOverrides?, paymentRequestId?, …}`; amounts are atomic. */
export function readX402(body: Fields): Reading {
  const requestId = textOf(body.paymentRequestId);
  const credential = fieldsOf(body.payload);
  const proof = fieldsOf(credential.payload);
  const requirements = fieldsOf(body.paymentRequirements);
  const promised = promiseOf(proof);
  const network = textOf(requirements.network) ?? textOf(credential.network);
  const asset = promised?.token ?? textOf(requirements.asset);
  if (promised === undefined || network === undefined || asset === undefined) {
    return {
      key: requestId ? `request:${requestId}` : null,
      problem: malformed('payload.payload holds no authorization that can be read, or the requirements are missing'),
    };
  }
  const once = `x402:${chainOf(network)}:${asset}:${promised.from}:${promised.nonce}`.toLowerCase();
  const key = requestId === undefined ? once : `request:${requestId}`;
  const mismatch = mismatchOf({ credential, requirements, promised });
  if (mismatch) return { key, problem: { status: 400, ...mismatch } };
  const amount = amountOf(body, requirements, promised.value);
  if (typeof amount !== 'bigint') return { key, problem: amount };
  const validBeforeMs = Number(promised.validBefore) * 1000;
  const claim: Claim = {
    protocol: 'x402',
    key,
    once,
    payer: promised.from.toLowerCase(),
    confirmed: true,
    network: chainOf(network),
    amount,
    cap: promised.value,
    validAfterMs: Number(promised.validAfter) * 1000,
    collectableUntilMs: validBeforeMs,
    validUntilMs: validBeforeMs,
    channel: null,
    manages: null,
    typedData: typedDataOf(proof, requirements, network),
    echo: {},
  };
  return { key, claim };
}

function promiseOf(proof: Fields): Promised | undefined {
  const plain = fieldsOf(proof.authorization);
  const permit = fieldsOf(proof.permit2Authorization);
  const permitted = fieldsOf(permit.permitted);
  const witness = fieldsOf(permit.witness);
  const isPermit = proof.permit2Authorization !== undefined;
  const from = textOf(isPermit ? permit.from : plain.from);
  const to = textOf(isPermit ? witness.to : plain.to);
  const value = wholeOf(isPermit ? permitted.amount : plain.value);
  // Permit2 counts its nonces, so 7 and 007 are one; EIP-3009 has 32 bytes, whose case does not matter.
  const nonce = isPermit ? wholeOf(permit.nonce)?.toString() : textOf(plain.nonce);
  const validAfter = wholeOf(isPermit ? (witness.validAfter ?? '0') : plain.validAfter);
  const validBefore = wholeOf(isPermit ? permit.deadline : plain.validBefore);
  if (!from || !to || value === undefined || !nonce || validAfter === undefined || validBefore === undefined) {
    return undefined;
  }
  if (!/^0x[0-9a-f]{40}$/i.test(from) || (!isPermit && !/^0x[0-9a-f]{64}$/i.test(nonce))) return undefined;
  const token = isPermit ? textOf(permitted.token) : undefined;
  if (isPermit && token === undefined) return undefined;
  return { from, to, value, nonce, validAfter, validBefore, token, facilitator: textOf(witness.facilitator) };
}

const networkOf = (fields: Fields): string => chainOf(textOf(fields.network) ?? '');
const requiredAmount = (requirements: Fields): bigint | undefined =>
  wholeOf(requirements.amount ?? requirements.maxAmountRequired);

function mismatchOf(parts: {
  credential: Fields;
  requirements: Fields;
  promised: Promised;
}): Pick<Problem, 'code' | 'message'> | undefined {
  const { credential, requirements, promised } = parts;
  const stated = credential.x402Version === 1 ? credential : fieldsOf(credential.accepted);
  if (!sameText(stated.scheme, requirements.scheme) || networkOf(stated) !== networkOf(requirements)) {
    return { code: 'requirements_mismatch', message: 'the payload answers another scheme or network' };
  }
  if (credential.x402Version !== 1) {
    const differs = (['asset', 'payTo'] as const).find((name) => !sameText(stated[name], requirements[name]));
    if (differs || requiredAmount(stated) !== requiredAmount(requirements)) {
      return { code: 'requirements_mismatch', message: `the payload accepted another ${differs ?? 'amount'}` };
    }
  }
  if (!sameText(promised.to, requirements.payTo)) {
    return { code: 'recipient_mismatch', message: 'the authorization pays somebody else' };
  }
  if (promised.token !== undefined && !sameText(promised.token, requirements.asset)) {
    return { code: 'asset_mismatch', message: 'the authorization is for another token' };
  }
  const facilitator = textOf(fieldsOf(requirements.extra).facilitatorAddress);
  if (promised.facilitator !== undefined && facilitator !== undefined && !sameText(promised.facilitator, facilitator)) {
    return { code: 'facilitator_mismatch', message: 'the authorization names another facilitator' };
  }
  return promised.value === requiredAmount(requirements)
    ? undefined
    : { code: 'amount_mismatch', message: 'the authorized value is not the required amount' };
}

/** `exact` moves what was signed; only `upto` lets the resource server name less. */
function amountOf(body: Fields, requirements: Fields, signed: bigint): bigint | Problem {
  if (body.settlementOverrides === undefined) return signed;
  if (requirements.scheme !== 'upto') {
    return {
      status: 400,
      code: 'override_not_allowed',
      message: 'scheme exact settles the signed value: settlementOverrides is refused',
    };
  }
  return overriddenAmount(body, signed, 'the signed maximum');
}

function typedDataOf(proof: Fields, requirements: Fields, network: string): TypedData | null {
  const extra = fieldsOf(requirements.extra);
  const name = textOf(extra.name);
  const version = textOf(extra.version);
  const chainId = /^eip155:(\d{1,15})$/.exec(chainOf(network))?.[1];
  const plain = fieldsOf(proof.authorization);
  if (proof.authorization === undefined || !name || !version || !chainId) return null;
  return {
    domain: { name, version, chainId: Number(chainId), verifyingContract: requirements.asset as `0x${string}` },
    authorization: Object.fromEntries(
      Object.entries(plain).map(([field, value]) => [field, `${wholeOf(value) ?? textOf(value) ?? ''}`]),
    ),
    signature: (textOf(proof.signature) ?? '0x') as `0x${string}`,
  };
}
