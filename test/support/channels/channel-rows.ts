import type { Capture, ChannelId } from '../../../src/domain/channels/channel.js';
import type { Database } from '../../../src/ledger/database.js';
import { Constants, type OpenedChannel, TOKEN } from './tempo-chain.js';

const lower = (text: string) => text.toLowerCase();

/** A channel as it stands in the ledger once its payer has opened it on chain and has used it. */
export async function storeChannel(
  { query }: Pick<Database, 'query'>,
  { channelId, descriptor }: OpenedChannel,
  amounts: { readonly deposit: bigint; readonly accepted: bigint; readonly earned: bigint },
): Promise<void> {
  const { deposit, accepted, earned } = amounts;
  await query(
    `INSERT INTO channels (channel_id, state, chain_id, escrow, payer, payee, token, operator, deposit, accepted, spent, earned,
       unsettled_since, next_check_at)
     VALUES ($1, '{}', 42431, $2, $3, $4, $5, $6, $7, $8, $9, $9, clock_now(), clock_now() + interval '1 hour')`,
    [
      lower(channelId),
      lower(Constants.tip20ChannelEscrow),
      lower(descriptor.payer),
      lower(descriptor.payee),
      lower(descriptor.token),
      lower(descriptor.operator),
      deposit.toString(),
      accepted.toString(),
      earned.toString(),
    ],
  );
}

/** What there is to capture of it. */
export const captureOf = (
  { channelId, descriptor }: OpenedChannel,
  amounts: Pick<Capture, 'kind' | 'cumulative' | 'capture' | 'newly' | 'signature'>,
): Capture => ({
  ...amounts,
  channel: {
    id: lower(channelId) as ChannelId,
    chainId: 42431,
    escrow: lower(Constants.tip20ChannelEscrow),
    payer: lower(descriptor.payer),
    token: lower(TOKEN),
    descriptor: { ...descriptor },
  },
});

/** Fields of a channel that nobody ever opened on chain. */
export function imaginaryChannel(): OpenedChannel {
  const hex = (bytes: number): `0x${string}` =>
    `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex')}`;
  return {
    channelId: hex(32),
    txHash: hex(32),
    descriptor: {
      payer: hex(20),
      payee: hex(20),
      operator: `0x${'0'.repeat(40)}`,
      token: TOKEN,
      salt: hex(32),
      authorizedSigner: `0x${'0'.repeat(40)}`,
      expiringNonceHash: hex(32),
    },
  };
}
