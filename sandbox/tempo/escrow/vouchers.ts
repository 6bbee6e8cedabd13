import { type Address, type Hex, hashTypedData, isAddressEqual, parseSignature, zeroAddress } from 'viem';
import { Channel as Reserve, Secp256k1 } from 'viem/tempo';
import type { Descriptor } from '../state/records.js';

export interface Voucher {
  readonly channelId: Hex;
  readonly cumulativeAmount: bigint;
  readonly signature: Hex;
}

/** True when whoever may sign for the channel has signed; of keys only secp256k1, 65 bytes. */
export function isSigned(chainId: number, descriptor: Descriptor, voucher: Voucher): boolean {
  const signer = signerOf(chainId, voucher);
  return signer !== undefined && isAddressEqual(signer, expectedSigner(descriptor));
}

/** The zero address leaves it to the payer. */
const expectedSigner = ({ authorizedSigner, payer }: Descriptor): Address =>
  isAddressEqual(authorizedSigner, zeroAddress) ? payer : authorizedSigner;

function signerOf(chainId: number, voucher: Voucher): Address | undefined {
  if (!/^0x[0-9a-fA-F]{130}$/.test(voucher.signature)) return undefined;
  try {
    const { r, s, yParity } = parseSignature(voucher.signature);
    const signature = { r: BigInt(r), s: BigInt(s), yParity };
    return Secp256k1.recoverAddress({ payload: digestOf(chainId, voucher), signature });
  } catch {
    return undefined;
  }
}

const digestOf = (chainId: number, { channelId, cumulativeAmount }: Voucher): Hex =>
  hashTypedData({
    domain: { name: 'TIP20 Channel Reserve', version: '1', chainId, verifyingContract: Reserve.address },
    types: {
      Voucher: [
        { name: 'channelId', type: 'bytes32' },
        { name: 'cumulativeAmount', type: 'uint96' },
      ],
    },
    primaryType: 'Voucher',
    message: { channelId, cumulativeAmount },
  });
