import type { ChannelId } from '../../domain/channels/channel.js';
import type { SettlementId } from '../../domain/ids.js';
import type { SessionLog } from '../session-log.js';

/** Collects what a channel owes when its payer closes it, at once; what is missed here the sweep opens. */
export function createCaptureClosing({
  openWhenDue,
  dispatch,
  log,
}: {
  /** @returns the settlement that was opened; undefined: nothing is due */
  readonly openWhenDue: (id: ChannelId) => Promise<SettlementId | undefined>;
  readonly dispatch: (id: SettlementId) => unknown;
  readonly log: SessionLog;
}) {
  return async ({ id }: { readonly id: ChannelId }): Promise<void> => {
    try {
      const opened = await openWhenDue(id);
      if (opened !== undefined) dispatch(opened);
    } catch (error) {
      log.warn({ err: error }, 'the capture of a closed channel could not be opened; the sweep opens it');
    }
  };
}
