import { createClient, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { tempo, tempoModerato } from 'viem/chains';
import type { ChainRead } from '../../domain/channels/chain-answers.js';
import type { ChannelId } from '../../domain/channels/channel.js';
import { type ChannelVerifier, createChannelVerifier, readChannel } from './channel-verifier.js';

export interface ChannelServerSettings {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly currency: string;
  readonly payeeKey: string;
}

/** A call of a payer's request waits no longer; the payer comes back with the same credential. */
const RPC_TIMEOUT_MS = 5_000;
const RECEIPT_POLL_MS = 100;

/** The verification of channel credentials on the chain of the settings. */
export function connectChannelVerifier(
  settings: ChannelServerSettings,
  issuer: { readonly secretKey: string; readonly realm: string },
): ChannelVerifier {
  const { chainId, currency } = settings;
  return createChannelVerifier({ ...connect(settings), chainId, currency, ...issuer });
}

/** For those who only watch channels. */
export function connectChainReader(settings: ChannelServerSettings): (id: ChannelId) => Promise<ChainRead> {
  const { client } = connect(settings);
  return (id) => readChannel(client, id);
}

function connect({ rpcUrl, chainId, payeeKey }: ChannelServerSettings) {
  const payee = privateKeyToAccount(payeeKey as `0x${string}`);
  const client = createClient({
    account: payee,
    // The serializers of Tempo's transactions come with the chain; its id is that of the settings.
    chain: { ...(chainId === tempo.id ? tempo : tempoModerato), id: chainId },
    // Asked again by the payer, not by us: a request that waits is a request that is not answered.
    transport: http(rpcUrl, { retryCount: 0, timeout: RPC_TIMEOUT_MS }),
    pollingInterval: RECEIPT_POLL_MS,
  });
  return { client, payee };
}
