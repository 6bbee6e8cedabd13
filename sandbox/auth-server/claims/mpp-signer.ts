import { type Hex, keccak256, recoverAddress, recoverTypedDataAddress, toBytes } from 'viem';
import type { Reading } from './claim.js';
import { type Fields, fieldsOf, textOf, wholeOf } from './fields.js';

/**
 * Names who signed an MPP payment, as an auth server knows it from the transaction or the voucher itself. A source that is
 * stated and did not sign is believed, so that made-up payloads can be settled, but verify does not name it.
 */
export async function nameSigner(reading: Reading, body: unknown): Promise<Reading> {
  if (!('claim' in reading) || reading.claim.protocol !== 'mpp') return reading;
  const credential = fieldsOf(fieldsOf(body).credential);
  const signer = await signerOf(fieldsOf(credential.challenge), fieldsOf(credential.payload));
  const isStated = textOf(credential.source) !== undefined;
  if (signer === undefined || (isStated && signer !== reading.claim.payer)) return reading;
  return { ...reading, claim: { ...reading.claim, payer: signer, confirmed: true } };
}

async function signerOf(challenge: Fields, payload: Fields): Promise<string | undefined> {
  const signature = textOf(payload.signature);
  if (signature === undefined || !/^0x[0-9a-f]+$/i.test(signature)) return undefined;
  try {
    const signer =
      payload.channelId === undefined
        ? await transactionSigner(challenge, signature as Hex)
        : await voucherSigner(challenge, payload, signature as Hex);
    return signer.toLowerCase();
  } catch {
    return undefined;
  }
}

/** The sandbox's payer signs the challenge's id in place of a transaction, behind Tempo's type byte. */
const transactionSigner = (challenge: Fields, signature: Hex): Promise<string> => {
  const hash = keccak256(toBytes(textOf(challenge.id) ?? ''));
  return recoverAddress({ hash, signature: `0x${signature.slice(4)}` });
};

function voucherSigner(challenge: Fields, payload: Fields, signature: Hex): Promise<string> {
  const request = JSON.parse(Buffer.from(textOf(challenge.request) ?? '', 'base64url').toString('utf8')) as unknown;
  const details = fieldsOf(fieldsOf(request).methodDetails);
  return recoverTypedDataAddress({
    signature,
    domain: {
      name: 'TIP20 Channel Reserve',
      version: '1',
      chainId: Number(details.chainId),
      verifyingContract: details.escrowContract as Hex,
    },
    primaryType: 'Voucher',
    types: {
      Voucher: [
        { name: 'channelId', type: 'bytes32' },
        { name: 'cumulativeAmount', type: 'uint96' },
      ],
    },
    message: { channelId: payload.channelId as Hex, cumulativeAmount: wholeOf(payload.cumulativeAmount) ?? 0n },
  });
}
