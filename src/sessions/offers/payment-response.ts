import { encodePaymentResponseHeader } from '@x402/core/http';
import type { SettlementStatus } from '../../domain/settlements/settlement-status.js';
import { v1NetworkName } from '../../protocols/x402-networks.js';

/** What became of an x402 payment, in the headers by which its clients hear of it. Empty while that is not final. */
export type Receipt = Readonly<Record<string, string>>;

/** A charge, as far as its payer is told of it. */
export interface ReceiptFacts {
  readonly status: SettlementStatus;
  readonly txHash: string | null;
  readonly payer: string | null;
  /** CAIP-2. */
  readonly network: string | null;
}

/**
 * Only a payment that has settled is told of: a client that reads anything else pays once more.
 * @param version of x402 that the payer speaks
 */
export function receiptOf({ status, txHash, payer, network }: ReceiptFacts, version: 1 | 2): Receipt {
  if (status !== 'settled' || network === null) return {};
  const named = version === 1 ? (v1NetworkName(network) ?? network) : network;
  const value = encodePaymentResponseHeader({
    success: true,
    // An auth server that had settled it before does not say by which transaction.
    transaction: txHash ?? '',
    // The library's type is a template of CAIP-2; v1 has names of its own.
    network: named as `${string}:${string}`,
    ...(payer !== null && { payer }),
  });
  return { [version === 1 ? 'X-PAYMENT-RESPONSE' : 'PAYMENT-RESPONSE']: value };
}
