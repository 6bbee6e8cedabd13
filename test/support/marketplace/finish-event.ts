import type { Ledger } from '../../../src/ledger/ledger.js';
import type { NewWebhookEvent } from '../../../src/ledger/marketplace/marketplace-types.js';

/** As whoever has read the provider about it just now. */
export async function finishEvent(
  ledger: Pick<Ledger, 'webhookRound' | 'finishWebhook'>,
  event: Pick<NewWebhookEvent, 'provider' | 'eventId'>,
  outcome: string,
): Promise<void> {
  await ledger.finishWebhook({ ...event, round: await ledger.webhookRound(event) }, outcome);
}
