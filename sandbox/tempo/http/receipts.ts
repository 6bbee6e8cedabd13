import { toHex } from 'viem';
import { blockHash, ESCROW } from '../state/chain.js';
import type { Mined, Transaction } from '../state/records.js';

/** A log as receipts and eth_getLogs show it. */
export const logsOf = ({ logs, transaction, blockNumber, timestamp }: Mined) =>
  logs.map((log, index) => ({
    ...log,
    blockHash: blockHash(blockNumber),
    blockNumber: toHex(blockNumber),
    blockTimestamp: toHex(timestamp),
    transactionHash: transaction.hash,
    transactionIndex: '0x0',
    logIndex: toHex(index),
    removed: false,
  }));

export const receiptOf = (mined: Mined) => ({
  transactionHash: mined.transaction.hash,
  transactionIndex: '0x0',
  blockHash: blockHash(mined.blockNumber),
  blockNumber: toHex(mined.blockNumber),
  from: mined.transaction.from,
  to: mined.transaction.calls[0]?.to ?? ESCROW,
  contractAddress: null,
  cumulativeGasUsed: '0x1',
  gasUsed: '0x1',
  effectiveGasPrice: '0x1',
  logs: logsOf(mined),
  logsBloom: `0x${'00'.repeat(256)}`,
  status: mined.revertedWith === null ? '0x1' : '0x0',
  type: '0x76',
});

/** Without block fields while it waits in the pool. */
export const transactionOf = (transaction: Transaction, chainId: number, mined: Mined | undefined) => ({
  hash: transaction.hash,
  type: '0x76',
  chainId: toHex(chainId),
  from: transaction.from,
  calls: transaction.calls.map(({ to, data }) => ({ to, data, value: '0x0' })),
  nonce: toHex(transaction.nonce),
  nonceKey: toHex(transaction.nonceKey ?? 0n),
  validBefore: Number.isFinite(transaction.validBefore) ? toHex(transaction.validBefore) : null,
  validAfter: toHex(transaction.validAfter),
  gas: '0x186a0',
  gasPrice: '0x1',
  maxFeePerGas: '0x1',
  maxPriorityFeePerGas: '0x1',
  accessList: [],
  blockHash: mined === undefined ? null : blockHash(mined.blockNumber),
  blockNumber: mined === undefined ? null : toHex(mined.blockNumber),
  transactionIndex: mined === undefined ? null : '0x0',
});
