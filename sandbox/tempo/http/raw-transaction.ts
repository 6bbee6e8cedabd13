import { concatHex, type Hex, isHex, keccak256 } from 'viem';
import { Transaction as TempoTransaction } from 'viem/tempo';
import type { Transaction } from '../state/records.js';
import { RpcRefused } from './rpc-error.js';

/**
 * Reads a signed Tempo transaction (0x76), and who signed it.
 * @throws RpcRefused for anything else, as a node refuses it before it enters the pool
 */
export async function readTransaction(raw: unknown, chainId: number): Promise<Transaction> {
  if (!isHex(raw)) throw new RpcRefused(-32_602, 'a transaction is 0x and hex digits');
  const { signature, from, ...body } = decode(raw);
  if (signature === undefined || from === undefined) throw new RpcRefused(-32_000, 'the transaction is not signed');
  if (body.chainId !== chainId) {
    throw new RpcRefused(-32_000, `invalid chain id: the transaction is for ${body.chainId}, this is ${chainId}`);
  }
  if (body.feePayerSignature) throw new RpcRefused(-32_000, 'sponsored transactions are not carried out here');
  return {
    hash: keccak256(raw),
    raw,
    from,
    calls: body.calls.map(({ to, data }) => ({ to: to ?? '0x', data: data ?? '0x' })),
    nonce: body.nonce ?? 0,
    nonceKey: body.nonceKey,
    validAfter: body.validAfter ?? 0,
    validBefore: body.validBefore ?? Number.POSITIVE_INFINITY,
    // keccak256(what the sender signed || sender), as a node computes it (TIP-1034).
    expiringNonceHash: keccak256(concatHex([await TempoTransaction.serialize(body), from])),
  };
}

function decode(raw: Hex) {
  if (!raw.startsWith('0x76')) {
    throw new RpcRefused(-32_000, 'only Tempo transactions (type 0x76) are carried out here');
  }
  try {
    return TempoTransaction.deserialize(raw as `0x76${string}`);
  } catch {
    throw new RpcRefused(-32_000, 'the transaction does not decode');
  }
}
