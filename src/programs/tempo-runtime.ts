import type { Config } from '../config/config.js';
import type { CapturePolicy } from '../domain/channels/channel.js';
import { systemClock } from '../domain/clock.js';
import { createTempo, type Tempo } from '../providers/tempo/client.js';

/** The chain, where it is configured; shared by server, worker and the operator's commands. */
export const createTempoProvider = ({ tempo }: Config): Tempo | undefined =>
  tempo && createTempo({ rpcUrl: tempo.rpcUrl, chainId: tempo.chainId, payeeKey: tempo.payeeKey, clock: systemClock });

export const capturePolicy = (tempo: NonNullable<Config['tempo']>): CapturePolicy => ({
  threshold: tempo.settleThreshold,
  intervalMs: tempo.settleIntervalMs,
});
