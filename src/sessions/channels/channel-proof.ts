import { type ChannelId, isPublic, type VoucherStanding } from '../../domain/channels/channel.js';
import type { ChannelCredential } from './match-channel.js';

/**
 * Who asks is the payer of this channel. By `voucher`: it is above everything that was captured or sent for capture, so only
 * the payer and we can have it, and what we hold of the channel may be shown. By `challenge`: he answers one that was given
 * to the payer alone; that is proof enough to close.
 */
export interface ChannelProof {
  readonly channelId: ChannelId;
  readonly by: 'voucher' | 'challenge';
}

/** @param credential its signature is verified @param standing undefined: the ledger does not know the channel */
export function proofOf(
  { action, channelId, cumulative, givenTo }: ChannelCredential,
  standing: VoucherStanding | undefined,
): ChannelProof | undefined {
  if (standing === undefined || action === 'topUp') return undefined;
  if (!isPublic(cumulative, standing.channel)) return { channelId, by: 'voucher' };
  if (standing.answersOwnChallenge || givenTo === channelId) return { channelId, by: 'challenge' };
  return undefined;
}
