import { encodePaymentResponseHeader } from '@x402/core/http';
import { v1NetworkName } from '../../protocols/x402-networks.js';
import type { SettledFacts } from '../session-ledger.js';

/** What became of an x402 payment, in the headers by which its clients hear of it. Empty while that is not final. */
export type Receipt = Readonly<Record<string, string>>;

/**
 * Of a payment that has settled: nothing else is told, because a client that reads anything else pays once more.
 * @param version of x402 that the payer speaks; undefined: another protocol
 */
export function receiptOf({ txHash, payer, network }: SettledFacts, version: 1 | 2 | undefined): Receipt {
  if (version === undefined || network === null) return {};
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
