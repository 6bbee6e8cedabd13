import { recoverTypedDataAddress } from 'viem';
import type { Claim } from './claim.js';

const TRANSFER_WITH_AUTHORIZATION = [
  { name: 'from', type: 'address' },
  { name: 'to', type: 'address' },
  { name: 'value', type: 'uint256' },
  { name: 'validAfter', type: 'uint256' },
  { name: 'validBefore', type: 'uint256' },
  { name: 'nonce', type: 'bytes32' },
] as const;

/**
 * Whether the payer signed an EIP-3009 authorization (EIP-712, domain from the requirements). Claims without one
 * (ATXP tokens, Permit2, MPP) pass: they would need the chain, or keys the sandbox does not have.
 */
export async function signatureMatches(claim: Claim): Promise<boolean> {
  if (claim.typedData === null) return true;
  const { domain, authorization, signature } = claim.typedData;
  try {
    const signer = await recoverTypedDataAddress({
      domain,
      signature,
      primaryType: 'TransferWithAuthorization',
      types: { TransferWithAuthorization: TRANSFER_WITH_AUTHORIZATION },
      message: {
        from: authorization.from as `0x${string}`,
        to: authorization.to as `0x${string}`,
        value: BigInt(authorization.value ?? ''),
        validAfter: BigInt(authorization.validAfter ?? ''),
        validBefore: BigInt(authorization.validBefore ?? ''),
        nonce: authorization.nonce as `0x${string}`,
      },
    });
    return signer.toLowerCase() === claim.payer;
  } catch {
    return false;
  }
}
