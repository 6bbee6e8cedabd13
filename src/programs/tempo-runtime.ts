import type { Config } from '../config/config.js';
import type { CapturePolicy } from '../domain/channels/channel.js';
import { systemClock } from '../domain/clock.js';
import { connectChainReader, connectChannelVerifier } from '../providers/tempo/channel-server.js';
import { createTempo } from '../providers/tempo/client.js';

/** What is done on the chain of the settings; shared by server, worker and the operator's commands. */
export const createTempoRuntime = (tempo: NonNullable<Config['tempo']>) => ({
  provider: createTempo({
    rpcUrl: tempo.rpcUrl,
    chainId: tempo.chainId,
    payeeKey: tempo.payeeKey,
    clock: systemClock,
  }),
  readChain: connectChainReader(tempo),
  createVerifier: (issuer: Parameters<typeof connectChannelVerifier>[1]) => connectChannelVerifier(tempo, issuer),
  policy: { threshold: tempo.settleThreshold, intervalMs: tempo.settleIntervalMs } satisfies CapturePolicy,
});

export type TempoRuntime = ReturnType<typeof createTempoRuntime>;
