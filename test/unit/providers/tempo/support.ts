import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { startTempoSandbox } from '../../../../sandbox/tempo/start.js';
import { captureBody, captureLookup } from '../../../../src/domain/channels/capture.js';
import type { Capture, ChannelId } from '../../../../src/domain/channels/channel.js';
import { systemClock } from '../../../../src/domain/clock.js';
import { createTempo, type Tempo, type TempoSettings } from '../../../../src/providers/tempo/client.js';
import {
  Constants,
  chainClient,
  newAccount,
  openChannel,
  signVoucher,
  TOKEN,
} from '../../../support/channels/tempo-chain.js';

export const PAYEE_KEY = generatePrivateKey();
export const payee = privateKeyToAccount(PAYEE_KEY);
export const LIMIT_MS = 3_000;

/** What of a capture of 40 is to be otherwise. */
export type Changes = Partial<Omit<Capture, 'channel'>> & { readonly channel?: Partial<Capture['channel']> };

export type CaptureWorld = Awaited<ReturnType<typeof startCaptureWorld>>;

/** A chain on which one channel of 1000 pays us, and our client of it, which a test may replace. */
export async function startCaptureWorld() {
  const sandbox = await startTempoSandbox();
  const payer = chainClient(sandbox.url, newAccount());
  const channel = await openChannel(payer, { payee: payee.address, deposit: 1000n });
  const tempoAt = (rpcUrl: string, changes: Partial<TempoSettings> = {}): Tempo =>
    createTempo({ rpcUrl, chainId: sandbox.chainId, payeeKey: PAYEE_KEY, clock: systemClock, ...changes });

  async function captureWith(changes: Changes = {}): Promise<Capture> {
    const cumulative = changes.cumulative ?? 40n;
    return {
      kind: 'settle',
      cumulative,
      capture: cumulative,
      newly: cumulative,
      signature: await signVoucher(payer, channel.channelId, cumulative),
      ...changes,
      channel: {
        id: channel.channelId as string as ChannelId,
        chainId: sandbox.chainId,
        escrow: Constants.tip20ChannelEscrow,
        payer: payer.account.address,
        token: TOKEN,
        descriptor: { ...channel.descriptor },
        ...changes.channel,
      },
    };
  }

  const world = {
    sandbox,
    payer,
    channel,
    tempo: tempoAt(sandbox.url),
    tempoAt,
    bodyOf: async (changes?: Changes) => captureBody(await captureWith(changes)),
    settle: async (changes: Changes = {}, timeoutMs = LIMIT_MS) =>
      world.tempo.settle({ body: await world.bodyOf(changes), key: 'key-1', timeoutMs }),
    look: async (changes: Changes = {}) => world.tempo.lookUp(captureLookup(await captureWith(changes)), LIMIT_MS),
    captured: () => sandbox.ledger().totals.captured,
    /** Transactions beside the one that opened the channel. */
    sent: () => sandbox.ledger().transactions.length - 1,
    close: () => sandbox.close(),
  };
  return world;
}
