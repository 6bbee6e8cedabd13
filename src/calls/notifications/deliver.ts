import type { NoticeMessageId } from '../../domain/ids.js';
import type { DeliveryOutcome } from '../../domain/notifications/delivery.js';
import type { Destination } from '../../domain/notifications/destinations.js';
import type { Ledger } from '../../ledger/ledger.js';
import type { Logger } from '../../observability/logger.js';
import type { Sender } from '../../providers/notifications/sender.js';

export interface DeliveryDependencies {
  readonly ledger: Pick<Ledger, 'beginDelivery' | 'recordDelivery'>;
  readonly sender: Pick<Sender, 'send'>;
  readonly destinations: readonly Destination[];
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/** What one attempt at a message came to. */
export type DeliveryStep =
  | { readonly kind: 'ended'; readonly state: 'delivered' | 'withdrawn' | 'given_up' }
  | { readonly kind: 'again'; readonly afterMs: number; readonly why: string };

/**
 * One attempt to deliver one message. It is recorded before it is made: whoever dies in between leaves a message that is sent
 * again, with the same contents under the same id.
 */
export function createDelivery({ ledger, sender, destinations, logger }: DeliveryDependencies) {
  const known = new Map(destinations.map((destination) => [destination.id, destination]));
  return async function deliver(id: NoticeMessageId): Promise<DeliveryStep> {
    const begun = await ledger.beginDelivery(id);
    if (begun.kind === 'ended') return begun;
    const destination = known.get(begun.destination);
    const outcome: DeliveryOutcome = destination
      ? await sender.send(destination, begun.message)
      : { kind: 'failed', detail: 'it is not in the settings of this worker' };
    const recorded = await ledger.recordDelivery(id, begun.attempt, outcome);
    const about = { destination: begun.destination, message: id, attempt: begun.attempt };
    if (outcome.kind === 'delivered') logger.info(about, 'a person was told of money that waits');
    else if (recorded.kind === 'ended' && recorded.state === 'given_up')
      logger.warn({ ...about, why: outcome.detail }, 'a message was given up: what of it still stands is told anew');
    else logger.warn({ ...about, why: outcome.detail }, 'a destination could not be told of money that waits');
    if (recorded.kind === 'ended') return recorded;
    return { kind: 'again', afterMs: recorded.afterMs, why: `${begun.destination}: ${outcome.detail}` };
  };
}
