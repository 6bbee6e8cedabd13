import { Receipt } from 'mppx';
import type { Channel } from '../../domain/channels/channel.js';
import { MPP_METHOD } from '../offers/offers.js';

export const RECEIPT_HEADER = 'Payment-Receipt';

export interface ReceiptFacts {
  readonly channel: Pick<Channel, 'id' | 'accepted' | 'spent' | 'units'>;
  readonly challengeId: string;
  readonly txHash: string | null;
  readonly nowMs: number;
}

/**
 * The `Payment-Receipt` of npm mppx' sessions.
 * @param givenBack what of the reservation was not used; a stream's receipt leaves before that is known and says 0
 */
export function channelReceipt({ channel, challengeId, txHash, nowMs }: ReceiptFacts, givenBack: bigint): string {
  const receipt = {
    method: MPP_METHOD,
    intent: 'session',
    status: 'success' as const,
    timestamp: new Date(nowMs).toISOString(),
    reference: channel.id,
    challengeId,
    channelId: channel.id,
    acceptedCumulative: channel.accepted.toString(),
    spent: (channel.spent - givenBack).toString(),
    units: channel.units,
    ...(txHash !== null && { txHash }),
  };
  return Receipt.serialize(receipt);
}
