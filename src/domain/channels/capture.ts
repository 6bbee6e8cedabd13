import type { Capture } from './channel.js';

/** Every stablecoin of Tempo counts in millionths (TIP-20). */
export const TIP20_DECIMALS = 6;

/** In the order of the channel's id. */
const DESCRIPTOR_FIELDS = [
  'payer',
  'payee',
  'operator',
  'token',
  'salt',
  'authorizedSigner',
  'expiringNonceHash',
] as const;

/** The exact bytes that every attempt goes by; the same capture always has the same. */
export function captureBody({ kind, channel, cumulative, capture, signature }: Capture): string {
  const { id, chainId, escrow, descriptor } = channel;
  return JSON.stringify({
    kind,
    chainId,
    escrow,
    channelId: id,
    descriptor: Object.fromEntries(DESCRIPTOR_FIELDS.map((name) => [name, descriptor[name]])),
    cumulativeAmount: cumulative.toString(),
    captureAmount: capture.toString(),
    signature,
  });
}

/** A voucher is captured once in each way: to settle, and to close. */
export const captureIdentity = ({ kind, channel, cumulative }: Capture): string =>
  `mpp:${channel.id}:${cumulative}:${kind}`;

/** What a person needs to find the capture on chain, and what an operator's word is checked against; no secret. */
export type CaptureLookup = Readonly<
  Record<'kind' | 'chainId' | 'escrow' | 'channelId' | 'cumulative' | 'capture', string>
>;

export const captureLookup = ({ kind, channel, cumulative, capture }: Capture): CaptureLookup => ({
  kind,
  chainId: channel.chainId.toString(),
  escrow: channel.escrow,
  channelId: channel.id,
  cumulative: cumulative.toString(),
  capture: capture.toString(),
});
