import type { SettleNowOutcome } from '../../domain/settlements/settlement.js';
import type { GateOptions } from './gate-options.js';

/** Never rejects: what is not known is kept as a charge, and tried again. */
export async function settledNow({
  session,
  settleNow,
  log,
}: Pick<GateOptions, 'session' | 'settleNow' | 'log'>): Promise<SettleNowOutcome> {
  try {
    return await settleNow(session.id);
  } catch (error) {
    log.error({ settlement: session.id, err: error }, 'settling before release failed: the charge is kept and retried');
    return 'unknown';
  }
}

/** For the developer, who has to choose another way. */
export const tooLarge = (bufferBytes: number): Error =>
  new Error(
    `this response is settled before it is released, and passed the ${bufferBytes} bytes that may wait for that: nothing was charged; raise settleFirstBuffer (SETTLE_FIRST_BUFFER), or settle after the response`,
  );
