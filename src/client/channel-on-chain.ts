import { Session } from 'mppx/tempo';
import type { Client } from 'viem';
import { getLogs } from 'viem/actions';
import type { ShownVoucher } from './challenge.js';
import { type ChannelDescriptor, type ChannelScope, sameHex } from './channel-store.js';
import { explaining, SessionPaymentError } from './errors.js';

const { Chain, Channel, Voucher, escrowAbi } = Session.Precompile;

type Hex = `0x${string}`;

export interface ChannelOnChain {
  /** Everything ever put in; zero once the channel is closed, or before it was opened. */
  readonly deposit: bigint;
  readonly settled: bigint;
  readonly closing: boolean;
}

/** Who pays: the account that owns a channel, and the key that signs its vouchers. */
export interface PayerKeys {
  readonly payer: Hex;
  readonly signer: Hex;
}

/** The chain's own word; no server is asked. */
export function readChannel(client: Client, channelId: Hex, { escrow }: ChannelScope): Promise<ChannelOnChain> {
  return explaining('chain_unreachable', `channel ${channelId} could not be read on chain`, async () => {
    const { deposit, settled, closeRequestedAt } = await Chain.getChannelState(client, channelId, escrow);
    return { deposit, settled, closing: closeRequestedAt !== 0 };
  });
}

export const isUsable = ({ deposit, closing }: ChannelOnChain): boolean => deposit > 0n && !closing;

/**
 * The descriptor of a channel of which only the id is known, from the log of its opening. Without it nothing can be
 * signed for the channel: the chain gives amounts by id, but not whose they are.
 * @returns undefined where this payer never opened such a channel
 */
export function descriptorFromLog(
  client: Client,
  channelId: Hex,
  { escrow }: ChannelScope,
  { payer }: PayerKeys,
): Promise<ChannelDescriptor | undefined> {
  return explaining('channel_unrecoverable', `the node gave no logs of channel ${channelId}`, async () => {
    const event = escrowAbi.find((item) => item.type === 'event' && item.name === 'ChannelOpened');
    if (event?.type !== 'event' || event.name !== 'ChannelOpened') return undefined;
    const logs = await getLogs(client, {
      address: escrow,
      event,
      args: { channelId, payer },
      fromBlock: 'earliest',
      toBlock: 'latest',
      strict: true,
    });
    const opened = logs.at(-1)?.args;
    return (
      opened && {
        payer: opened.payer,
        payee: opened.payee,
        operator: opened.operator,
        token: opened.token,
        salt: opened.salt,
        authorizedSigner: opened.authorizedSigner,
        expiringNonceHash: opened.expiringNonceHash,
      }
    );
  });
}

/** Whether a descriptor is this channel's, pays this payee in this token, and is ours to sign for. */
export function isOurs(
  descriptor: ChannelDescriptor,
  channelId: Hex,
  { payee, token, escrow, chainId }: ChannelScope,
  { payer, signer }: PayerKeys,
): boolean {
  return (
    sameHex(Channel.computeId({ ...descriptor, chainId, escrow }), channelId) &&
    sameHex(descriptor.payee, payee) &&
    sameHex(descriptor.token, token) &&
    sameHex(descriptor.payer, payer) &&
    sameHex(Channel.resolveAuthorizedSigner(descriptor), signer)
  );
}

/** What our own signature proves we have signed for this channel; zero for anything that does not verify. */
export function provenBy(
  shown: ShownVoucher | undefined,
  channelId: Hex,
  { escrow, chainId }: ChannelScope,
  { signer }: PayerKeys,
): bigint {
  if (shown === undefined || !sameHex(shown.channelId, channelId)) return 0n;
  const voucher = { channelId, cumulativeAmount: shown.cumulative, signature: shown.signature };
  return Voucher.verifyVoucher(escrow, chainId, voucher, signer) ? shown.cumulative : 0n;
}

/** A client of another chain would sign for channels that the server cannot see. */
export async function clientFor(
  getClient: (wanted: { chainId: number }) => Client | Promise<Client>,
  chainId: number,
): Promise<Client> {
  const client = await explaining('wrong_chain', `getClient has no client of chain ${chainId}`, async () =>
    getClient({ chainId }),
  );
  if (client.chain?.id === chainId) return client;
  throw new SessionPaymentError(
    'wrong_chain',
    `the server wants to be paid on chain ${chainId}, and getClient gave a client of ${client.chain?.id ?? 'no chain'}`,
  );
}
